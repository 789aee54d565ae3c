package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds how long a test awaits an event that has to come.
const patience = 20 * time.Second

// clock is a Client's.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// locator is a controller's HTTP door.
type locator struct {
	*httptest.Server

	mu       sync.Mutex
	protocol string
	link     string
	proxies  []Proxy
	down     bool                                         // answer nobody
	override func(w http.ResponseWriter, _ *http.Request) // if set, it answers
	asked    []string                                     // what each question excluded, joined
}

func newLocator(t testing.TB, protocol string, addresses ...string) *locator {
	l := &locator{protocol: protocol, link: Proxied}
	for i, address := range addresses {
		l.proxies = append(l.proxies, Proxy{Name: fmt.Sprint("p", i+1), Address: address, Zone: "a"})
	}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *locator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	query := r.URL.Query()
	l.asked = append(l.asked, strings.Join(query["exclude"], ","))
	switch {
	case l.override != nil:
		l.override(w, r)
		return
	case l.down:
		panic(http.ErrAbortHandler)
	case r.Method != http.MethodGet || r.URL.Path != "/v1/proxies/choose":
		http.NotFound(w, r)
		return
	}
	left := []map[string]string{}
	for _, p := range l.proxies {
		if !strings.Contains(","+strings.Join(query["exclude"], ",")+",", ","+p.Name+",") {
			left = append(left, map[string]string{"name": p.Name, "address": p.Address, "zone": p.Zone})
		}
	}
	if len(left) == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error":"no proxy serves the listener"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"listener": query.Get("listener"), "protocol": l.protocol,
		"link": l.link, "zone": "a", "ttlMs": 5000, "proxies": left})
}

// set changes the locator.
func (l *locator) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// questions returns what has been excluded, one text a question.
func (l *locator) questions() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%q", l.asked)
}

// newClient makes a Client that uses locators, with a clock that stands still.
func newClient(t testing.TB, cfg Config, locators ...*locator) (*Client, *clock) {
	t.Helper()
	for _, l := range locators {
		cfg.Locators = append(cfg.Locators, l.URL)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	now := &clock{now: time.Unix(1_800_000_000, 0)}
	c.now = now.read
	t.Cleanup(c.CloseIdleConnections)
	return c, now
}

// server starts an HTTP server and returns its address.
func server(t testing.TB, h http.HandlerFunc) (address string, s *httptest.Server) {
	s = httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), s
}

// says answers with a name, and what it got.
func says(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s%s %s", name, r.Method, r.Host, r.URL.RequestURI(), body)
	}
}

// hangUp breaks the connection before an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// closedAddress returns an address where nobody listens.
func closedAddress(t testing.TB) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}

// do sends a request and returns status and body.
func do(t testing.TB, rt http.RoundTripper, method, url string, body io.Reader) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, rt, req)
}

func send(t testing.TB, rt http.RoundTripper, req *http.Request) (string, error) {
	t.Helper()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("the answer's body: %v", err)
	}
	if resp.Request != req {
		t.Errorf("the answer's Request is not the one that was sent")
	}
	return fmt.Sprint(resp.StatusCode, " ", string(answer)), nil
}

// expect sends a request and checks what comes back.
func expect(t testing.TB, rt http.RoundTripper, method, url, body, want string) {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	if got, err := do(t, rt, method, url, reader); err != nil || got != want {
		t.Errorf("%s %s: %q, %v; want %q", method, url, got, err, want)
	}
}

// await waits for an event.
func await[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("there is no %s", what)
	}
	return v
}

// wantError checks that an error has all of some texts.
func wantError(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", texts)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}
