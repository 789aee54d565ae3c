//go:build unix

package claims

import (
	"context"
	"fmt"
	"slices"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// C1.b: a request makes the proxy ask, once, and nothing else does.
func requestCausesAsk(t *testing.T, f *fleet) {
	p1, p2 := f.proxies[0], f.proxies[1]
	quiet := f.tap.Mark()
	f.awaitStatuses(t, quiet)
	if asks := all(f, quiet, "", asksIn); len(asks) > 0 {
		t.Fatalf("%s asked, and nobody had sent a request: %v", asks[0].Who, asks[0].it)
	}
	mark := f.tap.Mark()
	for _, p := range []*proxy{p1, p2, p1, p1, p2} {
		f.get(t, p, "/").awaitHead(t).awaitDone(t)
	}
	f.dial(t, p2).Close()
	f.awaitStatuses(t, f.tap.Mark()) // by then whatever else there was to say was said
	for _, want := range []struct {
		by   *proxy
		pool string
		asks int
	}{{p1, web, 3}, {p1, raw, 0}, {p2, web, 2}, {p2, raw, 1}} {
		asks := 0
		for _, a := range all(f, mark, want.by.Name(), asksIn) {
			if a.it.GetPool() == f.number(t, want.by, want.pool) {
				asks++
			}
		}
		if asks != want.asks {
			t.Errorf("%d requests for %s by %s, and %d asks", want.asks, want.pool, want.by.Name(), asks)
		}
	}
	askComesFirst(t, f)
}

// askComesFirst shows that the ask goes out while no backend has the request: all are full.
func askComesFirst(t *testing.T, f *fleet) {
	f.fill(t)
	for _, p := range f.proxies {
		c := f.get(t, p, "/")
		await(t, f, c.place, p.Name(), "an ask", asksIn, whatever)
		f.awaitQueued(t, 1, 2, 2, 2)
		if saw := f.sawWhere(t, c.id); len(saw) > 0 {
			t.Fatalf("%v had a request that waits for a grant", saw)
		}
		f.free(t, 0, 1, 0)
		c.awaitHead(t).awaitDone(t)
		if saw := f.sawWhere(t, c.id); !slices.Equal(saw, []string{"b2"}) {
			t.Fatalf("%v saw the request, not b2, which has the free slot", saw)
		}
		f.awaitLoads(t, 2, 1, 2)
		f.hold(t, p) // full again
		f.awaitLoads(t, 2, 2, 2)
	}
}

// awaitStatuses waits until each proxy has told its status.
func (f *fleet) awaitStatuses(t *testing.T, from int) {
	t.Helper()
	for _, p := range f.proxies {
		await(t, f, from, p.Name(), "its status", statusesIn, whatever)
	}
}

// C1.c: the controller knows the load of each backend that could serve.
func loadOfEachIsKnown(t *testing.T, f *fleet) {
	// The first report of an agent may be of so short a time that its CPU is 0.
	testproc.Await(t, soon, "each backend's report to be weighed", func(context.Context) error {
		for _, c := range f.explain(t, web).GetCandidates() {
			if c.GetUtilization() <= 0 {
				return fmt.Errorf("%s is weighed as idle", c.GetBackend())
			}
		}
		return nil
	})
	for _, c := range []struct{ free, loads, rest []int }{
		{[]int{0, 1, 2}, []int{2, 1, 0}, []int{2, 1, 0}},
		{[]int{1, 2, 0}, []int{1, 0, 2}, []int{1, 0, 2}},
		{[]int{2, 0, 1}, []int{0, 2, 1}, []int{0, 2, 1}},
	} {
		f.fill(t)
		f.free(t, c.free...)
		f.awaitLoads(t, c.loads...)
		checkLoads(t, f, c.loads)
		f.free(t, c.rest...)
		f.awaitLoads(t, 0, 0, 0)
	}
}

func checkLoads(t *testing.T, f *fleet, loads []int) {
	t.Helper()
	candidates := f.explain(t, web).GetCandidates()
	if len(candidates) != len(f.backends) {
		t.Errorf("%d backends could serve, and %d were weighed", len(f.backends), len(candidates))
	}
	status := poolIn(testproc.Snapshot(t, f.admin), web).GetBackends()
	for i, b := range f.backends {
		b.awaitRequests(t, loads[i])
		at := slices.IndexFunc(candidates, func(c *fairleadv1.Candidate) bool { return c.GetBackend() == b.web })
		if at < 0 {
			t.Errorf("%s was not weighed", b.name)
			continue
		}
		c, r := candidates[at], status[i].GetReport()
		if int(c.GetInFlight()) != loads[i] || c.GetSlots() != slots {
			t.Errorf("%s serves %d with %d slots, and was weighed as %d with %d", b.name, loads[i], slots, c.GetInFlight(), c.GetSlots())
		}
		if (c.GetFill() > 0) != (loads[i] > 0) || c.GetEligible() != (loads[i] < slots) {
			t.Errorf("%s serves %d, which weighs %v, and could serve: %v", b.name, loads[i], c.GetFill(), c.GetEligible())
		}
		if _, ok := r.GetNamedMetrics()["load1"]; r.GetMemUtilization() <= 0 || !ok {
			t.Errorf("%s: its host's load is not known: %v", b.name, r)
		}
		if age := status[i].GetReportAgeMs(); age > 3000 {
			t.Errorf("%s: its load is %d ms old", b.name, age)
		}
	}
}

// C1.d: the backend that is selected suits by its load.
func choiceByLoad(t *testing.T, f *fleet) {
	for i, b := range f.backends {
		one, full := make([]int, len(f.backends)), []int{2, 2, 2}
		one[i] = 1
		f.fill(t)
		waiting := f.get(t, f.proxies[0], "/hold")
		f.awaitQueued(t, 1, full...)
		b.release(t, 1)
		if got := waiting.awaitHead(t).backend(t, f); got != b {
			t.Errorf("%s freed a slot, and who waited got %s", b.name, got.name)
		}
		f.awaitLoads(t, full...)
		for _, p := range f.proxies {
			b.release(t, 1)
			less := slices.Clone(full)
			less[i]--
			f.awaitLoads(t, less...)
			if got := f.hold(t, p).backend(t, f); got != b {
				t.Errorf("only %s has a free slot, and %s was selected", b.name, got.name)
			}
			f.awaitLoads(t, full...)
		}
		f.free(t, full...)
		f.awaitLoads(t, 0, 0, 0)
	}
	leastFilled(t, f)
}

// leastFilled shows the choice among backends that all have free slots. Nothing is
// reported or learnt of the TCP pool's backends, so how full they are is all there is.
func leastFilled(t *testing.T, f *fleet) {
	lines := map[*backend][]*line{}
	dial := func(i int) *backend {
		l := f.dial(t, f.proxies[i%len(f.proxies)])
		lines[l.to] = append(lines[l.to], l)
		return l.to
	}
	hangUp := func(b *backend) {
		lines[b][0].Close()
		lines[b] = lines[b][1:]
	}
	for i := range slots * len(f.backends) {
		least := slots
		for _, b := range f.backends {
			least = min(least, len(lines[b]))
		}
		if to := dial(i); len(lines[to]) != least+1 {
			t.Fatalf("%s had %d connections and was selected, while another had %d", to.name, len(lines[to])-1, least)
		}
	}
	for i, b := range f.backends {
		j := (i + 1) % len(f.backends)
		hangUp(b)
		hangUp(b)
		hangUp(f.backends[j])
		loads := []int{2, 2, 2}
		loads[i], loads[j] = 0, 1
		f.awaitLoads(t, loads...)
		if to := dial(i); to != b {
			t.Errorf("%s is idle and %s is not, and %s was selected", b.name, f.backends[j].name, to.name)
		}
		dial(0)
		dial(1)
		f.awaitLoads(t, 2, 2, 2)
	}
}

// C1.e: the proxy is sent the identifier of the backend that was selected.
func grantNamesBackend(t *testing.T, f *fleet) {
	named := map[*backend]int{}
	for i := range slots * len(f.backends) {
		p := f.proxies[i%len(f.proxies)]
		c := f.hold(t, p)
		d := f.decided(t, c.place, p, web)
		if d.grant.Up || d.grant.Place < d.ask.Place || d.grant.it.GetPool() != d.ask.it.GetPool() {
			t.Errorf("%v does not answer %v", d.grant, d.ask)
		}
		b := f.backend(d.grant.it.GetBackend())
		if b == nil || d.grant.it.GetBackend() != b.web {
			t.Fatalf("the grant names %q, which is no backend of the pool", d.grant.it.GetBackend())
		}
		named[b]++
		if saw := f.sawWhere(t, c.id); !slices.Equal(saw, []string{b.name}) {
			t.Errorf("the grant names %s, and the request came to %v", b.name, saw)
		}
		answers := 0
		for _, g := range all(f, c.place, p.Name(), grantsIn) {
			if g.it.GetAsk() == d.ask.it.GetId() {
				answers++
			}
		}
		if answers != 1 {
			t.Errorf("an ask was answered by %d grants", answers)
		}
	}
	for _, b := range f.backends {
		if named[b] != slots {
			t.Errorf("%s has %d slots, and %d grants named it", b.name, slots, named[b])
		}
	}
}

// C1.f: the proxy links the client with the granted backend.
func linkIsMade(t *testing.T, f *fleet) {
	var calls []*call
	granted := map[*call]*backend{}
	for i := range slots * len(f.backends) {
		p := f.proxies[i%len(f.proxies)]
		c := f.hold(t, p)
		granted[c] = f.backend(f.decided(t, c.place, p, web).grant.it.GetBackend())
		calls = append(calls, c)
	}
	f.free(t, 2, 2, 2)
	for _, c := range calls {
		if c.awaitDone(t); c.err != nil || c.body != granted[c].name {
			t.Errorf("%s was granted, and the answer is %q, error %v", granted[c].name, c.body, c.err)
		}
	}
	f.awaitLoads(t, 0, 0, 0)
	for i := range slots * len(f.backends) {
		p := f.proxies[i%len(f.proxies)]
		l := f.dial(t, p)
		b := f.backend(f.decided(t, l.place, p, raw).grant.it.GetBackend())
		if l.to != b {
			t.Errorf("%s was granted, and %s greets", b.name, l.to.name)
		}
		for n := range 3 {
			if err := l.echo(fmt.Sprintf("word %d of connection %d", n, i)); err != nil {
				t.Errorf("echo of %s: %v", b.name, err)
			}
		}
	}
	for _, b := range f.backends {
		b.awaitLines(t, slots)
	}
	t.Run("direct", linkIsDirect)
}
