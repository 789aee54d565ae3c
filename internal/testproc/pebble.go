//go:build unix

package testproc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// CA is Pebble, a CA for tests that speaks ACME, for which every name is that of this host.
type CA struct {
	*Process
	Directory string         // a URL
	File      string         // the certificate of who signed the directory's
	Roots     *x509.CertPool // who signs what it issues
}

// StartCA starts a CA that looks for what solves its challenges at two ports: http-01 and
// tls-alpn-01. What it issues is good for some seconds.
func StartCA(t testing.TB, http01, tlsALPN01 string, seconds int) *CA {
	t.Helper()
	cert, key := Certificate(t)
	listen, manage := FreeAddr(t), FreeAddr(t)
	port := func(address string) int {
		at, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return at.Port
	}
	conf, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": manage, "certificate": cert, "privateKey": key,
		"httpPort": port(http01), "tlsPort": port(tlsALPN01), "retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles": map[string]any{"default": map[string]any{"description": "of tests", "validityPeriod": seconds}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pebble.json")
	if err := os.WriteFile(file, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(Tool(t, "pebble.mod", "github.com/letsencrypt/pebble/v2/cmd/pebble"), "-config", file, "-dnsserver", startDNS(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0", "PEBBLE_WFE_NONCEREJECT=0")
	ca := &CA{Process: Start(t, "pebble", cmd), Directory: "https://" + listen + "/dir", File: cert, Roots: x509.NewCertPool()}
	ca.readRoots(t, "https://"+manage+"/roots/0", Trusts(t, cert))
	return ca
}

// readRoots waits for the CA to serve, and asks it who signs.
func (ca *CA) readRoots(t testing.TB, at string, trusts *x509.CertPool) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusts}, DisableKeepAlives: true}
	ask := func(ctx context.Context, url string) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		return io.ReadAll(res.Body)
	}
	Await(t, 20*time.Second, "pebble to serve", func(ctx context.Context) error {
		if _, err := ask(ctx, ca.Directory); err != nil {
			return err
		}
		text, err := ask(ctx, at)
		if err == nil && !ca.Roots.AppendCertsFromPEM(text) {
			err = fmt.Errorf("%q is no certificate", text)
		}
		return err
	}, ca.Process)
}

// Issued returns how many certificates it has issued.
func (ca *CA) Issued() int { return strings.Count(ca.Logs(), "Issued certificate serial") }

// startDNS answers every question for an address with that of this host.
func startDNS(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{Listener: ln, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if asked := q.Question[0]; asked.Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: asked.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1),
			})
		}
		_ = w.WriteMsg(m) // the CA hears nothing, and says so
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.ActivateAndServe()
	}()
	t.Cleanup(func() {
		_ = srv.Shutdown()
		_ = ln.Close()
		<-ended
	})
	return ln.Addr().String()
}
