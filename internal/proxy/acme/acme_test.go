//go:build unix

package acme_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/internal/proxy/acme"
	"github.com/fairlead/fairlead/internal/testproc"
)

const soon = 60 * time.Second

// TestMain: certmagic bounds its questions to a CA with a goroutine that never ends, of which
// there is one a CA; and one that keeps a lock looks within 5 s whether it was given back.
func TestMain(m *testing.M) {
	testproc.Main(m, goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"))
}

// place is where a Manager's certificates are shown, over TLS and over plain HTTP.
type place struct {
	tls, plain net.Listener
	m          *acme.Manager
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{}
	for _, ln := range []*net.Listener{&p.tls, &p.plain} {
		var err error
		if *ln, err = net.Listen("tcp", testproc.FreeAddr(t)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*ln).Close() })
	}
	return p
}

// start starts a Manager, and shows what it has. It ends with the test.
func (p *place) start(t *testing.T, cfg acme.Config) {
	t.Helper()
	cfg.Address, cfg.Logger = p.tls.Addr(), slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	m, err := acme.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.m = m
	t.Cleanup(m.Close)
	conf := &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return m.Challenge(hello), nil },
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if cert, _ := m.Certificate(hello); cert != nil {
				return cert, nil
			}
			return nil, errors.New("none yet")
		},
	}
	go func() {
		for {
			c, err := p.tls.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = tls.Server(c, conf).Handshake()
			}()
		}
	}()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text := m.HTTPChallenge(r.Context(), r.Host, r.URL.Path); text != nil {
			_, _ = w.Write(text)
			return
		}
		http.NotFound(w, r)
	})}
	go srv.Serve(p.plain)
	t.Cleanup(func() { srv.Close() })
}

// shown returns the certificate that a client of a name is shown, which a CA has to have signed.
func (p *place) shown(name string, roots *x509.CertPool) (*x509.Certificate, error) {
	c, err := tls.Dial("tcp", p.tls.Addr().String(), &tls.Config{ServerName: name, RootCAs: roots})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0], nil
}

// await waits until a client of a name is shown a certificate that is good.
func (p *place) await(t *testing.T, ca *testproc.CA, name string) (cert *x509.Certificate) {
	t.Helper()
	testproc.Await(t, soon, "a certificate for "+name, func(context.Context) (err error) {
		cert, err = p.shown(name, ca.Roots)
		return err
	}, ca.Process)
	return cert
}

// settings returns those for a CA.
func settings(t *testing.T, ca *testproc.CA, domains ...string) acme.Settings {
	return acme.Settings{
		Domains: domains, Email: "ops@a.example", Directory: ca.Directory, CA: ca.File,
		Storage: filepath.Join(t.TempDir(), "acme"), TLSALPN: true,
	}
}

const day = 24 * 60 * 60

// TestChallenges: each kind alone brings a certificate, one a domain, chosen by name; a start
// with the same storage shows them at once and orders nothing.
func TestChallenges(t *testing.T) {
	for _, kind := range []string{"tls-alpn-01", "http-01"} {
		t.Run(kind, func(t *testing.T) {
			p := newPlace(t)
			ca := testproc.StartCA(t, p.plain.Addr().String(), p.tls.Addr().String(), 90*day)
			s := settings(t, ca, "a.example", "b.example")
			s.TLSALPN, s.HTTP = kind == "tls-alpn-01", kind == "http-01"
			p.start(t, acme.Config{Settings: s})
			for _, name := range s.Domains {
				if cert := p.await(t, ca, name); len(cert.DNSNames) != 1 || cert.DNSNames[0] != name {
					t.Errorf("for %s there is a certificate for %v", name, cert.DNSNames)
				}
			}
			if leaves := p.m.Leaves(); len(leaves) != 2 || leaves[0].DNSNames[0] != "a.example" {
				t.Errorf("%d certificates", len(leaves))
			}
			if n := ca.Issued(); n != 2 {
				t.Errorf("%d were issued", n)
			}
			if _, err := p.shown("c.example", ca.Roots); err == nil || !strings.Contains(err.Error(), "valid for a.example") {
				t.Errorf("a client of another name gets %v, want the first certificate", err)
			}
			p.m.Close()
			again := newPlace(t)
			again.start(t, acme.Config{Settings: s})
			for _, name := range s.Domains {
				if _, err := again.shown(name, ca.Roots); err != nil {
					t.Errorf("after a start: %s: %v", name, err)
				}
			}
			if n := ca.Issued(); n != 2 {
				t.Errorf("%d were issued after a start", n)
			}
			info, err := os.Stat(s.Storage)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the storage is open: %v, %v", info.Mode(), err)
			}
		})
	}
}

