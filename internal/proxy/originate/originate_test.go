package originate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// authority signs certificates.
type authority struct {
	t    testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert, a.key = a.sign(of, nil, nil)
	a.file = a.write(name+".pem", "CERTIFICATE", a.cert.Raw)
	return a
}

func (a *authority) sign(of, by *x509.Certificate, with *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by, with = of, key
	}
	der, err := x509.CreateCertificate(rand.Reader, of, by, key.Public(), with)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue makes a certificate for a name or an address, that ends at a time.
func (a *authority) issue(name string, until time.Time) (c tls.Certificate, cert, key string) {
	a.t.Helper()
	of := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: until.Add(-2 * time.Hour), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		of.IPAddresses = []net.IP{ip}
	} else {
		of.DNSNames = []string{name}
	}
	signed, private := a.sign(of, a.cert, a.key)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{signed.Raw}, PrivateKey: private, Leaf: signed},
		a.write(name+".crt", "CERTIFICATE", signed.Raw), a.write(name+".key", "PRIVATE KEY", der)
}

// rig is a pool's TLS, and what it counts.
type rig struct {
	*originate.Pools
	*originate.TLS
	reg *prometheus.Registry
}

func newRig(t testing.TB, f originate.Files) rig {
	t.Helper()
	reg := prometheus.NewRegistry()
	m, err := originate.NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	p := originate.NewPools(slog.New(slog.DiscardHandler), m)
	return rig{p, p.Set(map[fleet.PoolName]originate.Files{"render": f})["render"], reg}
}

// counted returns the reasons of the errors so far.
func (r rig) counted(t testing.TB) string {
	t.Helper()
	families, err := r.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			reasons = append(reasons, m.GetLabel()[1].GetValue())
		}
	}
	return strings.Join(reasons, " ")
}

// listen serves connections until the test ends.
func listen(t testing.TB, serve func(net.Conn)) fleet.BackendName {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return fleet.BackendName(l.Addr().String())
}

// shakes is a server that does the handshake, and waits for the end.
func shakes(conf *tls.Config) func(net.Conn) {
	return func(nc net.Conn) {
		c := tls.Server(nc, conf)
		if c.Handshake() == nil {
			_, _ = io.Copy(io.Discard, c)
		}
	}
}

func (r rig) client(t testing.TB, to fleet.BackendName, protocol string) (*originate.Conn, error) {
	t.Helper()
	nc, err := net.Dial("tcp", string(to))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return r.Client(ctx, nc, to, protocol)
}

// TestReasons: each way to fail has its word, and the error says what to do.
func TestReasons(t *testing.T) {
	a, stranger := newAuthority(t, "ours"), newAuthority(t, "theirs")
	hour := time.Now().Add(time.Hour)
	good, _, _ := a.issue("127.0.0.1", hour)
	named, _, _ := a.issue("render.test", hour)
	old, _, _ := a.issue("127.0.0.1", time.Now().Add(-time.Hour))
	foreign, _, _ := stranger.issue("127.0.0.1", hour)
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	ours := originate.Files{CA: a.file}
	of := func(c tls.Certificate, protocols ...string) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: protocols}
	}
	strict := of(good)
	strict.ClientAuth, strict.ClientCAs, strict.MaxVersion = tls.RequireAndVerifyClientCert, clients, tls.VersionTLS12
	for name, c := range map[string]struct {
		files    originate.Files
		serve    func(net.Conn)
		protocol string
		why, say string
	}{
		"good":            {ours, shakes(of(good)), "http/1.1", "", ""},
		"by name":         {originate.Files{CA: a.file, ServerName: "render.test"}, shakes(of(named)), "", "", ""},
		"HTTP/2":          {ours, shakes(of(good, "h2")), "h2", "", ""},
		"not checked":     {originate.Files{SkipVerify: true}, shakes(of(foreign)), "", "", ""},
		"unknown CA":      {ours, shakes(of(foreign)), "", "unknown_ca", "backend_tls.ca"},
		"system's CAs":    {originate.Files{}, shakes(of(good)), "", "unknown_ca", "backend_tls.ca"},
		"another name":    {ours, shakes(of(named)), "", "wrong_name", "backend_tls.server_name"},
		"expired":         {ours, shakes(of(old)), "", "expired", "renew"},
		"no HTTP/2":       {ours, shakes(of(good)), "h2", "no_http2", "remove http2"},
		"HTTP/1.1 alone":  {ours, shakes(of(good, "http/1.1")), "h2", "no_http2", "remove http2"},
		"no certificate":  {ours, shakes(strict), "", "refused", "backend_tls.cert"},
		"plain text":      {ours, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, "", "not_tls", "port"},
		"hung up":         {ours, func(net.Conn) {}, "", "closed", "log"},
		"no such file":    {originate.Files{CA: a.file + "x"}, shakes(of(good)), "", "files", "files of backend_tls"},
		"nothing in file": {originate.Files{CA: os.DevNull}, shakes(of(good)), "", "files", "holds no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.files)
			conn, err := r.client(t, listen(t, c.serve), c.protocol)
			if conn != nil {
				conn.Close()
			}
			if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.say) {
				t.Errorf("Client = %v, want %q", err, c.say)
			}
			if got := r.counted(t); got != c.why {
				t.Errorf("counted %q, want %q", got, c.why)
			}
		})
	}
}

