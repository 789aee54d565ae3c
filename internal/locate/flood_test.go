package locate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestFlood: beyond the limit every other query is told to use TCP, in no more bytes than
// it has, and the rest are not answered. Time stands still.
func TestFlood(t *testing.T) {
	d := newFrozenRig(t)
	c, err := net.Dial("udp", d.udp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	wire, err := question("_web._tcp.lb.example.org.", dns.TypeSRV).SetEdns0(1232, false).Pack()
	if err != nil {
		t.Fatal(err)
	}
	send := func() {
		if _, err := c.Write(wire); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 4096)
	receive := func() *dns.Msg {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		m := new(dns.Msg)
		if err := m.Unpack(buf[:n]); err != nil {
			t.Fatal(err)
		}
		if m.Truncated && n > len(wire) {
			t.Errorf("%d bytes for %d", n, len(wire))
		}
		return m
	}
	for i := range asksBurst {
		if send(); receive().Truncated {
			t.Fatalf("query %d is over the limit", i)
		}
	}
	for range 50 {
		send()
		send()
		if m := receive(); !m.Truncated || len(m.Answer)+len(m.Extra) > 0 || len(m.Question) != 1 {
			t.Fatalf("over the limit: %v", m)
		}
	}
	if m := d.ask(t, "tcp", question("_web._tcp.lb.example.org.", dns.TypeSRV)); m.Truncated || len(m.Answer) == 0 {
		t.Errorf("over TCP: %v", m)
	}
	if told, silent := d.refusals(reasonTruncated), d.refusals(reasonIgnored); told != 50 || silent < 49 {
		t.Errorf("%v are told and %v ignored, want 50 of either", told, silent)
	}
	if n := d.log.lines("a DNS query was refused"); n != 1 {
		t.Errorf("the log has %d lines on a flood of one moment, want 1", n)
	}
}

// newFrozenRig serves at one moment that lasts.
func newFrozenRig(t *testing.T) *dnsRig {
	t.Helper()
	r := newRig(t, Config{}, four()...)
	moment := time.Unix(1e9, 0)
	r.now, r.start = func() time.Time { return moment }, moment
	return serveRig(t, r)
}

func TestBuckets(t *testing.T) {
	b := newBuckets(10, 3)
	me, other := prefixOf(netip.MustParseAddr("192.0.2.1")), prefixOf(netip.MustParseAddr("192.0.3.1"))
	if prefixOf(netip.MustParseAddr("192.0.2.255")) != me || prefixOf(netip.MustParseAddr("::ffff:192.0.2.9")) != me || other == me {
		t.Error("a sender is not a /24")
	}
	a6, b6, c6 := netip.MustParseAddr("2001:db8:1:200::1"), netip.MustParseAddr("2001:db8:1:2ff::2"), netip.MustParseAddr("2001:db8:1:300::1")
	if prefixOf(a6) != prefixOf(b6) || prefixOf(a6) == prefixOf(c6) {
		t.Error("a sender is not a /56")
	}
	for i, step := range []struct {
		at   time.Duration
		who  sender
		want verdict
	}{
		{0, me, allowed}, {0, me, allowed}, {0, me, allowed}, {0, me, curtailed}, {0, me, ignored}, {0, me, curtailed},
		{0, other, allowed}, {100 * time.Millisecond, me, allowed}, {100 * time.Millisecond, me, ignored},
		{time.Hour, me, allowed}, {time.Hour, me, allowed}, {time.Hour, me, allowed}, {time.Hour, me, curtailed},
	} {
		if got := b.take(step.who, step.at); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
}

// TestBucketsAreBounded: more senders than the table holds get no more than it allows.
func TestBucketsAreBounded(t *testing.T) {
	const sets, burst = 2, 5
	b := newBuckets(10, burst)
	b.sets = b.sets[:sets]
	got := 0
	for i := range 10_000 {
		if b.take(sender(i<<8|4), 0) == allowed {
			got++
		}
	}
	if want := sets * bucketWays * burst; got != want {
		t.Errorf("%d of 10000 senders are allowed at one moment, want %d", got, want)
	}
}

// TestGarbage: the server outlives whatever comes, over UDP and TCP.
func TestGarbage(t *testing.T) {
	r := newRig(t, Config{}, four()...)
	r.asks = newBuckets(1e9, 1e9)
	d := serveRig(t, r)
	good, err := question("web.lb.example.org.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(1, 1))
	udp, err := net.Dial("udp", d.udp)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for i := range 3000 {
		bad := bytes.Clone(good[:dice.IntN(len(good)+1)])
		for range dice.IntN(6) {
			if len(bad) > 0 {
				bad[dice.IntN(len(bad))] = byte(dice.Uint32())
			}
		}
		if _, err := udp.Write(bad); err != nil {
			t.Fatal(err)
		}
		if i%30 == 0 { // more at once would not fit the socket's buffer
			garbageTCP(t, d.tcp, bad, dice)
			for _, network := range []string{"udp", "tcp"} {
				if m := d.ask(t, network, question("web.lb.example.org.", dns.TypeA)); len(m.Answer) == 0 {
					t.Fatalf("over %s after the garbage: %v", network, m)
				}
			}
		}
	}
}

func garbageTCP(t *testing.T, address string, bad []byte, dice *rand.Rand) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	claim := len(bad) + dice.IntN(3)*1000 // more than what comes
	_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(claim)), bad...))
}

