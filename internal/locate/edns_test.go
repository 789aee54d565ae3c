package locate

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/fairlead/fairlead/internal/fleet"
)

// subnet adds a client subnet to a query.
func subnet(q *dns.Msg, prefix string) *dns.Msg {
	p := netip.MustParsePrefix(prefix)
	family := uint16(2)
	if p.Addr().Is4() {
		family = 1
	}
	q.SetEdns0(1232, false)
	q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_SUBNET{
		Code: dns.EDNS0SUBNET, Family: family, SourceNetmask: uint8(p.Bits()), Address: net.IP(p.Addr().AsSlice()),
	}}
	return q
}

// subnetIn returns an answer's client subnet, as address/prefix/scope.
func subnetIn(m *dns.Msg) string {
	if opt := m.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if s, ok := o.(*dns.EDNS0_SUBNET); ok {
				return fmt.Sprintf("%s/%d/%d", s.Address, s.SourceNetmask, s.SourceScope)
			}
		}
	}
	return ""
}

func TestClientSubnet(t *testing.T) {
	for _, c := range []struct{ name, subnet, first, echo string }{
		{"web.lb.example.org.", "10.1.0.0/24", "192.0.2.1", "10.1.0.0/24/24"},
		{"web.lb.example.org.", "10.1.7.0/24", "192.0.2.2", "10.1.7.0/24/24"},
		{"web.lb.example.org.", "2001:db8:b::/48", "192.0.2.2", "2001:db8:b::/48/48"},
		{"web.lb.example.org.", "0.0.0.0/0", "192.0.2.1", "0.0.0.0/0/0"}, // by the sender, on loopback
		{"nothing.lb.example.org.", "10.1.7.0/24", "", "10.1.7.0/24/0"},
		{"a.proxy.lb.example.org.", "10.1.7.0/24", "192.0.2.1", "10.1.7.0/24/0"},
	} {
		d := newDNSRig(t, Config{Zones: testZones()}, proxy("a", "a", "192.0.2.1", 10), proxy("b", "b", "192.0.2.2", 10))
		m := d.ask(t, "udp", subnet(question(c.name, dns.TypeA), c.subnet))
		first := ""
		if len(m.Answer) > 0 {
			first = m.Answer[0].(*dns.A).A.String()
		}
		if first != c.first || subnetIn(m) != c.echo {
			t.Errorf("%s from %s: %s and %s, want %s and %s", c.name, c.subnet, first, subnetIn(m), c.first, c.echo)
		}
		d.stop()
	}
	// Without zones the answer is for everyone.
	d := newDNSRig(t, Config{}, four()...)
	if got := subnetIn(d.ask(t, "udp", subnet(question("web.lb.example.org.", dns.TypeA), "10.1.7.0/24"))); got != "10.1.7.0/24/0" {
		t.Errorf("without zones the scope is %s, want 0", got)
	}
	if m := d.ask(t, "udp", question("web.lb.example.org.", dns.TypeA)); m.IsEdns0() != nil {
		t.Errorf("a query without EDNS0 is answered with it: %v", m)
	}
}

func TestMalformedSubnet(t *testing.T) {
	r := newRig(t, Config{Zones: testZones()}, four()...)
	good, err := subnet(question("web.lb.example.org.", dns.TypeA), "10.1.16.0/20").Pack()
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(good, []byte{0, 1, 20, 0, 10, 1, 16})
	for name, change := range map[string]func([]byte){
		"a bit beyond the prefix": func(b []byte) { b[at+6] |= 1 },
		"a scope":                 func(b []byte) { b[at+3] = 8 },
		"another family":          func(b []byte) { b[at+1] = 9 },
		"too long a prefix":       func(b []byte) { b[at+2] = 33 },
	} {
		bad := bytes.Clone(good)
		change(bad)
		m := new(dns.Msg)
		if err := m.Unpack(r.answerQuery(bad, netip.MustParseAddr("192.0.2.9"), true)); err != nil || m.Rcode != dns.RcodeFormatError {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	m := new(dns.Msg)
	if err := m.Unpack(r.answerQuery(good, netip.MustParseAddr("192.0.2.9"), true)); err != nil || m.Rcode != 0 || len(m.Answer) == 0 {
		t.Errorf("unchanged: %v, %v", m, err)
	}
}

// longNames are proxies whose SRV records are long, in a domain that is too.
func longNames() (Config, []fleet.ProxyState) {
	var c Config
	c.Locate.Domain = strings.Repeat(strings.Repeat("d", 40)+".", 4) + "example.org"
	var all []fleet.ProxyState
	for i := range 4 {
		all = append(all, proxy(fmt.Sprint("proxy-", i, strings.Repeat("x", 35)), "", fmt.Sprint("192.0.2.", i+1), 100))
	}
	return c, all
}

// TestTruncation: an answer has at most what the client takes; first the addresses beside
// it go, then it says TC, and TCP has all.
func TestTruncation(t *testing.T) {
	c, proxies := longNames()
	d := newDNSRig(t, c, proxies...)
	name := "_web._tcp." + c.Locate.Domain + "."
	for _, s := range []struct {
		size             uint16 // 0: no EDNS
		limit, n, beside int
		truncated        bool
	}{{0, 512, 0, 0, true}, {100, 512, 0, 0, true}, {900, 900, 0, 0, true}, {1232, 1232, 4, 2, false}, {4096, 1232, 4, 2, false}} {
		q := question(name, dns.TypeSRV)
		if s.size > 0 {
			q.SetEdns0(s.size, false)
		}
		wire, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		out, m := d.answerQuery(wire, netip.MustParseAddr("192.0.2.77"), true), new(dns.Msg)
		if err := m.Unpack(out); err != nil {
			t.Fatal(err)
		}
		beside := len(m.Extra)
		if s.size > 0 {
			beside--
		}
		if len(out) > s.limit || m.Truncated != s.truncated || len(m.Answer) != s.n || beside != s.beside || (m.IsEdns0() != nil) != (s.size > 0) {
			t.Errorf("with %d: %d bytes, %v", s.size, len(out), m)
		}
		if over := d.ask(t, "udp", q); over.Truncated != s.truncated {
			t.Errorf("with %d over UDP: %v", s.size, over)
		}
		if over := d.ask(t, "tcp", q); over.Truncated || len(over.Answer) != 4 {
			t.Errorf("with %d over TCP: %v", s.size, over)
		}
	}
}
