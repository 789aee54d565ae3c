package demo

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask sends a request to a handler, without a network.
func ask(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestAnswers(t *testing.T) {
	h := New("red", Fast).Handler()
	for _, c := range []struct {
		method, target string
		code           int
		mime, contains string
	}{
		{"GET", "/tile?z=0&x=0&y=0", 200, "image/png", "PNG"},
		{"HEAD", "/tile?z=0&x=0&y=0&size=16", 200, "image/png", ""},
		{"GET", "/tile?z=20&x=1048575&y=0&size=16", 200, "image/png", "PNG"},
		{"GET", "/", 200, "text/plain; charset=utf-8", "red worked "},
		{"GET", "/healthz", 200, "text/plain; charset=utf-8", "ok\n"},
		{"GET", "/nowhere", 404, "", "not found"},
		{"POST", "/tile?z=0&x=0&y=0", 405, "", ""},
		{"GET", "/tile", 400, "", `z="" is not a whole number`},
		{"GET", "/tile?z=x&x=0&y=0", 400, "", `z="x" is not a whole number`},
		{"GET", "/tile?z=21&x=0&y=0", 400, "", "0 to 20"},
		{"GET", "/tile?z=-1&x=0&y=0", 400, "", "0 to 20"},
		{"GET", "/tile?z=1&x=2&y=0", 400, "", "at z 1 they may be 0 to 1"},
		{"GET", "/tile?z=1&x=0&y=-1", 400, "", "at z 1 they may be 0 to 1"},
		{"GET", "/tile?z=0&x=0&y=0&size=257", 400, "", "16 to 256"},
		{"GET", "/tile?z=0&x=0&y=0&size=0", 400, "", "16 to 256"},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			w := ask(h, c.method, c.target)
			if w.Code != c.code || !strings.Contains(w.Body.String(), c.contains) {
				t.Errorf("%d, %.80q; want %d, %q", w.Code, w.Body, c.code, c.contains)
			}
			if got := w.Header().Get("Content-Type"); c.mime != "" && got != c.mime {
				t.Errorf("content type %q, want %q", got, c.mime)
			}
		})
	}
}

func TestTileDecodes(t *testing.T) {
	w := ask(New("red", Fast).Handler(), "GET", "/tile?z=2&x=1&y=2&size=64")
	picture, err := png.Decode(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got := picture.Bounds(); got != image.Rect(0, 0, 64, 64) {
		t.Errorf("bounds %v", got)
	}
	for name, want := range map[string]string{
		HeaderBackend: "red", HeaderInFlight: "1", HeaderMostInFlight: "1",
		"Content-Length": strconv.Itoa(w.Body.Len()), "Cache-Control": "no-store",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestCostIsBounded(t *testing.T) {
	for _, c := range []struct{ cost, want Cost }{{-1, Least}, {0, Least}, {Slow, Slow}, {Most + 1, Most}} {
		if got := New("red", c.cost).cost; got != c.want {
			t.Errorf("cost %d became %d, want %d", c.cost, got, c.want)
		}
	}
}

// serve runs a backend on a port of its own. The function that it returns ends it and
// returns how Serve ended.
func serve(t *testing.T, b *Backend) (url string, end func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx, l) }()
	end = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = end() })
	return "http://" + l.Addr().String(), end
}

// await looks until the condition holds; the test's own deadline ends a vain wait.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !holds() {
		select {
		case <-pace.C:
		case <-limit.C:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// begun starts so many requests that would take minutes, and returns when the backend
// has them all. Ending the context takes them back; their number comes out of done.
func begun(t *testing.T, ctx context.Context, b *Backend, url string, n int) (done <-chan *http.Response) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	answers := make(chan *http.Response, n)
	for range n {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			resp, err := transport.RoundTrip(req)
			if err != nil {
				resp = nil
			} else {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			answers <- resp
		}()
	}
	await(t, "all requests in flight", func() bool { return b.InFlight() == n })
	return answers
}

func TestClientGoneEndsTheWork(t *testing.T) {
	for _, path := range []string{"/", "/tile?z=0&x=0&y=0"} {
		b := New("red", Most)
		url, _ := serve(t, b)
		ctx, leave := context.WithCancel(t.Context())
		answers := begun(t, ctx, b, url+path, 3)
		leave()
		for range 3 {
			if resp := <-answers; resp != nil {
				t.Errorf("an answer, %s, to a client that left", resp.Status)
			}
		}
		await(t, "the work's end", func() bool { return b.InFlight() == 0 })
		if got := b.MostInFlight(); got != 3 {
			t.Errorf("most in flight %d, want 3", got)
		}
	}
}

func TestServeGivesUpWorkAtItsEnd(t *testing.T) {
	b := New("red", Most)
	b.grace = 100 * time.Millisecond
	url, end := serve(t, b)
	answers := begun(t, t.Context(), b, url, 2)
	if err := end(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if resp := <-answers; resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("answer %v, want 503", resp)
		}
	}
	if b.InFlight() != 0 {
		t.Errorf("%d in flight after the end", b.InFlight())
	}
}

func TestServeEndsAtOnceWhenIdle(t *testing.T) {
	b := New("red", Fast)
	url, end := serve(t, b)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	if status, err := fetch(t.Context(), &http.Client{Transport: transport}, url+"/healthz"); err != nil || status != 200 {
		t.Fatal(status, err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if b.MostInFlight() != 0 || b.Name() != "red" {
		t.Errorf("a health check counted: most in flight %d", b.MostInFlight())
	}
}

func TestServeFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := New("red", Fast).Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "serving red") {
		t.Errorf("serving a closed listener: %v", err)
	}
}
