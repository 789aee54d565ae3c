package locate

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/fairlead/fairlead/internal/fleet"
)

// dnsRig is a rig that serves DNS over real sockets.
type dnsRig struct {
	*rig
	udp, tcp string // addresses
	stop     func()
}

func newDNSRig(t testing.TB, c Config, proxies ...fleet.ProxyState) *dnsRig {
	t.Helper()
	return serveRig(t, newRig(t, c, proxies...))
}

// serveRig has a rig serve DNS; nobody changes the rig after that.
func serveRig(t testing.TB, r *rig) *dnsRig {
	t.Helper()
	d := &dnsRig{rig: r}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp := listenTCP(t)
	d.udp, d.tcp = udp.LocalAddr().String(), tcp.Addr().String()
	d.stop = serve(t, func(ctx context.Context) error { return d.ServeDNS(ctx, udp, tcp) })
	return d
}

// ask sends a query, over udp or tcp.
func (d *dnsRig) ask(t testing.TB, network string, q *dns.Msg) *dns.Msg {
	t.Helper()
	address := d.udp
	if network == "tcp" {
		address = d.tcp
	}
	client := &dns.Client{Net: network, Timeout: patience, UDPSize: 4096}
	m, _, err := client.Exchange(q, address)
	if err != nil {
		t.Fatalf("%s query for %v: %v", network, q.Question, err)
	}
	return m
}

func question(name string, kind uint16) *dns.Msg { return new(dns.Msg).SetQuestion(name, kind) }

// brevity is an answer's records in one line: type, and what it points at.
func brevity(rrs []dns.RR) string {
	var all []string
	for _, rr := range rrs {
		text := strings.TrimPrefix(rr.String(), rr.Header().String())
		all = append(all, dns.TypeToString[rr.Header().Rrtype]+" "+text)
	}
	return strings.Join(all, ", ")
}

const soaText = "SOA fairlead-ns.lb.example.org. hostmaster.lb.example.org. 1 3600 600 86400 5"

