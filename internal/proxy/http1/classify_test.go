package http1

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// classified has a pool tell what its requests are.
func classified(m *fairleadv1.Classify) func(*Config, *link.Pool) {
	return func(_ *Config, p *link.Pool) { p.About, p.Classify = true, classify.New(m) }
}

// byCookie has a pool's affinity be by the cookie lead.
var byCookie = &fairleadv1.Classify{Affinity: &fairleadv1.Source{Kind: fairleadv1.Source_KIND_COOKIE, Name: "lead"}}

func TestClassified(t *testing.T) {
	g := to(backend(t, func(http.ResponseWriter, *http.Request) {}))
	s := serve(t, g, long, classified(&fairleadv1.Classify{
		ClassHeader: "X-Class", Flow: &fairleadv1.Source{Kind: fairleadv1.Source_KIND_HEADER, Name: "X-Tenant"},
		Affinity:     &fairleadv1.Source{Kind: fairleadv1.Source_KIND_HEADER, Name: "X-Key"},
		LabelHeaders: map[string]string{"gpu": "X-Gpu"}, DeadlineMs: 9000,
	}))
	for _, c := range []struct {
		fields []string
		want   fleet.About
	}{
		{nil, fleet.About{Class: fleet.Normal, Flow: "127.0.0.1", Deadline: 9 * time.Second}},
		{[]string{"X-Class", "sheddable", "X-Tenant", "t1", "X-Key", "k", "X-Gpu", "a100", "X-Envoy-Expected-Rq-Timeout-Ms", "250"},
			fleet.About{Class: fleet.Sheddable, Flow: "t1", Affinity: "k", Labels: []string{"gpu=a100"}, Deadline: 250 * time.Millisecond}},
	} {
		req := s.request("GET", "/x", "", c.fields...)
		req.Host = "shop"
		s.do(req)
		c.want.Client, c.want.Method, c.want.Host, c.want.Path = "127.0.0.1", "GET", "shop", "/x"
		if got := get(t, "ask", g.asks).About; got == nil || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("the ask says %+v, want %+v", got, c.want)
		}
	}
}

// TestCookieIsSetOnce: a client without the cookie gets one, by which its next request has
// the same affinity, and no other.
func TestCookieIsSetOnce(t *testing.T) {
	seen := make(chan string, 10)
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Cookie")
		w.Header().Set("Set-Cookie", "app=1")
		if r.URL.Path == "/cached" {
			w.Header().Set("Cache-Control", "Public, max-age=60")
		}
		if r.URL.Path == "/own" {
			w.Header().Add("Set-Cookie", "lead=mine; Path=/own")
		}
	}))
	s := serve(t, g, long, classified(byCookie))
	res, _ := s.do(s.request("GET", "/", ""))
	first := get(t, "ask", g.asks).About.Affinity
	set := res.Header["Set-Cookie"]
	if len(set) != 2 || set[0] != "app=1" || set[1] != "lead="+first+"; Path=/; HttpOnly; SameSite=Lax" || first == "" {
		t.Fatalf("affinity %q, and the answer sets %q", first, set)
	}
	if got := get(t, "request", seen); got != "" {
		t.Errorf("the backend is told of a cookie that the client has not: %q", got)
	}
	res, _ = s.do(s.request("GET", "/", "", "Cookie", "lead="+first))
	if again := get(t, "ask", g.asks).About.Affinity; again != first || len(res.Header["Set-Cookie"]) != 1 {
		t.Errorf("affinity %q then %q, and the answer sets %q", first, again, res.Header["Set-Cookie"])
	}
	res, _ = s.do(s.request("GET", "/own", ""))
	if set := res.Header["Set-Cookie"]; len(set) != 2 || !strings.HasPrefix(set[1], "lead=mine") {
		t.Errorf("the application sets the cookie itself, and the answer sets %q", set)
	}
	res, _ = s.do(s.request("GET", "/cached", ""))
	if set := res.Header["Set-Cookie"]; len(set) != 1 {
		t.Errorf("anyone may get the answer from a cache, and it sets %q", set)
	}
}

// TestGrantIsClassified: a client of a TCP listener with direct links says what its
// connection is for in the fields of its question.
func TestGrantIsClassified(t *testing.T) {
	g := ticketed("10.0.0.9:5432")
	pool := &link.Pool{Name: "db", Direct: true, About: true, Classify: classify.New(&fairleadv1.Classify{
		ClassHeader: "X-Class", Flow: &fairleadv1.Source{Kind: fairleadv1.Source_KIND_HEADER, Name: "X-Tenant"},
	})}
	s := serve(t, g, long, func(cfg *Config, _ *link.Pool) { cfg.Grants = func() *link.Pool { return pool } })
	if res, body := s.do(s.request("POST", "/v1/grant", "", "X-Class", "critical", "X-Tenant", "t1")); res.StatusCode != http.StatusOK {
		t.Errorf("answered %d, %s", res.StatusCode, body)
	}
	if a := get(t, "ask", g.asks).About; a == nil || a.Class != fleet.Critical || a.Flow != "t1" {
		t.Errorf("the ask says %+v", a)
	}
}

// TestRefusedSetsNoCookie: who was not served belongs nowhere.
func TestRefusedSetsNoCookie(t *testing.T) {
	s := serve(t, refusing(&link.Refused{Pool: "render", Reason: fleet.QueueFull}), long, classified(byCookie))
	if res, _ := s.do(s.request("GET", "/", "")); len(res.Header["Set-Cookie"]) > 0 {
		t.Errorf("a refusal sets %q", res.Header["Set-Cookie"])
	}
}

func TestMoved(t *testing.T) {
	reg := prometheus.NewRegistry()
	m, err := classify.NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	counted := func(cfg *Config, _ *link.Pool) { cfg.Classified = m }
	g := to(backend(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(web.AffinityHeader, "moved") }))
	s := serve(t, g, long, classified(byCookie), counted)
	if res, _ := s.do(s.request("GET", "/", "")); len(res.Header[web.AffinityHeader]) > 0 {
		t.Errorf("the backend says %q, and the client hears it", res.Header[web.AffinityHeader])
	}
	g.adorn = func(g *link.Grant) { g.Moved = true }
	if res, _ := s.do(s.request("GET", "/", "", "Cookie", "lead=x")); res.Header.Get(web.AffinityHeader) != "moved" || len(res.Header["Set-Cookie"]) > 0 {
		t.Errorf("the request was moved, and the answer says %v", res.Header)
	}
	direct := ticketed("b1.example.org:8080")
	direct.adorn = func(g *link.Grant) { g.Moved, g.Ticket, g.Public = true, "T", "b1.example.org:8080" }
	s = serve(t, direct, long, classified(byCookie), counted, isDirect)
	if res, _ := s.do(s.request("GET", "/", "")); res.Header.Get(web.AffinityHeader) != "moved" || len(res.Header["Set-Cookie"]) != 1 {
		t.Errorf("the request was moved, and its client is sent on with %v", res.Header)
	}
	families, err := reg.Gather()
	if err != nil || len(families) == 0 || families[0].GetName() != "fairlead_affinity_moved_total" ||
		families[0].GetMetric()[0].GetCounter().GetValue() != 2 {
		t.Errorf("counted %v, %v; want 2 that moved", families, err)
	}
}
