package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
)

// odd makes a certificate of a CA that Issue would not, signed for clients and servers.
func (a authority) odd(t *testing.T, change func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	ca, key, err := issuer(a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		URIs:        []*url.URL{Identity{Controller, "odd"}.URI()},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	change(template)
	certPEM, keyPEM, err := sign(template, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return &pair
}

// oddities are certificates that both sides have to refuse.
func oddities(t *testing.T, ca authority) map[string]struct {
	cert   *tls.Certificate
	reason Reason
	words  string // of a client that meets such a server
} {
	same := func(*x509.Certificate) {}
	return map[string]struct {
		cert   *tls.Certificate
		reason Reason
		words  string
	}{
		"of another CA": {newAuthority(t).odd(t, same), UnknownCA, "unknown authority"},
		"expired":       {ca.odd(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), Expired, "expired"},
		"too early":     {ca.odd(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), Expired, "not yet valid"},
		"names nobody":  {ca.odd(t, func(c *x509.Certificate) { c.URIs = nil }), NoIdentity, "names nobody"},
		"names two":     {ca.odd(t, func(c *x509.Certificate) { c.URIs = append(c.URIs, Identity{Proxy, "p"}.URI()) }), NoIdentity, "2 URIs"},
		"of another world": {ca.odd(t, func(c *x509.Certificate) { c.URIs[0].Host = "example.org" }),
			NoIdentity, "spiffe://fairlead/ROLE/NAME"},
		"for another use": {ca.odd(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }),
			Other, "key usage"},
	}
}

func showing(certs ...tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: certs, InsecureSkipVerify: true}
}

func TestServerRefuses(t *testing.T) {
	ca := newAuthority(t)
	good := *ca.odd(t, func(*x509.Certificate) {})
	type stranger struct {
		with   credentials.TransportCredentials
		reason Reason
	}
	old, other := showing(good), showing(good)
	old.MaxVersion = tls.VersionTLS12
	other.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return nil, errors.New("has changed its mind")
	}
	cases := map[string]stranger{
		"no certificate": {credentials.NewTLS(showing()), NoCertificate},
		"plain text":     {insecure.NewCredentials(), NoTLS},
		"TLS 1.2":        {credentials.NewTLS(old), Other},
		"goes away":      {credentials.NewTLS(other), Other},
	}
	for name, odd := range oddities(t, ca) {
		c := showing()
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return odd.cert, nil }
		cases[name] = stranger{credentials.NewTLS(c), odd.reason}
	}
	s := serve(t, ca.load(t, Controller, "c1").Server)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { serve(t, ca.load(t, Controller, "c1").Server).failsFor(t, c.with, c.reason) })
	}
	s.works(t, s.dial(t, credentials.NewTLS(showing(good))), "controller/odd")
}

func (s *server) failsFor(t *testing.T, with credentials.TransportCredentials, reason Reason) {
	t.Helper()
	s.fails(t, s.dial(t, with), reason)
}

func TestServerRefusesOtherProtocols(t *testing.T) {
	ca := newAuthority(t)
	good := ca.odd(t, func(*x509.Certificate) {})
	for name, protocols := range map[string][]string{"none": nil, "HTTP/1.1": {"http/1.1"}} {
		s := serve(t, ca.load(t, Controller, "c1").Server)
		config := showing(*good)
		config.NextProtos = protocols
		conn, err := tls.Dial("tcp", s.address, config)
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
			if closing := conn.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
				t.Log(closing) // the server has closed already
			}
		}
		if got := <-s.refused; err == nil || got.reason != Other {
			t.Errorf("a client with ALPN %s is refused for %q, and sees %v", name, got.reason, err)
		}
	}
}

func TestClientRefuses(t *testing.T) {
	ca := newAuthority(t)
	from := ca.load(t, Proxy, "p1").Client(Controller)
	servers := map[string]struct {
		with  credentials.TransportCredentials
		words string
	}{
		"wrong role": {ca.load(t, Proxy, "p2").Server(nil), "of proxy/p2, and a controller is wanted"},
		"plain text": {insecure.NewCredentials(), "does not speak TLS"},
	}
	for name, odd := range oddities(t, ca) {
		servers[name] = struct {
			with  credentials.TransportCredentials
			words string
		}{credentials.NewTLS(showing(*odd.cert)), odd.words}
	}
	old := showing(*ca.odd(t, func(*x509.Certificate) {}))
	old.MaxVersion = tls.VersionTLS12
	servers["TLS 1.2"] = struct {
		with  credentials.TransportCredentials
		words string
	}{credentials.NewTLS(old), "protocol version"}
	for name, c := range servers {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(func(net.Addr, Reason, error)) credentials.TransportCredentials { return c.with })
			if err := s.dial(t, from).call(t); err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("the client meets %v, want words on %q", err, c.words)
			}
			if len(s.peers)+len(s.unknown) > 0 {
				t.Error("the call came through")
			}
		})
	}
}

