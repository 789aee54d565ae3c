package http1

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pires/go-proxyproto"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

// named is a backend that insists on a PROXY protocol header, and answers with whom it names.
func namedBackend(t *testing.T, secure bool) (b fleet.BackendName, came *atomic.Int64) {
	t.Helper()
	came = new(atomic.Int64)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RemoteAddr+" "+r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			came.Add(1)
		}
	}
	s.Listener = &proxyproto.Listener{Listener: s.Listener, ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
		return proxyproto.REQUIRE, nil
	}}
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return fleet.BackendName(s.Listener.Addr().String()), came
}

// TestSendProxy: each client's requests come on connections that name it, and that no other
// client's come on; those of one HTTP/1.1 connection share one.
func TestSendProxy(t *testing.T) {
	for name, c := range map[string]struct {
		version     int
		secure, two bool
		each        int64 // connections of a client with three requests
	}{
		"version 1":       {1, false, false, 1},
		"version 2":       {2, false, false, 1},
		"before TLS":      {2, true, false, 1},
		"HTTP/2":          {2, false, true, 3},
		"HTTP/2 and TLS":  {1, true, true, 3},
		"HTTP/2, version": {1, false, true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			b, came := namedBackend(t, c.secure)
			g := to(b)
			s := serve(t, g, long, func(_ *Config, p *link.Pool) {
				p.SendProxy = c.version
				if c.secure {
					p.TLS = originated(t, originate.Files{SkipVerify: true})
				}
			})
			for range 2 {
				var own string
				tr := &http.Transport{Protocols: new(http.Protocols), DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					var d net.Dialer
					nc, err := d.DialContext(ctx, network, address)
					if err == nil {
						own = nc.LocalAddr().String()
					}
					return nc, err
				}}
				tr.Protocols.SetHTTP1(!c.two)
				tr.Protocols.SetUnencryptedHTTP2(c.two)
				s.client.Transport = tr
				for range 3 {
					if _, body := s.do(s.request("POST", "/", "hello")); body != own+" "+s.addr {
						t.Errorf("the backend was told %q, want %q", body, own+" "+s.addr)
					}
					expectOutcome(t, g, fleet.OK)
				}
				tr.CloseIdleConnections()
			}
			if n := came.Load(); n != 2*c.each {
				t.Errorf("%d connections for two clients, want %d", n, 2*c.each)
			}
		})
	}
}

// TestSendProxyOfTrusted: where a trusted peer says who the client is, that is who is named,
// and the next client's request comes on another connection.
func TestSendProxyOfTrusted(t *testing.T) {
	b, came := namedBackend(t, false)
	s := serve(t, to(b), long, trusting("127.0.0.0/8"), func(_ *Config, p *link.Pool) { p.SendProxy = 2 })
	c := s.dial()
	for _, client := range []string{"203.0.113.7", "203.0.113.7", "2001:db8::1", "203.0.113.7"} {
		c.send("GET / HTTP/1.1\nHost: x\nX-Forwarded-For: " + client + "\n\n")
		res := c.answer()
		body, err := io.ReadAll(res.Body)
		if want := (&net.TCPAddr{IP: net.ParseIP(client)}).String() + " "; err != nil || !strings.HasPrefix(string(body), want) {
			t.Errorf("the backend was told %q (%v), want %s", body, err, want)
		}
	}
	if n := came.Load(); n != 3 {
		t.Errorf("%d connections, want one for each change of the client", n)
	}
}

// TestOwnConnectionEnds: the backend's connection ends with the client's, and not before a
// request has found out that the backend has ended it.
func TestOwnConnectionEnds(t *testing.T) {
	ended := make(chan struct{}, 10)
	conf := lentCertificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				ended <- struct{}{}
			}
		}}
	defer b.Close()
	go b.Serve(tls.NewListener(&proxyproto.Listener{Listener: l}, conf))
	g := to(fleet.BackendName(l.Addr().String()))
	s := serve(t, g, long, overTLS(t, originate.Files{SkipVerify: true}), func(_ *Config, p *link.Pool) { p.SendProxy = 1 })
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: x\n\n")
	if res := c.answer(); res.StatusCode != http.StatusOK {
		t.Errorf("answered %v", res)
	}
	c.Close()
	get(t, "the end of the backend's connection", ended)
}
