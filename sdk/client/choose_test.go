package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestConfigTellsEveryMistake(t *testing.T) {
	_, err := New(Config{
		Locators:    []string{"127.0.0.1:7480", "ftp://h", "http://", "http://u@h", "http://h?x", "http://h:0", "http://h:", "http://h:7480/ok"},
		DialTimeout: -1, Retries: 11,
	})
	wantError(t, err, "client: ", `Locators[0]: "127.0.0.1:7480" is no URL`, "Locators[1]: \"ftp://h\" does not begin",
		"Locators[2]: \"http://\" has no host", "Locators[3]: \"http://u@h\" has a user", "Locators[4]: \"http://h?x\" has a query",
		"Locators[5]: \"http://h:0\" has no port", "Locators[6]: \"http://h:\" has no port", "Config.DialTimeout: -1ns is negative",
		"Config.Retries: 11 is not from -1")
	if strings.Contains(err.Error(), "Locators[7]") {
		t.Errorf("%v complains of a good URL", err)
	}
	_, err = New(Config{})
	wantError(t, err, "Config.Locators: is empty; give")
}

func TestTheAnswerIsRememberedForItsTTL(t *testing.T) {
	l := newLocator(t, HTTP, "127.0.0.1:1", "127.0.0.1:2")
	c, now := newClient(t, Config{}, l)
	choose := func() Choice {
		t.Helper()
		got, err := c.Choose(t.Context(), "web")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := Choice{Listener: "web", Protocol: HTTP, Link: Proxied, Zone: "a", TTL: 5 * time.Second,
		Proxies: []Proxy{{"p1", "127.0.0.1:1", "a"}, {"p2", "127.0.0.1:2", "a"}}}
	got := choose()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	got.Proxies[0].Name = "mine now"
	now.pass(5*time.Second - 1)
	if got := choose(); fmt.Sprint(got) != fmt.Sprint(want) || l.questions() != `[""]` {
		t.Errorf("within the TTL: %+v after questions %s", got, l.questions())
	}
	// The first proxy drains: the controller names it no more.
	l.set(func() { l.proxies = l.proxies[1:] })
	now.pass(1)
	if got := choose(); len(got.Proxies) != 1 || got.Proxies[0].Name != "p2" {
		t.Errorf("after the TTL: %+v", got)
	}
	if l.questions() != `["" ""]` {
		t.Errorf("questions %s, want two", l.questions())
	}
}

func TestOneLookupForManyFirstRequests(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	l := newLocator(t, HTTP)
	address, _ := server(t, says("p1"))
	l.override = func(w http.ResponseWriter, _ *http.Request) {
		close(entered) // a second question would panic
		<-leave
		fmt.Fprintf(w, `{"protocol":"http","ttlMs":5000,"proxies":[{"name":"p1","address":%q}]}`, address)
	}
	c, _ := newClient(t, Config{}, l)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { expect(t, c.RoundTripper("web"), "GET", "http://shop/", "", "200 p1 GET shop/ ") })
	}
	await(t, "question", entered)
	close(leave)
	all.Wait()
}

func TestTheFirstCallersLeavingHarmsNobody(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	l := newLocator(t, HTTP)
	l.override = func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, `{"protocol":"http","proxies":[{"name":"p1","address":"127.0.0.1:1"}]}`)
	}
	c, _ := newClient(t, Config{}, l)
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { _, err := c.Choose(ctx, "web"); first <- err }()
	await(t, "question", entered)
	go func() { _, err := c.Choose(t.Context(), "web"); second <- err }()
	cancel()
	if err := await(t, "end of the first", first); !errors.Is(err, context.Canceled) {
		t.Errorf("the first got %v", err)
	}
	close(leave)
	if err := await(t, "end of the second", second); err != nil {
		t.Errorf("the second got %v", err)
	}
}

