package http1

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/route"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const long = time.Minute // a drain that no test waits for

// granter is a controller that does what a test says.
type granter struct {
	answer func(ctx context.Context, r link.Request) (fleet.BackendName, error)
	adorn  func(*link.Grant) // what else a grant says; nil: nothing
	asks   chan link.Request
	grants chan *link.Grant
	dones  chan link.Result
	heads  chan fleet.LoadReport
	next   atomic.Uint64
}

func newGranter(answer func(context.Context, link.Request) (fleet.BackendName, error)) *granter {
	return &granter{
		answer: answer,
		asks:   make(chan link.Request, 1000), grants: make(chan *link.Grant, 1000), dones: make(chan link.Result, 1000),
		heads: make(chan fleet.LoadReport, 1000),
	}
}

// to grants one backend to everybody.
func to(b fleet.BackendName) *granter {
	return newGranter(func(context.Context, link.Request) (fleet.BackendName, error) { return b, nil })
}

// refusing refuses everybody.
func refusing(err error) *granter {
	return newGranter(func(context.Context, link.Request) (fleet.BackendName, error) { return "", err })
}

func (f *granter) Ask(ctx context.Context, r link.Request) (*link.Grant, error) {
	f.asks <- r
	b, err := f.answer(ctx, r)
	if err != nil {
		return nil, err
	}
	g := link.NewGrant(fleet.GrantID{Number: f.next.Add(1)}, r.Pool, b, func(_ *link.Grant, r link.Result) { f.dones <- r }).
		WithHead(func(_ *link.Grant, r fleet.LoadReport) { f.heads <- r })
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
	stop   context.CancelFunc
	ended  chan error
	client *http.Client
}

func serve(t testing.TB, g link.Granter, drain time.Duration, change ...func(*Config, *link.Pool)) *site {
	t.Helper()
	watcher, err := hangup.New()
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	metrics, err := web.NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pool := &link.Pool{Name: "render", Retries: 2, ConnectTimeout: 5 * time.Second}
	table := route.New([]route.Rule{{Host: "*", Path: "/", Pool: pool}, {Host: "nowhere", Path: "/x", Pool: nil}})
	cfg := Config{
		Granter: g, Routes: func() *route.Table { return table }, Logger: slog.New(slog.DiscardHandler),
		Hangup: watcher, Metrics: metrics, DrainTimeout: drain,
	}
	for _, f := range change {
		f(&cfg, pool)
	}
	ctx, cancel := context.WithCancel(context.Background())
	transport := &http.Transport{DisableCompression: true}
	s := &site{
		t: t, addr: l.Addr().String(), reg: reg, stop: cancel, ended: make(chan error, 2),
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		server: New(cfg),
	}
	go func() { s.ended <- s.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := get(t, "Serve", s.ended); err != nil {
			t.Error(err)
		}
		if n := s.server.Connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
		if err := watcher.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
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

func (s *site) request(method, path, body string, header ...string) *http.Request {
	s.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, "http://"+s.addr+path, r)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

// do sends a request and reads the whole answer.
func (s *site) do(req *http.Request) (*http.Response, string) {
	s.t.Helper()
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, string(body)
}

// raw is a client's connection, for what an http.Client would not do.
type raw struct {
	*net.TCPConn
	t testing.TB
	r *bufio.Reader
}

func (s *site) dial() *raw {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return &raw{c.(*net.TCPConn), s.t, bufio.NewReader(c)}
}

func (c *raw) send(text string) {
	c.t.Helper()
	if _, err := c.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads a head; the body is left to the caller.
func (c *raw) answer() *http.Response {
	c.t.Helper()
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return res
}

func (c *raw) expect(text string) {
	c.t.Helper()
	b := make([]byte, len(text))
	if _, err := io.ReadFull(c.r, b); err != nil || string(b) != text {
		c.t.Fatalf("read %q, %v; want %q", b, err, text)
	}
}

// expectEnd reads until the connection has ended, and returns what came.
func (c *raw) expectEnd() string {
	b, _ := io.ReadAll(c.r) // a reset will do
	return string(b)
}

// backend is an HTTP server.
func backend(t testing.TB, handle http.HandlerFunc) fleet.BackendName {
	t.Helper()
	s := httptest.NewUnstartedServer(handle)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	s.Config.DisableGeneralOptionsHandler = true
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return fleet.BackendName(s.Listener.Addr().String())
}

// rawBackend runs handle on each connection until the test ends.
func rawBackend(t testing.TB, handle func(c net.Conn, r *bufio.Reader)) fleet.BackendName {
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
				handle(c, bufio.NewReader(c))
			}()
		}
	}()
	return fleet.BackendName(l.Addr().String())
}

// head reads a request's head, and nothing of its body.
func head(r *bufio.Reader) {
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			return
		}
	}
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

func expectOutcome(t testing.TB, g *granter, want fleet.Outcome) link.Result {
	t.Helper()
	got := get(t, "done", g.dones)
	if got.Outcome != want {
		t.Fatalf("done: %+v, want %s", got, want)
	}
	return got
}

// metric sums the series of a metric whose labels have all these values.
func (s *site) metric(name string, values ...string) float64 {
	s.t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != "fairlead_proxy_"+name {
			continue
		}
	series:
		for _, m := range f.GetMetric() {
			has := ""
			for _, l := range m.GetLabel() {
				has += l.GetValue() + " "
			}
			for _, v := range values {
				if !strings.Contains(has, v) {
					continue series
				}
			}
			sum += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

// quiesce waits until no connection of the site is open, so that all is counted.
func (s *site) quiesce() {
	s.t.Helper()
	s.client.CloseIdleConnections()
	s.stop()
	if err := get(s.t, "Serve", s.ended); err != nil {
		s.t.Error(err)
	}
	s.ended <- nil // for the cleanup
}
