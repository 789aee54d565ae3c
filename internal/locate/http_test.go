package locate

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

func TestHTTP(t *testing.T) {
	const path = choosePath + "?listener="
	for _, c := range []struct {
		method, url, from string
		code              int
		want              string // body, or Location, or a part of the error
	}{
		{"GET", path + "web", "10.1.2.3:5", 200, `{"listener":"web","protocol":"http","link":"proxied","zone":"a","ttlMs":5000,"proxies":[{"name":"a1","address":"192.0.2.1:80","zone":"a"}]}`},
		{"GET", path + "db", "[2001:db8:b::1]:5", 200, `{"listener":"db","protocol":"tcp","link":"direct","zone":"b","ttlMs":5000,"proxies":[{"name":"b2","address":"[2001:db8::4]:5432","zone":"b"}]}`},
		{"GET", path + "db&exclude=a1&exclude=b2&exclude=", "10.9.9.9:5", 200, `{"listener":"db","protocol":"tcp","link":"direct","zone":"","ttlMs":5000,"proxies":[{"name":"a2","address":"192.0.2.2:5432","zone":"a"}]}`},
		{"GET", path + "web&client=10.2.0.1", "127.0.0.1:5", 200, `"zone":"b"`},
		{"GET", path + "web&client=10.2.0.1", "[::1]:5", 200, `"zone":"b"`},
		{"GET", path + "web&client=10.2.0.1", "10.1.2.3:5", 200, `"zone":"a"`}, // not believed
		{"GET", path + "web&client=rubbish", "10.1.2.3:5", 200, `"zone":"a"`},
		{"GET", path + "web&client=rubbish", "127.0.0.1:5", 400, `client "rubbish" is not an IP address`},
		{"HEAD", path + "web", "10.1.2.3:5", 200, ""},
		{"GET", path + "web&redirect=1", "10.1.2.3:5", 307, "http://192.0.2.1:80/"},
		{"HEAD", path + "web&redirect=1", "10.1.2.3:5", 307, "http://192.0.2.1:80/"},
		{"GET", path + "web&redirect=1&exclude=a1&exclude=a2&path=/x%3Fy%3D1%26z", "10.1.2.3:5", 307, "http://[2001:db8::4]:80/x?y=1&z"},
		{"GET", path + "web&redirect=1&path=/a//b%2520c", "10.1.2.3:5", 307, "http://192.0.2.1:80/a//b%20c"},
		{"GET", path + "web&redirect=1&path=//evil", "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=1&path=/%5Cevil", "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=1&path=/%09/evil", "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=1&path=/%0D%0AX-Evil:1", "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=1&path=.evil.org", "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=1&path=@evil.org", "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=1&path=/caf%C3%A9", "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=1&path=", "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=1&path=/" + strings.Repeat("x", maxPath), "10.1.2.3:5", 400, "one slash"},
		{"GET", path + "web&redirect=yes", "10.1.2.3:5", 400, "redirect is 1"},
		{"GET", path + "db&redirect=1", "10.1.2.3:5", 400, "Only HTTP listeners"},
		{"GET", path + "moon&redirect=1", "10.1.2.3:5", 404, "there are web, db, My.App"},
		{"GET", path + "moon", "10.1.2.3:5", 404, `no listener \"moon\": there are web, db, My.App`},
		{"GET", choosePath, "10.1.2.3:5", 400, "say which listener: there are web, db, My.App"},
		{"GET", path + "web&listener=db", "10.1.2.3:5", 400, "Say listener only once"},
		{"GET", path + "web;x=%zz", "10.1.2.3:5", 400, "cannot be read"},
		{"GET", path + "web" + strings.Repeat("&exclude=x", 101), "10.1.2.3:5", 400, "exclude at most 100"},
		{"GET", path + "My.App", "10.1.2.3:5", 503, "a1: it does not serve this listener; a2:"},
		{"POST", path + "web", "10.1.2.3:5", 405, "Only GET and HEAD"},
		{"GET", "/v1/proxies", "10.1.2.3:5", 404, choosePath},
		{"GET", path + "web", "@", 200, `"zone":""`}, // a socket without addresses
	} {
		r := newRig(t, Config{Zones: testZones()}, four()...)
		w, req := httptest.NewRecorder(), httptest.NewRequest(c.method, c.url, strings.NewReader("ignored"))
		req.RemoteAddr = c.from
		r.Handler().ServeHTTP(w, req)
		what := c.method + " " + c.url + " from " + c.from
		got := w.Body.String()
		if c.code == http.StatusTemporaryRedirect {
			if got = w.Header().Get("Location"); got != c.want {
				t.Errorf("%s leads to %q, want %q", what, got, c.want)
			}
		}
		if w.Code != c.code || !strings.Contains(strings.ReplaceAll(got, `\"`, `"`), strings.ReplaceAll(c.want, `\"`, `"`)) {
			t.Errorf("%s: %d %s, want %d %s", what, w.Code, got, c.code, c.want)
		}
		checkHead(t, what, w)
	}
}

