package http1

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/gate"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// ticketed has a granter give tickets for a public address.
func ticketed(public string) *granter {
	g := to("10.0.0.1:80")
	g.adorn = func(g *link.Grant) { g.Ticket, g.Public, g.Life = "T1.2-_", public, 10*time.Second }
	return g
}

func isDirect(_ *Config, p *link.Pool) { p.Direct = true }

func TestSentOn(t *testing.T) {
	for _, c := range []struct{ public, path, location string }{
		{"b1.example.org:8080", "/a%2Fb//c?x=1;y=%zz", "http://b1.example.org:8080/a%2Fb//c?x=1;y=%zz&fairlead-ticket=T1.2-_"},
		{"https://b1.example.org", "/", "https://b1.example.org/?fairlead-ticket=T1.2-_"},
		{"https://b1.example.org", "//evil.example/x", "https://b1.example.org//evil.example/x?fairlead-ticket=T1.2-_"},
		{"[2001:db8::1]:80", "/x?", "http://[2001:db8::1]:80/x?&fairlead-ticket=T1.2-_"},
	} {
		g := ticketed(c.public)
		s := serve(t, g, long, isDirect)
		res, _ := s.do(s.request("POST", c.path, "a body that nobody reads", "Expect", "100-continue"))
		if res.StatusCode != http.StatusTemporaryRedirect || res.Header.Get("Location") != c.location {
			t.Errorf("%s: answer %d to %q, want 307 to %q", c.path, res.StatusCode, res.Header.Get("Location"), c.location)
		}
		for field, want := range map[string]string{
			web.TicketHeader: "T1.2-_", web.GrantHeader: "0.1", "Content-Length": "0", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		} {
			if got := res.Header.Get(field); got != want {
				t.Errorf("answer's %s: %q, want %q", field, got, want)
			}
		}
		expectOutcome(t, g, fleet.OK) // it was handed on
	}
}

// TestSentOnToNobody: a grant whose client is gone is given back.
func TestSentOnToNobody(t *testing.T) {
	granting := make(chan struct{})
	g := newGranter(func(ctx context.Context, _ link.Request) (fleet.BackendName, error) {
		<-ctx.Done()
		<-granting
		return "10.0.0.1:80", nil
	})
	s := serve(t, g, long, isDirect)
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: x\n\n")
	get(t, "ask", g.asks)
	c.Close()
	close(granting)
	expectOutcome(t, g, fleet.Unused)
}

func TestDirectRefused(t *testing.T) {
	g := refusing(&link.Refused{Pool: "render", Reason: fleet.QueueFull, RetryAfter: 3 * time.Second})
	s := serve(t, g, long, isDirect)
	res, body := s.do(s.request("GET", "/", ""))
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "3" || !strings.Contains(body, "queue_full") {
		t.Errorf("answer %d, Retry-After %q, %q", res.StatusCode, res.Header.Get("Retry-After"), body)
	}
}

// TestWantsGrant: a client can ask first whether its request is to be sent here.
func TestWantsGrant(t *testing.T) {
	g := to("10.0.0.1:80")
	s := serve(t, g, long)
	res, _ := s.do(s.request("POST", "/", "", web.WantHeader, "grant"))
	if res.StatusCode != http.StatusNoContent || len(g.asks) > 0 {
		t.Errorf("answer %d with %d asks, want 204 and none", res.StatusCode, len(g.asks))
	}
}