// TestTimeout: a backend that says nothing costs its time, and one that nobody waits for any
// more is no error of the backend's.
func TestTimeout(t *testing.T) {
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	r := newRig(t, originate.Files{SkipVerify: true})
	over, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	left, leave := context.WithCancel(t.Context())
	leave()
	for ctx, want := range map[context.Context]string{left: "", over: "timeout"} {
		nc, err := net.Dial("tcp", string(silent))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Client(ctx, nc, silent, ""); err == nil {
			t.Error("a handshake without an answer succeeds")
		}
		if got := r.counted(t); ctx == left && got != want || ctx == over && got != want {
			t.Errorf("counted %q, want %q", got, want)
		}
		r = newRig(t, originate.Files{SkipVerify: true})
	}
}

// TestFollowed: files are read again when they change; what is of no use leaves what was.
func TestFollowed(t *testing.T) {
	a, b := newAuthority(t, "one"), newAuthority(t, "two")
	hour := time.Now().Add(time.Hour)
	cert, _, _ := b.issue("127.0.0.1", hour)
	_, own, key := b.issue("proxy.test", hour)
	_, other, _ := a.issue("other.test", hour)
	shown := make(chan string, 10)
	at := listen(t, shakes(&tls.Config{
		Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error { shown <- s.PeerCertificates[0].DNSNames[0]; return nil },
	}))
	r := newRig(t, originate.Files{CA: a.file, Cert: own, Key: key})
	if _, err := r.client(t, at, ""); err == nil {
		t.Fatal("a backend of another CA is taken")
	}
	copyFile := func(to, from string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	works := func() {
		t.Helper()
		r.Refresh()
		c, err := r.client(t, at, "")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("x"))
		if name := <-shown; name != "proxy.test" {
			t.Errorf("the backend was shown %s", name)
		}
		c.Close()
	}
	copyFile(a.file, b.file)
	works()
	copyFile(own, other) // whose key is another
	works()
	if got := r.counted(t); got != "files unknown_ca" {
		t.Errorf("counted %q", got)
	}
	works() // once more, and it is not said again
}

// TestSet: a pool keeps its TLS while its files have the same names.
func TestSet(t *testing.T) {
	r := newRig(t, originate.Files{})
	now := r.Set(map[fleet.PoolName]originate.Files{"render": {}, "other": {SkipVerify: true}})
	if now["render"] != r.TLS || now["other"] == nil {
		t.Error("a pool that is the same has another TLS")
	}
	if r.Set(map[fleet.PoolName]originate.Files{"render": {ServerName: "x"}})["render"] == r.TLS {
		t.Error("a pool with another server name has the same TLS")
	}
}