func TestAStaleAnswerServesWhileLocatorsAreAway(t *testing.T) {
	address, _ := server(t, says("p1"))
	l := newLocator(t, HTTP, address)
	logged := &lines{}
	c, now := newClient(t, Config{Logger: slog.New(slog.NewTextHandler(logged, nil))}, l)
	rt := c.RoundTripper("web")
	ok := func() { t.Helper(); expect(t, rt, "GET", "http://shop/", "", "200 p1 GET shop/ ") }
	ok()
	l.set(func() { l.down = true })
	now.pass(5 * time.Second)
	ok()
	asked := l.questions()
	ok() // at once, and nobody is asked so soon
	if l.questions() != asked {
		t.Errorf("questions %s, want %s", l.questions(), asked)
	}
	now.pass(45 * time.Second)
	_, err := do(t, rt, "GET", "http://shop/", nil)
	wantError(t, err, "client: listener \"web\": locator http://127.0.0.1:", "EOF")
	l.set(func() { l.down = false })
	ok()
	if got := logged.String(); strings.Count(got, "no locator names a proxy") != 1 || strings.Count(got, "name proxies again") != 1 {
		t.Errorf("logged %s", got)
	}
}

func TestNobodyWaitsForALocatorThatWasAway(t *testing.T) {
	address, _ := server(t, says("p1"))
	l := newLocator(t, HTTP, address)
	c, now := newClient(t, Config{}, l)
	rt := c.RoundTripper("web")
	ok := func() { t.Helper(); expect(t, rt, "GET", "http://shop/", "", "200 p1 GET shop/ ") }
	ok()
	l.set(func() { l.down = true })
	now.pass(5 * time.Second)
	ok()
	entered, leave := make(chan struct{}), make(chan struct{})
	l.set(func() {
		l.override = func(http.ResponseWriter, *http.Request) { close(entered); <-leave; panic(http.ErrAbortHandler) }
	})
	now.pass(time.Second)
	ok()
	await(t, "question in the background", entered)
	ok()
	close(leave)
	l.set(func() { l.override, l.down = nil, false })
	if _, err := c.Choose(t.Context(), "web"); err != nil {
		t.Error(err)
	}
}

func TestLocatorsAreTriedInOrder(t *testing.T) {
	first, second := newLocator(t, HTTP, "127.0.0.1:1"), newLocator(t, HTTP, "127.0.0.1:2")
	first.down = true
	c, now := newClient(t, Config{}, first, second)
	for range 2 {
		if got, err := c.Choose(t.Context(), "web"); err != nil || got.Proxies[0].Address != "127.0.0.1:2" {
			t.Errorf("%+v, %v", got, err)
		}
		now.pass(5 * time.Second)
	}
	// The one that answered last goes first.
	if len(first.questions()) >= len(second.questions()) {
		t.Errorf("the first was asked %s, the second %s", first.questions(), second.questions())
	}
	second.set(func() { second.down = true })
	first.set(func() { first.down = false })
	if got, err := c.Choose(t.Context(), "web"); err != nil || got.Proxies[0].Address != "127.0.0.1:1" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatLocatorsMayNotSay(t *testing.T) {
	const good = `"protocol":"http","proxies":[{"name":"p","address":"h:1"}]`
	for _, c := range []struct {
		name, body, want string
		status           int
	}{
		{"bad JSON", `{`, "is no JSON of a choice", 200},
		{"huge", `{"zone":"` + strings.Repeat("z", maxAnswer) + `",` + good + `}`, "is longer than 65536 bytes", 200},
		{"other listener", `{"listener":"db",` + good + `}`, `is about listener "db", not "web"`, 200},
		{"protocol", `{"protocol":"udp"}`, `has protocol "udp"`, 200},
		{"link", `{"link":"bent",` + good + `}`, `has link "bent"`, 200},
		{"ttl", `{"ttlMs":-1,` + good + `}`, "ttlMs -1", 200},
		{"nobody", `{"protocol":"http"}`, "names no proxy", 200},
		{"no name", `{"protocol":"http","proxies":[{"address":"h:1"}]}`, "proxies[0] whose name is empty", 200},
		{"same name", `{"protocol":"http","proxies":[{"name":"p","address":"h:1"},{"name":"p","address":"h:2"}]}`, `names proxy "p" twice`, 200},
		{"bad address", `{"protocol":"http","proxies":[{"name":"p","address":"h"}]}`, `address "h" is no host:port`, 200},
		{"bad host", `{"protocol":"http","proxies":[{"name":"p","address":"a/b:1"}]}`, "has no host that can be connected to", 200},
		{"bad port", `{"protocol":"http","proxies":[{"name":"p","address":"h:70000"}]}`, "has no port from 1 to 65535", 200},
		{"redirect", ``, "answers 302 Found", 302},
		{"nobody there", `{"error":"no proxy\nserves it"}`, "answers 503 Service Unavailable: no proxy serves it", 503},
		{"unknown", `{"error":"no such listener"}`, "answers 404 Not Found: no such listener", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLocator(t, HTTP)
			l.override = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}
			client, _ := newClient(t, Config{}, l)
			_, err := client.Choose(t.Context(), "web")
			wantError(t, err, `client: listener "web": locator http://127.0.0.1:`, c.want)
			var no *RefusedError
			if c.status != 200 && (!errors.As(err, &no) || no.Status != c.status) {
				t.Errorf("%v is no RefusedError of status %d", err, c.status)
			}
		})
	}
}

