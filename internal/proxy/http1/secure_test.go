package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// secured has a site speak TLS, with a certificate for 127.0.0.1 that its client trusts.
func secured(t *testing.T) (change func(*Config, *link.Pool), trust func(*site, ...string)) {
	t.Helper()
	lent := httptest.NewUnstartedServer(nil)
	lent.StartTLS()
	cert := lent.TLS.Certificates[0]
	lent.Close()
	pool := x509.NewCertPool()
	pool.AddCert(lent.Certificate())
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
	return func(c *Config, _ *link.Pool) { c.TLS = func() *tls.Config { return conf } }, func(s *site, protocols ...string) {
		tr := s.client.Transport.(*http.Transport)
		tr.TLSClientConfig = &tls.Config{RootCAs: pool, NextProtos: protocols}
		tr.Protocols = new(http.Protocols)
		tr.Protocols.SetHTTP1(protocols[0] == "http/1.1")
		tr.Protocols.SetHTTP2(protocols[0] == "h2")
	}
}

// over sends a request over a scheme, and returns the answer with its body.
func (s *site) over(t *testing.T, scheme, method, path, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, scheme+"://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(got)
}

// TestTLS: over HTTP/1.1 and over HTTP/2, with one grant a request, and the backend is told.
func TestTLS(t *testing.T) {
	g := to(backend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Proto", r.Header.Get("X-Forwarded-Proto"))
		w.Header().Set("Said", r.Header.Get("Forwarded"))
		_, _ = w.Write(append([]byte(r.Proto+" "), body...))
	}))
	change, trust := secured(t)
	for protocol, major := range map[string]int{"http/1.1": 1, "h2": 2} {
		t.Run(protocol, func(t *testing.T) {
			s := serve(t, g, long, change)
			trust(s, protocol)
			for range 3 {
				res, body := s.over(t, "https", "POST", "/x", "hello")
				if res.ProtoMajor != major || res.StatusCode != http.StatusOK || body != "HTTP/1.1 hello" {
					t.Errorf("answered %v %q", res, body)
				}
				if res.Header.Get("Proto") != "https" || !strings.HasSuffix(res.Header.Get("Said"), "proto=https") {
					t.Errorf("the backend was told %q, %q", res.Header.Get("Proto"), res.Header.Get("Said"))
				}
				expectOutcome(t, g, fleet.OK)
			}
		})
	}
}

// TestTLSIsSpoken: who speaks plain text, or says nothing, is served nothing.
func TestTLSIsSpoken(t *testing.T) {
	change, _ := secured(t)
	s := serve(t, refusing(link.ErrNoController), long, change, func(c *Config, _ *link.Pool) {
		c.Timeouts = func() Timeouts { return Timeouts{Head: time.Millisecond} }
	})
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: x\n\n")
	c.expectEnd()
	s.dial().expectEnd()
}

// TestHTTP2InPlainText: a client that knows, and a backend that does.
func TestHTTP2InPlainText(t *testing.T) {
	b := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append([]byte(r.Proto+" "), body...))
	}))
	b.Config.Protocols = new(http.Protocols)
	b.Config.Protocols.SetHTTP1(true)
	b.Config.Protocols.SetUnencryptedHTTP2(true)
	b.Start()
	t.Cleanup(b.Close)
	g := to(fleet.BackendName(b.Listener.Addr().String()))
	for _, two := range []bool{false, true} {
		s := serve(t, g, long, func(_ *Config, p *link.Pool) { p.HTTP2 = two })
		want := map[bool]string{false: "HTTP/1.1 hello", true: "HTTP/2.0 hello"}[two]
		for _, client := range []string{"old", "new"} {
			tr := s.client.Transport.(*http.Transport)
			tr.CloseIdleConnections()
			tr = &http.Transport{Protocols: new(http.Protocols)}
			tr.Protocols.SetHTTP1(client == "old")
			tr.Protocols.SetUnencryptedHTTP2(client == "new")
			s.client.Transport = tr
			for range 2 {
				if res, body := s.over(t, "http", "POST", "/", "hello"); res.StatusCode != http.StatusOK || body != want {
					t.Errorf("%s client, backend HTTP/2 %v: answered %v %q", client, two, res, body)
				}
				expectOutcome(t, g, fleet.OK)
			}
			tr.CloseIdleConnections()
		}
	}
}

