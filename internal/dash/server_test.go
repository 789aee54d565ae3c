package dash

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// request makes a request as a local tool would.
func request(method, path, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:7480"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+testToken)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func serve(t *testing.T, s *Server, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	h := w.Header()
	if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s %s: answer lacks security headers: %v", r.Method, r.URL, h)
	}
	return w
}

func TestRoutes(t *testing.T) {
	const target = `{"pool": "render", "backend": "10.0.0.1:9100"}`
	json, form := "application/json", "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name     string
		request  *http.Request
		code     int
		mime     string
		contains string
	}{
		{"page", request("GET", "/", ""), 200, "text/html; charset=utf-8", "<title>Fairlead"},
		{"page's head", request("HEAD", "/", ""), 200, "text/html; charset=utf-8", ""},
		{"script", request("GET", "/static/page.js", ""), 200, "text/javascript; charset=utf-8", "import"},
		{"style", request("GET", "/static/page.css", ""), 200, "text/css; charset=utf-8", "--ink"},
		{"icon", request("GET", "/static/icon.svg", ""), 200, "image/svg+xml", "<svg"},
		{"no file", request("GET", "/static/none.js", ""), 404, json, `"error"`},
		{"no listing", request("GET", "/static/", ""), 404, json, `"error"`},
		{"nothing", request("GET", "/nowhere", ""), 404, json, "nothing at this path"},
		{"snapshot", request("GET", "/api/v1/snapshot", ""), 200, json, `"takenUnixMs"`},
		{"explain", request("GET", "/api/v1/explain?pool=render&exclude=a&exclude=b&last=3&zone=b", ""), 200, json, `"zoneCost"`},
		{"explain a class", request("GET", "/api/v1/explain?pool=render&class=critical&flow=t1&label=gpu%3Da100&affinity=k&deadline=1s", ""), 200, json, `"zoneCost"`},
		{"explain no class", request("GET", "/api/v1/explain?pool=render&class=vip", ""), 400, json, "sheddable"},
		{"explain no deadline", request("GET", "/api/v1/explain?pool=render&deadline=soon", ""), 400, json, "duration"},
		{"explain no pool", request("GET", "/api/v1/explain", ""), 400, json, "which pool"},
		{"explain bad last", request("GET", "/api/v1/explain?pool=p&last=1025", ""), 400, json, "1024"},
		{"explain unknown", request("GET", "/api/v1/explain?pool=nowhere", ""), 404, json, "no such pool"},
		{"drain", request("POST", "/api/v1/drain", target), 200, json, `"inFlight"`},
		{"undrain", request("POST", "/api/v1/undrain", target), 200, json, "{}"},
		{"drain by GET", request("GET", "/api/v1/drain", ""), 405, json, "POST"},
		{"post to snapshot", request("POST", "/api/v1/snapshot", "{}"), 405, json, "GET, HEAD"},
		{"watch's head", request("HEAD", "/api/v1/watch", ""), 405, json, "GET"},
		{"drain unknown", request("POST", "/api/v1/drain", `{"backend": "nowhere:1"}`), 404, json, "no such backend"},
		{"drain invalid", request("POST", "/api/v1/drain", `{"backend": "bad"}`), 400, json, "not an address"},
		{"drain nothing", request("POST", "/api/v1/drain", `{"pool": "render"}`), 400, json, "which backend"},
		{"bad JSON", request("POST", "/api/v1/drain", `{"pool": `), 400, json, "not {"},
		{"unknown key", request("POST", "/api/v1/drain", `{"bakend": "x:1"}`), 400, json, "bakend"},
		{"two objects", request("POST", "/api/v1/drain", target+target), 400, json, "follows"},
		{"a form", request("POST", "/api/v1/drain", "backend=x", "Content-Type", form), 415, json, "application/json"},
		{"oversized", request("POST", "/api/v1/drain", `{"pool": "`+strings.Repeat("a", maxBody)+`"}`), 413, json, "64 KiB"},
		{"oversized tail", request("POST", "/api/v1/drain", target+strings.Repeat(" ", maxBody)), 413, json, "64 KiB"},
		{"metrics", request("GET", "/metrics", ""), 200, "text/plain", "fairlead_test_asks_total 42"},
		{"lives", request("GET", "/healthz", ""), 200, "text/plain; charset=utf-8", "ok"},
		{"ready", request("GET", "/readyz", ""), 200, "text/plain; charset=utf-8", "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(t, newTestServer(&fakeFleet{}), c.request)
			body := w.Body.String()
			if w.Code != c.code || !strings.HasPrefix(w.Header().Get("Content-Type"), c.mime) || !strings.Contains(body, c.contains) {
				t.Errorf("got %d %s %.200s, want %d %s with %q", w.Code, w.Header().Get("Content-Type"), body, c.code, c.mime, c.contains)
			}
		})
	}
}

