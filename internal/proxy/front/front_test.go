package front_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/front"
	"github.com/prometheus/client_golang/prometheus"
)

// issue writes a certificate for a name, signed by itself.
func issue(t *testing.T, dir, name string, until time.Time) front.Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p := front.Pair{Cert: filepath.Join(dir, name+".pem"), Key: filepath.Join(dir, name+".key")}
	write(t, p.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, p.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return p
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// shown connects, and returns the certificate that the server shows.
func shown(t *testing.T, f *front.Front, name string, with ...tls.Certificate) (*x509.Certificate, string, error) {
	t.Helper()
	here, there := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- tls.Server(there, f.Config()).Handshake() }()
	conf := &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}
	if len(with) > 0 { // whether the server would like it or not
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &with[0], nil }
	}
	c := tls.Client(here, conf)
	err := c.Handshake()
	if err == nil {
		go c.Read(make([]byte, 1)) // the server's tickets, or its alert
	}
	err2 := <-served
	here.Close()
	there.Close()
	if err != nil || err2 != nil {
		if err == nil {
			err = err2
		}
		return nil, "", err
	}
	s := c.ConnectionState()
	return s.PeerCertificates[0], s.NegotiatedProtocol, nil
}

func newFront(t *testing.T) (*front.Front, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewRegistry()
	m, err := front.NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	return front.New("web", &net.TCPAddr{}, slog.New(slog.DiscardHandler), m), reg
}

// metric returns how many series a metric has, and their sum.
func metric(t *testing.T, reg *prometheus.Registry, name string) (n int, sum float64) {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				n++
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return n, sum
}

// TestChosenByName: each client gets the certificate of the name that it asks for.
func TestChosenByName(t *testing.T) {
	dir, year := t.TempDir(), time.Now().AddDate(1, 0, 0)
	f, _ := newFront(t)
	a, b := issue(t, dir, "a.example", year), issue(t, dir, "b.example", year)
	if err := f.Set(front.Files{Certificates: []front.Pair{a, b}}); err != nil {
		t.Fatal(err)
	}
	for ask, want := range map[string]string{"a.example": "a.example", "b.example": "b.example", "c.example": "a.example"} {
		c, protocol, err := shown(t, f, ask)
		if err != nil || c.DNSNames[0] != want || protocol != "h2" {
			t.Errorf("%s: shown %v, %q, %v", ask, c, protocol, err)
		}
	}
	if err := f.Set(front.Files{Certificates: []front.Pair{b}, NoHTTP2: true}); err != nil {
		t.Fatal(err)
	}
	if c, protocol, err := shown(t, f, "a.example"); err != nil || c.DNSNames[0] != "b.example" || protocol != "http/1.1" {
		t.Errorf("after a change: %v, %q, %v", c, protocol, err)
	}
}

// TestReadAgain: changed files count once they are read again; what cannot be used does not,
// and is counted once.
func TestReadAgain(t *testing.T) {
	dir, year := t.TempDir(), time.Now().AddDate(1, 0, 0)
	f, reg := newFront(t)
	p := issue(t, dir, "a.example", year)
	if err := f.Set(front.Files{Certificates: []front.Pair{p}}); err != nil {
		t.Fatal(err)
	}
	first, _, err := shown(t, f, "a.example")
	if err != nil {
		t.Fatal(err)
	}
	conf := f.Config()
	f.Refresh()
	if f.Config() != conf {
		t.Error("unchanged files are taken for changed")
	}
	issue(t, dir, "a.example", year.AddDate(1, 0, 0))
	f.Refresh()
	second, _, err := shown(t, f, "a.example")
	if err != nil || second.Equal(first) {
		t.Errorf("the new certificate is not served: %v", err)
	}
	write(t, p.Key, []byte("nonsense"))
	f.Refresh()
	f.Refresh()
	third, _, err := shown(t, f, "a.example")
	if err != nil || !third.Equal(second) {
		t.Errorf("the last good certificate is not served: %v", err)
	}
	if err := os.Remove(p.Cert); err != nil {
		t.Fatal(err)
	}
	f.Refresh()
	f.Refresh()
	if n, _ := metric(t, reg, "fairlead_proxy_certificate_expiry_seconds"); n != 1 {
		t.Errorf("%d certificates have an end", n)
	}
	if _, sum := metric(t, reg, "fairlead_proxy_certificate_errors_total"); sum != 2 {
		t.Errorf("%g errors, want 2", sum)
	}
}

// TestClientsShowCertificates: those that the CA signed, and no others.
func TestClientsShowCertificates(t *testing.T) {
	dir, year := t.TempDir(), time.Now().AddDate(1, 0, 0)
	p, known, stranger := issue(t, dir, "a.example", year), issue(t, dir, "client", year), issue(t, dir, "stranger", year)
	load := func(p front.Pair) tls.Certificate {
		c, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for may, want := range map[bool][3]bool{false: {true, false, false}, true: {true, false, true}} {
		f, _ := newFront(t)
		if err := f.Set(front.Files{Certificates: []front.Pair{p}, ClientCA: known.Cert, ClientMay: may}); err != nil {
			t.Fatal(err)
		}
		for i, with := range [][]tls.Certificate{{load(known)}, {load(stranger)}, nil} {
			if _, _, err := shown(t, f, "a.example", with...); (err == nil) != want[i] {
				t.Errorf("optional %v, client %d: %v", may, i, err)
			}
		}
	}
}

func TestFilesThatAreOfNoUse(t *testing.T) {
	dir, year := t.TempDir(), time.Now().AddDate(1, 0, 0)
	a, b, old := issue(t, dir, "a.example", year), issue(t, dir, "b.example", year), issue(t, dir, "old.example", time.Now().Add(-time.Minute))
	long := filepath.Join(dir, "long")
	write(t, long, make([]byte, 2<<20))
	for want, files := range map[string]front.Files{
		"no such file":      {Certificates: []front.Pair{{Cert: filepath.Join(dir, "none"), Key: a.Key}}},
		"private key":       {Certificates: []front.Pair{{Cert: a.Cert, Key: b.Key}}},
		"ended on":          {Certificates: []front.Pair{old}},
		"longer than":       {Certificates: []front.Pair{{Cert: long, Key: a.Key}}},
		"holds no certific": {Certificates: []front.Pair{a}, ClientCA: a.Key},
	} {
		f, _ := newFront(t)
		if err := f.Set(files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if f.Config() != nil {
			t.Errorf("%s: it serves", want)
		}
		f.Refresh()
	}
}