// awaited is a connection to a server that does what the test says.
func awaited(t *testing.T, version uint16) (c *originate.Conn, server *tls.Conn, under *net.TCPConn) {
	t.Helper()
	a := newAuthority(t, "ours")
	cert, _, _ := a.issue("127.0.0.1", time.Now().Add(time.Hour))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan *tls.Conn, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		s := tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version})
		_ = s.Handshake()
		accepted <- s
	}()
	c, err = newRig(t, originate.Files{CA: a.file}).client(t, fleet.BackendName(l.Addr().String()), "")
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() { c.Close(); server.NetConn().Close() })
	return c, server, server.NetConn().(*net.TCPConn)
}

// until calls Alive until it says what is wanted: bytes take their time, over loopback too.
func until(t *testing.T, c *originate.Conn, want bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); c.Alive() != want; {
		if time.Now().After(end) {
			t.Fatalf("it does not come to be %v", want)
		}
	}
}

// TestAlive: session tickets do not make a connection a dead one, wherever they wait, and it
// can be read from afterwards; an end does, whether it waits in memory or in the kernel, and so
// do bytes that nobody asked for.
func TestAlive(t *testing.T) {
	for version, name := range map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"} {
		for end, how := range map[string]func(s *tls.Conn, under *net.TCPConn){
			"close_notify": func(s *tls.Conn, _ *net.TCPConn) { _ = s.CloseWrite() },
			"closed":       func(_ *tls.Conn, under *net.TCPConn) { _ = under.Close() },
			"reset":        func(_ *tls.Conn, under *net.TCPConn) { _ = under.SetLinger(0); _ = under.Close() },
			"unasked":      func(s *tls.Conn, _ *net.TCPConn) { _, _ = s.Write([]byte("HTTP/1.1 408")) },
		} {
			t.Run(name+" "+end, func(t *testing.T) {
				c, server, under := awaited(t, version)
				for range 3 { // the first may meet tickets
					if !c.Alive() {
						t.Fatal("a connection that is open is given up")
					}
				}
				_, _ = server.Write([]byte("answer"))
				b := make([]byte, 6)
				if _, err := io.ReadFull(c, b); err != nil || string(b) != "answer" || !c.Alive() {
					t.Fatalf("read %q, %v, and is it alive?", b, err)
				}
				how(server, under)
				until(t, c, false)
			})
		}
	}
}

// TestAliveInMemory: the end comes with the answer's last byte, and is read with it.
func TestAliveInMemory(t *testing.T) {
	c, server, _ := awaited(t, tls.VersionTLS13)
	_, _ = server.Write([]byte("answer"))
	_ = server.CloseWrite()
	b := make([]byte, 6)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	until(t, c, false)
}

// TestTruncated: the end of TCP alone is not the end of what the backend has to say.
func TestTruncated(t *testing.T) {
	c, server, under := awaited(t, tls.VersionTLS13)
	_, _ = server.Write([]byte("half"))
	_ = under.CloseWrite()
	if b, err := io.ReadAll(c); string(b) != "half" || !errors.Is(err, originate.ErrTruncated) {
		t.Errorf("read %q, %v", b, err)
	}
	c, server, _ = awaited(t, tls.VersionTLS13)
	_, _ = server.Write([]byte("whole"))
	_ = server.CloseWrite()
	if b, err := io.ReadAll(c); string(b) != "whole" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
}

// TestUnwelcome: in TLS 1.3 the word that a certificate is missed comes late.
func TestUnwelcome(t *testing.T) {
	a := newAuthority(t, "ours")
	cert, _, _ := a.issue("127.0.0.1", time.Now().Add(time.Hour))
	at := listen(t, shakes(&tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}))
	c, err := newRig(t, originate.Files{CA: a.file}).client(t, at, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); !originate.Unwelcome(err) {
		t.Errorf("Read = %v", err)
	}
	if originate.Unwelcome(io.EOF) {
		t.Error("any end is taken for that")
	}
}
