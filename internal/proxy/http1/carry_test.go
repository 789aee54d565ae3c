package http1

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

func TestRequestAndAnswer(t *testing.T) {
	seen := make(chan *http.Request, 1)
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Clone(t.Context())
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Keep-Alive", "timeout=5")
		w.Header().Set("X-Own", "kept")
		w.Header().Set("Via", "1.0 inner")
		w.Header().Set("Endpoint-Load-Metrics", "TEXT cpu_utilization=0.5,named_metrics.in_flight=3")
		w.Header()["Content-Type"] = nil
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "<html>%s", body)
	}))
	s := serve(t, g, long)
	req := s.request("POST", "/a%2Fb//c?x=1;y=%zz", "hello",
		"X-Forwarded-For", "6.6.6.6", "X-Forwarded-Host", "evil", "Forwarded", "for=evil", "Via", "1.0 outer",
		"Connection", "X-Hop", "X-Hop", "1", "Proxy-Authorization", "secret")
	req.Host = "shop.example:81"
	res, body := s.do(req)
	if res.StatusCode != http.StatusCreated || body != "<html>hello" {
		t.Errorf("answer %d %q", res.StatusCode, body)
	}
	for field, want := range map[string]string{
		"X-Own": "kept", "Via": "1.0 inner, 1.1 fairlead", "Keep-Alive": "", "Content-Type": "",
		"Endpoint-Load-Metrics": "", "Fairlead-Reason": "",
	} {
		if got := res.Header.Get(field); got != want {
			t.Errorf("answer's %s: %q, want %q", field, got, want)
		}
	}
	r := get(t, "request", seen)
	if r.Host != "shop.example:81" || r.RequestURI != "/a%2Fb//c?x=1;y=%zz" {
		t.Errorf("backend got host %q, URI %q", r.Host, r.RequestURI)
	}
	for field, want := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "shop.example:81", "X-Forwarded-Proto": "http",
		"Forwarded": `for=127.0.0.1;host="shop.example:81";proto=http`, "Via": "1.0 outer, 1.1 fairlead", "X-Hop": "", "Proxy-Authorization": "", "Accept-Encoding": "",
	} {
		if got := r.Header.Get(field); got != want {
			t.Errorf("request's %s: %q, want %q", field, got, want)
		}
	}
	done := expectOutcome(t, g, fleet.OK)
	want := fleet.LoadReport{CPU: 0.5, InFlight: 3, HasInFlight: true}
	if done.Latency <= 0 {
		t.Errorf("done: %+v", done)
	}
	if head := get(t, "load report", g.heads); head != want {
		t.Errorf("load report of the head: %+v, want %+v", head, want)
	}
	s.quiesce()
	if s.metric("requests_total", "render", "2xx") != 1 || s.metric("request_seconds", "render") != 1 ||
		s.metric("wait_seconds", "render") != 1 {
		t.Error("it was not counted")
	}
}

func TestOutcomeByStatus(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscan(r.URL.Path[1:], &code)
		w.WriteHeader(code)
	}))
	s := serve(t, g, long)
	for code, want := range map[int]fleet.Outcome{
		200: fleet.OK, 204: fleet.OK, 304: fleet.OK, 302: fleet.OK, 404: fleet.OK, 500: fleet.OK, 501: fleet.OK,
		502: fleet.Failed, 503: fleet.Failed, 504: fleet.Failed,
	} {
		if res, _ := s.do(s.request("GET", fmt.Sprint("/", code), "")); res.StatusCode != code {
			t.Errorf("answered %d, want %d", res.StatusCode, code)
		}
		if done := expectOutcome(t, g, want); done.Latency <= 0 {
			t.Errorf("%d: no latency", code)
		}
	}
}

func TestHEADAndOPTIONS(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-URI", r.RequestURI)
		w.Header().Set("Content-Length", "12345")
		if r.Method == "OPTIONS" {
			w.Header().Del("Content-Length")
		}
	}))
	s := serve(t, g, long)
	res, body := s.do(s.request("HEAD", "/x", ""))
	if res.ContentLength != 12345 || body != "" {
		t.Errorf("HEAD: length %d, body %q", res.ContentLength, body)
	}
	expectOutcome(t, g, fleet.OK)
	c := s.dial()
	c.send("OPTIONS * HTTP/1.1\nHost: x\n\n")
	if uri := c.answer().Header.Get("X-URI"); uri != "*" {
		t.Errorf("OPTIONS * came as %q", uri)
	}
	expectOutcome(t, g, fleet.OK)
}

func TestStreaming(t *testing.T) {
	for name, head := range map[string]func(h http.Header){
		"events":       func(h http.Header) { h.Set("Content-Type", "text/event-stream") },
		"chunks":       func(http.Header) {},
		"known length": func(h http.Header) { h.Set("Content-Length", "6") },
	} {
		t.Run(name, func(t *testing.T) {
			next := make(chan struct{})
			g := to(backend(t, func(w http.ResponseWriter, _ *http.Request) {
				head(w.Header())
				for _, part := range []string{"one", "two"} {
					_, _ = io.WriteString(w, part)
					w.(http.Flusher).Flush()
					<-next
				}
			}))
			s := serve(t, g, long)
			res, err := s.client.Do(s.request("GET", "/", ""))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			for _, part := range []string{"one", "two"} {
				b := make([]byte, 3)
				if _, err := io.ReadFull(res.Body, b); err != nil || string(b) != part {
					t.Fatalf("read %q, %v", b, err)
				}
				if name != "known length" && len(g.dones) > 0 {
					t.Error("done before the end")
				}
				next <- struct{}{}
			}
			expectOutcome(t, g, fleet.OK)
		})
	}
}

