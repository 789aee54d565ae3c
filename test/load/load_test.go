//go:build unix

// Package load_test has load generators and clients that misbehave work on a proxy that is
// built as the tests are, with the race detector where they have it.
package load_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

// full tells whether everything is played for as long as a release deserves.
var full = os.Getenv("FAIRLEAD_CONFORMANCE") == "full"

func either[T any](long, short T) T {
	if full {
		return long
	}
	return short
}

// rig is a proxy before a backend.
type rig struct {
	*testproc.Site
	plain, safe string
	client      *http.Client
}

// start has a backend of so many slots be served. more goes into the listeners.
func start(t *testing.T, backend http.Handler, more string) *rig {
	t.Helper()
	s := httptest.NewServer(backend)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	cert, key := testproc.Certificate(t)
	r := &rig{plain: testproc.FreeAddr(t), safe: testproc.FreeAddr(t)}
	r.Site = testproc.StartSite(t, fmt.Sprintf(`
listeners:
  - {name: plain, address: %q, protocol: http%s}
  - {name: safe, address: %q, protocol: http, tls: {certificates: [{cert: %q, key: %q}]}%s}
routes: [{listener: plain, pool: web}, {listener: safe, pool: web}]
pools:
  - {name: web, slots: 32, queue: {limit: 100000}, health: {type: none}, backends: [{address: %q}]}
`, r.plain, more, r.safe, cert, key, more, s.Listener.Addr()))
	r.Serves(t, "web", 1)
	r.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		MaxIdleConnsPerHost: 16, TLSClientConfig: &tls.Config{RootCAs: testproc.Trusts(t, cert)},
	}}
	t.Cleanup(r.client.CloseIdleConnections)
	return r
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// tool finds a program, or skips the test.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed; on Debian: apt-get install %s", name, pkg)
	}
	return path
}

// number finds the one that a load generator says behind, or before, some words.
func number(t *testing.T, out, pattern string) int {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(out)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestWrk: HTTP/1.1 with connections that are kept, and with one each; no request fails.
func TestWrk(t *testing.T) {
	wrk := tool(t, "wrk", "wrk")
	r := start(t, http.HandlerFunc(hello), "")
	for name, args := range map[string][]string{
		"kept": {"http://" + r.plain + "/"}, "one each": {"-H", "Connection: close", "http://" + r.plain + "/"}, "TLS": {"https://" + r.safe + "/"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), wrk, append([]string{"-t2", "-c64", "-d" + either("30s", "2s")}, args...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") || number(t, string(out), `(\d+) requests in`) == 0 {
				t.Errorf("wrk says:\n%s", out)
			}
			r.Quiet(t, "web")
		})
	}
}

// TestH2load: HTTP/2 over TLS, and in plain text.
func TestH2load(t *testing.T) {
	h2load := tool(t, "h2load", "nghttp2-client")
	r := start(t, http.HandlerFunc(hello), "")
	requests := either(200_000, 10_000)
	for name, url := range map[string]string{"TLS": "https://" + r.safe + "/", "plain text": "http://" + r.plain + "/"} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), h2load, "-t2", "-c16", "-m16", "-n"+strconv.Itoa(requests), url).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if n := number(t, string(out), `(\d+) 2xx`); n != requests {
				t.Errorf("%d of %d requests were answered well:\n%s", n, requests, out)
			}
			r.Quiet(t, "web")
		})
	}
}

// gauges reads some of a proxy's metrics.
func (r *rig) gauges(ctx context.Context, names ...string) (map[string]int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.ProxyAdmin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	all := map[string]int{}
	for _, name := range names {
		found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
		if found == nil {
			return nil, fmt.Errorf("there is no metric %s", name)
		}
		v, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return nil, err
		}
		all[name] = int(v)
	}
	return all, nil
}

