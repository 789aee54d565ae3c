package l4

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

const long = time.Minute // a drain that no test waits for

func TestBothWays(t *testing.T) {
	g := to(echo(t))
	s := serve(t, g, long)
	c := s.dial()
	send(t, c, "hello")
	expect(t, c, "hello")
	if n := s.server.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if v := s.metric("fairlead_proxy_tcp_open", "db"); v != 1 {
		t.Errorf("open is %v", v)
	}
	c.CloseWrite()
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		t.Errorf("read %q, %v", rest, err)
	}
	expectOutcome(t, g, fleet.OK)
	for name, want := range map[string]float64{
		"fairlead_proxy_tcp_bytes_total{in":       5,
		"fairlead_proxy_tcp_bytes_total{out":      5,
		"fairlead_proxy_tcp_connections_total{ok": 1,
	} {
		name, label, _ := strings.Cut(name, "{")
		if v := s.metric(name, label); v != want {
			t.Errorf("%s %s is %v, want %v", name, label, v, want)
		}
	}
}

// metric returns the value of the series that has a label with this value.
func (s *site) metric(name, label string) float64 {
	s.t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == label {
					return m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	s.t.Errorf("no %s with a label %q", name, label)
	return 0
}

func TestHalfCloseIsKept(t *testing.T) {
	b := backend(t, func(c *net.TCPConn) {
		question, _ := io.ReadAll(c) // ends only if the half-close arrives
		_, _ = c.Write(bytes.ToUpper(question))
	})
	g := to(b)
	c := serve(t, g, long).dial()
	send(t, c, "question")
	c.CloseWrite()
	if answer, err := io.ReadAll(c); err != nil || string(answer) != "QUESTION" {
		t.Errorf("read %q, %v", answer, err)
	}
	expectOutcome(t, g, fleet.OK)
}

func TestBackendSpeaksFirstAndCloses(t *testing.T) {
	g := to(backend(t, func(c *net.TCPConn) { send(t, c, "220 ready") }))
	c := serve(t, g, long).dial()
	if answer, err := io.ReadAll(c); err != nil || string(answer) != "220 ready" {
		t.Errorf("read %q, %v", answer, err)
	}
	c.Close()
	expectOutcome(t, g, fleet.OK)
}

func TestUnreachableIsAskedAgain(t *testing.T) {
	dead, alive := []fleet.BackendName{nobody(t), nobody(t)}, echo(t)
	g := newGranter(func(_ context.Context, r link.Request) (fleet.BackendName, error) {
		for _, b := range dead {
			if !slices.Contains(r.Exclude, b) {
				return b, nil
			}
		}
		return alive, nil
	})
	c := serve(t, g, long).dial()
	send(t, c, "hello")
	expect(t, c, "hello")
	for i := range 3 {
		if r := get(t, "ask", g.asks); !slices.Equal(r.Exclude, dead[:i]) || (r.Waited > 0) != (i > 0) {
			t.Errorf("ask %d: %+v", i, r)
		}
	}
	expectOutcome(t, g, fleet.Unreachable)
	expectOutcome(t, g, fleet.Unreachable)
	c.Close()
	expectOutcome(t, g, fleet.OK)
}

func TestNobodyReachable(t *testing.T) {
	g := to(nobody(t))
	s := serve(t, g, long)
	s.dialReset()
	tries := 1 + s.pool.Load().Retries
	for range tries {
		expectOutcome(t, g, fleet.Unreachable)
	}
	if n := len(g.asks); n != tries {
		t.Errorf("%d asks", n)
	}
	if v := s.metric("fairlead_proxy_tcp_refused_total", "unreachable"); v != 1 {
		t.Errorf("%v refused", v)
	}
}

func TestRefused(t *testing.T) {
	for reason, err := range map[string]error{
		"queue_full":    &link.Refused{Pool: "db", Reason: fleet.QueueFull},
		"no_controller": link.ErrNoController,
		"other":         errors.New("something new"),
	} {
		g := newGranter(func(context.Context, link.Request) (fleet.BackendName, error) { return "", err })
		s := serve(t, g, long)
		s.dialReset()
		if v := s.metric("fairlead_proxy_tcp_refused_total", reason); v != 1 {
			t.Errorf("%s: %v", reason, v)
		}
	}
}

func TestNoPool(t *testing.T) {
	s := serve(t, to(""), long)
	s.pool.Store(nil)
	s.dialReset()
}

// waiting is a controller with no slot to grant: it tells when it is asked, and why
// each ask was withdrawn.
func waiting() (*granter, chan error) {
	withdrawn := make(chan error, 10)
	return newGranter(func(ctx context.Context, _ link.Request) (fleet.BackendName, error) {
		<-ctx.Done()
		withdrawn <- context.Cause(ctx)
		return "", context.Cause(ctx)
	}), withdrawn
}

func TestClientGoneWhileWaiting(t *testing.T) {
	for name, leave := range map[string]func(c *net.TCPConn){
		"closed": func(c *net.TCPConn) { c.Close() },
		"reset":  func(c *net.TCPConn) { send(t, c, "x"); c.SetLinger(0); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			g, withdrawn := waiting()
			c := serve(t, g, long).dial()
			get(t, "ask", g.asks)
			leave(c)
			if err := get(t, "withdrawal", withdrawn); err != errClientGone {
				t.Errorf("withdrawn: %v", err)
			}
		})
	}
}

