package backend

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// serve listens on address, over real loopback.
func serve(t *testing.T, c *controller, address string) (bound string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	fairleadv1.RegisterAgentsServer(server, c)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	return listener.Addr().String(), func() { server.Stop(); <-served }
}

func TestComesBackWhenTheControllerDoes(t *testing.T) {
	c := newController()
	address, stop := serve(t, c, "127.0.0.1:0")
	_, end := start(t, Config{Controller: address, Pool: "render", Address: "10.0.0.1:9101",
		Interval: MinInterval})
	first := await(t, "a session", c.sessions)
	first.report(t)
	stop()
	_, stop = serve(t, c, address)
	defer stop()
	second := await(t, "a session after the controller came back", c.sessions)
	second.report(t)
	if err := end(); err != nil {
		t.Errorf("Run: %v", err)
	}
	await(t, "the agent's leaving", second.gone)
}

func TestNewChecksTheConfig(t *testing.T) {
	good := Config{Controller: "127.0.0.1:7400", Pool: "render", Address: "10.0.0.1:9101"}
	remote := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	for name, c := range map[string]struct {
		alter func(*Config)
		err   string // part of it; empty: none
	}{
		"good":                 {func(*Config) {}, ""},
		"no controller":        {func(c *Config) { c.Controller = "" }, "Config.Controller"},
		"controller sans port": {func(c *Config) { c.Controller = "127.0.0.1" }, "is no host:port"},
		"remote":               {func(c *Config) { c.Controller = "10.0.0.9:7400" }, "plain text"},
		"remote, insecure":     {func(c *Config) { c.Controller = "10.0.0.9:7400"; c.Insecure = true }, ""},
		"remote, options":      {func(c *Config) { c.Controller = "10.0.0.9:7400"; c.DialOptions = remote }, ""},
		"remote, no creds": {func(c *Config) {
			c.Controller, c.DialOptions = "10.0.0.9:7400", []grpc.DialOption{grpc.WithNoProxy()}
		}, "Config.DialOptions"},
		"localhost":         {func(c *Config) { c.Controller = "localhost:7400" }, ""},
		"IPv6 loopback":     {func(c *Config) { c.Controller = "[::1]:7400" }, ""},
		"no pool":           {func(c *Config) { c.Pool = " " }, "Config.Pool"},
		"no address":        {func(c *Config) { c.Address = ":9101" }, "has no host"},
		"wildcard":          {func(c *Config) { c.Address = "0.0.0.0:9101" }, "every address"},
		"port 0":            {func(c *Config) { c.Address = "10.0.0.1:0" }, "no port"},
		"not UTF-8":         {func(c *Config) { c.Zone = "\xff" }, "Config.Zone"},
		"negative slots":    {func(c *Config) { c.Slots = -1 }, "Config.Slots"},
		"workers":           {func(c *Config) { c.Slots, c.Workers = 0, 8 }, ""},
		"too few workers":   {func(c *Config) { c.Slots, c.Workers = 0, -1 }, "Config.Workers"},
		"slots and workers": {func(c *Config) { c.Slots, c.Workers = 1, 1 }, "excludes Slots"},
		"labels":            {func(c *Config) { c.Labels = map[string]string{"gpu": "a100"} }, ""},
		"no label":          {func(c *Config) { c.Labels = map[string]string{"gpu": "a 100"} }, "Config.Labels"},
		"public":            {func(c *Config) { c.Public = "https://b1.example.org:443" }, ""},
		"public, plain":     {func(c *Config) { c.Public = "b1.example.org:443" }, ""},
		"public, ftp":       {func(c *Config) { c.Public = "ftp://b1.example.org:443" }, "Config.Public"},
		"public, path":      {func(c *Config) { c.Public = "http://b1.example.org:80/x" }, "Config.Public"},
		"half of TLS":       {func(c *Config) { c.Certificate, c.CA = "cert.pem", "ca.pem" }, "private key is not given"},
		"insecure TLS": {func(c *Config) {
			c.Insecure, c.Certificate, c.Key, c.CA = true, "cert.pem", "key.pem", "ca.pem"
		}, "Config.Insecure"},
		"slow interval": {func(c *Config) { c.Interval = time.Minute }, "Config.Interval"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.alter(&cfg)
			_, err := New(cfg)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
	if _, err := New(Config{}); err == nil || strings.Count(err.Error(), "Config.") < 3 {
		t.Errorf("not every mistake is told: %v", err)
	}
}

func TestMoved(t *testing.T) {
	base := Load{CPU: 0.5, RPS: 100, Named: map[string]float64{InFlight: 99}, Utilization: map[string]float64{"gpu": 0.2}}
	for name, c := range map[string]struct {
		alter func(*Load)
		moved bool
	}{
		"nothing":          {func(*Load) {}, false},
		"CPU 5 %":          {func(l *Load) { l.CPU = 0.525 }, false},
		"CPU 8 %":          {func(l *Load) { l.CPU = 0.54 }, true},
		"memory, tiny":     {func(l *Load) { l.Memory = 0.005 }, false},
		"rps":              {func(l *Load) { l.RPS = 90 }, true},
		"in flight, one":   {func(l *Load) { l.Named[InFlight] = 98 }, false},
		"in flight, full":  {func(l *Load) { l.Named[InFlight] = 100 }, true},
		"a new metric":     {func(l *Load) { l.Named["x"] = 0 }, true},
		"another resource": {func(l *Load) { l.Utilization = map[string]float64{"psi": 0.2} }, true},
	} {
		l := base
		l.Named = maps.Clone(base.Named)
		c.alter(&l)
		if got := l.moved(base, 100); got != c.moved {
			t.Errorf("%s: moved is %v, want %v", name, got, c.moved)
		}
	}
}

func TestALoadIsBounded(t *testing.T) {
	many := map[string]float64{"": 1, "\xff": 1, strings.Repeat("x", maxNameLength+1): 1, "n": math.NaN()}
	for i := range 1000 {
		many[strings.Repeat("y", i%100+1)+string(rune('a'+i/100))] = 2
	}
	l := Load{Utilization: many, Named: many}.clone()
	if len(l.Utilization) != maxNames || len(l.Named) != maxNames {
		t.Errorf("%d and %d names, want %d", len(l.Utilization), len(l.Named), maxNames)
	}
	for name, v := range l.Utilization {
		if v != 1 || name == "" || len(name) > maxNameLength {
			t.Errorf("%q is %v", name, v)
		}
	}
}

func idle(t testing.TB) *Reporter {
	t.Helper()
	r, err := New(Config{Controller: "127.0.0.1:7400", Pool: "render", Address: "10.0.0.1:9101"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHandlerCounts(t *testing.T) {
	r := idle(t)
	if got := r.Handler(http.NotFoundHandler()); got == nil || r.current().Named[InFlight] != 0 {
		t.Error("none is in flight yet")
	}
	h := r.Handler(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if got := r.current().Named[InFlight]; got != 1 {
			t.Errorf("%v in flight, want 1", got)
		}
		switch req.URL.Path {
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = io.WriteString(w, "fine")
			w.WriteHeader(http.StatusInternalServerError) // too late to count
		case "/fails":
			w.WriteHeader(http.StatusBadGateway)
		case "/panics":
			panic(http.ErrAbortHandler)
		}
	}))
	for _, path := range []string{"/early", "/fails", "/panics", "/nothing"} {
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
		}()
	}
	if r.count.inFlight.Load() != 0 || r.count.finished.Load() != 4 || r.count.failed.Load() != 2 {
		t.Errorf("in flight %d, finished %d, failed %d; want 0, 4, 2",
			r.count.inFlight.Load(), r.count.finished.Load(), r.count.failed.Load())
	}
}

// TestHandlerKeepsWhatTheWriterCan asks real servers, of HTTP/1 and HTTP/2.
func TestHandlerKeepsWhatTheWriterCan(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			r := idle(t)
			server := httptest.NewUnstartedServer(nil)
			server.Config.Handler = http.HandlerFunc(func(bare http.ResponseWriter, req *http.Request) {
				r.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if a, b := abilities(bare), abilities(w); a != b {
						t.Errorf("the bare writer can %+v, the wrapped one %+v", a, b)
					}
					_, _ = io.Copy(w, strings.NewReader("fine"))
					if err := http.NewResponseController(w).Flush(); err != nil {
						t.Error(err)
					}
				})).ServeHTTP(bare, req)
			})
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			answer, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if body, _ := io.ReadAll(answer.Body); string(body) != "fine" || answer.ProtoMajor != 1 && !http2 {
				t.Errorf("got %q over %s", body, answer.Proto)
			}
		})
	}
}

