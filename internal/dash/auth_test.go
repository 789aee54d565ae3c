package dash

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const aTarget = `{"pool": "render", "backend": "10.0.0.1:9100"}`

// without returns a request that shows no token.
func without(method, path, body string, headers ...string) *http.Request {
	r := request(method, path, body)
	r.Header.Del("Authorization")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func login(t *testing.T, s *Server) *http.Cookie {
	t.Helper()
	w := serve(t, s, without("POST", "/api/v1/login", fmt.Sprintf(`{"token": %q}`, testToken)))
	cookies := w.Result().Cookies()
	if w.Code != http.StatusOK || len(cookies) != 1 {
		t.Fatalf("login answers %d with cookies %v", w.Code, cookies)
	}
	return cookies[0]
}

// TestChangesNeedTheToken: without the token, with a wrong one or with a cookie that is none
// nothing changes; with either it does.
func TestChangesNeedTheToken(t *testing.T) {
	for _, c := range []struct {
		name string
		how  func(*Server) *http.Request
		code int
	}{
		{"nothing", func(*Server) *http.Request { return without("POST", "/api/v1/drain", aTarget) }, 401},
		{"an empty token", func(*Server) *http.Request {
			return without("POST", "/api/v1/drain", aTarget, "Authorization", "Bearer ")
		}, 401},
		{"another token", func(*Server) *http.Request {
			return without("POST", "/api/v1/undrain", aTarget, "Authorization", "Bearer "+testToken+"x")
		}, 401},
		{"another scheme", func(*Server) *http.Request {
			return without("POST", "/api/v1/drain", aTarget, "Authorization", "Basic "+testToken)
		}, 401},
		{"the token as a cookie", func(*Server) *http.Request {
			return without("POST", "/api/v1/drain", aTarget, "Cookie", cookieName+"="+testToken)
		}, 401},
		{"another server's cookie", func(*Server) *http.Request {
			return without("POST", "/api/v1/drain", aTarget, "Cookie", login(t, newTestServer(&fakeFleet{})).String())
		}, 401},
		{"an old cookie", func(s *Server) *http.Request {
			cookie := login(t, s)
			s.keeper.now = func() time.Time { return time.Now().Add(loginLasts + time.Second) }
			return without("POST", "/api/v1/drain", aTarget, "Cookie", cookie.Name+"="+cookie.Value)
		}, 401},
		{"the token", func(*Server) *http.Request {
			return without("POST", "/api/v1/drain", aTarget, "Authorization", "bearer "+testToken)
		}, 200},
		{"the cookie", func(s *Server) *http.Request {
			cookie := login(t, s)
			return without("POST", "/api/v1/drain", aTarget, "Cookie", cookie.Name+"="+cookie.Value)
		}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeFleet{}
			s := newTestServer(f)
			w := serve(t, s, c.how(s))
			if w.Code != c.code || (len(f.called()) > 0) != (c.code == 200) {
				t.Errorf("answer %d, want %d; the controller was told %q", w.Code, c.code, f.called())
			}
			if c.code == 401 && (w.Header().Get("WWW-Authenticate") != "Bearer" || !strings.Contains(w.Body.String(), "the token is in the test")) {
				t.Errorf("the refusal does not say what to do: %v %s", w.Header(), w.Body)
			}
		})
	}
}

// TestNoTokenOpensNothing: a server that was given no token can be changed by nobody.
func TestNoTokenOpensNothing(t *testing.T) {
	f := &fakeFleet{}
	s := New(Config{Source: f, Operator: f, Gatherer: prometheus.NewRegistry()})
	for _, token := range []string{"", " ", "x"} {
		if w := serve(t, s, without("POST", "/api/v1/drain", aTarget, "Authorization", "Bearer "+token)); w.Code != 401 {
			t.Errorf("the token %q opens: %d", token, w.Code)
		}
	}
}