// TestDNSAnswers asks for every name and type, over UDP and TCP.
func TestDNSAnswers(t *testing.T) {
	alone := []fleet.ProxyState{
		proxy("v4", "", "192.0.2.1", 0), proxy("v6", "", "2001:db8::1", 1), proxy("Big.Name", "", "192.0.2.3", 0),
		proxy("named", "", "edge.example.net", 1), proxy("same", "", "192.0.2.1", 0),
	}
	hash := labelOf("Big.Name")
	for i := range alone {
		alone[i].Connections += 100 // so that questions do not move the loads apart
	}
	v4Answer, v6Answer := "A 192.0.2.1, A 192.0.2.3", "AAAA 2001:db8::1"
	for _, c := range []struct {
		name  string
		kind  uint16
		rcode int
		want  string // in the answer, in any order; empty: a SOA elsewhere
	}{
		{"web.lb.example.org.", dns.TypeA, 0, v4Answer},
		{"web.lb.example.org.", dns.TypeAAAA, 0, v6Answer},
		{"web.lb.example.org.", dns.TypeTXT, 0, ""},
		{"web.lb.example.org.", dns.TypeSRV, 0, ""},
		{"web.lb.example.org.", dns.TypeANY, 0, `HINFO "RFC8482" ""`},
		{"db.lb.example.org.", dns.TypeA, 0, v4Answer},
		{"db.lb.example.org.", dns.TypeHTTPS, 0, ""},
		{"my.app.lb.example.org.", dns.TypeA, 0, ""},
		{"app.lb.example.org.", dns.TypeA, 0, ""}, // a name between
		{"_tcp.lb.example.org.", dns.TypeSRV, 0, ""},
		{"app._tcp.lb.example.org.", dns.TypeSRV, 0, ""},
		{"_my.app._tcp.lb.example.org.", dns.TypeSRV, 0, ""},
		{"_web._tcp.lb.example.org.", dns.TypeA, 0, ""},
		{"proxy.lb.example.org.", dns.TypeA, 0, ""},
		{"v4.proxy.lb.example.org.", dns.TypeA, 0, "A 192.0.2.1"},
		{"v4.proxy.lb.example.org.", dns.TypeAAAA, 0, ""},
		{"v6.proxy.lb.example.org.", dns.TypeAAAA, 0, "AAAA 2001:db8::1"},
		{hash + ".proxy.lb.example.org.", dns.TypeA, 0, "A 192.0.2.3"},
		{"named.proxy.lb.example.org.", dns.TypeA, 0, ""},
		{"lb.example.org.", dns.TypeSOA, 0, soaText},
		{"lb.example.org.", dns.TypeNS, 0, "NS fairlead-ns.lb.example.org."},
		{"lb.example.org.", dns.TypeA, 0, ""},
		{"lb.example.org.", dns.TypeANY, 0, `HINFO "RFC8482" ""`},
		{"fairlead-ns.lb.example.org.", dns.TypeA, 0, "A 198.51.100.1"},
		{"fairlead-ns.lb.example.org.", dns.TypeAAAA, 0, ""},
		{"nothing.lb.example.org.", dns.TypeA, dns.RcodeNameError, ""},
		{"nothing.proxy.lb.example.org.", dns.TypeA, dns.RcodeNameError, ""},
		{"big.name.proxy.lb.example.org.", dns.TypeA, dns.RcodeNameError, ""},
		{"_nothing._tcp.lb.example.org.", dns.TypeSRV, dns.RcodeNameError, ""},
		{"web._tcp.lb.example.org.", dns.TypeSRV, dns.RcodeNameError, ""},
		{`we\.b.lb.example.org.`, dns.TypeA, dns.RcodeNameError, ""},
		{`\000\255.lb.example.org.`, dns.TypeANY, dns.RcodeNameError, ""},
	} {
		for _, network := range []string{"udp", "tcp"} {
			conf := Config{}
			conf.Locate.DNS = "198.51.100.1:53"
			d := newDNSRig(t, conf, alone...)
			m := d.ask(t, network, question(c.name, c.kind))
			what := fmt.Sprintf("%s %s over %s", c.name, dns.TypeToString[c.kind], network)
			if m.Rcode != c.rcode || !m.Authoritative || m.RecursionAvailable || m.Truncated {
				t.Errorf("%s: %v", what, m)
			}
			if got := brevity(m.Answer); !sameRecords(got, c.want) {
				t.Errorf("%s: answers %s, want %s", what, got, c.want)
			}
			if got := brevity(m.Ns); (c.want == "") != (got == soaText) || c.want != "" && got != "" {
				t.Errorf("%s: the authority says %q", what, got)
			}
			d.stop()
		}
	}
}