func TestTrailers(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		_, _ = w.Write(body)
		w.Header().Set("X-Sum", r.Trailer.Get("X-Asked"))
		w.Header().Set(http.TrailerPrefix+"X-Late", "unannounced")
	}))
	s := serve(t, g, long)
	req := s.request("POST", "/", "")
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader("body")), -1
	req.Trailer = http.Header{"X-Asked": {"42"}}
	res, body := s.do(req)
	if body != "body" || res.Trailer.Get("X-Sum") != "42" || res.Trailer.Get("X-Late") != "unannounced" {
		t.Errorf("body %q, trailers %v", body, res.Trailer)
	}
	expectOutcome(t, g, fleet.OK)
}

func TestInformational(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	}))
	c := serve(t, g, long).dial()
	c.send("GET / HTTP/1.1\nHost: x\n\n")
	if res := c.answer(); res.StatusCode != http.StatusEarlyHints || res.Header.Get("Link") == "" {
		t.Errorf("first %v", res)
	}
	if res := c.answer(); res.StatusCode != http.StatusOK {
		t.Errorf("then %v", res)
	}
	expectOutcome(t, g, fleet.OK)
}

func TestExpectContinue(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	s := serve(t, g, long)
	c := s.dial()
	c.send("POST /yes HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 5\n\n")
	if res := c.answer(); res.StatusCode != http.StatusContinue {
		t.Fatalf("answered %v", res)
	}
	c.send("hello")
	res := c.answer()
	if body, _ := io.ReadAll(res.Body); string(body) != "hello" {
		t.Errorf("answered %v, %q", res, body)
	}
	expectOutcome(t, g, fleet.OK)

	c = s.dial()
	c.send("POST /no HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 5\n\n")
	if res := c.answer(); res.StatusCode != http.StatusExpectationFailed || !res.Close {
		t.Errorf("answered %v", res)
	}
	expectOutcome(t, g, fleet.OK)
}

func TestEarlyAnswer(t *testing.T) {
	g := to(rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
		_, _ = io.Copy(io.Discard, r)
	}))
	c := serve(t, g, long).dial()
	c.send("POST / HTTP/1.1\nHost: x\nContent-Length: 1000000\n\nfirst of many")
	res := c.answer() // while the rest of the body is not sent
	if body, err := io.ReadAll(res.Body); res.StatusCode != 413 || string(body) != "big" || err != nil {
		t.Errorf("answered %d %q, %v", res.StatusCode, body, err)
	}
	expectOutcome(t, g, fleet.OK)
}

func TestUpgrade(t *testing.T) {
	g := to(rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nwelcome")
		said, _ := io.ReadAll(r) // needs the half-close
		_, _ = c.Write([]byte(strings.ToUpper(string(said))))
	}))
	s := serve(t, g, long)
	c := s.dial()
	// "early" does not wait for the answer.
	c.send("GET / HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: chat\n\nearly ")
	if res := c.answer(); res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Upgrade") != "chat" {
		t.Fatalf("answered %v", res)
	}
	c.expect("welcome")
	if n := s.server.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	if len(g.dones) > 0 {
		t.Error("done while the tunnel is up")
	}
	c.send("bird")
	c.CloseWrite()
	c.expect("EARLY BIRD")
	if rest := c.expectEnd(); rest != "" {
		t.Errorf("then %q", rest)
	}
	if done := expectOutcome(t, g, fleet.OK); done != (link.Result{Outcome: fleet.OK}) {
		t.Errorf("done: %+v", done)
	}
	s.quiesce()
	if s.metric("requests_total", "1xx") != 1 || s.metric("request_seconds") != 0 {
		t.Error("it was counted wrong")
	}
}

func TestUpgradeRefusedByBackend(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUpgradeRequired)
		fmt.Fprint(w, r.Header.Get("Upgrade"))
	}))
	s := serve(t, g, long)
	for protocol, want := range map[string]string{"chat": "chat", "h2c": ""} {
		res, body := s.do(s.request("GET", "/", "", "Connection", "Upgrade", "Upgrade", protocol))
		if res.StatusCode != http.StatusUpgradeRequired || body != want {
			t.Errorf("%s: answered %d %q", protocol, res.StatusCode, body)
		}
		expectOutcome(t, g, fleet.OK)
	}
}

func TestUpgradeToSomethingElse(t *testing.T) {
	g := to(rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
		_, _ = r.ReadByte()
	}))
	s := serve(t, g, long)
	res, body := s.do(s.request("GET", "/", "", "Connection", "Upgrade", "Upgrade", "chat"))
	if res.StatusCode != http.StatusBadGateway {
		t.Errorf("answered %d %q", res.StatusCode, body)
	}
	expectOutcome(t, g, fleet.Failed)
}

func TestConnectionIsReused(t *testing.T) {
	peers := make(chan string, 10)
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		peers <- r.RemoteAddr
	}))
	s := serve(t, g, long)
	for _, body := range []string{"", "x", strings.Repeat("x", 100_000)} {
		s.do(s.request("POST", "/", body))
	}
	if a, b, c := <-peers, <-peers, <-peers; a != b || b != c {
		t.Errorf("three connections: %s %s %s", a, b, c)
	}
	if n := s.server.Connections(); n != 1 {
		t.Errorf("the client has %d connections", n)
	}
}