func checkHead(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s: can be cached", what)
	}
	if (w.Code == 503) != (w.Header().Get("Retry-After") != "") || (w.Code == 405) != (w.Header().Get("Allow") != "") {
		t.Errorf("%s: the head of a %d is %v", what, w.Code, w.Header())
	}
	if w.Code >= 400 {
		var p problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Error == "" || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: the error is %s", what, w.Body)
		}
	}
}

// TestHTTPCounts: an answer that leads somewhere counts as a client, and of strangers not
// more than the limit.
func TestHTTPCounts(t *testing.T) {
	r := newRig(t, Config{}, proxy("a", "", "192.0.2.1", 0))
	moment := r.start
	r.now = func() time.Time { return moment }
	ask := func(method, rest, from string) {
		req := httptest.NewRequest(method, choosePath+"?listener=web"+rest, nil)
		req.RemoteAddr = from
		r.Handler().ServeHTTP(httptest.NewRecorder(), req)
	}
	coming := func(want float64, what string) {
		t.Helper()
		if got := r.chooser.seats[0].coming(); got != want {
			t.Errorf("after %s %v are on their way, want %v", what, got, want)
		}
	}
	ask("GET", "", "192.0.2.9:1")
	coming(1, "a GET")
	ask("HEAD", "", "192.0.2.9:1")
	coming(1, "a HEAD, which leads nowhere")
	ask("HEAD", "&redirect=1", "192.0.2.9:1")
	coming(2, "a HEAD with a redirect")
	for range 1000 {
		ask("GET", "", "192.0.2.9:1")
	}
	coming(asksBurst, "a flood from one /24")
	for range 1000 {
		ask("GET", "", "127.0.0.1:1")
	}
	coming(asksBurst+1000, "as many from loopback")
	if got, want := r.choices(doorHTTP, resultChosen), 2003.0; got != want {
		t.Errorf("%v choices are counted, want %v", got, want)
	}
}

// TestServeHTTP1 is a server on a real socket, from its start to its end.
func TestServeHTTP1(t *testing.T) {
	r := newRig(t, Config{Zones: testZones()}, four()...)
	ln := listenTCP(t)
	stop := serve(t, func(ctx context.Context) error { return r.ServeHTTP1(ctx, ln) })
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	res, err := client.Get("http://" + ln.Addr().String() + choosePath + "?listener=web&client=10.2.0.1")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), `"zone":"b"`) {
		t.Errorf("%d %s, %v", res.StatusCode, body, err)
	}
	stop()
	closed := listenTCP(t)
	_ = closed.Close()
	if err := r.ServeHTTP1(context.Background(), closed); err == nil {
		t.Error("serving on a closed listener ended without an error")
	}
}