// sameRecords compares lists without their order.
func sameRecords(a, b string) bool {
	as, bs := strings.Split(a, ", "), map[string]int{}
	for _, r := range strings.Split(b, ", ") {
		bs[r]++
	}
	for _, r := range as {
		bs[r]--
	}
	for _, n := range bs {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestDNSServices: SRV and HTTPS, with ports, ranks and addresses.
func TestDNSServices(t *testing.T) {
	d := newDNSRig(t, Config{}, proxy("a", "", "192.0.2.1", 100), proxy("b", "", "2001:db8::2", 110), proxy("c", "", "edge.example.net", 120))
	m := d.ask(t, "udp", question("_db._tcp.lb.example.org.", dns.TypeSRV))
	if got, want := brevity(m.Answer), "SRV 1 100 5432 a.proxy.lb.example.org., SRV 2 92 5432 b.proxy.lb.example.org., SRV 3 83 5432 edge.example.net."; got != want && got != strings.Replace(want, "2 92", "2 91", 1) {
		t.Errorf("SRV is %s, want %s", got, want)
	}
	if got, want := brevity(m.Extra), "A 192.0.2.1, AAAA 2001:db8::2"; got != want {
		t.Errorf("beside it is %s, want %s", got, want)
	}
	for _, rr := range append(m.Answer, m.Extra...) {
		if rr.Header().Ttl != 5 {
			t.Errorf("%v: want a TTL of 5 s", rr)
		}
	}
	m = d.ask(t, "udp", question("web.lb.example.org.", dns.TypeHTTPS))
	want := `HTTPS 1 a.proxy.lb.example.org. port="80" ipv4hint="192.0.2.1", HTTPS 2 b.proxy.lb.example.org. port="80" ipv6hint="2001:db8::2", HTTPS 3 edge.example.net. port="80"`
	if got := brevity(m.Answer); got != want {
		t.Errorf("HTTPS is %s, want %s", got, want)
	}
	d.ask(t, "udp", question("web.lb.example.org.", dns.TypeA))
	d.ask(t, "udp", question("web.lb.example.org.", dns.TypeA))
	if n := d.log.lines("a host name"); n != 1 {
		t.Errorf("the log says %d times that a proxy has a host name, want once", n)
	}
	d.stop()
	if got := d.chooser.seats[0].coming(); got != 4 {
		t.Errorf("4 answers named a first, and %v are on their way there", got)
	}
	if got := d.choices(doorDNS, resultChosen); got != 4 {
		t.Errorf("%v choices are counted, want 4", got)
	}
	without := newRig(t, Config{WithoutHTTPS: true}, four()...)
	if f := without.find("web"); f.kind != isListener {
		t.Fatal("web is not there")
	}
	if m, _ := without.reply(question("web.lb.example.org.", dns.TypeHTTPS), extension{}, netip.Addr{}); len(m.Answer) > 0 {
		t.Errorf("HTTPS is there though it was left out: %v", m.Answer)
	}
}

// TestDNSRefuses: every way not to be answered, its rcode and its counter.
func TestDNSRefuses(t *testing.T) {
	d := newDNSRig(t, Config{}, four()...)
	with := func(change func(*dns.Msg)) *dns.Msg {
		m := question("web.lb.example.org.", dns.TypeA)
		change(m)
		return m
	}
	for name, c := range map[string]struct {
		q     *dns.Msg
		rcode int
		why   reason
	}{
		"another domain":  {question("web.example.org.", dns.TypeA), dns.RcodeRefused, reasonName},
		"its parent":      {question("example.org.", dns.TypeSOA), dns.RcodeRefused, reasonName},
		"the root":        {question(".", dns.TypeNS), dns.RcodeRefused, reasonName},
		"a lookalike":     {question("xlb.example.org.", dns.TypeA), dns.RcodeRefused, reasonName},
		"an escaped dot":  {question(`x\.lb.example.org.`, dns.TypeA), dns.RcodeRefused, reasonName},
		"chaos":           {with(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeRefused, reasonClass},
		"any class":       {with(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassANY }), dns.RcodeRefused, reasonClass},
		"a transfer":      {question("lb.example.org.", dns.TypeAXFR), dns.RcodeRefused, reasonTransfer},
		"part of one":     {new(dns.Msg).SetIxfr("lb.example.org.", 1, "a.", "b."), dns.RcodeRefused, reasonTransfer},
		"a notify":        {new(dns.Msg).SetNotify("lb.example.org."), dns.RcodeNotImplemented, reasonOpcode},
		"an update":       {new(dns.Msg).SetUpdate("lb.example.org."), dns.RcodeNotImplemented, reasonOpcode},
		"two questions":   {with(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), dns.RcodeFormatError, reasonFormat},
		"no question":     {with(func(m *dns.Msg) { m.Question = nil }), dns.RcodeFormatError, reasonFormat},
		"an answer in it": {with(func(m *dns.Msg) { m.Answer = []dns.RR{d.dns.soa("x.")} }), dns.RcodeFormatError, reasonFormat},
		"two OPTs":        {with(func(m *dns.Msg) { m.SetEdns0(1232, false); m.Extra = append(m.Extra, m.Extra[0]) }), dns.RcodeFormatError, reasonFormat},
		"EDNS 1":          {with(func(m *dns.Msg) { m.SetEdns0(1232, true); m.IsEdns0().SetVersion(1) }), dns.RcodeBadVers, reasonVersion},
	} {
		for _, network := range []string{"udp", "tcp"} {
			before := d.refusals(c.why)
			conn, err := dns.Dial(network, map[string]string{"udp": d.udp, "tcp": d.tcp}[network])
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.WriteMsg(c.q); err != nil {
				t.Fatal(err)
			}
			m, err := conn.ReadMsg()
			_ = conn.Close()
			if err != nil {
				t.Fatalf("%s over %s: %v", name, network, err)
			}
			if m.Rcode != c.rcode || m.Id != c.q.Id || m.Authoritative || len(m.Answer)+len(m.Ns) > 0 {
				t.Errorf("%s over %s: %v", name, network, m)
			}
			if d.refusals(c.why) != before+1 {
				t.Errorf("%s over %s is not counted as %s", name, network, c.why)
			}
			if c.q.IsEdns0() != nil && c.why == reasonVersion && (m.IsEdns0() == nil || m.IsEdns0().Version() != 0) {
				t.Errorf("%s: the answer does not say which EDNS we speak: %v", name, m)
			}
		}
	}
	if n := d.log.lines("a DNS query was refused"); n == 0 || n > 30 {
		t.Errorf("the log has %d lines on refusals", n)
	}
}

// TestDNSNobody: without a proxy names stay, and the answer is empty.
func TestDNSNobody(t *testing.T) {
	d := newDNSRig(t, Config{})
	for name, kind := range map[string]uint16{"web.lb.example.org.": dns.TypeA, "_web._tcp.lb.example.org.": dns.TypeSRV} {
		m := d.ask(t, "udp", question(name, kind))
		if m.Rcode != dns.RcodeSuccess || len(m.Answer) > 0 || brevity(m.Ns) != soaText {
			t.Errorf("%s: %v", name, m)
		}
	}
	if got := d.choices(doorDNS, resultNone); got != 2 {
		t.Errorf("%v choices of none are counted, want 2", got)
	}
	d.source.set(proxy("a", "", "192.0.2.1", 0))
	d.ask(t, "udp", question("web.lb.example.org.", dns.TypeAAAA))
	if got := d.choices(doorDNS, resultUnfit); got != 1 {
		t.Errorf("%v choices without an address are counted, want 1", got)
	}
}

// TestDNSKeepsCase: resolvers hide a secret in the case of their questions.
func TestDNSKeepsCase(t *testing.T) {
	d := newDNSRig(t, Config{}, four()...)
	for name, kind := range map[string]uint16{
		"WeB.lB.ExAmPlE.oRg.": dns.TypeA, "_Db._TcP.LB.example.ORG.": dns.TypeSRV, "A1.pRoXy.lb.example.org.": dns.TypeA,
		"LB.EXAMPLE.ORG.": dns.TypeSOA, "mY.aPP.lb.example.org.": dns.TypeANY,
	} {
		m := d.ask(t, "udp", question(name, kind))
		if len(m.Answer) == 0 || m.Answer[0].Header().Name != name || m.Question[0].Name != name {
			t.Errorf("%s: %v", name, m)
		}
	}
}

// TestDNSManyNames has the spread seen through DNS: 200 clients, and A names one first.
func TestDNSManyNames(t *testing.T) {
	d := newDNSRig(t, Config{}, proxy("a", "", "192.0.2.1", 0), proxy("b", "", "192.0.2.2", 100), proxy("c", "", "192.0.2.3", 0))
	got := map[string]int{}
	for range 180 {
		m := d.ask(t, "udp", question("web.lb.example.org.", dns.TypeA))
		got[m.Answer[0].(*dns.A).A.String()]++
	}
	if got["192.0.2.1"] != 90 || got["192.0.2.3"] != 90 {
		t.Errorf("180 clients went to %v, want 90 to either of the idle ones", got)
	}
}
