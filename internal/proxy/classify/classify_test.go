package classify

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

const peer = "192.0.2.7"

func by(kind fairleadv1.Source_Kind, name string) *fairleadv1.Source {
	return &fairleadv1.Source{Kind: kind, Name: name}
}

// request has fields, as names and values in turn.
func request(fields ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://shop.example/x", nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// token is a JWT with these claims, and a signature that is none.
func token(claims string) string {
	return "eyJhbGciOiJFZERTQSJ9." + encode(claims) + ".c2ln"
}

func TestHTTP(t *testing.T) {
	const (
		header, cookie = fairleadv1.Source_KIND_HEADER, fairleadv1.Source_KIND_COOKIE
		claim, client  = fairleadv1.Source_KIND_CLAIM, fairleadv1.Source_KIND_CLIENT
		tlsName        = fairleadv1.Source_KIND_TLS_NAME
	)
	long := strings.Repeat("x", 300)
	over := request()
	over.TLS = &tls.ConnectionState{ServerName: "a.example"}
	for name, c := range map[string]struct {
		rules *fairleadv1.Classify
		req   *http.Request
		want  fleet.About
		lacks Defaults
	}{
		"no rules":                    {nil, request(), fleet.About{}, 0},
		"empty rules":                 {&fairleadv1.Classify{}, request(), fleet.About{}, 0},
		"class":                       {&fairleadv1.Classify{ClassHeader: "x-class"}, request("X-Class", " Critical"), fleet.About{Class: fleet.Critical}, 0},
		"no class":                    {&fairleadv1.Classify{ClassHeader: "x-class"}, request(), fleet.About{}, 0},
		"other class":                 {&fairleadv1.Classify{ClassHeader: "x-class"}, request("X-Class", "vip"), fleet.About{}, UnknownClass},
		"class that is not asked for": {&fairleadv1.Classify{}, request("X-Class", "critical"), fleet.About{}, 0},

		"flow by header":                   {&fairleadv1.Classify{Flow: by(header, "x-tenant")}, request("X-Tenant", "t1", "X-Tenant", "t2"), fleet.About{Flow: "t1"}, 0},
		"flow by no header":                {&fairleadv1.Classify{Flow: by(header, "x-tenant")}, request(), fleet.About{}, NoFlow},
		"flow by host":                     {&fairleadv1.Classify{Flow: by(header, "host")}, request(), fleet.About{Flow: "shop.example"}, 0},
		"flow by client":                   {&fairleadv1.Classify{Flow: by(client, "")}, request(), fleet.About{}, 0},
		"flow by cookie":                   {&fairleadv1.Classify{Flow: by(cookie, "k")}, request("Cookie", `a=1; kk=2; k="v"`), fleet.About{Flow: "v"}, 0},
		"flow by no cookie":                {&fairleadv1.Classify{Flow: by(cookie, "k")}, request("Cookie", "K=1; xk=2; k="), fleet.About{}, NoFlow},
		"flow by a second line of cookies": {&fairleadv1.Classify{Flow: by(cookie, "k")}, request("Cookie", "a=1", "Cookie", "k=2"), fleet.About{Flow: "2"}, 0},
		"flow by claim":                    {&fairleadv1.Classify{Flow: by(claim, "sub")}, request("Authorization", "bearer "+token(`{"sub":"u1"}`)), fleet.About{Flow: "u1"}, 0},
		"flow by no token":                 {&fairleadv1.Classify{Flow: by(claim, "sub")}, request("Authorization", "Basic xyz"), fleet.About{}, NoFlow},
		"flow by no claim":                 {&fairleadv1.Classify{Flow: by(claim, "sub")}, request("Authorization", "Bearer "+token(`{"Sub":1}`)), fleet.About{}, BadClaim},
		"flow by another token":            {&fairleadv1.Classify{Flow: by(claim, "sub")}, request("Authorization", "Bearer opaque"), fleet.About{}, BadClaim},
		"flow by TLS name":                 {&fairleadv1.Classify{Flow: by(tlsName, "")}, over, fleet.About{Flow: "a.example"}, 0},
		"flow by no TLS":                   {&fairleadv1.Classify{Flow: by(tlsName, "")}, request(), fleet.About{}, NoFlow},
		"a long flow":                      {&fairleadv1.Classify{Flow: by(header, "x-tenant")}, request("X-Tenant", long), fleet.About{Flow: digest(long)}, 0},
		"a flow that is no text":           {&fairleadv1.Classify{Flow: by(header, "x-tenant")}, request("X-Tenant", "\xff"), fleet.About{Flow: digest("\xff")}, 0},
		"a kind to come":                   {&fairleadv1.Classify{Flow: by(99, "")}, request(), fleet.About{}, NoFlow},

		"affinity by header":    {&fairleadv1.Classify{Affinity: by(header, "X-Key")}, request("X-Key", "k"), fleet.About{Affinity: "k"}, 0},
		"affinity by no header": {&fairleadv1.Classify{Affinity: by(header, "X-Key")}, request(), fleet.About{}, NoAffinity},
		"affinity by client":    {&fairleadv1.Classify{Affinity: by(client, "")}, request(), fleet.About{Affinity: peer}, 0},
		"affinity by cookie":    {&fairleadv1.Classify{Affinity: by(cookie, "k")}, request("Cookie", "k=v"), fleet.About{Affinity: "v"}, 0},

		"labels": {&fairleadv1.Classify{LabelHeaders: map[string]string{"gpu": "X-Gpu", "tier": "X-Tier", "disk": "X-Disk"}},
			request("X-Tier", "gold", "X-Gpu", "a100"), fleet.About{Labels: []string{"gpu=a100", "tier=gold"}}, 0},
		"labels that nobody has": {&fairleadv1.Classify{LabelHeaders: map[string]string{"gpu": "X-Gpu"}},
			request("X-Gpu", "a 100"), fleet.About{Labels: []string{"gpu=" + digest("a 100")}}, 0},
		"deadline": {&fairleadv1.Classify{DeadlineMs: 1500}, request(), fleet.About{Deadline: 1500 * time.Millisecond}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want.Flow == "" {
				c.want.Flow = peer
			}
			if c.want.Class == fleet.NoClass {
				c.want.Class = fleet.Normal
			}
			c.want.Client = peer
			got := fleet.About{Client: peer}
			said := New(c.rules).HTTP(c.req, &got)
			if !reflect.DeepEqual(got, c.want) || said != (Said{Defaults: c.lacks}) {
				t.Errorf("got %+v and %+v, want %+v and %b", got, said, c.want, c.lacks)
			}
		})
	}
}