// TestRenewal: a certificate that comes near to its end is replaced.
func TestRenewal(t *testing.T) {
	p := newPlace(t)
	ca := testproc.StartCA(t, p.plain.Addr().String(), p.tls.Addr().String(), 6)
	p.start(t, acme.Config{Settings: settings(t, ca, "a.example"), Check: time.Second})
	first := p.await(t, ca, "a.example")
	testproc.Await(t, soon, "another certificate", func(context.Context) error {
		next, err := p.shown("a.example", ca.Roots)
		if err == nil && next.SerialNumber.Cmp(first.SerialNumber) == 0 {
			err = errors.New("it is the same")
		}
		return err
	}, ca.Process)
}

// TestSetDomains: certificates are got for what comes, and not shown for what goes.
func TestSetDomains(t *testing.T) {
	p := newPlace(t)
	ca := testproc.StartCA(t, p.plain.Addr().String(), p.tls.Addr().String(), 90*day)
	p.start(t, acme.Config{Settings: settings(t, ca, "a.example")})
	p.await(t, ca, "a.example")
	p.m.SetDomains([]string{"b.example", "a.example"})
	p.await(t, ca, "b.example")
	p.m.SetDomains([]string{"b.example"})
	if _, err := p.shown("a.example", ca.Roots); err == nil {
		t.Error("what has gone is shown")
	}
	p.m.SetDomains([]string{"a.example"})
	if _, err := p.shown("a.example", ca.Roots); err != nil {
		t.Errorf("what has come back: %v", err)
	}
	if n := ca.Issued(); n != 2 {
		t.Errorf("%d were issued", n)
	}
}

// TestStrangers: who asks for what is no challenge gets nothing, over either protocol.
func TestStrangers(t *testing.T) {
	p := newPlace(t)
	hung := make(chan struct{})
	t.Cleanup(func() { close(hung) })
	p.start(t, acme.Config{Settings: acme.Settings{
		Domains: []string{"a.example"}, Directory: silent(t, hung), Storage: t.TempDir(), TLSALPN: true, HTTP: true,
	}})
	for _, host := range []string{"a.example", "A.example:80", "b.example", "..", "../../a"} {
		for _, path := range []string{acme.ChallengePath + "x", acme.ChallengePath, acme.ChallengePath + "../x", "/"} {
			if text := p.m.HTTPChallenge(t.Context(), host, path); text != nil {
				t.Errorf("%s%s is answered %q", host, path, text)
			}
		}
	}
	for _, name := range []string{"a.example", "b.example"} {
		c, err := tls.Dial("tcp", p.tls.Addr().String(), &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{acme.Protocol}})
		if err == nil {
			t.Errorf("a stranger is shown a certificate for %v", c.ConnectionState().PeerCertificates[0].DNSNames)
			c.Close()
		}
	}
}