// TestManyConnections: beyond the cap a connection is closed at once, and when one leaves
// another may come.
func TestManyConnections(t *testing.T) {
	d := newDNSRig(t, Config{}, four()...)
	var open []*dns.Conn
	dial := func() *dns.Conn {
		c, err := dns.Dial("tcp", d.tcp)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		return c
	}
	answers := func(c *dns.Conn) bool {
		_ = c.WriteMsg(question("web.lb.example.org.", dns.TypeA))
		_, err := c.ReadMsg()
		return err == nil
	}
	for i := range maxConnsEach {
		c := dial()
		defer c.Close()
		if open = append(open, c); !answers(c) {
			t.Fatalf("connection %d is not answered", i)
		}
	}
	extra := dial()
	if answers(extra) {
		t.Error("one connection too many is answered")
	}
	_ = extra.Close()
	if got := d.refusals(reasonConnections); got != 1 {
		t.Errorf("%v connections are counted as too many, want 1", got)
	}
	_ = open[0].Close()
	for { // the server learns of it soon
		c := dial()
		ok := answers(c)
		_ = c.Close()
		if ok {
			break
		}
	}
}

// TestGate: places are given back, once each.
func TestGate(t *testing.T) {
	ends := func() net.Conn { // addresses of a pipe are no addresses
		a, b := net.Pipe()
		t.Cleanup(func() { _ = b.Close() })
		return a
	}
	g := newGate(nil, 3, 2, nil)
	for range 5 {
		first, ok1 := g.enter(ends())
		second, ok2 := g.enter(ends())
		_, ok3 := g.enter(ends())
		if !ok1 || !ok2 || ok3 || !g.crowded() {
			t.Fatalf("of one sender enter %v, %v, %v; want two", ok1, ok2, ok3)
		}
		_ = first.Close()
		_ = first.Close()
		if _, ok := g.enter(first.Conn); !ok {
			t.Fatal("the place of one that left is not free")
		}
		for c := range g.open {
			_ = c.Close()
		}
		_ = second.Close()
		if len(g.open)+len(g.each) > 0 || g.crowded() {
			t.Fatalf("after all left there are %v, %v", g.open, g.each)
		}
	}
}

// TestQueriesOfOneConnection: after so many it is closed.
func TestQueriesOfOneConnection(t *testing.T) {
	d := newDNSRig(t, Config{}, four()...)
	c, err := dns.Dial("tcp", d.tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	for i := range maxConnQueries {
		if err := c.WriteMsg(question("web.lb.example.org.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReadMsg(); err != nil {
			t.Fatalf("query %d: %v", i, err)
		}
	}
	_ = c.WriteMsg(question("web.lb.example.org.", dns.TypeA))
	if m, err := c.ReadMsg(); err == nil {
		t.Errorf("one query too many is answered: %v", m)
	}
}

// TestServeDNSEnds: with connections open, without sockets, without a domain, and when
// somebody closes a socket.
func TestServeDNSEnds(t *testing.T) {
	d := newDNSRig(t, Config{}, four()...)
	c, err := net.Dial("tcp", d.tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d.stop()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlives the server")
	}
	none, err := New(Config{Source: &fakeSource{}})
	if err != nil {
		t.Fatal(err)
	}
	tcp := listenTCP(t)
	if err := none.ServeDNS(context.Background(), nil, tcp); err == nil {
		t.Error("DNS is served without a domain")
	}
	if _, err := tcp.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is left open: %v", err)
	}
	tcp = listenTCP(t)
	_ = tcp.Close()
	if err := d.ServeDNS(context.Background(), nil, tcp); !errors.Is(err, net.ErrClosed) {
		t.Errorf("with a closed listener: %v", err)
	}
}