func TestPageHasNoInlineCode(t *testing.T) {
	body := strings.ToLower(serve(t, newTestServer(&fakeFleet{}), request("GET", "/", "")).Body.String())
	for _, banned := range []string{"<style", " style=", "onclick", "javascript:", "http://", "https://", "<script>"} {
		if strings.Contains(body, banned) {
			t.Errorf("the page has %q", banned)
		}
	}
	for path, f := range files() {
		if strings.HasSuffix(path, ".js") {
			for _, banned := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("} {
				if strings.Contains(string(f.data), banned) {
					t.Errorf("%s has %s", path, banned)
				}
			}
		}
	}
}

func TestFilesAreFetchedOnce(t *testing.T) {
	s := newTestServer(&fakeFleet{})
	etag := serve(t, s, request("GET", "/static/page.js", "")).Header().Get("ETag")
	if w := serve(t, s, request("GET", "/static/page.js", "", "If-None-Match", etag)); w.Code != http.StatusNotModified {
		t.Errorf("got %d for a file that the browser has", w.Code)
	}
}

func TestSnapshotIsTheMessage(t *testing.T) {
	body := serve(t, newTestServer(&fakeFleet{}), request("GET", "/api/v1/snapshot", "")).Body.Bytes()
	var s fairleadv1.Snapshot
	if err := protojson.Unmarshal(body, &s); err != nil {
		t.Fatal(err)
	}
	if s.Epoch != 7 || len(s.Pools) != 3 || s.Pools[0].Backends[0].Address != "10.0.0.1:9100" {
		t.Errorf("got %v", &s)
	}
}

func TestControllerErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{status.Error(codes.Unavailable, "no leader"), 503},
		{status.Error(codes.FailedPrecondition, "not now"), 409},
		{status.Error(codes.PermissionDenied, "no"), 403},
		{context.DeadlineExceeded, 503},
		{errBroken, 500},
	} {
		f := &fakeFleet{err: c.err}
		for _, r := range []*http.Request{
			request("GET", "/api/v1/snapshot", ""),
			request("GET", "/api/v1/explain?pool=p", ""),
			request("POST", "/api/v1/drain", `{"backend": "a:1"}`),
			request("POST", "/api/v1/undrain", `{"backend": "a:1"}`),
		} {
			w := serve(t, newTestServer(f), r)
			var said problem
			if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != c.code || said.Error != status.Convert(c.err).Message() {
				t.Errorf("%s with %v: got %d %s", r.URL, c.err, w.Code, w.Body)
			}
		}
	}
}

