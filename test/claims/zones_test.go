//go:build unix

package claims

import (
	"context"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// The zones by clients' addresses. Every address of 127.0.0.0/8 is this host's on Linux.
const (
	inA   = "127.0.0.2"
	inB   = "127.0.0.3"
	zones = "zones:\n  - {name: a, subnets: [127.0.0.2/32]}\n  - {name: b, subnets: [127.0.0.3/32]}\n"
)

// C10: where the client and the backends are counts.
func placeCounts(t *testing.T) {
	ln, err := net.Listen("tcp", inA+":0")
	if err != nil {
		t.Skipf("this host has no address %s: %v", inA, err)
	}
	ln.Close()
	t.Run("prefer zone", func(t *testing.T) {
		f := start(t, plan{proxies: 2, backends: 4, slots: slots, queue: queueLimit, reports: byAgent,
			zones: []string{"a", "a", "b", "b"}, more: zones,
			pools: map[string]string{web: "prefer: zone", raw: "prefer: zone"}})
		for i, b := range poolIn(testproc.Snapshot(t, f.admin), web).GetBackends() {
			if b.GetZone() != f.zones[i] {
				t.Errorf("%s is in zone %s, and the controller says %q", f.backends[i].name, f.zones[i], b.GetZone())
			}
		}
		t.Run("HTTP", func(t *testing.T) { nearGoFirst(t, f) })
		t.Run("TCP", func(t *testing.T) { preferenceIsExplained(t, f) })
	})
	t.Run("prefer none", func(t *testing.T) {
		f := start(t, plan{proxies: 2, backends: 4, slots: slots, queue: queueLimit,
			zones: []string{"a", "a", "b", "b"}, more: zones})
		loadAlone(t, f)
	})
}

// local dials from an address of this host.
func local(address string) *net.Dialer {
	return &net.Dialer{Timeout: soon, LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
}

// holdFrom has a request held that comes from an address.
func (f *fleet) holdFrom(t *testing.T, address string, p *proxy) *call {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: local(address).DialContext, DisableKeepAlives: true}}
	return f.begin(t, client, p, "http://"+p.web+"/hold").awaitHead(t)
}

// dialFrom is dial from an address.
func (f *fleet) dialFrom(t *testing.T, address string, p *proxy) *line {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	conn, err := local(address).DialContext(ctx, "tcp", p.raw)
	if err != nil {
		t.Fatal(err)
	}
	return f.greeted(t, p, conn)
}

// zoneOf returns where a backend is.
func (f *fleet) zoneOf(b *backend) string { return f.zones[slices.Index(f.backends, b)] }

// guests are requests that are held, by their backends.
type guests struct {
	*fleet
	held map[*backend][]*call
	n    int
}

// from has one more held, and wants it to be served in a zone.
func (c *guests) from(t *testing.T, address, zone, why string) *backend {
	t.Helper()
	call := c.holdFrom(t, address, c.proxies[c.n%len(c.proxies)])
	c.n++
	b := call.backend(t, c.fleet)
	if c.zoneOf(b) != zone {
		t.Errorf("%s, and a client at %s got %s in zone %s", why, address, b.name, c.zoneOf(b))
	}
	c.held[b] = append(c.held[b], call)
	return b
}

// end has one client of a backend leave, and waits until its slot is free.
func (c *guests) end(t *testing.T, b *backend) {
	t.Helper()
	c.held[b][0].end()
	c.held[b] = c.held[b][1:]
	c.await(t)
}

// await waits until the controller counts what is held.
func (c *guests) await(t *testing.T) {
	t.Helper()
	var n []int
	for _, b := range c.backends {
		n = append(n, len(c.held[b]))
	}
	c.awaitLoads(t, n...)
}

// nearGoFirst: a zone's clients get its backends while one has a free slot. Requests are
// ended by their clients, so that nothing is learnt of how fast a backend is.
func nearGoFirst(t *testing.T, f *fleet) {
	c := &guests{fleet: f, held: map[*backend][]*call{}}
	for range 2 * slots {
		c.from(t, inA, "a", "zone a has a free slot")
	}
	f.awaitLoads(t, slots, slots, 0, 0)
	c.from(t, inA, "b", "zone a is full")
	c.from(t, inB, "b", "zone b has a free slot")
	c.await(t)
	for _, b := range f.backends[:2] {
		c.end(t, b)
		if got := c.from(t, inA, "a", b.name+" has a free slot again"); got != b {
			t.Errorf("%s has zone a's free slot, and a client there got %s", b.name, got.name)
		}
	}
	for range 2 {
		c.from(t, inB, "b", "zone b has a free slot")
	}
	f.awaitLoads(t, slots, slots, slots, slots)
	c.end(t, f.backends[0])
	c.from(t, inB, "a", "zone b is full")
}