func TestPeerOf(t *testing.T) {
	ca := newAuthority(t)
	s := serve(t, func(refused func(net.Addr, Reason, error)) credentials.TransportCredentials {
		return wrapping{ca.load(t, Controller, "c1").Server(refused)}
	})
	for _, id := range []Identity{
		{Controller, "c2"}, {Proxy, "p1"}, {Agent, "render/*"}, {Agent, "render/[::1]:80"}, {Operator, "o"},
		{Client, "100%/?#[]@!$&'()*+,;="}, {Client, strings.Repeat("n", 255)},
	} {
		s.works(t, s.dial(t, ca.load(t, id.Role, id.Name).Client(Controller)), id.String())
	}
	plain := serve(t, func(func(net.Addr, Reason, error)) credentials.TransportCredentials { return insecure.NewCredentials() })
	if err := plain.dial(t, insecure.NewCredentials()).call(t); err != nil {
		t.Fatal(err)
	}
	<-plain.unknown
	foreign := peer.NewContext(t.Context(), &peer.Peer{AuthInfo: credentials.TLSInfo{}})
	for name, ctx := range map[string]context.Context{"no peer": t.Context(), "other TLS": foreign} {
		if who, ok := PeerOf(ctx); ok {
			t.Errorf("%s: the peer is %s", name, who)
		}
	}
}

// wrapping is credentials that wrap what the handshake yields, twice.
type wrapping struct {
	credentials.TransportCredentials
}

func (w wrapping) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := w.TransportCredentials.ServerHandshake(raw)
	return conn, wrapped{wrapped{info}}, err
}

type wrapped struct{ credentials.AuthInfo }

func (w wrapped) Unwrap() credentials.AuthInfo { return w.AuthInfo }

func TestOneSideIsNotTheOther(t *testing.T) {
	c := newAuthority(t).load(t, Proxy, "p1")
	if _, _, err := c.Server(nil).Clone().ClientHandshake(t.Context(), "", nil); !errors.Is(err, errSide) {
		t.Error(err)
	}
	if _, _, err := c.Client(Proxy).Clone().ServerHandshake(nil); !errors.Is(err, errSide) {
		t.Error(err)
	}
}

// TestNoResumption: a resumed session would not be checked against a new CA file.
func TestNoResumption(t *testing.T) {
	ca := newAuthority(t)
	s := serve(t, ca.load(t, Controller, "c1").Server)
	config := showing(*ca.odd(t, func(*x509.Certificate) {}))
	config.NextProtos = []string{"h2"}
	config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	config.ServerName = "controller"
	for range 2 {
		conn, err := tls.Dial("tcp", s.address, config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil { // a ticket would come before gRPC's first frame
			t.Error(err)
		}
		if conn.ConnectionState().DidResume {
			t.Error("the session was resumed")
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestHTTPS(t *testing.T) {
	ca := newAuthority(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello") // the client looks at what came
	}))
	now := newClock()
	files := ca.give(t, Controller, "c1")
	c, err := load(files, nil, now.time)
	if err != nil {
		t.Fatal(err)
	}
	ln := tls.NewListener(s.Listener, c.HTTPS())
	s.Listener = ln
	s.Start()
	defer s.Close()

	trusting := func(a authority) (string, error) { return get(t, a, "https://"+ln.Addr().String()) }
	if body, err := trusting(ca); err != nil || body != "hello" {
		t.Errorf("a browser gets %q, %v", body, err)
	}
	next := newAuthority(t)
	if _, err := trusting(next); err == nil {
		t.Error("a browser that knows another CA is content")
	}
	files.move(t, next.give(t, Controller, "c1"))
	now.add(lookEach)
	if body, err := trusting(next); err != nil || body != "hello" {
		t.Errorf("after a new CA a browser gets %q, %v", body, err)
	}
}

// get asks as a browser that trusts one CA, on a connection of its own.
func get(t *testing.T, ca authority, url string) (string, error) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	if r.TLS.Version != tls.VersionTLS13 {
		t.Errorf("it is TLS version %x", r.TLS.Version)
	}
	body, err := io.ReadAll(r.Body)
	return string(body), err
}
