package agent

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/ticket"
	"github.com/fairlead/fairlead/sdk/backend"
)

// site is an agent with a gate, and a controller that hears it.
type site struct {
	address string // of the gate
	keyring *ticket.Keyring
	hello   *fairleadv1.AgentHello
	said    chan *fairleadv1.AgentMessage // on grants, and drains
	stream  stream
	log     *syncBuffer
	agent   *Agent
	cancel  func()
	result  chan error
	number  uint64
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) count(s string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.String(), s)
}

// gated starts an agent with a gate in front of forward.
func gated(t *testing.T, protocol, forward string) *site {
	t.Helper()
	s := &site{
		keyring: ticket.NewKeyring(time.Now()), said: make(chan *fairleadv1.AgentMessage, 1024),
		log: &syncBuffer{}, result: make(chan error, 1),
	}
	joined := make(chan struct{}, 1024)
	c := &controller{keys: &fairleadv1.Keys{}, serve: func(hello *fairleadv1.AgentHello, st stream) error {
		s.hello, s.stream = hello, st
		for {
			m, err := st.Recv()
			if err != nil {
				return nil
			}
			if m.Report != nil {
				joined <- struct{}{}
			} else {
				s.said <- m
			}
		}
	}}
	for _, k := range s.keyring.Public() {
		c.keys.Keys = append(c.keys.Keys, &fairleadv1.Key{Id: k.ID, Public: k.Public})
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = ln.Addr().String()
	s.agent, err = New(Config{
		Controller: serve(t, c), Pool: "render", Address: s.address, Public: "http://" + s.address,
		Sampler: fixed{}, DrainTimeout: time.Hour, Logger: slog.New(slog.NewTextHandler(s.log, nil)),
		Gate: ln, Forward: forward, GateProtocol: protocol,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() { s.result <- s.agent.Run(ctx) }()
	t.Cleanup(func() {
		s.cancel()
		if !t.Failed() {
			return
		}
		t.Log(s.log.String())
	})
	await(t, "a report", joined) // from then on it has the keys
	return s
}

func (s *site) ticket(t *testing.T) string {
	t.Helper()
	s.number++
	text, err := s.keyring.Sign(time.Now(), "render", fleet.BackendName(s.address),
		fleet.GrantID{Epoch: 7, Number: s.number}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// done awaits the end of the grant of the last ticket.
func (s *site) done(t *testing.T) fairleadv1.Outcome {
	t.Helper()
	for {
		m := await(t, "a done", s.said)
		for _, d := range m.GetDones() {
			if d.GetGrant().GetNumber() == s.number {
				return d.GetOutcome()
			}
		}
	}
}

// arrived awaits the arrival of the last ticket's client.
func (s *site) arrived(t *testing.T) {
	t.Helper()
	for {
		for _, g := range await(t, "an arrival", s.said).GetArrivals() {
			if g.GetNumber() == s.number {
				return
			}
		}
	}
}

// end stops the agent, with the controller's help.
func (s *site) end(t *testing.T) {
	t.Helper()
	s.cancel()
	for !await(t, "the drain", s.said).GetDrain() {
	}
	s.drained(t)
}

func (s *site) drained(t *testing.T) {
	t.Helper()
	state := &fairleadv1.BackendState{Slots: 4, Draining: true, Drained: true}
	if err := s.stream.Send(&fairleadv1.BackendMessage{State: state}); err != nil {
		t.Error(err)
	}
	if err := await(t, "the end of Run", s.result); err != nil {
		t.Errorf("Run: %v", err)
	}
	if c, err := net.Dial("tcp", s.address); err == nil {
		_ = c.Close()
		t.Error("the gate still listens")
	}
}

// get asks the gate over a connection of its own.
func (s *site) get(t *testing.T, path, header string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+s.address+path, nil)
	if err != nil {
		t.Error(err) // this may be called by another goroutine than the test's
		return &http.Response{}, ""
	}
	req.Host, req.Close = "site.example", true
	req.Header.Set("X-Forwarded-For", "203.0.113.9")
	if header != "" {
		req.Header.Set(backend.TicketHeader, header)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return &http.Response{}, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return answer, string(body)
}

// proxied returns a header of the PROXY protocol with a ticket.
func proxied(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(2, c.LocalAddr(), c.RemoteAddr())
	if err := h.SetTLVs([]proxyproto.TLV{{Type: backend.TicketTLV, Value: []byte(text)}}); err != nil {
		t.Fatal(err)
	}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// dial opens a connection with a ticket.
func (s *site) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, proxied(t, c, s.ticket(t))); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}
