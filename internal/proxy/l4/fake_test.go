package l4

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// granter is a controller that does what a test says.
type granter struct {
	answer func(ctx context.Context, r link.Request) (fleet.BackendName, error)
	adorn  func(*link.Grant) // what else a grant says; nil: nothing
	asks   chan link.Request
	grants chan *link.Grant
	dones  chan link.Result
	next   atomic.Uint64
}

func newGranter(answer func(context.Context, link.Request) (fleet.BackendName, error)) *granter {
	return &granter{
		answer: answer,
		asks:   make(chan link.Request, 1000), grants: make(chan *link.Grant, 1000), dones: make(chan link.Result, 1000),
	}
}

// to grants one backend to everybody.
func to(b fleet.BackendName) *granter {
	return newGranter(func(context.Context, link.Request) (fleet.BackendName, error) { return b, nil })
}

func (f *granter) Ask(ctx context.Context, r link.Request) (*link.Grant, error) {
	f.asks <- r
	b, err := f.answer(ctx, r)
	if err != nil {
		return nil, err
	}
	g := link.NewGrant(fleet.GrantID{Number: f.next.Add(1)}, r.Pool, b, func(_ *link.Grant, r link.Result) { f.dones <- r })
	if f.adorn != nil {
		f.adorn(g)
	}
	f.grants <- g
	return g, nil
}

// site is a server under test.
type site struct {
	t      testing.TB
	addr   string
	server *Server
	reg    *prometheus.Registry
	pool   atomic.Pointer[link.Pool]
	own    atomic.Pointer[Rules] // instead of pool
	stop   context.CancelFunc
	ended  chan error
	once   sync.Once // for ended

	access *accesslog.Log
	logged bytes.Buffer // what access wrote, once it is closed
}

func serve(t testing.TB, g link.Granter, drain time.Duration) *site {
	t.Helper()
	return serveFrom(t, g, drain, nil)
}

// serveFrom is serve where connections begin with a PROXY protocol header.
func serveFrom(t testing.TB, g link.Granter, drain time.Duration, headers *proxyproto.Acceptor) *site {
	t.Helper()
	watcher, err := hangup.New()
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	metrics, err := NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &site{
		t: t, addr: l.Addr().String(), reg: reg, stop: cancel, ended: make(chan error, 1),
		server: New(Config{
			Granter: g, Logger: slog.New(slog.DiscardHandler), Hangup: watcher, Metrics: metrics, DrainTimeout: drain, Name: "db",
			Headers: headers,
		}),
	}
	if s.access, err = accesslog.Open(accesslog.Config{Writer: &s.logged, Sample: 1}); err != nil {
		t.Fatal(err)
	}
	s.server.cfg.Access = s.access
	s.pool.Store(&link.Pool{Name: "db", Retries: 2, ConnectTimeout: 5 * time.Second})
	go func() { s.ended <- s.server.Serve(ctx, l, s.rules) }()
	t.Cleanup(func() {
		s.end()
		if n := s.server.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
		if err := errors.Join(watcher.Close(), s.access.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// end stops the server, and waits until everything that it counts is counted.
func (s *site) end() {
	s.t.Helper()
	s.stop()
	s.once.Do(func() {
		if err := get(s.t, "Serve", s.ended); err != nil {
			s.t.Error(err)
		}
	})
}

// rules are those of the test, or one pool for everybody.
func (s *site) rules() Rules {
	if r := s.own.Load(); r != nil {
		return *r
	}
	return Rules{Pool: s.pool.Load()}
}

// get receives, and fails the test if nothing comes on a machine that is not stuck.
func get[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

func (s *site) dial() *net.TCPConn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// dialReset connects and expects a reset, which may come before connect has returned.
func (s *site) dialReset() {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err == nil {
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		s.t.Errorf("%v; want a reset", err)
	}
}

// backend runs handle on each connection until the test ends.
func backend(t testing.TB, handle func(c *net.TCPConn)) fleet.BackendName {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c.(*net.TCPConn))
			}()
		}
	}()
	return fleet.BackendName(l.Addr().String())
}

func echo(t testing.TB) fleet.BackendName {
	return backend(t, func(c *net.TCPConn) { _, _ = io.Copy(c, c) })
}

// nobody is an address that is taken, and at which nothing listens.
func nobody(t testing.TB) fleet.BackendName {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	a, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fleet.BackendName(fmt.Sprintf("127.0.0.1:%d", a.(*syscall.SockaddrInet4).Port))
}

func send(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, c net.Conn, text string) {
	t.Helper()
	b := make([]byte, len(text))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != text {
		t.Fatalf("read %q, %v; want %q", b, err, text)
	}
}

func expectReset(t testing.TB, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("read %d bytes, %v; want a reset", n, err)
	}
}

func expectOutcome(t testing.TB, g *granter, want fleet.Outcome) {
	t.Helper()
	if got := get(t, "done", g.dones); got != (link.Result{Outcome: want}) {
		t.Fatalf("done: %+v, want %s", got, want)
	}
}
