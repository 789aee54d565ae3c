package agent

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/sdk/backend"
)

func TestHTTPGate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get(backend.TicketHeader) != "" || req.Header.Get("X-Forwarded-For") != "127.0.0.1" {
			t.Errorf("the backend sees %v", req.Header)
		}
		_, _ = io.WriteString(w, req.Host+req.RequestURI)
	}))
	defer server.Close()
	s := gated(t, HTTP, server.Listener.Addr().String())
	if h := s.hello; !h.GetDirect() || !h.GetAssignments() || h.GetPublic() != "http://"+s.address {
		t.Errorf("hello %v", h)
	}
	if answer, _ := s.get(t, "/", ""); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a ticket: %d", answer.StatusCode)
	}
	for _, path := range []string{"/a%2Fb/?x=1;2&y=%20", "//a"} {
		if answer, body := s.get(t, path, s.ticket(t)); answer.StatusCode != 200 || body != "site.example"+path {
			t.Errorf("%d %s, want %s", answer.StatusCode, body, path)
		}
		if got := s.done(t); got != fairleadv1.Outcome_OUTCOME_OK {
			t.Errorf("outcome %v", got)
		}
	}
	used := s.ticket(t)
	if answer, body := s.get(t, "/?fairlead-ticket="+used, ""); answer.StatusCode != 200 || body != "site.example/" {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	if answer, _ := s.get(t, "/", used); answer.StatusCode != http.StatusForbidden || s.agent.Refused()["replayed"] != 1 {
		t.Errorf("a used ticket: %d, %v", answer.StatusCode, s.agent.Refused())
	}
	s.end(t)
}

// TestHTTPGateUpgrades: what a WebSocket does.
func TestHTTPGateUpgrades(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, rw)
	}))
	defer server.Close()
	s := gated(t, HTTP, server.Listener.Addr().String())
	for name, end := range map[string]func(c net.Conn){
		"by the client": func(c net.Conn) { _ = c.Close() },
		"by a revoke": func(net.Conn) {
			m := &fairleadv1.BackendMessage{Revokes: []*fairleadv1.Revoke{{Grant: &fairleadv1.GrantID{Epoch: 7, Number: s.number}}}}
			if err := s.stream.Send(m); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\nFairlead-Ticket: "+s.ticket(t)+"\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(c)
			answer, err := http.ReadResponse(r, nil)
			if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("%v, %v", answer, err)
			}
			if _, err := io.WriteString(c, "hello\n"); err != nil {
				t.Fatal(err)
			}
			if line, err := r.ReadString('\n'); line != "hello\n" {
				t.Fatalf("%q, %v", line, err)
			}
			end(c)
			s.done(t)
		})
	}
	s.end(t)
}

// TestTheGateDrainsWithItsAgent: a request that runs ends in peace.
func TestTheGateDrainsWithItsAgent(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = io.WriteString(w, "done")
	}))
	defer server.Close()
	s := gated(t, HTTP, server.Listener.Addr().String())
	got := make(chan string, 1)
	text := s.ticket(t)
	go func() {
		_, body := s.get(t, "/", text)
		got <- body
	}()
	s.arrived(t)
	s.cancel()
	for !await(t, "the drain", s.said).GetDrain() {
	}
	close(release)
	if body := await(t, "the answer", got); body != "done" {
		t.Errorf("got %q", body)
	}
	if how := s.done(t); how != fairleadv1.Outcome_OUTCOME_OK {
		t.Errorf("outcome %v", how)
	}
	s.drained(t)
}

// TestWhatOutlivesTheDrainIsCut: Run returns, whatever clients and backends do.
func TestWhatOutlivesTheDrainIsCut(t *testing.T) {
	for _, protocol := range []string{HTTP, TCP} {
		t.Run(protocol, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close() // it accepts, and says nothing
			s := gated(t, protocol, ln.Addr().String())
			c, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			first := "GET / HTTP/1.1\r\nHost: a\r\nFairlead-Ticket: " + s.ticket(t) + "\r\n\r\n"
			if protocol == TCP {
				first = proxied(t, c, s.ticket(t))
			}
			if _, err := io.WriteString(c, first); err != nil {
				t.Fatal(err)
			}
			s.arrived(t)
			s.end(t)
			if _, err := io.Copy(io.Discard, c); err != nil && protocol == HTTP {
				t.Error(err)
			}
		})
	}
}