// settles waits until the proxy has no more goroutines and descriptors than it may.
func (r *rig) settles(t *testing.T, goroutines, files int) {
	t.Helper()
	testproc.Await(t, time.Minute, "goroutines and descriptors to be as before", func(ctx context.Context) error {
		now, err := r.gauges(ctx, "go_goroutines", "process_open_fds")
		if err == nil && (now["go_goroutines"] > goroutines || now["process_open_fds"] > files) {
			err = fmt.Errorf("%v, not at most %d and %d", now, goroutines, files)
		}
		return err
	}, r.Proxy)
}

// TestSlowClients: thousands that send their heads a byte at a time, or read their answers as
// slowly, or say nothing, take nothing from the rest, and end.
func TestSlowClients(t *testing.T) {
	large := strings.Repeat("x", 256<<10)
	r := start(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/large" {
			_, _ = io.WriteString(w, large)
			return
		}
		hello(w, q)
	}), ", timeouts: {head: 2s, idle: 3s, answer: 3s}")
	var slow sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for i := range either(8000, 300) {
		c, err := net.Dial("tcp", r.plain)
		if err != nil {
			t.Fatal(err)
		}
		slow.Go(func() { beSlow(ctx, c, i) })
	}
	for i := range either(2000, 200) {
		res, err := r.client.Get("https://" + r.safe + "/")
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(body) != "hello" {
			t.Fatalf("request %d: %q, %v", i, body, err)
		}
	}
	slow.Wait() // all were ended by the proxy
	cancel()
	r.Quiet(t, "web")
}

// beSlow returns when the proxy has ended the connection.
func beSlow(ctx context.Context, c net.Conn, i int) {
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	switch i % 3 {
	case 0: // says nothing
	case 1: // a head without end
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nA: ")
		for !ended(c, 100*time.Millisecond) {
			if _, err := io.WriteString(c, "b"); err != nil {
				return
			}
		}
		return
	case 2: // an answer that is read by the byte, and given up
		_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
		_, _ = io.WriteString(c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
		for range 20 {
			if _, err := c.Read(make([]byte, 1)); err != nil {
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
		return
	}
	_, _ = io.Copy(io.Discard, c)
}

// ended tells whether the proxy says something, or goes, within a time.
func ended(c net.Conn, within time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(within))
	_, err := c.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestDisconnects: both sides go at any moment; behind it nothing is left.
func TestDisconnects(t *testing.T) {
	r := start(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if rand.N(4) == 0 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.Copy(io.Discard, q.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", 1+rand.N(100_000)))
		if rand.N(4) == 0 {
			panic(http.ErrAbortHandler)
		}
	}), "")
	before, err := r.gauges(t.Context(), "go_goroutines", "process_open_fds")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), either(time.Minute, 5*time.Second))
	defer cancel()
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			tr := &http.Transport{Protocols: new(http.Protocols)}
			tr.Protocols.SetHTTP1(i%2 == 0)
			tr.Protocols.SetUnencryptedHTTP2(i%2 == 1)
			for ctx.Err() == nil {
				disconnect(ctx, tr, "http://"+r.plain+"/")
			}
			tr.CloseIdleConnections()
		})
	}
	all.Wait()
	if grants := r.Quiet(t, "web"); grants == 0 {
		t.Error("nothing was granted")
	}
	const kept = 32 // connections to the backend, which are as many as its slots
	r.settles(t, before["go_goroutines"]+10, before["process_open_fds"]+kept)
}

// disconnect makes a request, and gives it up at some point, or does not.
func disconnect(ctx context.Context, tr *http.Transport, url string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body := io.MultiReader(strings.NewReader(strings.Repeat("y", rand.N(50_000))), &leaving{cancel})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return
	}
	res, err := tr.RoundTrip(req)
	if err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, res.Body, int64(rand.N(100_000)))
	_ = res.Body.Close()
}

// leaving is the end of a body, at which some give up.
type leaving struct{ cancel func() }

func (l *leaving) Read([]byte) (int, error) {
	if rand.N(3) == 0 {
		l.cancel()
	}
	return 0, io.EOF
}
