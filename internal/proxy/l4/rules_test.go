package l4

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	own "github.com/fairlead/fairlead/internal/proxy/proxyproto"
	"github.com/fairlead/fairlead/internal/proxy/route"
)

// names are rules by host; each host's pool has its name.
func names(hosts ...string) *Rules {
	var rules []route.Rule
	for _, h := range hosts {
		rules = append(rules, route.Rule{Host: h, Pool: &link.Pool{Name: fleet.PoolName(h), ConnectTimeout: 5 * time.Second}})
	}
	return &Rules{Names: route.New(rules)}
}

// handshake begins TLS with this server name.
func handshake(c net.Conn, name string) {
	_ = tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
}

// TestByName: the server name leads to a pool, and the backend gets every byte.
func TestByName(t *testing.T) {
	first := make(chan byte, 10)
	g := to(backend(t, func(c *net.TCPConn) {
		b, _ := bufio.NewReader(c).ReadByte()
		first <- b
	}))
	s := serve(t, g, long)
	s.own.Store(names("db.example.org", "*.example.org", "*"))
	for _, c := range []struct{ name, pool string }{
		{"db.example.org", "db.example.org"}, {"DB.EXAMPLE.ORG", "db.example.org"}, {"x.y.example.org", "*.example.org"},
		{"example.org", "*"}, {"", "*"},
	} {
		go handshake(s.dial(), c.name)
		if pool := get(t, "ask", g.asks).Pool.Name; pool != fleet.PoolName(c.pool) {
			t.Errorf("%q leads to the pool %s, want %s", c.name, pool, c.pool)
		}
		if b := get(t, "first byte", first); b != 22 {
			t.Errorf("the backend's first byte is %d, want the handshake's 22", b)
		}
	}
	plain := s.dial()
	send(t, plain, "hello")
	if pool := get(t, "ask", g.asks).Pool.Name; pool != "*" {
		t.Errorf("what is not TLS leads to the pool %s", pool)
	}
	if b := get(t, "first byte", first); b != 'h' {
		t.Errorf("the backend's first byte is %q", b)
	}
}

// TestInPieces: a hello may come in pieces.
func TestInPieces(t *testing.T) {
	g := to(echo(t))
	s := serve(t, g, long)
	s.own.Store(names("db.example.org"))
	near, far := net.Pipe()
	defer far.Close()
	go func() { handshake(near, "db.example.org"); near.Close() }()
	hello := make([]byte, 1<<14)
	n, err := far.Read(hello)
	if err != nil {
		t.Fatal(err)
	}
	c := s.dial()
	for i := range n {
		send(t, c, string(hello[i:i+1]))
	}
	if pool := get(t, "ask", g.asks).Pool.Name; pool != "db.example.org" {
		t.Errorf("it leads to the pool %s", pool)
	}
	expect(t, c, string(hello[:n]))
}

// TestNameIsTold: the name that a connection was routed by is what its ask says.
func TestNameIsTold(t *testing.T) {
	g := to(echo(t))
	s := serve(t, g, long)
	s.own.Store(&Rules{Names: route.New([]route.Rule{{Host: "*", Pool: &link.Pool{Name: "db", About: true}}})})
	go handshake(s.dial(), "DB.example.org")
	if about := get(t, "ask", g.asks).About; about == nil || about.Host != "db.example.org" {
		t.Errorf("the ask says %+v", about)
	}
}

func TestUnrouted(t *testing.T) {
	for reason, say := range map[string]func(c *net.TCPConn){
		"unknown_name": func(c *net.TCPConn) { handshake(c, "other.org") },
		"no_name":      func(c *net.TCPConn) { send(t, c, "hello") },
		"bad_hello":    func(c *net.TCPConn) { send(t, c, "\x16\x03\x01\x00\x00") },
		"client_gone":  func(c *net.TCPConn) { c.CloseWrite() },
	} {
		s := serve(t, to(""), long)
		s.own.Store(names("db.example.org"))
		c := s.dial()
		say(c)
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: read %d bytes", reason, n)
		}
		s.end()
		if v := s.metric("fairlead_proxy_tcp_unrouted_total", reason); v != 1 {
			t.Errorf("%v for the reason %s", v, reason)
		}
	}
}

