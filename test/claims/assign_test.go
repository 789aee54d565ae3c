//go:build unix

package claims

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/test/tap"
)

// bothWays runs a row's proof for both ways to assign, on a fleet of its own each. The
// first backend has an agent, and the others report for themselves. A backend may think
// for long, so that none is given up because the host is busy.
func bothWays(proof func(*testing.T, *fleet)) func(*testing.T) {
	return func(t *testing.T) {
		for _, how := range []string{"notify", "confirm"} {
			t.Run(how, func(t *testing.T) {
				f := start(t, plan{proxies: 2, backends: 3, slots: slots, queue: queueLimit, reports: byBoth,
					pools: map[string]string{web: "assign: " + how + "\nassign_timeout: 20s"}})
				proof(t, f)
			})
		}
	}
}

// confirms tells whether the fleet's backends are asked.
func (f *fleet) confirms() bool { return f.pools[web] == "assign: confirm\nassign_timeout: 20s" }

func assignmentsIn(h tap.Heard) []*fairleadv1.Assignment {
	m, _ := h.Message.(*fairleadv1.BackendMessage)
	return m.GetAssignments()
}

func answersIn(h tap.Heard) []*fairleadv1.Answer {
	m, _ := h.Message.(*fairleadv1.AgentMessage)
	return m.GetAnswers()
}

// grantNumber is a grant's identity, as a key.
func grantNumber(id *fairleadv1.GrantID) string {
	return fmt.Sprintf("%d.%d", id.GetEpoch(), id.GetNumber())
}