// TestGRPC asks over a real connection.
func TestGRPC(t *testing.T) {
	r := newRig(t, Config{Zones: testZones()}, four()...)
	server := grpc.NewServer()
	fairleadv1.RegisterLocatorServer(server, r.Locator)
	ln := listenTCP(t)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	defer func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	conn, err := grpc.NewClient(ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, c := range []struct {
		q    *fairleadv1.ChooseRequest
		code codes.Code
		want string // the zone and the proxies, or a part of the error
	}{
		{&fairleadv1.ChooseRequest{Listener: "web"}, codes.OK, "a a1=192.0.2.1:80/a"}, // by its peer, loopback
		{&fairleadv1.ChooseRequest{Listener: "web", Client: "2001:db8:b::7"}, codes.OK, "b b2=[2001:db8::4]:80/b"},
		{&fairleadv1.ChooseRequest{Listener: "web", Client: "10.1.2.3", Exclude: []string{"a1", "a2", "b2"}}, codes.OK, "a b1=192.0.2.3:80/b"},
		{&fairleadv1.ChooseRequest{Listener: "moon"}, codes.NotFound, "there are web, db, My.App"},
		{&fairleadv1.ChooseRequest{}, codes.InvalidArgument, "say which listener"},
		{&fairleadv1.ChooseRequest{Listener: "web", Client: "10.1.2"}, codes.InvalidArgument, "not an IP address"},
		{&fairleadv1.ChooseRequest{Listener: "web", Exclude: make([]string, 101)}, codes.InvalidArgument, "at most 100"},
		{&fairleadv1.ChooseRequest{Listener: "My.App"}, codes.Unavailable, "b2: it does not serve this listener"},
	} {
		m, err := fairleadv1.NewLocatorClient(conn).Choose(ctx, c.q)
		got := status.Convert(err).Message()
		if err == nil {
			got = m.GetZone()
			for _, p := range m.GetProxies() {
				got += " " + p.GetName() + "=" + p.GetAddress() + "/" + p.GetZone()
			}
			if m.GetTtlMs() != 5000 || m.GetProtocol() != fairleadv1.Protocol_PROTOCOL_HTTP || m.GetLink() != fairleadv1.Link_LINK_PROXIED {
				t.Errorf("%v: %v", c.q, m)
			}
		}
		if status.Code(err) != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%v: %v %s, want %v %s", c.q, status.Code(err), got, c.code, c.want)
		}
	}
	if m, err := r.Choose(ctx, &fairleadv1.ChooseRequest{Listener: "db"}); err != nil || m.GetZone() != "" || m.GetLink() != fairleadv1.Link_LINK_DIRECT {
		t.Errorf("without a peer: %v, %v", m, err)
	}
	for o, want := range map[outcome]float64{resultChosen: 4, resultUnknown: 1, resultBad: 3, resultNone: 1} {
		if got := r.choices(doorGRPC, o); got != want {
			t.Errorf("%v choices are %s, want %v", got, o, want)
		}
	}
}

func TestStanding(t *testing.T) {
	r := newRig(t, Config{}, four()...)
	if load, why := r.Standing("a2"); load != 6 || why != "" {
		t.Errorf("a2 stands at %v, %q; want 6", load, why)
	}
	if load, why := r.Standing("moon"); load != 0 || why == "" {
		t.Errorf("moon stands at %v, %q", load, why)
	}
	if got := r.ZoneOf(netip.MustParseAddr("10.1.2.3")); got != "" {
		t.Errorf("without zones a client is in %q", got)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a Locator was made without a Source")
	}
	r := newRig(t, Config{})
	if _, err := New(Config{Source: r.source, Registerer: r.reg}); err == nil {
		t.Error("metrics were registered twice")
	}
	for _, domain := range []string{"LB.example.org", "lb.example.org.", ".", "a..b", strings.Repeat("abcdefghi.", 18) + "org", "lb example", "-lb.org"} {
		c := Config{Source: r.source}
		c.Locate.Domain = domain
		if _, err := New(c); err == nil {
			t.Errorf("%q is taken for a domain", domain)
		}
	}
}
