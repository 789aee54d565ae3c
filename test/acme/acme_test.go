//go:build unix

// Package acme_test has proxies get their certificates from a CA for tests.
package acme_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

const soon = 60 * time.Second

// place is what a proxy's config is made of.
type place struct {
	tls, plain, backend, storage, challenges string
	ca                                       *testproc.CA
}

func newPlace(t *testing.T) *place {
	t.Helper()
	b := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Host, r.URL.Path)
	}))
	t.Cleanup(b.Close)
	return &place{
		tls: testproc.FreeAddr(t), plain: testproc.FreeAddr(t), backend: b.Listener.Addr().String(),
		storage: filepath.Join(t.TempDir(), "acme"),
	}
}

// config is a proxy's, for some domains.
func (p *place) config(more string, domains ...string) string {
	return fmt.Sprintf(`
listeners:
  - {name: plain, address: %q, protocol: http}
  - name: web
    address: %q
    protocol: http
    tls:
      %s
      acme: {domains: [%s], directory: %q, ca: %q, storage: %q, agree_tos: true, challenges: [%s]}
routes: [{listener: plain, pool: p}, {listener: web, pool: p}]
pools: [{name: p, slots: 10, health: {type: none}, backends: [{address: %q}]}]
`, p.plain, p.tls, more, strings.Join(domains, ", "), p.ca.Directory, p.ca.File, p.storage, p.challenges, p.backend)
}

// get asks a host over TLS, and returns the answer and whom its certificate is for.
func (p *place) get(host string, roots *x509.CertPool, protocol string) (body, name string, err error) {
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true, Protocols: new(http.Protocols),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.tls)
		},
	}
	tr.Protocols.SetHTTP1(protocol == "HTTP/1.1")
	tr.Protocols.SetHTTP2(protocol == "HTTP/2.0")
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr, Timeout: soon}).Get("https://" + host + "/x")
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.Proto != protocol {
		err = fmt.Errorf("it came over %s", res.Proto)
	}
	return string(text), res.TLS.PeerCertificates[0].DNSNames[0], err
}

// await waits until a host is served with a certificate of the CA.
func (p *place) await(t *testing.T, host string, needed ...*testproc.Process) {
	t.Helper()
	testproc.Await(t, soon, host+" to be served", func(context.Context) error {
		body, name, err := p.get(host, p.ca.Roots, "HTTP/1.1")
		if err == nil && (body != host+" /x" || name != host) {
			err = fmt.Errorf("answered %q, with a certificate for %s", body, name)
		}
		return err
	}, needed...)
}

// TestCertificates: each kind of challenge alone brings certificates while the proxy serves; a
// reload adds one; and after a restart they are there at once, with no further order.
func TestCertificates(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	for _, kind := range []string{"tls-alpn-01", "http-01"} {
		t.Run(kind, func(t *testing.T) {
			p := newPlace(t)
			p.ca, p.challenges = testproc.StartCA(t, p.plain, p.tls, 24*60*60), kind
			s := testproc.StartSite(t, p.config("", "a.example", "b.example"))
			p.await(t, "a.example", s.Proxy, p.ca.Process)
			p.await(t, "b.example", s.Proxy, p.ca.Process)
			head, err := os.ReadFile(s.File)
			if err != nil {
				t.Fatal(err)
			}
			more := strings.Replace(string(head), "a.example, b.example", "a.example, b.example, c.example", 1)
			if err := os.WriteFile(s.File, []byte(more), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.Controller.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			p.await(t, "c.example", s.Proxy, s.Controller, p.ca.Process)
			s.Quiet(t, "p")
			for _, of := range []*testproc.Process{s.Proxy, s.Controller} {
				if err := of.Stop(); err != nil {
					t.Fatal(err)
				}
			}
			s = testproc.StartSite(t, p.config("", "a.example", "b.example", "c.example"))
			s.Serves(t, "p", 1)
			for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
				for _, host := range []string{"a.example", "b.example", "c.example"} {
					if body, name, err := p.get(host, p.ca.Roots, protocol); err != nil || body != host+" /x" || name != host {
						t.Errorf("%s is answered %q, with a certificate for %s: %v", host, body, name, err)
					}
				}
			}
			if grants := s.Took(t, "p", 0, 6); grants != 6 {
				t.Errorf("%d grants for 6 requests", grants)
			}
			if n := p.ca.Issued(); n != 3 {
				t.Errorf("%d certificates were issued for 3 domains", n)
			}
		})
	}
}

// TestShared: of two proxies with one storage one orders, and both serve.
func TestShared(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	p := newPlace(t)
	p.ca, p.challenges = testproc.StartCA(t, p.plain, p.tls, 24*60*60), "tls-alpn-01, http-01"
	s := testproc.StartSite(t, p.config("", "a.example"))
	other := *p
	other.tls, other.plain = testproc.FreeAddr(t), testproc.FreeAddr(t)
	o := testproc.StartSite(t, other.config("", "a.example"))
	p.await(t, "a.example", s.Proxy, p.ca.Process)
	other.await(t, "a.example", o.Proxy, p.ca.Process)
	if n := p.ca.Issued(); n != 1 {
		t.Errorf("%d certificates were issued", n)
	}
}

// TestFilesBeside: a certificate in a file is shown to who asks for another name, and to all
// until there is one from the CA, which may never be.
func TestFilesBeside(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	p := newPlace(t)
	cert, key := testproc.Certificate(t)
	p.ca, p.challenges = testproc.StartCA(t, testproc.FreeAddr(t), testproc.FreeAddr(t), 24*60*60), "tls-alpn-01" // where nothing listens
	s := testproc.StartSite(t, p.config(fmt.Sprintf("certificates: [{cert: %q, key: %q}]", cert, key), "a.example"))
	s.Serves(t, "p", 1)
	if body, name, err := p.get("localhost", testproc.Trusts(t, cert), "HTTP/2.0"); err != nil || body != "localhost /x" || name != "localhost" {
		t.Errorf("answered %q with a certificate for %s: %v", body, name, err)
	}
	if _, _, err := p.get("a.example", testproc.Trusts(t, cert), "HTTP/1.1"); err == nil || !strings.Contains(err.Error(), "valid for localhost") {
		t.Errorf("a client of what is being obtained gets %v", err)
	}
	testproc.Await(t, soon, "the proxy to say what fails", func(context.Context) error {
		if !strings.Contains(s.Proxy.Logs(), "Failed to connect to 127.0.0.1") {
			return errors.New("it does not")
		}
		return nil
	}, s.Proxy)
}