func TestABackendBehindTheGateThatIsAway(t *testing.T) {
	away, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = away.Close()
	t.Run(HTTP, func(t *testing.T) {
		s := gated(t, HTTP, away.Addr().String())
		for range 3 {
			answer, body := s.get(t, "/", s.ticket(t))
			if answer.StatusCode != http.StatusBadGateway || !strings.Contains(body, "does not answer") {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
			if got := s.done(t); got != fairleadv1.Outcome_OUTCOME_FAILED {
				t.Errorf("outcome %v", got)
			}
		}
		if got := s.log.count("the backend behind the gate fails"); got != 1 {
			t.Errorf("said %d times", got)
		}
		s.end(t)
	})
	t.Run(TCP, func(t *testing.T) {
		s := gated(t, TCP, away.Addr().String())
		c := s.dial(t)
		if got := s.done(t); got != fairleadv1.Outcome_OUTCOME_FAILED {
			t.Errorf("outcome %v", got)
		}
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Error(err)
		}
		s.end(t)
	})
}

func TestTCPGate(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var echoes sync.WaitGroup
	echoes.Go(func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			echoes.Go(func() {
				defer c.Close()
				all, _ := io.ReadAll(c) // answers only after the client's half-close
				_, _ = c.Write(append(all, '!'))
			})
		}
	})
	defer echoes.Wait()
	defer echo.Close()
	s := gated(t, TCP, echo.Addr().String())
	c := s.dial(t)
	big := strings.Repeat("hello", 1<<16)
	if _, err := io.WriteString(c, big); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != big+"!" || err != nil {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if got := s.done(t); got != fairleadv1.Outcome_OUTCOME_OK {
		t.Errorf("outcome %v", got)
	}
	stranger, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if _, err := io.WriteString(stranger, "let me in, please"); err != nil {
		t.Fatal(err)
	}
	if n, _ := io.Copy(io.Discard, stranger); n != 0 || s.agent.Refused()["missing"] != 1 {
		t.Errorf("a stranger got %d bytes; refused %v", n, s.agent.Refused())
	}
	s.end(t)
}

var errTurnedAway = status.Error(codes.NotFound, "there is no pool render")

func TestTheGateOfAnAgentThatIsTurnedAwayCloses(t *testing.T) {
	address := serve(t, &controller{serve: func(*fairleadv1.AgentHello, stream) error { return errTurnedAway }})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, result := run(t, Config{Controller: address, Sampler: fixed{}, Gate: ln, Forward: "127.0.0.1:1", GateProtocol: TCP})
	if err := await(t, "the end of Run", result); err == nil || !strings.Contains(err.Error(), "turned this backend away") {
		t.Errorf("Run: %v", err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("the gate is still open")
	}
}

func TestAGateThatFailsEndsRun(t *testing.T) {
	for _, protocol := range []string{HTTP, TCP} {
		address := serve(t, &controller{serve: func(_ *fairleadv1.AgentHello, s stream) error {
			_, _ = s.Recv()
			<-s.Context().Done()
			return nil
		}})
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = ln.Close()
		_, result := run(t, Config{Controller: address, Sampler: fixed{}, Gate: ln, Forward: "127.0.0.1:1", GateProtocol: protocol})
		if err := await(t, "the end of Run", result); err == nil || !strings.Contains(err.Error(), "the gate: ") {
			t.Errorf("%s: Run: %v", protocol, err)
		}
	}
}

func TestNewChecksTheGate(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, c := range []struct {
		gate              net.Listener
		forward, protocol string
		want              string
	}{
		{nil, "127.0.0.1:80", HTTP, "Config.Gate"},
		{ln, "127.0.0.1:80", "udp", "Config.GateProtocol"},
		{ln, "127.0.0.1", TCP, "Config.Forward"},
		{ln, ":80", TCP, "Config.Forward"},
		{ln, "127.0.0.1:http", TCP, "Config.Forward"},
		{ln, ln.Addr().String(), TCP, "itself"},
	} {
		_, err := New(Config{
			Controller: "127.0.0.1:7400", Pool: "render", Address: "10.0.0.1:9101", Sampler: fixed{},
			Gate: c.gate, Forward: c.forward, GateProtocol: c.protocol,
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: %v, want %q", c.forward, c.protocol, err, c.want)
		}
	}
}
