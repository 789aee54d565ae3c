package locate

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/fairlead/fairlead/internal/fleet"
)

func crowdOfProxies(n int) []fleet.ProxyState {
	var all []fleet.ProxyState
	for i := range n {
		st := proxy(fmt.Sprintf("edge-%05d", i), fmt.Sprint("zone-", i%8), fmt.Sprintf("10.0.%d.%d", i/250, i%250+1), (i*7919)%1000)
		st.CPU = float64(i%10) / 10
		all = append(all, st)
	}
	return all
}

// BenchmarkChoose is one choice, with states that do not change in between.
func BenchmarkChoose(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := &fakeSource{}
			s.set(crowdOfProxies(n)...)
			c := newChooser()
			q := query{listener: "web", zone: "zone-3", count: true}
			b.ReportAllocs()
			for b.Loop() {
				c.refresh(s)
				c.choose(q)
				c.mu.Unlock()
			}
		})
	}
}

// BenchmarkNews is one choice after new states, which a controller brings each 20 ms at
// most.
func BenchmarkNews(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			days := [2][]fleet.ProxyState{crowdOfProxies(n), crowdOfProxies(n)}
			c := newChooser()
			q := query{listener: "web", zone: "zone-3", count: true}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				c.take(days[i%2])
				c.choose(q)
			}
		})
	}
}

// BenchmarkDNS is one query for A, from the bytes that came to the bytes that go.
func BenchmarkDNS(b *testing.B) {
	r := newRig(b, Config{}, crowdOfProxies(1000)...)
	r.asks = newBuckets(1e12, 1e12)
	wire, err := new(dns.Msg).SetQuestion("web.lb.example.org.", dns.TypeA).Pack()
	if err != nil {
		b.Fatal(err)
	}
	from := netip.MustParseAddr("10.1.2.3")
	b.ReportAllocs()
	for b.Loop() {
		r.answerQuery(wire, from, true)
	}
}
