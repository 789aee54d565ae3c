package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAProxyThatDiesIsLeft(t *testing.T) {
	first, dying := server(t, says("p1"))
	second, _ := server(t, says("p2"))
	l := newLocator(t, HTTP, first, second)
	c, now := newClient(t, Config{}, l)
	rt := c.RoundTripper("web")
	expect(t, rt, "GET", "http://shop/a?b=c", "", "200 p1 GET shop/a?b=c ")
	dying.Close()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { expect(t, rt, "PUT", "http://shop/", "x", "200 p2 PUT shop/ x") })
	}
	all.Wait()
	if got := l.questions(); got != `["" "p1"]` {
		t.Errorf("questions %s", got)
	}
	now.pass(5 * time.Second)
	expect(t, rt, "GET", "http://shop/", "", "200 p2 GET shop/ ")
	if got := l.questions(); got != `["" "p1" "" "p1"]` {
		t.Errorf("after the TTL, questions %s", got)
	}
}

func TestTheOthersOfTheAnswerAreUsedWhereNoLocatorHelps(t *testing.T) {
	second, _ := server(t, says("p2"))
	l := newLocator(t, HTTP, closedAddress(t), second)
	c, _ := newClient(t, Config{}, l)
	if _, err := c.Choose(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	l.set(func() { l.down = true })
	expect(t, c.RoundTripper("web"), "POST", "http://shop/", "x", "200 p2 POST shop/ x")
	if got, err := c.Choose(t.Context(), "web"); err != nil || got.Proxies[0].Name != "p2" || got.Proxies[1].Name != "p1" {
		t.Errorf("%+v, %v; want the failed proxy last", got, err)
	}
}

func TestRetriesAreCounted(t *testing.T) {
	for retries, want := range map[int]int{-1: 1, 0: 3, 1: 2, 5: 4} {
		l := newLocator(t, HTTP, closedAddress(t), closedAddress(t), closedAddress(t), closedAddress(t))
		c, _ := newClient(t, Config{Retries: retries}, l)
		_, err := do(t, c.RoundTripper("web"), "GET", "http://shop/", nil)
		wantError(t, err, "client: listener \"web\": proxy p", "connection refused")
		if failed := len(c.listeners["web"].failed); failed != want {
			t.Errorf("with Retries %d, %d proxies were tried, want %d", retries, failed, want)
		}
	}
}

func TestTheOnlyProxyIsTriedAgain(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			hangUp(w, r)
		}
		says("p1")(w, r)
	})
	l := newLocator(t, HTTP, address)
	c, _ := newClient(t, Config{}, l)
	rt := c.RoundTripper("web")
	_, err := do(t, rt, "GET", "http://shop/", nil)
	wantError(t, err, "proxy p1", "and no other proxy", "answers 503")
	broken.Store(false)
	expect(t, rt, "GET", "http://shop/", "", "200 p1 GET shop/ ")
}