// C5.a: with assignments too, a client is led to a proxy, its request makes that one ask,
// the load of each backend is weighed, one is selected that suits, and the proxy is sent
// its identifier.
func assigningPoolDecides(t *testing.T, f *fleet) {
	door := &doors{http: f.admin}
	for i, b := range f.backends {
		f.fill(t)
		b.release(t, 1)
		loads := []int{slots, slots, slots}
		loads[i]--
		f.awaitLoads(t, loads...)
		weighed(t, f, loads)
		mark := f.tap.Mark()
		l, err := door.overHTTP(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if asks := all(f, mark, "", asksIn); len(asks) > 0 {
			t.Fatalf("no client has sent its request yet, and %s asked", asks[0].Who)
		}
		p := f.proxies[slices.IndexFunc(f.proxies, func(p *proxy) bool { return p.web == l.to[0] })]
		c := f.begin(t, l.client, p, l.url)
		d := f.decided(t, c.place, p, web)
		if d.grant.Up || d.grant.it.GetBackend() != b.web {
			t.Errorf("only %s has a free slot, and %s was sent %v", b.name, p.Name(), d.grant.it)
		}
		if got := c.awaitHead(t).backend(t, f); got != b {
			t.Errorf("%s was granted, and %s served", b.name, got.name)
		}
		f.awaitLoads(t, slots, slots, slots)
		if asks := all(f, mark, "", asksIn); len(asks) != 1 {
			t.Errorf("one request was sent, and there were %d asks", len(asks))
		}
		f.free(t, slots, slots, slots)
		f.awaitLoads(t, 0, 0, 0)
	}
}

// weighed wants each backend to be weighed with its load.
func weighed(t *testing.T, f *fleet, loads []int) {
	t.Helper()
	got := map[string]int{}
	for _, c := range f.explain(t, web).GetCandidates() {
		got[c.GetBackend()] = int(c.GetInFlight())
		if c.GetUtilization() <= 0 && c.GetBackend() != f.backends[0].web { // an agent's first report may tell none
			t.Errorf("%s is weighed as idle, which it does not report", c.GetBackend())
		}
	}
	for i, b := range f.backends {
		if n, ok := got[b.web]; !ok || n != loads[i] {
			t.Errorf("%s serves %d, and was weighed as %d (at all: %v)", b.name, loads[i], n, ok)
		}
	}
}

// C5.b: the selected backend, and no other, is told to do the processing.
func selectedIsAssigned(t *testing.T, f *fleet) {
	for i := range slots * len(f.backends) {
		p := f.proxies[i%len(f.proxies)]
		path := fmt.Sprintf("/hold/%d", i)
		c := f.get(t, p, path)
		d := f.decided(t, c.place, p, web)
		selected := f.backend(d.grant.it.GetBackend())
		if got := c.awaitHead(t).backend(t, f); got != selected {
			t.Errorf("%s was granted, and %s served", selected.name, got.name)
		}
		wantAssigned(t, f, d, c, path)
	}
	f.free(t, slots, slots, slots)
	f.awaitLoads(t, 0, 0, 0)
	eachWasAssigned(t, f)
	if f.confirms() {
		noIsHeeded(t, f)
	}
}

// wantAssigned wants the decision's backend to have been told of it, and only that one.
func wantAssigned(t *testing.T, f *fleet, d decision, c *call, path string) {
	t.Helper()
	selected, id := f.backend(d.grant.it.GetBackend()), grantNumber(d.grant.it.GetId())
	x := await(t, f, c.place, selected.web, "the assignment of "+id, assignmentsIn, func(a *fairleadv1.Assignment) bool {
		return grantNumber(a.GetGrant()) == id
	})
	about := x.it.GetAbout()
	if x.it.GetProxy() != c.by.Name() || x.it.GetConfirm() != f.confirms() || about.GetMethod() != "GET" ||
		about.GetPath() != path || about.GetHost() != c.by.web || about.GetClient() != "127.0.0.1" ||
		about.GetClass() != fairleadv1.Class_CLASS_NORMAL || about.GetFlow() == "" {
		t.Errorf("a GET of %s by %s was assigned as %v", path, c.by.Name(), x.it)
	}
	for _, other := range all(f, c.place, "", assignmentsIn) {
		if other.Who != selected.web && other.it.GetAbout().GetPath() == path {
			t.Errorf("%s was granted, and %s was told too: %v", selected.name, other.Who, other.it)
		}
	}
	for i, b := range f.backends {
		if i == 0 {
			continue // its agent has nobody to tell
		}
		want := 0
		if b == selected {
			want = 1
		}
		b.awaitAssigned(t, path, want)
	}
}

// awaitAssigned waits until the backend was told of so many requests for a path.
func (b *backend) awaitAssigned(t *testing.T, path string, want int) {
	t.Helper()
	b.await(t, "to be assigned "+path, func(c counted) error {
		n := 0
		for _, a := range c.Assigned {
			if a.Path == path {
				n++
				if a.Method != "GET" || a.Client != "127.0.0.1" || a.Class != "normal" || a.Flow == "" || a.Grant == "" || a.Proxy == "" {
					t.Errorf("%s was told %+v", b.name, a)
				}
			}
		}
		if n != want {
			return fmt.Errorf("it was %d times, not %d", n, want)
		}
		return nil
	})
}

// eachWasAssigned has many requests at once, and wants each backend to have been told of
// those that came to it, and of no others.
func eachWasAssigned(t *testing.T, f *fleet) {
	mark := f.tap.Mark()
	paths := map[*backend][]string{}
	for _, c := range f.flood(t, 120, func(i int) string { return fmt.Sprintf("/of/%d", i) }) {
		b := c.backend(t, f)
		paths[b] = append(paths[b], c.path)
	}
	for i, b := range f.backends {
		slices.Sort(paths[b])
		var wire []string
		for _, x := range all(f, mark, b.web, assignmentsIn) {
			wire = append(wire, x.it.GetAbout().GetPath())
		}
		if slices.Sort(wire); !slices.Equal(wire, paths[b]) {
			t.Errorf("%s served %v, and was assigned %v", b.name, paths[b], wire)
		}
		if i == 0 {
			continue
		}
		for _, path := range paths[b] {
			b.awaitAssigned(t, path, 1)
		}
		if c := b.stats(t); f.confirms() && len(c.Unassigned) > 0 {
			t.Errorf("%s had requests before it said yes to them: %v", b.name, c.Unassigned)
		}
	}
}

// flood sends many requests by all proxies, a few at once, and returns them when all were
// answered.
func (f *fleet) flood(t *testing.T, many int, path func(i int) string) []*call {
	t.Helper()
	const atOnce = slots*3 + 2 // so that some wait
	var calls []*call
	for i := range many {
		if i >= atOnce {
			calls[i-atOnce].awaitDone(t)
		}
		c := f.get(t, f.proxies[i%len(f.proxies)], path(i))
		c.path = path(i)
		calls = append(calls, c)
	}
	for _, c := range calls {
		c.awaitHead(t).awaitDone(t)
	}
	return calls
}

// noIsHeeded: only yes makes a grant.
func noIsHeeded(t *testing.T, f *fleet) {
	unwilling := f.backends[1]
	unwilling.order(t, "/decline", url.Values{"yes": {"1"}})
	mark := f.tap.Mark()
	for i := range 2 * slots {
		if b := f.hold(t, f.proxies[i%2]).backend(t, f); b == unwilling {
			t.Errorf("%s said no, and had a request", b.name)
		}
	}
	waits := f.get(t, f.proxies[0], "/hold") // only the unwilling one has a free slot
	await(t, f, waits.place, unwilling.web, "a no", answersIn, func(a *fairleadv1.Answer) bool {
		return a.GetRejection() == fairleadv1.Rejection_REJECTION_FULL
	})
	f.backends[2].release(t, 1)
	if b := waits.awaitHead(t).backend(t, f); b != f.backends[2] {
		t.Errorf("%s freed a slot, and %s served who waited", f.backends[2].name, b.name)
	}
	for _, g := range all(f, mark, "", grantsIn) {
		if g.it.GetBackend() == unwilling.web {
			t.Errorf("%s said no, and %s was granted it", unwilling.name, g.Who)
		}
	}
	f.free(t, slots, 0, slots)
	unwilling.order(t, "/decline", nil)
	f.awaitLoads(t, 0, 0, 0)
}

// C6: the proxy learns the identifier after the assignment has been sent to the backend.
func assignmentGoesFirst(t *testing.T, f *fleet) {
	const many = 400
	mark := f.tap.WireMark()
	f.flood(t, many, func(int) string { return "/" })
	grants := 0
	assigned, answered := map[string]string{}, map[string]bool{}
	for _, h := range f.tap.Wire(mark) {
		for _, x := range assignmentsIn(h) {
			assigned[grantNumber(x.GetGrant())] = h.Who
		}
		for _, x := range answersIn(h) {
			answered[grantNumber(x.GetGrant())] = x.GetRejection() == fairleadv1.Rejection_REJECTION_UNSPECIFIED
		}
		for _, g := range grantsIn(h) {
			grants++
			id := grantNumber(g.GetId())
			if to := assigned[id]; to != g.GetBackend() {
				t.Errorf("%s was sent grant %s of %s, and before that the assignment to %q", h.Who, id, g.GetBackend(), to)
			}
			if answered[id] != f.confirms() {
				t.Errorf("%s was sent grant %s; that the backend had said yes is %v", h.Who, id, answered[id])
			}
		}
	}
	if grants != many {
		t.Errorf("%d requests were served, and %d grants were on the wire", many, grants)
	}
}
