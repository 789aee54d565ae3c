package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeProxies answers each request after a while, and sees how many it has at once.
type fakeProxies struct {
	mu     sync.Mutex // guards what is below
	now    int
	most   map[string]int // by the phase of the load
	hosts  map[string]int
	busy   func() bool
	status int
	err    error
}

func (f *fakeProxies) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.now++
	phase := "calm"
	if f.busy() {
		phase = "busy"
	}
	f.most[phase] = max(f.most[phase], f.now)
	f.hosts[r.URL.Host]++
	f.mu.Unlock()
	wait(r.Context(), 100*time.Millisecond)
	f.mu.Lock()
	f.now--
	f.mu.Unlock()
	if err := errors.Join(f.err, r.Context().Err()); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: f.status, Body: io.NopCloser(strings.NewReader("tile")), Request: r}, nil
}

func TestLoadComesInWaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f := &fakeProxies{most: map[string]int{}, hosts: map[string]int{}, status: 200}
		f.busy = func() bool { return time.Since(start)%(5*time.Second) < 3*time.Second }
		var log bytes.Buffer
		l := &Load{
			URLs: []string{"http://one", "http://two/"}, Clients: 10, Transport: f,
			Busy: 2950 * time.Millisecond, Calm: 2 * time.Second, // the last answers come at 3 s
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		if err := l.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if f.most["busy"] != 10 || f.most["calm"] != 2 {
			t.Errorf("most requests at once: %v, want 10 and 2", f.most)
		}
		if one, two := f.hosts["one"], f.hosts["two"]; one == 0 || one > two+20 || two > one+20 {
			t.Errorf("requests by proxy: %v", f.hosts)
		}
		if f.now != 0 {
			t.Errorf("%d requests in flight after Run", f.now)
		}
		if got := log.String(); !strings.Contains(got, "clients=10 answered=300 refused=0 failed=0") {
			t.Errorf("log: %s", got)
		}
	})
}

func TestLoadDoesNotStormWhoFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		err    error
	}{{"refused", 503, nil}, {"failed", 0, errors.New("no such host")}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeProxies{most: map[string]int{}, hosts: map[string]int{}, status: c.status, err: c.err}
				f.busy = func() bool { return true }
				ctx, cancel := context.WithTimeout(t.Context(), 5950*time.Millisecond)
				defer cancel()
				if err := (&Load{URLs: []string{"http://one"}, Clients: 5, Transport: f}).Run(ctx); err != nil {
					t.Fatal(err)
				}
				if got := f.hosts["one"]; got != 50 { // 5 clients, each 0.1 s of work and 0.5 s of rest
					t.Errorf("%d requests in 6 s, want 50", got)
				}
			})
		})
	}
}

func TestLoadAgainstBackend(t *testing.T) {
	b := New("red", Fast)
	url, end := serve(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- (&Load{URLs: []string{url}, Clients: 4}).Run(ctx) }()
	await(t, "all clients at once", func() bool { return b.MostInFlight() == 4 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestLoadNeedsAProxy(t *testing.T) {
	if err := (&Load{}).Run(t.Context()); err == nil {
		t.Error("a load without a URL: no error")
	}
}
