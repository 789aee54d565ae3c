package client

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"sync/atomic"
	"testing"
)

func TestAConnectionSaysWhatItIsFor(t *testing.T) {
	address, arrivals := backend(t)
	var grants atomic.Int32
	fields := make(chan http.Header, 1)
	give := gives(t, &grants, address)
	proxy, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		fields <- r.Header
		give(w, r)
	})
	l := newLocator(t, TCP, proxy)
	l.link = Direct
	c, _ := newClient(t, Config{}, l)
	said := http.Header{"X-Tenant": {"t1"}, "Accept": {"text/html"}}
	ctx := WithHeader(t.Context(), said)
	said.Set("X-Tenant", "other") // too late
	conn, err := c.DialContext(ctx, "db")
	if err != nil {
		t.Fatal(err)
	}
	got := await(t, "a question", fields)
	if got.Get("X-Tenant") != "t1" || got.Get("Accept") != "application/json" {
		t.Errorf("the proxy is asked with %v", got)
	}
	await(t, "arrival", arrivals)
	talk(t, conn)
	if h := headerOf(WithHeader(t.Context(), nil)); len(h) != 2 {
		t.Errorf("no fields are %v", h)
	}
}

// TestACookieOverADirectLink: what the proxy sets by the way is kept, and said again.
func TestACookieOverADirectLink(t *testing.T) {
	backend, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "app=1")
	})
	var grants atomic.Int32
	lead := leads("http://"+backend, &grants)
	cookies := make(chan string, 2)
	proxy, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		cookies <- r.Header.Get("Cookie")
		w.Header().Add("Set-Cookie", "lead=k1; Path=/")
		lead(w, r)
	})
	c, _ := newClient(t, Config{}, newLocator(t, HTTP, proxy))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Client{Transport: c.RoundTripper("web"), Jar: jar}
	for i, want := range []string{"", "app=1; lead=k1"} {
		resp, err := web.Get("http://shop.example/")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := await(t, fmt.Sprint("request ", i), cookies); got != want {
			t.Errorf("request %d has the cookies %q, want %q", i, got, want)
		}
	}
}