func TestOnRoute(t *testing.T) {
	var none *Rules
	if none.OnRoute(fleet.NoClass, nil) != nil {
		t.Error("nothing on a route is something")
	}
	about := fleet.About{Client: peer}
	none.OnRoute(fleet.Sheddable, []string{"b=1", "a=1", "b=1"}).HTTP(request("X-Class", "critical"), &about)
	if want := (fleet.About{Client: peer, Flow: peer, Class: fleet.Sheddable, Labels: []string{"a=1", "b=1"}}); !reflect.DeepEqual(about, want) {
		t.Errorf("got %+v, want %+v", about, want)
	}
	rules := New(&fairleadv1.Classify{ClassHeader: "X-Class", LabelHeaders: map[string]string{"b": "X-B"}})
	route := rules.OnRoute(fleet.Sheddable, []string{"b=1", "c=1"})
	for range 2 { // what a request requires is not the route's from then on
		about = fleet.About{Client: peer}
		route.HTTP(request("X-Class", "critical", "X-B", "2"), &about)
		if about.Class != fleet.Critical || !reflect.DeepEqual(about.Labels, []string{"b=1", "b=2", "c=1"}) {
			t.Errorf("got %+v", about)
		}
	}
	about = fleet.About{Client: peer}
	if rules.HTTP(request(), &about); about.Class != fleet.Normal || about.Labels != nil {
		t.Errorf("a route changes its pool: %+v", about)
	}
}

