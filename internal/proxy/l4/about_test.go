package l4

import (
	"bufio"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/fairlead/fairlead/internal/proxy/link"
)

// TestServerName: the ask of a TLS client says its server name, and the backend gets every
// byte of the handshake.
func TestServerName(t *testing.T) {
	first := make(chan byte, 1)
	g := to(backend(t, func(c *net.TCPConn) {
		b, _ := bufio.NewReader(c).ReadByte()
		first <- b
	}))
	s := serve(t, g, time.Minute)
	s.pool.Store(&link.Pool{Name: "db", About: true})
	c := s.dial()
	go func() { _ = tls.Client(c, &tls.Config{ServerName: "db.example.org"}).Handshake() }()
	about := get(t, "ask", g.asks).About
	if about == nil || about.Client != "127.0.0.1" || about.Flow != "127.0.0.1" {
		t.Fatalf("the ask says %+v", about)
	}
	// The name is only looked for as long as helloWait, so on a busy machine it may be
	// missing; but it is never another.
	if about.Host != "" && about.Host != "db.example.org" {
		t.Errorf("the server name is %q", about.Host)
	}
	if b := get(t, "first byte", first); b != 22 {
		t.Errorf("the backend's first byte is %d, want the handshake's 22", b)
	}
}

// TestPresent: in a pool with tickets the backend is told who the client is and shown the
// ticket, before the client's first byte.
func TestPresent(t *testing.T) {
	type said struct {
		header *proxyproto.Header
		rest   string
	}
	heard := make(chan said, 1)
	g := to(backend(t, func(c *net.TCPConn) {
		r := bufio.NewReader(c)
		h, err := proxyproto.Read(r)
		if err != nil {
			t.Error(err)
		}
		rest := make([]byte, 5)
		n, _ := r.Read(rest)
		heard <- said{h, string(rest[:n])}
	}))
	g.adorn = func(g *link.Grant) { g.Ticket = "T1.2-_" }
	s := serve(t, g, time.Minute)
	c := s.dial()
	send(t, c, "hello")
	got := get(t, "what the backend hears", heard)
	tlvs, err := got.header.TLVs()
	if err != nil || len(tlvs) != 1 || tlvs[0].Type != ticketTLV || string(tlvs[0].Value) != "T1.2-_" {
		t.Errorf("the header's TLVs are %v, %v", tlvs, err)
	}
	if got.header.SourceAddr.String() != c.LocalAddr().String() || got.rest != "hello" {
		t.Errorf("the backend was told of %v and heard %q", got.header.SourceAddr, got.rest)
	}
}
