// Package wire holds a controller to what the proto file promises, word by word, through
// gRPC clients that say whatever they like.
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/control"
)

const (
	soon  = 20 * time.Second // for what takes no time on a quiet machine
	pace  = 10 * time.Millisecond
	pool  = "work"
	b1    = "127.0.0.1:9001" // nothing listens there: pools here check no health
	b2    = "127.0.0.1:9002"
	grace = 3 * time.Second // what the welcome says
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a controller that serves on a loopback address.
type rig struct {
	t       *testing.T
	c       *control.Controller
	address string
	conn    *grpc.ClientConn
	creds   credentials.TransportCredentials // of dial; nil: plain text
	stop    context.CancelFunc
	ended   chan error // Run's
}

// onePool is a config with one pool of two backends with one slot each, where agents may
// bring more.
func onePool(change ...func(*config.Pool)) *config.Config {
	p := config.Pool{
		Name: pool, Slots: 1, Agents: true,
		Queue:   config.Queue{Limit: 100_000, Timeout: time.Minute},
		Retries: config.DefaultRetries, ConnectTimeout: config.DefaultConnectTimeout,
		Health:   config.Health{Type: config.HealthNone},
		Backends: []config.Backend{{Address: b1, Zone: "a"}, {Address: b2}},
	}
	for _, f := range change {
		f(&p)
	}
	return &config.Config{
		Listeners: []config.Listener{{Name: "web", Address: "127.0.0.1:8080", Protocol: config.HTTP}},
		Routes:    []config.Route{{Listener: "web", Host: "*", Path: "/", Pool: pool}},
		Pools:     []config.Pool{p},
	}
}

// oneBackend leaves the pool its first backend.
func oneBackend(p *config.Pool) { p.Backends = p.Backends[:1] }

func newRig(t *testing.T, file *config.Config) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &rig{
		t: t, address: ln.Addr().String(), stop: stop, ended: make(chan error, 1),
		c: control.New(control.Config{File: file, Software: "fairlead test", Logger: slog.New(slog.DiscardHandler)}),
	}
	go func() { r.ended <- r.c.Run(ctx, ln) }()
	r.conn = r.dial()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-r.ended:
			if err != nil {
				t.Errorf("Run = %v", err)
			}
		case <-time.After(soon):
			t.Error("Run does not end")
		}
	})
	return r
}

// dial makes a connection of its own; what is said on one says nothing on another.
func (r *rig) dial() *grpc.ClientConn {
	r.t.Helper()
	creds := r.creds
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	conn, err := grpc.NewClient("passthrough:///"+r.address, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20)))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return conn
}

func (r *rig) tools() fairleadv1.ToolsClient { return fairleadv1.NewToolsClient(r.conn) }

// snapshot returns the first pool as it is.
func (r *rig) snapshot() *fairleadv1.PoolStatus {
	r.t.Helper()
	s, err := r.c.Snapshot(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return s.GetPools()[0]
}

// await waits until the look at the pool returns nil.
func (r *rig) await(what string, look func(*fairleadv1.PoolStatus) error) {
	r.t.Helper()
	r.awaitAny(what, func() error { return look(r.snapshot()) })
}

func (r *rig) awaitAny(what string, look func() error) {
	r.t.Helper()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	limit := time.NewTimer(soon)
	defer limit.Stop()
	for {
		err := look()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			r.t.Fatalf("waiting for %s: %v", what, err)
		}
	}
}

// awaitFlight waits until so many grants live and so many asks wait.
func (r *rig) awaitFlight(inFlight, queue int) {
	r.t.Helper()
	r.await(fmt.Sprintf("%d in flight, %d waiting", inFlight, queue), func(p *fairleadv1.PoolStatus) error {
		if int(p.GetInFlight()) != inFlight || int(p.GetQueue()) != queue {
			return fmt.Errorf("%d in flight, %d waiting", p.GetInFlight(), p.GetQueue())
		}
		return nil
	})
}

// backend returns what is known of a backend; nil: nothing.
func backend(p *fairleadv1.PoolStatus, address string) *fairleadv1.BackendStatus {
	for _, b := range p.GetBackends() {
		if b.GetAddress() == address {
			return b
		}
	}
	return nil
}

// awaitState waits until a backend is in a state; "" is unknown to the pool.
func (r *rig) awaitState(address, state string) *fairleadv1.BackendStatus {
	r.t.Helper()
	var last *fairleadv1.BackendStatus
	r.await(address+" to be "+state, func(p *fairleadv1.PoolStatus) error {
		if last = backend(p, address); last.GetState() != state {
			return fmt.Errorf("it is %q", last.GetState())
		}
		return nil
	})
	return last
}

// says checks that an error has a code and says some words.
func says(t *testing.T, err error, code codes.Code, words ...string) {
	t.Helper()
	s := status.Convert(err)
	if s.Code() != code {
		t.Errorf("the status is %s %q, want %s", s.Code(), s.Message(), code)
	}
	for _, w := range words {
		if !strings.Contains(s.Message(), w) {
			t.Errorf("the status says %q, want it to say %q", s.Message(), w)
		}
	}
}

// heard is what comes of a stream: messages, then an error.
type heard[M any] struct {
	t        *testing.T
	messages chan M
	err      error // read after messages is closed
}

// hear receives until the stream ends.
func hear[M any](t *testing.T, recv func() (M, error)) *heard[M] {
	h := &heard[M]{t: t, messages: make(chan M, 1000)}
	go func() {
		defer close(h.messages)
		for {
			m, err := recv()
			if err != nil {
				h.err = err
				return
			}
			h.messages <- m
		}
	}()
	return h
}

// next returns the next message.
func (h *heard[M]) next() M {
	h.t.Helper()
	select {
	case m, ok := <-h.messages:
		if !ok {
			h.t.Fatalf("the stream ended: %v", h.err)
		}
		return m
	case <-time.After(soon):
		h.t.Fatal("no message came")
	}
	panic("not reached")
}

// end returns why the stream ended; messages before that are passed over.
func (h *heard[M]) end() error {
	h.t.Helper()
	limit := time.After(soon)
	for {
		select {
		case _, ok := <-h.messages:
			if !ok {
				return h.err
			}
		case <-limit:
			h.t.Fatal("the stream does not end")
		}
	}
}

var errNot = errors.New("not yet")

// version1 is what a peer of this release speaks.
func version1() *fairleadv1.Versions { return &fairleadv1.Versions{Oldest: 1, Newest: 1} }