// TestUnnamed: a client that is slow is not taken for one that has no name.
func TestUnnamed(t *testing.T) {
	g, _ := waiting()
	c := &caller{TCPConn: serve(t, g, long).dial()} // to which nobody says anything
	err := c.readName(t.Context(), time.Millisecond)
	if got := unnamed(err).reason; got != "hello_timeout" || c.name != "" {
		t.Errorf("%v counts as %s", err, got)
	}
	if got := unnamed(errors.ErrUnsupported).reason; got != "client_gone" {
		t.Errorf("an error of another kind counts as %s", got)
	}
}

// TestStopWhileNaming: a proxy that stops waits for nobody's name.
func TestStopWhileNaming(t *testing.T) {
	s := serve(t, to(""), 0)
	s.own.Store(names("*"))
	c := s.dial()
	for s.server.Connections() == 0 { // until it is accepted
		runtime.Gosched()
	}
	s.stop()
	expectReset(t, c)
	s.end()
	if v := s.metric("fairlead_proxy_tcp_unrouted_total", "stopping"); v != 1 {
		t.Errorf("%v were stopped", v)
	}
}

// TestHeader: the client of a header is the one that asks, and that a backend is told of.
func TestHeader(t *testing.T) {
	for _, version := range []int{1, 2} {
		told := make(chan string, 1)
		g := to(backend(t, func(c *net.TCPConn) {
			r := bufio.NewReader(c)
			h, err := proxyproto.Read(r)
			if err != nil {
				t.Error(err)
				return
			}
			text, _ := io.ReadAll(r)
			told <- h.SourceAddr.String() + " " + h.DestinationAddr.String() + " " + string(text)
		}))
		s := serveFrom(t, g, long, acceptor(t))
		s.pool.Store(&link.Pool{Name: "db", About: true, SendProxy: version})
		c := s.dial()
		send(t, c, "PROXY TCP4 192.0.2.7 198.51.100.1 5555 443\r\nhello")
		c.CloseWrite()
		if about := get(t, "ask", g.asks).About; about == nil || about.Client != "192.0.2.7" || about.Flow != "192.0.2.7" {
			t.Errorf("the ask says %+v", about)
		}
		if got, want := get(t, "what the backend hears", told), "192.0.2.7:5555 198.51.100.1:443 hello"; got != want {
			t.Errorf("the backend hears %q, want %q", got, want)
		}
	}
}

// TestNoHeader: who has to send a header and does not is turned away before any ask.
func TestNoHeader(t *testing.T) {
	g := to(echo(t))
	s := serveFrom(t, g, long, acceptor(t))
	s.pool.Load().SendProxy = 1
	c := s.dial()
	send(t, c, "hello, this is no header")
	expectReset(t, c)
	if len(g.asks) > 0 {
		t.Error("it was asked for")
	}
}

// TestIdle: a link on which nothing moves is reset, and counted.
func TestIdle(t *testing.T) {
	g := to(echo(t))
	s := serve(t, g, long)
	s.own.Store(&Rules{Pool: s.pool.Load(), IdleTimeout: 50 * time.Millisecond})
	expectReset(t, s.dial())
	expectOutcome(t, g, fleet.Cancelled)
	if v := s.metric("fairlead_proxy_tcp_connections_total", "idle"); v != 1 {
		t.Errorf("%v were idle", v)
	}
}

// TestIdleAfterHalfClose: so is one whose client has said all.
func TestIdleAfterHalfClose(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	g := to(backend(t, func(*net.TCPConn) { <-over }))
	s := serve(t, g, long)
	s.own.Store(&Rules{Pool: s.pool.Load(), IdleTimeout: 50 * time.Millisecond})
	c := s.dial()
	_, _ = c.Write([]byte("all that there is to say")) // too late on a machine that is stuck
	c.CloseWrite()
	expectReset(t, c)
	expectOutcome(t, g, fleet.Cancelled)
}

// acceptor expects headers from loopback.
func acceptor(t testing.TB) *own.Acceptor {
	t.Helper()
	m, err := own.NewMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	from, err := own.Subnets([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	a := m.Acceptor("db")
	a.Expect(from)
	return a
}