func TestTCP(t *testing.T) {
	tlsName := &fairleadv1.Classify{Flow: by(fairleadv1.Source_KIND_TLS_NAME, ""), Affinity: by(fairleadv1.Source_KIND_CLIENT, ""), DeadlineMs: 1000}
	header := &fairleadv1.Classify{Flow: by(fairleadv1.Source_KIND_HEADER, "X"), Affinity: by(fairleadv1.Source_KIND_COOKIE, "x")}
	for name, c := range map[string]struct {
		rules *Rules
		host  string
		want  fleet.About
		lacks Defaults
	}{
		"nothing":  {nil, "", fleet.About{Flow: peer, Class: fleet.Normal}, 0},
		"TLS name": {New(tlsName), "db.example", fleet.About{Host: "db.example", Flow: "db.example", Class: fleet.Normal, Affinity: peer, Deadline: time.Second}, 0},
		"no TLS":   {New(tlsName), "", fleet.About{Flow: peer, Class: fleet.Normal, Affinity: peer, Deadline: time.Second}, NoFlow},
		"a route": {New(nil).OnRoute(fleet.Critical, []string{"a=1"}), "",
			fleet.About{Flow: peer, Class: fleet.Critical, Labels: []string{"a=1"}}, 0},
		"what is only in HTTP": {New(header), "", fleet.About{Flow: peer, Class: fleet.Normal}, NoFlow | NoAffinity},
	} {
		c.want.Client = peer
		got := fleet.About{Client: peer, Host: c.host}
		if said := c.rules.TCP(&got); !reflect.DeepEqual(got, c.want) || said != (Said{Defaults: c.lacks}) {
			t.Errorf("%s: got %+v and %+v, want %+v and %b", name, got, said, c.want, c.lacks)
		}
	}
}

func TestCookie(t *testing.T) {
	rules := New(&fairleadv1.Classify{Affinity: by(fairleadv1.Source_KIND_COOKIE, "lead")})
	var first, second fleet.About
	said := rules.HTTP(request(), &first)
	if want := "lead=" + first.Affinity + "; Path=/; HttpOnly; SameSite=Lax"; said.Cookie != want || len(first.Affinity) < 26 || said.Defaults != 0 {
		t.Errorf("the answer sets %q, want %q", said.Cookie, want)
	}
	c, err := http.ParseSetCookie(said.Cookie)
	if err != nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "/" {
		t.Errorf("the cookie is %+v, %v", c, err)
	}
	again := request()
	again.AddCookie(c)
	if said := rules.HTTP(again, &second); said.Cookie != "" || second.Affinity != first.Affinity {
		t.Errorf("the next request sets %q, and has affinity %q", said.Cookie, second.Affinity)
	}
	if rules.HTTP(request(), &second); second.Affinity == first.Affinity {
		t.Error("two clients have one cookie")
	}
	secure := request("X-Forwarded-Proto", "http")
	secure.TLS = &tls.ConnectionState{}
	if said := rules.HTTP(secure, &second); !strings.HasSuffix(said.Cookie, "; Secure") {
		t.Errorf("over TLS the answer sets %q", said.Cookie)
	}
	if said := rules.HTTP(request("X-Forwarded-Proto", "https"), &second); strings.Contains(said.Cookie, "Secure") {
		t.Errorf("anyone can say that it was TLS: %q", said.Cookie)
	}
	for line, want := range map[string]bool{"lead=x; Path=/": true, "leads=x": false, "lead": false, " lead =": true} {
		if got := SetsCookie(http.Header{"Set-Cookie": {"a=b", line}}, said.Cookie); got != want {
			t.Errorf("%q sets the same cookie: %t", line, got)
		}
	}
}

// TestAllocations: who does not classify does not pay, nor who finds what is asked for.
func TestAllocations(t *testing.T) {
	rules := New(&fairleadv1.Classify{
		ClassHeader: "X-Class", Flow: by(fairleadv1.Source_KIND_HEADER, "X-Tenant"), Affinity: by(fairleadv1.Source_KIND_COOKIE, "k"),
	})
	r := request("X-Class", "critical", "X-Tenant", "t1", "Cookie", "a=1; k=2")
	for name, rules := range map[string]*Rules{"none": nil, "some": rules} {
		if n := testing.AllocsPerRun(100, func() {
			about := fleet.About{Client: peer}
			rules.HTTP(r, &about)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestMetrics(t *testing.T) {
	var none *Metrics
	none.Missed("p", NoFlow)
	none.Moved("p")
	reg := prometheus.NewRegistry()
	m, err := NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	m.Missed("p", NoFlow|UnknownClass)
	m.Missed("p", UnknownClass)
	m.Missed("q", 0)
	m.Moved("p")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			name := f.GetName()
			for _, l := range metric.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = metric.GetCounter().GetValue()
		}
	}
	want := map[string]float64{
		"fairlead_affinity_moved_total p":             1,
		"fairlead_classify_defaults_total p affinity": 0, "fairlead_classify_defaults_total p claim": 0,
		"fairlead_classify_defaults_total p class": 2, "fairlead_classify_defaults_total p flow": 1,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := NewMetrics(reg); err == nil {
		t.Error("the metrics are registered twice")
	}
}
