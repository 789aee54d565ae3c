package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
)

// checkOnce does one real check, bounded as Run would.
func checkOnce(t *testing.T, address string, h config.Health) error {
	t.Helper()
	c := newChecker()
	defer c.close()
	ctx, cancel := context.WithTimeout(context.Background(), h.Timeout)
	defer cancel()
	return c.check(ctx, address, h)
}

func TestTCPCheck(t *testing.T) {
	h := config.Health{Type: config.HealthTCP, Timeout: 10 * time.Second}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := checkOnce(t, address, h); err != nil {
		t.Errorf("of a listener: %v", err)
	}
	listener.Close()
	err = checkOnce(t, address, h)
	if !errors.Is(err, syscall.ECONNREFUSED) || !strings.HasPrefix(err.Error(), "cannot connect: ") {
		t.Errorf("of a closed port: %v", err)
	}
}

func TestHTTPCheck(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Host != "health.example" || !r.Close {
			t.Errorf("host %q, close %v", r.Host, r.Close)
		}
		switch r.URL.Path {
		case "/fine":
			if r.URL.RawQuery != "deep=1" {
				t.Errorf("query %q", r.URL.RawQuery)
			}
		case "/redirects":
			http.Redirect(w, r, "/ill", http.StatusFound)
		case "/long":
			_, _ = io.CopyN(w, zeros{}, 10<<20) // the check leaves before the end
		case "/broken":
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	for path, want := range map[string]string{
		"/fine?deep=1": "",
		"fine?deep=1":  "",
		"/redirects":   "",
		"/long":        "",
		"/ill":         "GET /ill answered 503 Service Unavailable",
		"/broken":      "GET /broken: ",
		"/%zz":         "correct the pool's health.path",
	} {
		h := config.Health{Type: config.HealthHTTP, Path: path, Host: "health.example", Timeout: 10 * time.Second}
		err := checkOnce(t, server.Listener.Addr().String(), h)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if got := asked.Load(); got != 6 {
		t.Errorf("asked %d times, want 6: no redirect followed, nothing asked twice", got)
	}
}

func TestHTTPCheckEndsWithItsTimeout(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	h := config.Health{Type: config.HealthHTTP, Path: "/", Timeout: 20 * time.Millisecond}
	err := checkOnce(t, server.Listener.Addr().String(), h)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "had no answer after") {
		t.Errorf("error %v", err)
	}
}

// TestADeadServerIsNoticed runs a Prober against real servers.
func TestADeadServerIsNoticed(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	address := server.Listener.Addr().String()
	verdicts := make(chan Verdict, 16)
	p := New(func(_ Target, v Verdict) { verdicts <- v }, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	health := tcp()
	health.Interval = time.Hour // it is the suspicion that finds it
	seat := target("p", address)
	seat.Health = health
	p.Set([]Target{seat})
	if v := <-verdicts; !v.Up {
		t.Fatalf("verdict %+v", v)
	}
	server.Close()
	p.Suspect("p", seat.Backend)
	if v := <-verdicts; v.Up || v.Why != "cannot connect: connection refused" {
		t.Errorf("verdict %+v", v)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestHTTPSCheck: over TLS with any certificate, in the name that the pool gives.
func TestHTTPSCheck(t *testing.T) {
	names := make(chan string, 2)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names <- r.TLS.ServerName
		if r.URL.Path == "/ill" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	h := config.Health{Type: config.HealthHTTP, Path: "/fine", Timeout: 10 * time.Second, TLS: true, ServerName: "render.test"}
	if err := checkOnce(t, address, h); err != nil {
		t.Error(err)
	}
	if name := <-names; name != "render.test" {
		t.Errorf("it was asked for %q", name)
	}
	h.Path, h.ServerName = "/ill", ""
	if err := checkOnce(t, address, h); err == nil || err.Error() != "GET /ill answered 503 Service Unavailable" {
		t.Errorf("of one that is ill: %v", err)
	}
	h.TLS = false
	if err := checkOnce(t, address, h); err == nil {
		t.Error("a check in plain text succeeds")
	}
}