func TestCookie(t *testing.T) {
	s := newTestServer(&fakeFleet{})
	c := login(t, s)
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure || c.MaxAge != 12*3600 || strings.Contains(c.Value, testToken) {
		t.Errorf("the cookie is %v", c)
	}
	r := without("POST", "/api/v1/login", fmt.Sprintf(`{"token": %q}`, testToken))
	r.TLS = &tls.ConnectionState{}
	if c := serve(t, s, r).Result().Cookies()[0]; !c.Secure {
		t.Errorf("over TLS the cookie is %v", c)
	}
	w := serve(t, s, without("GET", "/api/v1/session", "", "Cookie", c.Name+"="+c.Value))
	if !strings.Contains(w.Body.String(), `"canChange":true`) {
		t.Errorf("the session is %s", w.Body)
	}
	if w := serve(t, s, without("POST", "/api/v1/logout", "")); w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("after logout the cookie is %v", w.Result().Cookies())
	}
	for i := range c.Value { // whatever is changed of it
		forged := c.Value[:i] + "A" + c.Value[i+1:]
		if forged != c.Value && s.keeper.signed(forged) && i < len(c.Value)-1 { // the last letter has spare bits
			t.Errorf("a forged cookie is good: letter %d was changed", i)
		}
	}
}

// TestWrongTokens: who tries many is told to wait, and told of in the log, but the right
// token opens all the same, and no token is ever in the log.
func TestWrongTokens(t *testing.T) {
	var logs bytes.Buffer
	f, reg := &fakeFleet{}, prometheus.NewRegistry()
	s := New(Config{
		Source: f, Operator: f, Gatherer: reg, Registerer: reg, Token: testToken,
		Logger: slog.New(slog.NewTextHandler(&logs, nil)),
	})
	codes := map[int]int{}
	for range 15 {
		w := serve(t, s, without("POST", "/api/v1/login", `{"token": "guess-of-a-token"}`))
		codes[w.Code]++
		if body := w.Body.String(); strings.Contains(body, "guess-of-a") || strings.Contains(body, testToken) {
			t.Errorf("an answer has a token: %s", body)
		}
		if (w.Header().Get("Retry-After") == "60") != (w.Code == 429) {
			t.Errorf("%d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
		}
	}
	elsewhere := without("POST", "/api/v1/login", `{"token": "guess-of-a-token"}`)
	elsewhere.RemoteAddr = "192.0.2.2:1234"
	if w := serve(t, s, elsewhere); w.Code != 401 {
		t.Errorf("another address pays for the first: %d", w.Code)
	}
	if codes[401] != 10 || codes[429] != 5 {
		t.Errorf("15 wrong tokens were answered with %v", codes)
	}
	login(t, s)
	if text := logs.String(); strings.Contains(text, "guess-of-a") || strings.Contains(text, testToken) ||
		!strings.Contains(text, "reason=wrong_token") || !strings.Contains(text, "from=192.0.2.1:1234") {
		t.Errorf("the log says %s", text)
	}
	w := serve(t, s, without("GET", "/metrics", ""))
	if !strings.Contains(w.Body.String(), `fairlead_admin_refused_total{reason="too_many"} 5`) {
		t.Errorf("the metrics do not tell:\n%s", w.Body)
	}
	for i := range 3 * maxWatched { // the table of who tries is bounded
		r := without("POST", "/api/v1/login", `{"token": "x"}`)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.1:9", i/256, i%256)
		serve(t, s, r)
	}
	if n := len(s.keeper.wrong); n > maxWatched {
		t.Errorf("%d addresses are watched", n)
	}
}

func TestReadingMayNeedTheToken(t *testing.T) {
	f := &fakeFleet{}
	s := New(Config{
		Source: f, Operator: f, Gatherer: prometheus.NewRegistry(), Token: testToken, ReadNeedsToken: true,
		Doors: map[string]http.Handler{"/door": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { say(w, "open\n") })},
	})
	for path, open := range map[string]bool{
		"/": true, "/static/token.js": true, "/static/page.js": true, "/healthz": true, "/readyz": true, "/door": true, "/api/v1/session": true,
		"/api/v1/snapshot": false, "/api/v1/explain?pool=render": false, "/metrics": false, "/api/v1/watch": false,
	} {
		if w := serve(t, s, without("GET", path, "")); (w.Code == 200) != open || !open && w.Code != 401 {
			t.Errorf("%s without the token: %d", path, w.Code)
		}
		if path == "/api/v1/watch" {
			continue // it would not end
		}
		if w := serve(t, s, without("GET", path, "", "Authorization", "Bearer "+testToken)); w.Code != 200 {
			t.Errorf("%s with the token: %d", path, w.Code)
		}
	}
	if w := serve(t, s, request("POST", "/door", "")); w.Code != 405 {
		t.Errorf("a door is written to: %d", w.Code)
	}
	rebound := without("GET", "/door", "")
	rebound.Host = "evil.example"
	if w := serve(t, s, rebound); w.Code != 403 {
		t.Errorf("a door answers to a name that was rebound: %d", w.Code)
	}
	login(t, s) // that is open too
	s.keeper.now = func() time.Time { return time.Now().Add(2 * wrongWhile) }
	c := login(t, s)
	if w := serve(t, s, without("GET", "/api/v1/snapshot", "", "Cookie", c.Name+"="+c.Value)); w.Code != 200 {
		t.Errorf("a snapshot with the cookie: %d", w.Code)
	}
}