// preferenceIsExplained: of the TCP pool nothing is reported or learnt, so a backend that
// is idle scores better than one that is not by how full that one is.
func preferenceIsExplained(t *testing.T, f *fleet) {
	lines := []*line{f.dialFrom(t, inA, f.proxies[0]), f.dialFrom(t, inA, f.proxies[1])}
	f.awaitLoads(t, 1, 1, 0, 0)
	without, with := f.explainZone(t, ""), f.explainZone(t, "a")
	if b := f.backend(without.GetChosen()); f.zoneOf(b) != "b" {
		t.Errorf("zone b is idle, and a request from nowhere would get %s: %s", b.name, without.GetVerdict())
	}
	if b := f.backend(with.GetChosen()); f.zoneOf(b) != "a" || !strings.Contains(with.GetVerdict(), "costs") {
		t.Errorf("zone a has free slots, and a request from there would get %s: %s", b.name, with.GetVerdict())
	}
	var worst, best float64
	for _, c := range with.GetCandidates() {
		zone := f.zoneOf(f.backend(c.GetBackend()))
		if c.GetInZone() != zone || (c.GetZone() > 0) != (zone == "b") {
			t.Errorf("%s is in zone %s, and to a request from zone a it is %v", c.GetBackend(), zone, c)
		}
		worst, best = math.Max(worst, c.GetFill()), math.Min(best, c.GetFill())
	}
	lines = append(lines, f.dialFrom(t, inA, f.proxies[0]))
	last := f.explainZone(t, "a").GetLast()[0]
	if last.GetZone() != "a" || f.zoneOf(f.backend(last.GetBackend())) != "a" || math.Abs(last.GetZoneCost()-(worst-best)) > 1e-6 {
		t.Errorf("the best elsewhere is better by %.3f, and the latest decision is %v", worst-best, last)
	}
	lines = append(lines, f.dialFrom(t, inA, f.proxies[1]))
	f.awaitLoads(t, slots, slots, 0, 0)
	lines = append(lines, f.dialFrom(t, inA, f.proxies[0]))
	if to := lines[len(lines)-1].to; f.zoneOf(to) != "b" {
		t.Errorf("zone a is full, and %s greets", to.name)
	}
	lines[0].Close()
	f.awaitLoads(t, f.loads(lines[1:])...)
	if l := f.dialFrom(t, inA, f.proxies[1]); l.to != lines[0].to {
		t.Errorf("%s has a free slot in zone a, and %s greets", lines[0].to.name, l.to.name)
	}
}

// loads returns how many connections each backend has.
func (f *fleet) loads(lines []*line) []int {
	n := make([]int, len(f.backends))
	for _, l := range lines {
		n[slices.Index(f.backends, l.to)]++
	}
	return n
}

// explainZone asks what a request from a zone for the TCP pool would get, and for the
// latest decision.
func (f *fleet) explainZone(t *testing.T, zone string) *fairleadv1.Explanation {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	e, err := f.tools.Explain(ctx, &fairleadv1.ExplainRequest{Pool: raw, Zone: zone, Last: 1})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// loadAlone: without the preference the same clients are spread over all zones.
func loadAlone(t *testing.T, f *fleet) {
	for i := range f.backends {
		f.holdFrom(t, inA, f.proxies[i%2])
	}
	f.awaitLoads(t, 1, 1, 1, 1)
	for i := range f.backends {
		f.dialFrom(t, inA, f.proxies[i%2])
	}
	f.awaitLoads(t, 2, 2, 2, 2)
	e := f.explainZone(t, "a")
	if last := e.GetLast()[0]; last.GetZoneCost() != 0 {
		t.Errorf("no zone is preferred, and the latest decision is %v", last)
	}
	for _, c := range e.GetCandidates() {
		if c.GetZone() != 0 {
			t.Errorf("no zone is preferred, and a backend is %v", c)
		}
	}
}