func TestALocatorThatInsistsIsNotAskedForEver(t *testing.T) {
	l := newLocator(t, HTTP)
	l.override = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"protocol":"http","ttlMs":5000,"proxies":[{"name":"p1","address":"`+closedAddress(t)+`"}]}`)
	}
	c, _ := newClient(t, Config{}, l)
	_, err := do(t, c.RoundTripper("web"), "GET", "http://shop/", nil)
	if !errors.Is(err, errAllTried) || l.questions() != `["" "p1"]` {
		t.Errorf("%v after questions %s", err, l.questions())
	}
}

func TestWhatIsRepeatedAfterABrokenConnection(t *testing.T) {
	for _, c := range []struct {
		method, key string
		again       bool
	}{
		{"GET", "", true}, {"PUT", "", true}, {"DELETE", "", true}, {"POST", "", false}, {"PATCH", "", false}, {"POST", "k", true},
	} {
		first, _ := server(t, hangUp)
		second, _ := server(t, says("p2"))
		client, _ := newClient(t, Config{}, newLocator(t, HTTP, first, second))
		req, err := http.NewRequestWithContext(t.Context(), c.method, "http://shop/", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if c.key != "" {
			req.Header.Set("Idempotency-Key", c.key)
		}
		got, err := send(t, client.RoundTripper("web"), req)
		if again := got == "200 p2 "+c.method+" shop/ x"; again != c.again || again != (err == nil) {
			t.Errorf("%s %s: %q, %v", c.method, c.key, got, err)
		}
		// It has failed for others, either way.
		expect(t, client.RoundTripper("web"), "POST", "http://shop/", "y", "200 p2 POST shop/ y")
	}
}

func TestAnAnswerIsNoFailure(t *testing.T) {
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://elsewhere/")
			w.WriteHeader(http.StatusTemporaryRedirect) // without a ticket it is the caller's
		},
	} {
		first, _ := server(t, h)
		second, _ := server(t, says("p2"))
		l := newLocator(t, HTTP, first, second)
		c, _ := newClient(t, Config{}, l)
		got, err := do(t, c.RoundTripper("web"), "GET", "http://shop/", nil)
		if err != nil || strings.HasPrefix(got, "200") || l.questions() != `[""]` {
			t.Errorf("got %q, %v after questions %s", got, err, l.questions())
		}
	}
}

func TestABrokenAnswerIsNotRepeated(t *testing.T) {
	first, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = out.WriteString("HTTP/1.1 200 O")
		_ = out.Flush()
		_ = conn.Close()
	})
	second, _ := server(t, says("p2"))
	c, _ := newClient(t, Config{}, newLocator(t, HTTP, first, second))
	got, err := do(t, c.RoundTripper("web"), "GET", "http://shop/", nil)
	if err == nil {
		t.Errorf("got %q of an answer that had begun", got)
	}
}

func TestCancelIsNobodysFailure(t *testing.T) {
	entered := make(chan struct{})
	first, _ := server(t, func(_ http.ResponseWriter, r *http.Request) { close(entered); <-r.Context().Done() })
	l := newLocator(t, HTTP, first)
	c, _ := newClient(t, Config{}, l)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", "http://shop/", nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := send(t, c.RoundTripper("web"), req); ended <- err }()
	await(t, "request", entered)
	cancel()
	if err := await(t, "end", ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if len(c.listeners["web"].failed) != 0 {
		t.Error("the proxy is taken for failed")
	}
}

// tracked is a body of which a test knows what became.
type tracked struct {
	io.Reader
	reads, closes atomic.Int32
}

func (b *tracked) Read(p []byte) (int, error) { b.reads.Add(1); return b.Reader.Read(p) }
func (b *tracked) Close() error               { b.closes.Add(1); return nil }

func TestABodyThatCanBeReadOnce(t *testing.T) {
	var asked atomic.Int32
	second, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(wantField) == "grant" {
			if r.Method != http.MethodOptions || r.ContentLength != 0 || r.Header.Get("X") != "y" || r.Host != "shop" {
				t.Errorf("asked with %s %s %d %v", r.Method, r.Host, r.ContentLength, r.Header)
			}
			asked.Add(1)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		says("p2")(w, r)
	})
	c, _ := newClient(t, Config{}, newLocator(t, HTTP, closedAddress(t), second))
	body := &tracked{Reader: strings.NewReader("once")}
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://shop/", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X", "y")
	if got, err := send(t, c.RoundTripper("web"), req); err != nil || got != "200 p2 POST shop/ once" {
		t.Errorf("%q, %v", got, err)
	}
	if asked.Load() != 1 || body.closes.Load() != 1 {
		t.Errorf("asked %d times, closed %d times; want 1 and 1", asked.Load(), body.closes.Load())
	}
}

func TestARefusalIsReturnedBeforeTheBodyIsRead(t *testing.T) {
	address, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(reasonField, "queue_full")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	c, _ := newClient(t, Config{}, newLocator(t, HTTP, address))
	body := &tracked{Reader: strings.NewReader("once")}
	if got, err := do(t, c.RoundTripper("web"), "POST", "http://shop/", body); err != nil || got != "429 " {
		t.Errorf("%q, %v", got, err)
	}
	if body.reads.Load() != 0 || body.closes.Load() != 1 {
		t.Errorf("read %d times, closed %d times", body.reads.Load(), body.closes.Load())
	}
}

func TestABodyThatFailsIsNobodysFailure(t *testing.T) {
	address, _ := server(t, says("p1"))
	c, _ := newClient(t, Config{}, newLocator(t, HTTP, address))
	bad := errors.New("disk on fire")
	_, err := do(t, c.RoundTripper("web"), "PUT", "http://shop/", io.MultiReader(strings.NewReader("x"), &failing{bad}))
	if !errors.Is(err, bad) || len(c.listeners["web"].failed) != 0 {
		t.Errorf("got %v, and failed are %v", err, c.listeners["web"].failed)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func replay(fail bool) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		if fail {
			return nil, errors.New("disk on fire")
		}
		return io.NopCloser(strings.NewReader("x")), nil
	}
}

func TestBodiesAreClosedWhateverHappens(t *testing.T) {
	dead := newLocator(t, HTTP, closedAddress(t))
	tcp := newLocator(t, TCP, closedAddress(t))
	for name, c := range map[string]struct {
		l          *locator
		url        string
		listener   string
		want       string
		replay     bool
		failReplay bool
	}{
		"dead":      {l: dead, url: "http://shop/", listener: "web", want: "connection refused"},
		"replayed":  {l: dead, url: "http://shop/", listener: "web", want: "connection refused", replay: true},
		"scheme":    {l: dead, url: "https://shop/", listener: "web", want: "use an http URL"},
		"listener":  {l: dead, url: "http://shop/", listener: "", want: "name a listener"},
		"protocol":  {l: tcp, url: "http://shop/", listener: "db", want: `listener "db" speaks tcp; use DialContext`},
		"no replay": {l: dead, url: "http://shop/", listener: "web", want: "disk on fire", replay: true, failReplay: true},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := newClient(t, Config{}, c.l)
			if c.failReplay {
				client, _ = newClient(t, Config{}, newLocator(t, HTTP, closedAddress(t), closedAddress(t)))
			}
			body := &tracked{Reader: strings.NewReader("x")}
			req, err := http.NewRequestWithContext(t.Context(), "POST", c.url, body)
			if err != nil {
				t.Fatal(err)
			}
			if c.replay {
				req.GetBody = replay(c.failReplay)
			}
			_, err = send(t, client.RoundTripper(c.listener), req)
			wantError(t, err, "client: ", c.want)
			if body.closes.Load() != 1 || body.reads.Load() != 0 {
				t.Errorf("the body was closed %d times, read %d times", body.closes.Load(), body.reads.Load())
			}
		})
	}
}

func TestItServesAnHTTPClient(t *testing.T) {
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
			http.Redirect(w, r, "/next", http.StatusFound)
			return
		}
		says(r.Header.Get("Cookie"))(w, r)
	})
	c, _ := newClient(t, Config{}, newLocator(t, HTTP, address))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Client{Transport: c.RoundTripper("web"), Jar: jar}
	defer web.CloseIdleConnections()
	resp, err := web.Get("http://shop.example.org/")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "seen=yes GET shop.example.org/next " {
		t.Errorf("%q, %v", body, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
}