func TestNotReady(t *testing.T) {
	s := newTestServer(&fakeFleet{notYet: errBroken})
	if w := serve(t, s, request("GET", "/readyz", "")); w.Code != 503 || !strings.Contains(w.Body.String(), "on fire") {
		t.Errorf("readyz: got %d %s", w.Code, w.Body)
	}
	if w := serve(t, s, request("GET", "/healthz", "")); w.Code != 200 {
		t.Errorf("healthz: got %d", w.Code)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	const target = `{"backend": "10.0.0.1:9100"}`
	for _, c := range []struct {
		request *http.Request
		code    int
	}{
		{request("POST", "/api/v1/drain", target, "Origin", "https://evil.example"), 403},
		{request("POST", "/api/v1/drain", target, "Origin", "null"), 403},
		{request("POST", "/api/v1/drain", target, "Sec-Fetch-Site", "cross-site"), 403},
		{request("POST", "/api/v1/undrain", target, "Sec-Fetch-Site", "same-site"), 403},
		{request("GET", "/api/v1/watch", "", "Sec-Fetch-Site", "cross-site"), 403},
		{request("GET", "/", "", "Sec-Fetch-Site", "cross-site"), 200}, // a link to the page
		{request("POST", "/api/v1/login", `{"token": "`+testToken+`"}`, "Sec-Fetch-Site", "cross-site"), 403},
		{request("POST", "/api/v1/logout", "", "Origin", "https://evil.example"), 403},
		{request("GET", "/api/v1/session", "", "Sec-Fetch-Site", "same-site"), 403},
		{request("POST", "/api/v1/drain", target, "Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:7480"), 200},
		{request("POST", "/api/v1/drain", target), 200}, // a tool
	} {
		f := &fakeFleet{}
		w := serve(t, newTestServer(f), c.request)
		if w.Code != c.code {
			t.Errorf("%s with %v: got %d %s, want %d", c.request.URL, c.request.Header, w.Code, w.Body, c.code)
		}
		if c.code == 403 && len(f.called()) > 0 {
			t.Errorf("%s reached the controller: %v", c.request.URL, f.called())
		}
	}
}

func TestRebindingIsRefused(t *testing.T) {
	on := func(addr, host string) *http.Request {
		r := request("GET", "/api/v1/snapshot", "")
		r.Host = host
		tcp := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
		return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(tcp)))
	}
	for _, c := range []struct {
		addr, host string
		code       int
	}{
		{"127.0.0.1:7480", "localhost:7480", 200},
		{"127.0.0.1:7480", "LOCALHOST.", 200},
		{"127.0.0.1:7480", "127.0.0.1:7480", 200},
		{"127.0.0.1:7480", "127.8.8.8", 200},
		{"[::1]:7480", "[::1]:7480", 200},
		{"[::1]:7480", "[::1]", 200},
		{"[::ffff:127.0.0.1]:7480", "127.0.0.1", 200},
		{"127.0.0.1:7480", "evil.example:7480", 403},
		{"127.0.0.1:7480", "localhost.evil.example", 403},
		{"127.0.0.1:7480", "10.0.0.1", 403},
		{"127.0.0.1:7480", "", 403},
		{"10.0.0.1:7480", "balancer.example", 200},
	} {
		w := serve(t, newTestServer(&fakeFleet{}), on(c.addr, c.host))
		if w.Code != c.code {
			t.Errorf("on %s, host %q: got %d, want %d", c.addr, c.host, w.Code, c.code)
		}
		if w.Code == 403 && !strings.Contains(w.Body.String(), "loopback") {
			t.Errorf("the refusal does not say why: %s", w.Body)
		}
	}
}

func TestServeRefusesTheWorld(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	err = newTestServer(&fakeFleet{}).Serve(t.Context(), ln)
	if err == nil || !strings.Contains(err.Error(), "insecure: true") {
		t.Errorf("got %v", err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}

func TestServeRefusesAWeakToken(t *testing.T) {
	for _, token := range []string{"", "fifteen-letters"} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f := &fakeFleet{}
		err = New(Config{Source: f, Operator: f, Gatherer: prometheus.NewRegistry(), Token: token}).Serve(t.Context(), ln)
		if err == nil || !strings.Contains(err.Error(), "at least 16") || token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("got %v", err)
		}
		if _, err := ln.Accept(); err == nil {
			t.Error("the listener is still open")
		}
	}
}

func TestServeStops(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeFleet{}
	s := New(Config{Source: f, Operator: f, Gatherer: prometheus.NewRegistry(), Token: testToken, Insecure: true})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()

	_, port, _ := net.SplitHostPort(ln.Addr().String())
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://127.0.0.1:" + port + "/api/v1/watch")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Fatalf("got %s", answer.Status)
	}
	cancel() // while somebody watches
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Errorf("the watch did not end cleanly: %v", err)
	}
}

func TestServeTellsAFailure(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := newTestServer(&fakeFleet{}).Serve(t.Context(), ln); err == nil {
		t.Error("a listener that is closed was served")
	}
}