func TestHalfCloseWhileWaitingIsServed(t *testing.T) {
	b, free := echo(t), make(chan struct{})
	g := newGranter(func(ctx context.Context, _ link.Request) (fleet.BackendName, error) {
		select {
		case <-free:
			return b, nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	})
	s := serve(t, g, long)
	c := s.dial()
	send(t, c, "hello")
	c.CloseWrite()
	other := s.dial() // its end is seen after c's half-close
	get(t, "ask", g.asks)
	get(t, "ask", g.asks)
	other.SetLinger(0)
	other.Close()
	close(free)
	if answer, err := io.ReadAll(c); err != nil || string(answer) != "hello" {
		t.Errorf("read %q, %v", answer, err)
	}
}

func TestBackendBreaks(t *testing.T) {
	g := to(backend(t, func(c *net.TCPConn) {
		expect(t, c, "hello")
		c.SetLinger(0)
	}))
	c := serve(t, g, long).dial()
	send(t, c, "hello")
	expectReset(t, c)
	expectOutcome(t, g, fleet.Failed)
}

func TestClientBreaks(t *testing.T) {
	g := to(echo(t))
	c := serve(t, g, long).dial()
	send(t, c, "hello")
	expect(t, c, "hello")
	c.SetLinger(0)
	c.Close()
	expectOutcome(t, g, fleet.Cancelled)
}

func TestClientTalksOnAfterTheBackendClosed(t *testing.T) {
	g := to(backend(t, func(c *net.TCPConn) { send(t, c, "bye") }))
	c := serve(t, g, long).dial()
	if answer, err := io.ReadAll(c); err != nil || string(answer) != "bye" {
		t.Fatalf("read %q, %v", answer, err)
	}
	for {
		if _, err := c.Write([]byte("and another thing")); err != nil {
			break // the backend's reset has come through
		}
	}
	expectOutcome(t, g, fleet.OK)
}

func TestCut(t *testing.T) {
	g := to(echo(t))
	s := serve(t, g, long)
	c := s.dial()
	send(t, c, "hello")
	expect(t, c, "hello")
	get(t, "grant", g.grants).Cut(fleet.TimeLimit)
	expectReset(t, c)
	expectOutcome(t, g, fleet.Revoked)
	s.end()
	if v := s.metric("fairlead_proxy_tcp_connections_total", "revoked"); v != 1 {
		t.Errorf("%v revoked", v)
	}
}

func TestDrainLetsLinksFinish(t *testing.T) {
	g := to(echo(t))
	s := serve(t, g, long)
	c := s.dial()
	send(t, c, "hello")
	expect(t, c, "hello")
	s.stop()
	for { // until it accepts no more
		late, err := net.Dial("tcp", s.addr)
		if err != nil {
			break
		}
		late.Close()
	}
	send(t, c, "still here")
	expect(t, c, "still here")
	c.Close()
	for range len(g.grants) {
		get(t, "done", g.dones)
	}
}

func TestDrainCutsAtLast(t *testing.T) {
	g := to(echo(t))
	s := serve(t, g, 0)
	c := s.dial()
	send(t, c, "hello")
	expect(t, c, "hello")
	s.stop()
	expectReset(t, c)
	expectOutcome(t, g, fleet.Cancelled)
}

func TestDrainWithdrawsAsks(t *testing.T) {
	g, withdrawn := waiting()
	s := serve(t, g, 0)
	c := s.dial()
	get(t, "ask", g.asks)
	s.stop()
	if err := get(t, "withdrawal", withdrawn); err != errStopped {
		t.Errorf("withdrawn: %v", err)
	}
	expectReset(t, c)
}

func TestListenerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	err = New(Config{}).Serve(t.Context(), l, nil)
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

func TestMetricsOnce(t *testing.T) {
	reg := prometheus.NewRegistry()
	if _, err := NewMetrics(reg); err != nil {
		t.Fatal(err)
	}
	if _, err := NewMetrics(reg); err == nil {
		t.Error("registered twice")
	}
}

func TestMany(t *testing.T) {
	g := to(echo(t))
	s := serve(t, g, long)
	var clients sync.WaitGroup
	for i := range 100 {
		clients.Go(func() {
			c := s.dial()
			text := bytes.Repeat([]byte{byte(i)}, 100_000)
			go func() {
				_, _ = c.Write(text)
				c.CloseWrite()
			}()
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, text) {
				t.Errorf("read %d bytes, %v", len(got), err)
			}
		})
	}
	clients.Wait()
	for range 100 {
		expectOutcome(t, g, fleet.OK)
	}
}

func BenchmarkConnection(b *testing.B) {
	s := serve(b, grantOnly(echo(b)), long)
	for b.Loop() {
		c := s.dial()
		send(b, c, "hello")
		expect(b, c, "hello")
		c.SetLinger(0) // no TIME_WAIT, or the ports run out
		c.Close()
	}
}

func BenchmarkBytes(b *testing.B) {
	s := serve(b, grantOnly(echo(b)), long)
	c := s.dial()
	chunk, back := make([]byte, 64<<10), make([]byte, 64<<10)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		go func() { _, _ = c.Write(chunk) }()
		if _, err := io.ReadFull(c, back); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
}

// grantOnly grants and forgets.
type grantOnly fleet.BackendName

func (f grantOnly) Ask(_ context.Context, r link.Request) (*link.Grant, error) {
	return link.NewGrant(fleet.GrantID{}, r.Pool, fleet.BackendName(f), func(*link.Grant, link.Result) {}), nil
}
