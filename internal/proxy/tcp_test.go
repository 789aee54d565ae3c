//go:build unix

package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// said is a TCP backend that sends what a connection says first to a channel, and closes.
func said(t *testing.T, c *controller, pool uint32) <-chan string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard, done := make(chan string, 100), make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 4096)
			n, _ := c.Read(b)
			heard <- string(b[:n])
			c.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	c.mu.Lock()
	c.backends[pool] = ln.Addr().String()
	c.mu.Unlock()
	return heard
}

// tcpTable is a TCP listener with a route for each host, to pools 1, 2 and so on.
func tcpTable(address string, hosts ...string) *fairleadv1.Table {
	t := table()
	t.Listeners = []*fairleadv1.Listener{{Name: "db", Address: address, Protocol: fairleadv1.Protocol_PROTOCOL_TCP}}
	for i, h := range hosts {
		t.Routes = append(t.Routes, &fairleadv1.Route{Listener: "db", Host: h, Path: "/", Pool: uint32(i + 1)})
	}
	return t
}

// hello begins TLS with a server name, and waits until the connection ends.
func hello(t *testing.T, address, name string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if tls.Client(c, &tls.Config{ServerName: name}).Handshake() == nil {
		t.Error("somebody answered the handshake")
	}
}

// TestServerNames has a table lead by TLS server name, and another one by others, while the
// listener stays.
func TestServerNames(t *testing.T) {
	c := newController(t)
	one, two := said(t, c, 1), said(t, c, 2)
	a := testproc.FreeAddr(t)
	c.tables <- tcpTable(a, "one.org", "*.two.org")
	p := start(t, Config{Dial: c.dial})
	<-p.Up()
	hello(t, a, "one.org")
	if b := <-one; !strings.Contains(b, "one.org") {
		t.Errorf("the backend heard %q", b)
	}
	hello(t, a, "x.two.org")
	<-two
	hello(t, a, "other.org")
	if len(one)+len(two) > 0 {
		t.Error("a name without a route was led somewhere")
	}
	c.tables <- tcpTable(a, "*.two.org", "one.org") // the other way round
	testproc.Await(t, soon, "the names to change", func(context.Context) error {
		hello(t, a, "one.org")
		select {
		case <-two:
			return nil
		case <-one:
			return fmt.Errorf("it goes to the first backend")
		}
	})
}

// TestHeaders has a table say who sends PROXY protocol headers, and that backends get one;
// and the next table that nobody does.
func TestHeaders(t *testing.T) {
	c := newController(t)
	heard := said(t, c, 1)
	a := testproc.FreeAddr(t)
	const header = "PROXY TCP4 192.0.2.7 198.51.100.1 5555 443\r\n"
	first := tcpTable(a, "*")
	first.Listeners[0].AcceptProxyFrom = []string{"127.0.0.0/8"}
	first.Listeners[0].IdleTimeoutMs = 60_000
	first.Pools[0].SendProxy = 1
	c.tables <- first
	p := start(t, Config{Dial: c.dial})
	<-p.Up()
	say := func(text string) string {
		conn, err := net.Dial("tcp", a)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = conn.Write([]byte(text))
		_, _ = io.ReadAll(conn) // until it ends, one way or another
		select {
		case got := <-heard:
			return got
		default:
			return ""
		}
	}
	// What a backend reads first may be the header alone.
	if got := say(header + "hello"); !strings.HasPrefix(got, header) {
		t.Errorf("the backend heard %q", got)
	}
	if got := say("hello"); got != "" {
		t.Errorf("without a header the backend heard %q", got)
	}
	c.tables <- tcpTable(a, "*")
	testproc.Await(t, soon, "headers to be unknown", func(context.Context) error {
		if got := say("hello"); got != "hello" {
			return fmt.Errorf("the backend heard %q", got)
		}
		return nil
	})
}

// TestBadSubnet: a listener that cannot tell who sends headers is not opened.
func TestBadSubnet(t *testing.T) {
	c := newController(t)
	bad := tcpTable(testproc.FreeAddr(t), "*")
	bad.Listeners[0].AcceptProxyFrom = []string{"everywhere"}
	c.tables <- bad
	if err := start(t, Config{Dial: c.dial}).end(t); err == nil || !strings.Contains(err.Error(), "everywhere") {
		t.Errorf("Run = %v", err)
	}
	c = newController(t)
	bad = table(webAt(testproc.FreeAddr(t), 1))
	bad.Listeners[0].Trusted = []string{"anybody"}
	c.tables <- bad
	if err := start(t, Config{Dial: c.dial}).end(t); err == nil || !strings.Contains(err.Error(), "anybody") {
		t.Errorf("Run = %v", err)
	}
}