// TestTellsOnceASecond: a flood of refusals is a line of the log each second, and the next
// line says how many were left out.
func TestTellsOnceASecond(t *testing.T) {
	var logs bytes.Buffer
	f, now := &fakeFleet{}, time.Now()
	s := New(Config{Source: f, Operator: f, Gatherer: prometheus.NewRegistry(), Token: testToken,
		Logger: slog.New(slog.NewTextHandler(&logs, nil))})
	s.keeper.now = func() time.Time { return now }
	for range 100 {
		serve(t, s, without("POST", "/api/v1/drain", aTarget))
	}
	now = now.Add(time.Second)
	serve(t, s, without("POST", "/api/v1/drain", aTarget))
	if text := logs.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "not_told_of=99") {
		t.Errorf("the log says %s", text)
	}
}

// TestServesTLS: where the server has a certificate it speaks TLS 1.3, and nothing else,
// beyond loopback, and plain text on loopback.
func TestServesTLS(t *testing.T) {
	for _, c := range []struct {
		name   string
		local  bool
		scheme string
		most   uint16 // version of TLS that the client knows
		good   bool
	}{
		{"beyond loopback", false, "https", tls.VersionTLS13, true},
		{"beyond loopback, an old version", false, "https", tls.VersionTLS12, false},
		{"beyond loopback, in plain text", false, "http", 0, false},
		{"on loopback", true, "http", 0, true},
		{"on loopback, by TLS", true, "https", tls.VersionTLS13, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := serveTLS(t, c.local)
			client := &http.Client{Transport: &http.Transport{
				DisableKeepAlives: true,
				TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MaxVersion: c.most}, // its name is of no interest here
			}}
			res, err := client.Get(c.scheme + "://" + at + "/healthz")
			if err != nil {
				if c.good {
					t.Error(err)
				}
				return
			}
			defer res.Body.Close()
			if (res.StatusCode == 200) != c.good || c.good && c.most != 0 && res.TLS.Version != c.most {
				t.Errorf("answer %d over %v", res.StatusCode, res.TLS)
			}
		})
	}
}

// serveTLS runs a server that has a certificate, until the test ends, and returns where.
func serveTLS(t *testing.T, local bool) (address string) {
	t.Helper()
	donor := httptest.NewTLSServer(nil)
	donor.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = ln.Addr().String()
	if !local {
		ln = elsewhere{ln}
	}
	f := &fakeFleet{}
	s := New(Config{Source: f, Operator: f, Gatherer: prometheus.NewRegistry(), Token: testToken,
		TLS: &tls.Config{Certificates: donor.TLS.Certificates}})
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return address
}

// elsewhere is a listener that other hosts seem to reach.
type elsewhere struct{ net.Listener }

func (e elsewhere) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7480} }