func TestGivesGrants(t *testing.T) {
	g := ticketed("db1.example.org:5432")
	grants := func(c *Config, p *link.Pool) {
		p.Direct = true
		c.Grants = func() *link.Pool { return p }
	}
	s := serve(t, g, long, grants)
	res, body := s.do(s.request("POST", "/v1/grant", ""))
	var got web.Grant
	if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("answer %d %q, %v", res.StatusCode, body, err)
	}
	if want := (web.Grant{Backend: "10.0.0.1:80", Public: "db1.example.org:5432", Grant: "0.1", Ticket: "T1.2-_", ExpiresMs: 10_000}); got != want {
		t.Errorf("the answer is %+v, want %+v", got, want)
	}
	if res.Header.Get("Content-Type") != "application/json" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer's head is %v", res.Header)
	}
	expectOutcome(t, g, fleet.OK)
	for _, c := range []struct {
		method, path string
		status       int
	}{{"GET", "/v1/grant", 405}, {"POST", "/", 404}, {"GET", "/", 404}} {
		if res, _ := s.do(s.request(c.method, c.path, "")); res.StatusCode != c.status || res.Header.Get(web.ReasonHeader) != "only_grants" {
			t.Errorf("%s %s: %d %q, want %d", c.method, c.path, res.StatusCode, res.Header.Get(web.ReasonHeader), c.status)
		}
	}
}

// TestTicketForBackend: in a pool with tickets the backend gets the grant's, and never one
// that a client made up.
func TestTicketForBackend(t *testing.T) {
	for _, ticket := range []string{"", "T1.2-_"} {
		seen := make(chan []string, 1)
		g := to(backend(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Values(web.TicketHeader) }))
		g.adorn = func(g *link.Grant) { g.Ticket = ticket }
		s := serve(t, g, long)
		s.do(s.request("GET", "/", "", web.TicketHeader, "forged"))
		if got := strings.Join(get(t, "request", seen), ","); got != ticket {
			t.Errorf("the backend got ticket %q, want %q", got, ticket)
		}
	}
}

func TestAbout(t *testing.T) {
	g := to(backend(t, func(http.ResponseWriter, *http.Request) {}))
	s := serve(t, g, long, func(_ *Config, p *link.Pool) { p.About = true })
	req := s.request("PUT", "/a%2Fb?x=1", "", "Grpc-Timeout", "1500m")
	req.Host = "shop.example:81"
	s.do(req)
	want := fleet.About{
		Client: "127.0.0.1", Method: "PUT", Host: "shop.example:81", Path: "/a%2Fb",
		Class: fleet.Normal, Flow: "127.0.0.1", Deadline: 1500 * time.Millisecond,
	}
	if got := get(t, "ask", g.asks).About; got == nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("the ask says %+v, want %+v", got, want)
	}
}

func TestDeadline(t *testing.T) {
	for _, c := range []struct {
		field, value string
		want         time.Duration
	}{
		{"Grpc-Timeout", "2S", 2 * time.Second}, {"Grpc-Timeout", "99999999H", 24 * time.Hour},
		{"Grpc-Timeout", "5u", 5 * time.Microsecond}, {"Grpc-Timeout", "S", 0}, {"Grpc-Timeout", "-1S", 0},
		{"Grpc-Timeout", "1x", 0}, {"Grpc-Timeout", "999999999S", 0},
		{"X-Envoy-Expected-Rq-Timeout-Ms", "250", 250 * time.Millisecond},
		{"X-Envoy-Expected-Rq-Timeout-Ms", "1e3", 0}, {"X-Other", "1", 0},
	} {
		h := http.Header{}
		h.Set(c.field, c.value)
		if got := web.Deadline(h); got != c.want {
			t.Errorf("%s: %s means %v, want %v", c.field, c.value, got, c.want)
		}
	}
}

// TestGate: at the bound nobody else is accepted, until somebody leaves.
func TestGate(t *testing.T) {
	g := to(backend(t, func(http.ResponseWriter, *http.Request) {}))
	s := serve(t, g, long, func(c *Config, _ *link.Pool) { c.Gate = gate.New(1) })
	first := s.dial()
	first.send("GET / HTTP/1.1\nHost: x\n\n")
	first.answer()
	second := s.dial() // the kernel takes it
	second.send("GET / HTTP/1.1\nHost: x\n\n")
	if n := s.server.Connections(); n != 1 {
		t.Errorf("%d connections are open, and one is the most", n)
	}
	first.Close()
	second.answer()
}