func TestAListenerThatIsGoneIsGone(t *testing.T) {
	l := newLocator(t, HTTP, "127.0.0.1:1")
	other := newLocator(t, HTTP, "127.0.0.1:1")
	c, now := newClient(t, Config{}, l, other)
	if _, err := c.Choose(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	l.set(func() {
		l.override = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	})
	now.pass(5 * time.Second)
	_, err := c.Choose(t.Context(), "web")
	wantError(t, err, "answers 404")
	if other.questions() != "[]" {
		t.Errorf("the other locator was asked %s", other.questions())
	}
}

func TestALocatorThatHangsIsLeft(t *testing.T) {
	asked, gone := make(chan struct{}, 1000), make(chan struct{}, 1000)
	l := newLocator(t, HTTP)
	l.override = func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	}
	c, _ := newClient(t, Config{}, l)
	c.patience = 20 * time.Millisecond
	for { // on a busy machine the patience may be over before the question has come
		_, err := c.Choose(t.Context(), "web")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		select {
		case <-asked:
			await(t, "end of the question", gone)
			return
		default:
		}
	}
}

func TestNamesOfListeners(t *testing.T) {
	l := newLocator(t, HTTP, "127.0.0.1:1")
	c, _ := newClient(t, Config{}, l)
	for _, name := range []string{"", "a\nb", "\xff", strings.Repeat("x", maxName+1)} {
		_, err := c.Choose(t.Context(), name)
		wantError(t, err, "client: the listener's name ")
	}
	for i := range MaxListeners {
		if _, err := c.listener(fmt.Sprint("l", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Choose(t.Context(), "web"); err != nil || len(c.listeners) != 1 {
		t.Errorf("%v with %d listeners; those of which nothing is known are forgotten", err, len(c.listeners))
	}
	for _, l := range c.listeners {
		for i := range MaxListeners {
			c.listeners[fmt.Sprint("l", i)] = l
		}
	}
	_, err := c.Choose(t.Context(), "another")
	wantError(t, err, `listener "another": 1000 others are remembered`)
}

func TestFailuresAreBounded(t *testing.T) {
	l := newLocator(t, HTTP, "127.0.0.1:1")
	c, now := newClient(t, Config{}, l)
	if _, err := c.Choose(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	web := c.listeners["web"]
	for i := range 3 * maxFailed {
		web.fail(Proxy{Name: fmt.Sprint("x", i)}, errTakenBack)
	}
	if len(web.failed) != maxFailed || !slices.IsSorted(web.excluded()) {
		t.Errorf("%d failures are remembered, want %d", len(web.failed), maxFailed)
	}
	now.pass(5 * time.Second)
	web.fail(Proxy{Name: "p1"}, errTakenBack)
	if got := web.excluded(); !slices.Equal(got, []string{"p1"}) {
		t.Errorf("after the TTL %q are left", got)
	}
}

// lines is what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
