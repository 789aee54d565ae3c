// Package tap listens in on the wire between real processes: it stands between the
// controller and those who talk to it, passes every message on, and remembers each, so
// that a test can say what was said, by whom, and in which order. A test can also have
// it leave something out, and see what becomes of a promise then.
package tap

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// Heard is one message.
type Heard struct {
	Place   int    // in the order in which messages were heard, from 0
	Who     string // the proxy's name, or the backend's address for its agent
	Up      bool   // towards the controller
	Message proto.Message
}

// Tap passes messages on and remembers them. Its methods are safe for concurrent use.
type Tap struct {
	Address string // for proxies and agents to connect to

	fairleadv1.UnimplementedProxiesServer
	fairleadv1.UnimplementedAgentsServer
	conn *grpc.ClientConn
	wire wire

	mu    sync.Mutex // guards what is below
	heard []Heard
	more  chan struct{} // closed and made anew with each message
	edit  func(Heard) proto.Message
}

// New starts a tap before the controller at an address. It ends with the test.
func New(t testing.TB, controller string) *Tap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tap := &Tap{Address: ln.Addr().String(), more: make(chan struct{})}
	if tap.conn, err = tap.connect(controller); err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	fairleadv1.RegisterProxiesServer(srv, proxies{tap: tap})
	fairleadv1.RegisterAgentsServer(srv, agents{tap: tap})
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := srv.Serve(ln); err != nil {
			t.Errorf("tap: %v", err)
		}
	}()
	t.Cleanup(func() {
		srv.Stop()
		<-served
		tap.conn.Close()
		if err := tap.wire.problem(); err != nil {
			t.Errorf("tap: the wire cannot be read: %v", err)
		}
	})
	return tap
}

// connect makes the one connection to the controller that all streams share.
func (t *Tap) connect(controller string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+controller, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			return t.wire.listen(conn), nil
		}))
}

// Edit has f decide what is passed on in place of each message; nil: nothing is. What
// is remembered is what was said, not what was passed on.
func (t *Tap) Edit(f func(Heard) proto.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.edit = f
}

// Heard returns all that was heard from a place on.
func (t *Tap) Heard(from int) []Heard {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Heard(nil), t.heard[min(from, len(t.heard)):]...)
}

// Mark returns the place that the next message will have.
func (t *Tap) Mark() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.heard)
}

// Await returns the first message from a place on for which match is true, and waits
// for it; the test fails if it does not come.
func (t *Tap) Await(tb testing.TB, from int, what string, match func(Heard) bool) Heard {
	tb.Helper()
	deadline := time.After(20 * time.Second)
	for {
		t.mu.Lock()
		for from < len(t.heard) {
			if h := t.heard[from]; match(h) {
				t.mu.Unlock()
				return h
			}
			from++
		}
		more := t.more
		t.mu.Unlock()
		select {
		case <-more:
		case <-deadline:
			tb.Fatalf("never heard on the wire: %s", what)
		}
	}
}

func (t *Tap) note(who string, up bool, m proto.Message) proto.Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := Heard{Place: len(t.heard), Who: who, Up: up, Message: m}
	t.heard = append(t.heard, h)
	close(t.more)
	t.more = make(chan struct{})
	if t.edit == nil {
		return m
	}
	h.Message = proto.Clone(m)
	return t.edit(h)
}

type proxies struct {
	fairleadv1.UnimplementedProxiesServer
	tap *Tap
}

func (p proxies) Session(st fairleadv1.Proxies_SessionServer) error {
	first, err := st.Recv()
	if err != nil {
		return err
	}
	up, err := fairleadv1.NewProxiesClient(p.tap.conn).Session(st.Context())
	if err != nil {
		return err
	}
	return relay(st.Context(), p.tap, first.GetHello().GetName(), first, st, up)
}

type agents struct {
	fairleadv1.UnimplementedAgentsServer
	tap *Tap
}

func (a agents) Session(st fairleadv1.Agents_SessionServer) error {
	first, err := st.Recv()
	if err != nil {
		return err
	}
	up, err := fairleadv1.NewAgentsClient(a.tap.conn).Session(st.Context())
	if err != nil {
		return err
	}
	return relay(st.Context(), a.tap, first.GetHello().GetAddress(), first, st, up)
}

// relay passes a stream's messages on in both directions until either side ends it.
func relay[U, D any](ctx context.Context, t *Tap, who string, first *U,
	below grpc.BidiStreamingServer[U, D], above grpc.BidiStreamingClient[U, D]) error {
	rising := make(chan error, 1)
	go func() {
		m := first
		for {
			if out := t.note(who, true, any(m).(proto.Message)); out != nil {
				u, ok := out.(any).(*U)
				if !ok {
					rising <- fmt.Errorf("an edit made a %T of a %T", out, m)
					return
				}
				if err := above.Send(u); err != nil {
					rising <- nil // the reason comes from above.Recv
					return
				}
			}
			var err error
			if m, err = below.Recv(); err != nil {
				if err == io.EOF {
					err = above.CloseSend()
				}
				rising <- err
				return
			}
		}
	}()
	for {
		m, err := above.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if out := t.note(who, false, any(m).(proto.Message)); out != nil {
			if err := below.Send(out.(any).(*D)); err != nil {
				return err
			}
		}
	}
}