// TestGRPC: unary calls, streams both ways, deadlines, and refusals that gRPC understands.
func TestGRPC(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	h := health.NewServer()
	h.SetServingStatus("x", healthv1.HealthCheckResponse_SERVING)
	healthv1.RegisterHealthServer(srv, h)
	go srv.Serve(ln)
	t.Cleanup(srv.Stop)
	full := &link.Refused{Pool: "render", Reason: fleet.QueueFull}
	refuse := false
	g := newGranter(func(context.Context, link.Request) (fleet.BackendName, error) {
		if refuse {
			return "", full
		}
		return fleet.BackendName(ln.Addr().String()), nil
	})
	s := serve(t, g, long, func(_ *Config, p *link.Pool) { p.HTTP2 = true })
	conn, err := grpc.NewClient(s.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := healthv1.NewHealthClient(conn)
	if r, err := c.Check(t.Context(), &healthv1.HealthCheckRequest{Service: "x"}); err != nil || r.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Fatalf("Check: %v, %v", r, err)
	}
	expectOutcome(t, g, fleet.OK)
	if _, err := c.Check(t.Context(), &healthv1.HealthCheckRequest{Service: "y"}); status.Code(err) != codes.NotFound {
		t.Errorf("an error's status is lost: %v", err)
	}
	expectOutcome(t, g, fleet.OK)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := c.Watch(ctx, &healthv1.HealthCheckRequest{Service: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []healthv1.HealthCheckResponse_ServingStatus{healthv1.HealthCheckResponse_SERVING, healthv1.HealthCheckResponse_NOT_SERVING} {
		if r, err := w.Recv(); err != nil || r.GetStatus() != want {
			t.Errorf("Recv: %v, %v", r, err)
		}
		h.SetServingStatus("x", healthv1.HealthCheckResponse_NOT_SERVING)
	}
	cancel()
	expectOutcome(t, g, fleet.Cancelled)
	refuse = true
	if _, err := c.Check(t.Context(), &healthv1.HealthCheckRequest{}); status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), fleet.QueueFull.Text()) {
		t.Errorf("a refusal comes as %v", err)
	}
}

// TestDrainEndsHTTP2: connections end when their requests have.
func TestDrainEndsHTTP2(t *testing.T) {
	free := make(chan struct{})
	g := to(backend(t, func(w http.ResponseWriter, _ *http.Request) { <-free }))
	change, trust := secured(t)
	s := serve(t, g, long, change)
	trust(s, "h2")
	answered := make(chan int, 1)
	go func() {
		res, err := s.client.Get("https://" + s.addr + "/")
		if err != nil {
			answered <- 0
			return
		}
		res.Body.Close()
		answered <- res.StatusCode
	}()
	get(t, "grant", g.grants)
	s.stop()
	close(free)
	if code := get(t, "answer", answered); code != http.StatusOK {
		t.Errorf("answered %d", code)
	}
	expectOutcome(t, g, fleet.OK)
}

// TestUpgradeOverTLS: a WebSocket is a tunnel there as well.
func TestUpgradeOverTLS(t *testing.T) {
	g := to(chat(t, false))
	change, _ := secured(t)
	s := serve(t, g, long, change)
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(nc, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
	r := bufio.NewReader(c)
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answered %v, %v", res, err)
	}
	if welcome := make([]byte, 7); true {
		if _, err := io.ReadFull(r, welcome); err != nil || string(welcome) != "welcome" {
			t.Errorf("read %q, %v", welcome, err)
		}
	}
	c.Close()
	expectOutcome(t, g, fleet.OK)
}

// TestPrefaceAndNonsense: who only seems to speak HTTP/2 is hung up on.
func TestPrefaceAndNonsense(t *testing.T) {
	g := refusing(link.ErrNoController)
	s := serve(t, g, long)
	for _, more := range []string{"\n", "\nSM\n\nnonsense that is no frame at all, and long enough for one", "\nXX\n\n"} {
		c := s.dial()
		c.send("PRI * HTTP/2.0\n" + more)
		_ = c.CloseWrite()
		c.expectEnd()
	}
	if len(g.asks) > 0 {
		t.Error("somebody asked")
	}
}