type able struct{ flush, hijack, push, from bool }

func abilities(w http.ResponseWriter) (a able) {
	_, a.flush = w.(http.Flusher)
	_, a.hijack = w.(http.Hijacker)
	_, a.push = w.(http.Pusher)
	_, a.from = w.(io.ReaderFrom)
	return a
}

type hijackable struct{ *httptest.ResponseRecorder }

var errHijack = errors.New("hijacked")

func (hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errHijack }

func TestHandlerHijacksAPlainWriter(t *testing.T) {
	idle(t).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, errHijack) {
			t.Errorf("hijack: %v", err)
		}
	})).ServeHTTP(hijackable{httptest.NewRecorder()}, httptest.NewRequest("GET", "/", nil))
}

func TestPausesGrowAndAreBounded(t *testing.T) {
	var r retries
	for i := range 50 {
		_ = r.judge(context.DeadlineExceeded, false, 0, time.Now())
		whole := min(pauseFirst<<min(i, 10), pauseMost)
		if got := r.pause(); got < whole/2 || got > whole {
			t.Errorf("pause %d is %v, want %v to %v", i, got, whole/2, whole)
		}
	}
	_ = r.judge(context.DeadlineExceeded, true, goodSession, time.Now())
	if got := r.pause(); got > pauseFirst {
		t.Errorf("after a good session the pause is %v", got)
	}
}

func BenchmarkHandler(b *testing.B) {
	h := idle(b).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w, req := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			h.ServeHTTP(w, req)
		}
	})
}
