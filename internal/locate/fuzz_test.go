package locate

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// FuzzQuestion feeds the DNS server bytes. Whatever comes, it does not panic, and what it
// answers can be read, fits, and belongs to the query.
func FuzzQuestion(f *testing.F) {
	for _, q := range []*dns.Msg{
		question("web.lb.example.org.", dns.TypeA), question("_web._tcp.lb.example.org.", dns.TypeSRV),
		question("web.lb.example.org.", dns.TypeHTTPS), question("web.lb.example.org.", dns.TypeANY),
		question("a1.proxy.lb.example.org.", dns.TypeAAAA), question("lb.example.org.", dns.TypeNS),
		question("x.lb.example.org.", dns.TypeA), question("elsewhere.", dns.TypeAXFR),
		subnet(question("web.lb.example.org.", dns.TypeA), "10.1.7.0/24"),
		subnet(question("_db._tcp.lb.example.org.", dns.TypeSRV), "2001:db8:b::/48"),
		new(dns.Msg).SetNotify("lb.example.org."), new(dns.Msg).SetIxfr("lb.example.org.", 1, "a.", "b."),
	} {
		wire, err := q.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, true)
		f.Add(wire[:len(wire)-3], false)
	}
	f.Add([]byte{}, true)
	f.Add(bytes.Repeat([]byte{0xc0, 0x0c}, 20), true)
	r := newRig(f, Config{Zones: testZones()}, four()...)
	r.asks, r.counts = newBuckets(1e15, 1e15), newBuckets(1e15, 1e15)
	from := netip.MustParseAddr("10.1.2.3")
	f.Fuzz(func(t *testing.T, wire []byte, udp bool) {
		before := bytes.Clone(wire)
		checkAnswer(t, wire, r.answerQuery(wire, from, udp), udp)
		if short := curtail(wire); short != nil {
			checkAnswer(t, wire, short, true)
			if len(short) > len(wire) {
				t.Errorf("the short answer to %x has %d bytes", wire, len(short))
			}
		}
		if !bytes.Equal(before, wire) {
			t.Error("the query was changed")
		}
	})
}

func checkAnswer(t *testing.T, wire, out []byte, udp bool) {
	t.Helper()
	if out == nil {
		return
	}
	m, q := new(dns.Msg), new(dns.Msg)
	if err := m.Unpack(out); err != nil {
		t.Fatalf("%x is answered with %x, which cannot be read: %v", wire, out, err)
	}
	if len(wire) < headSize || !m.Response || !bytes.Equal(out[:2], wire[:2]) {
		t.Fatalf("%x is answered with %x, which is no answer to it", wire, out)
	}
	limit := plainSize
	if err := q.Unpack(wire); err == nil && q.IsEdns0() != nil {
		limit = min(max(limit, int(q.IsEdns0().UDPSize())), largestSize)
	}
	if udp && len(out) > limit {
		t.Fatalf("%x is answered with %d bytes, and may be with %d", wire, len(out), limit)
	}
	if len(m.Question) == 1 && len(q.Question) == 1 && m.Question[0] != q.Question[0] {
		t.Fatalf("%v is answered with the question %v", q.Question, m.Question)
	}
}

// FuzzChooseRequest: whatever a client asks over gRPC, it gets proxies or a status that
// says why not.
func FuzzChooseRequest(f *testing.F) {
	for _, m := range []*fairleadv1.ChooseRequest{
		{}, {Listener: "web"}, {Listener: "db", Client: "::ffff:10.1.7.1", Exclude: []string{"a1", "", "a1"}}, {Listener: "web", Client: "fe80::1%eth0"},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	r := newRig(f, Config{Zones: testZones()}, four()...)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &fairleadv1.ChooseRequest{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		answer, err := r.Choose(t.Context(), m)
		if err == nil && len(answer.GetProxies()) == 0 || err != nil && status.Convert(err).Message() == "" {
			t.Errorf("%v is answered with %v, %v", m, answer, err)
		}
	})
}