// TestBegunElsewhere: a challenge of another proxy with the same storage is solved here too.
func TestBegunElsewhere(t *testing.T) {
	p := newPlace(t)
	hung := make(chan struct{})
	t.Cleanup(func() { close(hung) })
	s := acme.Settings{Domains: []string{"a.example"}, Directory: silent(t, hung), Storage: t.TempDir(), TLSALPN: true, HTTP: true}
	p.start(t, acme.Config{Settings: s})
	ca := certmagic.StorageKeys.Safe(strings.ReplaceAll(strings.TrimPrefix(s.Directory, "https://"), "/", "-"))
	dir := filepath.Join(s.Storage, "acme", ca, "challenge_tokens")
	begun := `{"type": "http-01", "token": "tok", "keyAuthorization": "tok.key", "identifier": {"type": "dns", "value": "a.example"}}`
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "a.example.json"), []byte(begun), 0o600)); err != nil {
		t.Fatal(err)
	}
	if text := p.m.HTTPChallenge(t.Context(), "a.example", acme.ChallengePath+"tok"); string(text) != "tok.key" {
		t.Errorf("answered %q", text)
	}
	for _, path := range []string{"token", "to", "tok/", ""} {
		if text := p.m.HTTPChallenge(t.Context(), "a.example", acme.ChallengePath+path); text != nil {
			t.Errorf("%q is answered %q", path, text)
		}
	}
	c, err := tls.Dial("tcp", p.tls.Addr().String(), &tls.Config{ServerName: "a.example", InsecureSkipVerify: true, NextProtos: []string{acme.Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	proof := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31} // RFC 8737, section 6.1
	for _, e := range c.ConnectionState().PeerCertificates[0].Extensions {
		if e.Id.Equal(proof) {
			return
		}
	}
	t.Error("the certificate proves nothing")
}

// silent is a CA that takes connections and says nothing.
func silent(t *testing.T, until chan struct{}) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				<-until
				c.Close()
			}()
		}
	}()
	return "https://" + ln.Addr().String() + "/dir"
}

// TestFailure: a CA that refuses is counted, and ends nothing.
func TestFailure(t *testing.T) {
	p := newPlace(t)
	ca := testproc.StartCA(t, testproc.FreeAddr(t), testproc.FreeAddr(t), 90*day) // where nothing listens
	failed := make(chan struct{}, 100)
	p.start(t, acme.Config{Settings: settings(t, ca, "a.example"), Failed: func() { failed <- struct{}{} }})
	select {
	case <-failed:
	case <-time.After(soon):
		t.Fatal("nobody is told")
	}
	if _, err := p.shown("a.example", ca.Roots); err == nil {
		t.Error("there is a certificate")
	}
}

// TestFiles: a start says what is wrong with what it is given.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	open, empty := filepath.Join(dir, "open"), filepath.Join(dir, "empty.pem")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o770), os.WriteFile(empty, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		s    acme.Settings
		want string
	}{
		{acme.Settings{Storage: open}, "may be written by others than its owner; chmod go-w it"},
		{acme.Settings{Storage: empty}, "not a directory"},
		{acme.Settings{Storage: filepath.Join(dir, "x"), CA: filepath.Join(dir, "none")}, "no such file"},
		{acme.Settings{Storage: filepath.Join(dir, "x"), CA: empty}, "holds no certificate"},
	}
	for _, c := range cases {
		c.s.Domains = []string{"a.example"}
		m, err := acme.Start(acme.Config{Settings: c.s, Logger: slog.New(slog.DiscardHandler)})
		if m != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.s, err, c.want)
		}
	}
}

// TestEqual: settings that differ are told apart, so that a reload takes them.
func TestEqual(t *testing.T) {
	one := func() *acme.Settings {
		return &acme.Settings{Domains: []string{"a"}, Email: "e", Directory: "d", CA: "c", Storage: "s", TLSALPN: true}
	}
	if !one().Equal(one()) || !(*acme.Settings)(nil).Equal(nil) || one().Equal(nil) || (*acme.Settings)(nil).Equal(one()) {
		t.Error("equal settings differ, or settings are none")
	}
	for i, change := range []func(*acme.Settings){
		func(s *acme.Settings) { s.Email = "x" }, func(s *acme.Settings) { s.Directory = "x" }, func(s *acme.Settings) { s.CA = "x" },
		func(s *acme.Settings) { s.Storage = "x" }, func(s *acme.Settings) { s.TLSALPN = false }, func(s *acme.Settings) { s.HTTP = true },
	} {
		s := one()
		if change(s); s.Equal(one()) || s.SameBut(one()) {
			t.Errorf("change %d is not seen", i)
		}
	}
	s := one()
	if s.Domains = []string{"b"}; s.Equal(one()) || !s.SameBut(one()) {
		t.Error("domains are not told from the rest")
	}
}
