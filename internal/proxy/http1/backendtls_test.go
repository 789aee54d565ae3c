package http1

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

// secureBackend is an HTTP server over TLS, and the files by which it is known.
type secureBackend struct {
	fleet.BackendName
	files originate.Files
	came  atomic.Int64 // connections
}

func backendOverTLS(t testing.TB, conf *tls.Config, handle http.HandlerFunc) *secureBackend {
	t.Helper()
	b := &secureBackend{}
	s := httptest.NewUnstartedServer(handle)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			b.came.Add(1)
		}
	}
	s.TLS, s.EnableHTTP2 = conf, true
	s.StartTLS()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	b.BackendName = fleet.BackendName(s.Listener.Addr().String())
	b.files.CA = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(b.files.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// originated returns a pool's TLS.
func originated(t testing.TB, f originate.Files) *originate.TLS {
	t.Helper()
	m, err := originate.NewMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	return originate.NewPools(slog.New(slog.DiscardHandler), m).Set(map[fleet.PoolName]originate.Files{"render": f})["render"]
}

// overTLS has a site's pool speak TLS to its backends.
func overTLS(t testing.TB, f originate.Files) func(*Config, *link.Pool) {
	return func(_ *Config, p *link.Pool) { p.TLS = originated(t, f) }
}

func saysHow(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	secure := "plain"
	if r.TLS != nil {
		secure = "TLS"
	}
	_, _ = w.Write([]byte(secure + " " + r.Proto + " " + string(body)))
}

// TestBackendTLS: whatever clients and backends speak, over one connection to the backend.
func TestBackendTLS(t *testing.T) {
	for name, c := range map[string]struct {
		two, newClient bool
		want           string
	}{
		"both old":    {false, false, "TLS HTTP/1.1 hello"},
		"new client":  {false, true, "TLS HTTP/1.1 hello"},
		"new backend": {true, false, "TLS HTTP/2.0 hello"},
		"both new":    {true, true, "TLS HTTP/2.0 hello"},
	} {
		t.Run(name, func(t *testing.T) {
			b := backendOverTLS(t, nil, saysHow)
			g := to(b.BackendName)
			s := serve(t, g, long, overTLS(t, b.files), func(_ *Config, p *link.Pool) { p.HTTP2 = c.two })
			tr := &http.Transport{Protocols: new(http.Protocols)}
			tr.Protocols.SetHTTP1(!c.newClient)
			tr.Protocols.SetUnencryptedHTTP2(c.newClient)
			s.client.Transport = tr
			defer tr.CloseIdleConnections()
			for range 5 {
				if res, body := s.over(t, "http", "POST", "/", "hello"); res.StatusCode != http.StatusOK || body != c.want {
					t.Errorf("answered %v %q", res, body)
				}
				expectOutcome(t, g, fleet.OK)
			}
			if n := b.came.Load(); n != 1 {
				t.Errorf("%d connections were made for 5 requests", n)
			}
		})
	}
}

// TestBackendTLSIsRefused: a backend that is not the right one gets no request.
func TestBackendTLSIsRefused(t *testing.T) {
	for name, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			b := backendOverTLS(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("a request came") })
			g := to(b.BackendName)
			s := serve(t, g, long, overTLS(t, originate.Files{CA: b.files.CA, ServerName: "other.test"}), func(_ *Config, p *link.Pool) { p.HTTP2 = two })
			res, _ := s.do(s.request("POST", "/", "hello"))
			if res.StatusCode != http.StatusBadGateway || res.Header.Get("Fairlead-Reason") != "unreachable" {
				t.Errorf("answered %v", res)
			}
			for range 3 {
				expectOutcome(t, g, fleet.Unreachable)
			}
		})
	}
}

// TestBackendWithoutHTTP2: such a backend is not spoken to otherwise.
func TestBackendWithoutHTTP2(t *testing.T) {
	b := backendOverTLS(t, &tls.Config{NextProtos: []string{"http/1.1"}}, func(http.ResponseWriter, *http.Request) { t.Error("a request came") })
	g := to(b.BackendName)
	s := serve(t, g, long, overTLS(t, b.files), func(_ *Config, p *link.Pool) { p.HTTP2, p.Retries = true, 0 })
	if res, _ := s.do(s.request("GET", "/", "")); res.StatusCode != http.StatusBadGateway {
		t.Errorf("answered %v", res)
	}
	expectOutcome(t, g, fleet.Unreachable)
}

