package http1

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/route"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		reason string
		after  string
	}{
		{&link.Refused{Pool: "render", Reason: fleet.QueueFull, RetryAfter: 2001 * time.Millisecond}, 429, "queue_full", "3"},
		{&link.Refused{Pool: "render", Reason: fleet.QueueTimeout}, 429, "queue_timeout", "1"},
		{&link.Refused{Pool: "render", Reason: fleet.NoBackend, RetryAfter: time.Millisecond}, 503, "no_backend", "1"},
		{&link.Refused{Pool: "render", Reason: fleet.AllExcluded, RetryAfter: 2 * time.Second}, 503, "all_excluded", "2"},
		{&link.Refused{Pool: "render", Reason: fleet.TooLate, RetryAfter: time.Second}, 504, "too_late", ""},
		{&link.Refused{Pool: "render", Reason: fleet.RetryBudget, RetryAfter: 4 * time.Second}, 503, "retry_budget", "4"},
		{&link.Refused{Pool: "render", Reason: fleet.RetryBudget}, 503, "retry_budget", ""},
		{&link.Refused{Pool: "render", Reason: fleet.NoMatch}, 503, "no_match", ""},
		{link.ErrNoController, 503, "no_controller", "1"},
		{errors.New("something new"), 503, "internal", "1"},
	} {
		s := serve(t, refusing(c.err), long)
		for _, body := range []string{"", "some body"} {
			res, text := s.do(s.request("POST", "/", body))
			if res.StatusCode != c.status || res.Header.Get(web.ReasonHeader) != c.reason || res.Header.Get("Retry-After") != c.after {
				t.Errorf("%v: answered %d, %v", c.err, res.StatusCode, res.Header)
			}
			if !strings.Contains(text, `pool "render"`) || !strings.Contains(text, c.reason) {
				t.Errorf("%v: body %q", c.err, text)
			}
		}
		if n := s.server.Connections(); n != 1 {
			t.Errorf("%v: %d connections", c.err, n)
		}
		s.quiesce()
		if s.metric("refused_total", "render", c.reason) != 2 && c.reason != "internal" {
			t.Errorf("%v was not counted", c.err)
		}
	}
}

func TestRefusedInJSON(t *testing.T) {
	s := serve(t, refusing(&link.Refused{Pool: "render", Reason: fleet.QueueFull}), long)
	res, body := s.do(s.request("GET", "/", "", "Accept", "text/html, application/json;q=0.9"))
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got["pool"] != "render" || got["reason"] != "queue_full" || got["error"] != fleet.QueueFull.Text() ||
		res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v: %v", res.Header, got)
	}
}

func TestNoRouteAndNoConnect(t *testing.T) {
	g := refusing(nil)
	s := serve(t, g, long)
	empty := route.New(nil)
	s.server.cfg.Routes = func() *route.Table { return empty } // before any request
	for method, want := range map[string]int{"GET": 404, "CONNECT": 405} {
		c := s.dial()
		c.send(method + " nowhere:80 HTTP/1.1\nHost: nowhere:80\n\n")
		if method == "GET" {
			c = s.dial()
			c.send("GET / HTTP/1.1\nHost: nowhere\n\n")
		}
		res := c.answer()
		if res.StatusCode != want || res.Header.Get(web.ReasonHeader) == "" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: answered %v", method, res)
		}
	}
	if len(g.asks) > 0 {
		t.Error("somebody asked")
	}
}

// A chunked body whose end cannot be found must not be taken for the next request.
func TestRestOfBodyIsNoRequest(t *testing.T) {
	for name, g := range map[string]*granter{
		"refused": refusing(&link.Refused{Pool: "render", Reason: fleet.QueueFull}),
		"answered early": to(backend(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
		})),
		"read": to(backend(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
		})),
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, g, long).dial()
			c.send("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\nnot a chunk\nGET /smuggled HTTP/1.1\nHost: x\n\n")
			if res := c.answer(); res.StatusCode < 400 || !res.Close {
				t.Errorf("answered %v", res)
			}
			if rest := c.expectEnd(); strings.Contains(rest, "HTTP/1.1") {
				t.Errorf("a second answer: %q", rest)
			}
			if n := len(g.asks); n > 1 { // none, where the nonsense came with the head
				t.Errorf("%d asks", n)
			}
		})
	}
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		-1: 1, 0: 1, 1: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Second: 90,
	} {
		if got := (&web.Refusal{RetryAfter: d}).RetrySeconds(); got != want {
			t.Errorf("%v: %d, want %d", d, got, want)
		}
	}
}
