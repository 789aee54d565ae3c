package http1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
)

// headed has connections from loopback begin with a PROXY protocol header.
func headed(t *testing.T) func(*Config, *link.Pool) {
	t.Helper()
	m, err := proxyproto.NewMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	from, err := proxyproto.Subnets([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config, p *link.Pool) {
		c.Headers = m.Acceptor("web")
		c.Headers.Expect(from)
		p.About = true
	}
}

const fromElsewhere = "PROXY TCP4 192.0.2.7 198.51.100.1 5555 443\n"

// TestClientOfHeader: the client in the header is the one that asks and that backends see, on
// each request of its connection.
func TestClientOfHeader(t *testing.T) {
	seen := make(chan string, 10)
	g := to(backend(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("X-Forwarded-For") }))
	c := serve(t, g, long, headed(t)).dial()
	c.send(fromElsewhere)
	for range 2 {
		c.send("GET / HTTP/1.1\nHost: x\n\n")
		if res := c.answer(); res.StatusCode != http.StatusOK {
			t.Fatalf("answered %v", res)
		}
		if about := get(t, "ask", g.asks).About; about == nil || about.Client != "192.0.2.7" {
			t.Errorf("the ask says %+v", about)
		}
		if got := get(t, "request", seen); got != "192.0.2.7" {
			t.Errorf("the backend sees the client %q", got)
		}
	}
}

// TestNoHeader: who has to send one and does not is told nothing.
func TestNoHeader(t *testing.T) {
	g := to("")
	s := serve(t, g, long, headed(t))
	c := s.dial()
	c.send("GET / HTTP/1.1\nHost: x\n\n")
	if rest := c.expectEnd(); rest != "" || len(g.asks) > 0 {
		t.Errorf("it was told %q after %d asks", rest, len(g.asks))
	}
}

// TestStopBeforeHeader: one that says nothing does not keep the proxy from stopping.
func TestStopBeforeHeader(t *testing.T) {
	s := serve(t, to(""), 0, headed(t))
	c := s.dial()
	c.send("PROX")
	for s.server.Connections() == 0 { // until it is accepted
		runtime.Gosched()
	}
	s.stop()
	if rest := c.expectEnd(); rest != "" {
		t.Errorf("it was told %q", rest)
	}
}

// TestHeaderThenUpgrade: a connection that began with a header is still one that can be taken
// over, half-close and all.
func TestHeaderThenUpgrade(t *testing.T) {
	g := to(rawBackend(t, func(c net.Conn, r *bufio.Reader) {
		head(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
		said, _ := io.ReadAll(r)
		_, _ = c.Write(said)
	}))
	c := serve(t, g, long, headed(t)).dial()
	c.send(fromElsewhere + "GET / HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: chat\n\n")
	if res := c.answer(); res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answered %v", res)
	}
	c.send("hello")
	c.CloseWrite()
	if rest := c.expectEnd(); rest != "hello" {
		t.Errorf("it heard %q", rest)
	}
	expectOutcome(t, g, fleet.OK)
}

// TestStopWhileAccepting: a connection that is accepted while the server is told to stop is
// waited for as any other.
func TestStopWhileAccepting(t *testing.T) {
	for range 30 {
		s := serve(t, to(""), 0)
		c := s.dial()
		s.stop()
		if rest := c.expectEnd(); rest != "" {
			t.Errorf("it was told %q", rest)
		}
	}
}