// TestBackendWantsCertificate: that it misses one it says after the handshake, and then it
// has not looked at the request, which may go elsewhere.
func TestBackendWantsCertificate(t *testing.T) {
	for name, c := range map[string]struct {
		newClient    bool
		method, body string
	}{
		"both old":   {false, "POST", "hello"},
		"new client": {true, "GET", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := backendOverTLS(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert}, func(http.ResponseWriter, *http.Request) { t.Error("a request came") })
			g := to(b.BackendName)
			s := serve(t, g, long, overTLS(t, b.files))
			tr := &http.Transport{Protocols: new(http.Protocols)}
			tr.Protocols.SetHTTP1(!c.newClient)
			tr.Protocols.SetUnencryptedHTTP2(c.newClient)
			s.client.Transport = tr
			defer tr.CloseIdleConnections()
			if res, _ := s.do(s.request(c.method, "/", c.body)); res.Header.Get("Fairlead-Reason") != "unreachable" {
				t.Errorf("answered %v", res)
			}
			for range 3 {
				expectOutcome(t, g, fleet.Unreachable)
			}
		})
	}
}

// TestBackendTLSIsOver: a connection that the backend has ended meanwhile is not used, not
// even for what must not be repeated; where the end comes with the answer, too.
func TestBackendTLSIsOver(t *testing.T) {
	for name, with := range map[string]bool{"later": false, "with the answer": true} {
		t.Run(name, func(t *testing.T) {
			conf, over, end := lentCertificate(t), make(chan struct{}, 10), make(chan struct{}, 10)
			at := rawBackend(t, func(nc net.Conn, _ *bufio.Reader) {
				c := tls.Server(nc, conf)
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
				if !with {
					<-end
				}
				_ = c.CloseWrite()
				over <- struct{}{}
				_, _ = io.Copy(io.Discard, nc)
			})
			g := to(at)
			s := serve(t, g, long, overTLS(t, originate.Files{SkipVerify: true}))
			for range 4 {
				res, body := s.do(s.request("POST", "/", "hello"))
				if res.StatusCode != http.StatusOK || body != "hi" {
					t.Fatalf("answered %v %q", res, body)
				}
				end <- struct{}{}
				<-over
				expectOutcome(t, g, fleet.OK)
			}
		})
	}
}

// lentCertificate is a server's TLS, with a certificate that nobody knows.
func lentCertificate(t testing.TB) *tls.Config {
	t.Helper()
	lent := httptest.NewUnstartedServer(nil)
	lent.StartTLS()
	defer lent.Close()
	return &tls.Config{Certificates: lent.TLS.Certificates}
}

// TestOtherTLSOtherConnection: a connection of a pool with another TLS is not shared.
func TestOtherTLSOtherConnection(t *testing.T) {
	b := backendOverTLS(t, nil, saysHow)
	g := to(b.BackendName)
	var pool *link.Pool
	s := serve(t, g, long, func(_ *Config, p *link.Pool) { pool = p })
	for _, files := range []originate.Files{b.files, {SkipVerify: true}} {
		pool.TLS = originated(t, files)
		for range 2 {
			if _, body := s.do(s.request("GET", "/", "")); !strings.HasPrefix(body, "TLS") {
				t.Errorf("answered %q", body)
			}
			expectOutcome(t, g, fleet.OK)
		}
	}
	if n := b.came.Load(); n != 2 {
		t.Errorf("%d connections, want one for each TLS", n)
	}
}

// TestTruncatedAnswer: an answer that ends with its connection is whole only if TLS says so.
func TestTruncatedAnswer(t *testing.T) {
	for name, told := range map[string]bool{"told": true, "cut": false} {
		t.Run(name, func(t *testing.T) {
			conf := lentCertificate(t)
			at := rawBackend(t, func(nc net.Conn, _ *bufio.Reader) {
				c := tls.Server(nc, conf)
				head(bufio.NewReader(c))
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhello")
				if told {
					_ = c.CloseWrite()
				}
			})
			g := to(at)
			s := serve(t, g, long, overTLS(t, originate.Files{SkipVerify: true}))
			res, err := s.client.Do(s.request("GET", "/", ""))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if string(body) != "hello" || (err == nil) != told {
				t.Errorf("read %q, %v", body, err)
			}
			expectOutcome(t, g, map[bool]fleet.Outcome{true: fleet.OK, false: fleet.Failed}[told])
		})
	}
}

// TestUpgradeToTLSBackend: the tunnel goes through TLS, and half-closes do.
func TestUpgradeToTLSBackend(t *testing.T) {
	conf := lentCertificate(t)
	at := rawBackend(t, func(nc net.Conn, _ *bufio.Reader) {
		c := tls.Server(nc, conf)
		r := bufio.NewReader(c)
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nwelcome")
		said, _ := io.ReadAll(r)
		_, _ = c.Write(said)
		_ = c.CloseWrite()
	})
	g := to(at)
	s := serve(t, g, long, overTLS(t, originate.Files{SkipVerify: true}))
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: chat\n\n")
	if res := c.answer(); res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answered %v", res)
	}
	c.expect("welcome")
	c.send("hello")
	_ = c.CloseWrite()
	if rest := c.expectEnd(); rest != "hello" {
		t.Errorf("read %q", rest)
	}
	expectOutcome(t, g, fleet.OK)
}
