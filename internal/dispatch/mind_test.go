package dispatch

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// TestFairness has one flow ask ten thousand times and another one once: the one waits for
// at most one turn, on one slot as on many.
func TestFairness(t *testing.T) {
	for _, slots := range []int{1, 4, 32} {
		p := New(fleet.PoolSpec{
			Name: "fair", Slots: slots, QueueLimit: 1 << 20, QueueTimeout: time.Hour, Grace: time.Second,
		}, 1)
		p.Step(1, &Join{Spec: fleet.BackendSpec{Name: "a"}})
		p.Step(1, &Health{Backend: "a", Up: true})
		p.Step(1, &SessionUp{Proxy: 1})
		greedy, modest := &fleet.About{Flow: "greedy"}, &fleet.About{Flow: "modest"}
		var held []fleet.GrantID
		now := fleet.Time(time.Second)
		for id := range fleet.AskID(10_000) {
			for _, e := range p.Step(now, &Ask{Proxy: 1, ID: id + 1, About: greedy}) {
				held = append(held, e.Grant)
			}
		}
		for id := fleet.AskID(20_000); id < 20_010; id++ {
			now += 1000
			if got := p.Step(now, &Ask{Proxy: 1, ID: id, About: modest}); len(got) > 0 {
				t.Fatalf("%d slots: %v", slots, got)
			}
			position := p.Explain(Hypothetical{About: modest}, 0).Position
			now += 1000
			got := p.Step(now, &Done{Proxy: 1, Grant: held[0], Outcome: fleet.OK, Latency: time.Millisecond})
			if len(got) != 1 {
				t.Fatalf("%d slots: %v", slots, got)
			}
			held = append(held[1:], got[0].Grant)
			if got[0].Ask == id {
				continue // the very next
			}
			now += 1000
			got = p.Step(now, &Done{Proxy: 1, Grant: held[0], Outcome: fleet.OK, Latency: time.Millisecond})
			held = append(held[1:], got[0].Grant)
			if got[0].Ask != id {
				t.Errorf("%d slots: the one ask of a flow waited for two turns of another, at %d", slots, position)
			}
		}
	}
}

// TestShares has flows of different weight keep the queue full: each gets its share.
func TestShares(t *testing.T) {
	weights := map[string]float64{"a": 1, "b": 2, "c": 5}
	p := New(fleet.PoolSpec{
		Name: "fair", Slots: 3, QueueLimit: 1 << 20, QueueTimeout: time.Hour, Grace: time.Second, FlowWeights: weights,
	}, 1)
	p.Step(1, &Join{Spec: fleet.BackendSpec{Name: "x"}})
	p.Step(1, &Health{Backend: "x", Up: true})
	p.Step(1, &SessionUp{Proxy: 1})
	r := rand.New(rand.NewPCG(1, 1))
	got, flowOf := map[string]int{}, map[fleet.AskID]string{}
	var held []fleet.GrantID
	now, id := fleet.Time(time.Second), fleet.AskID(0)
	take := func(effects []Effect) {
		for _, e := range effects {
			held = append(held, e.Grant)
			got[flowOf[e.Ask]]++
		}
	}
	for range 60_000 {
		flow := []string{"a", "b", "b", "c", "c", "c", "c", "c"}[r.IntN(8)]
		if id++; p.queue.len < 3000 {
			flowOf[id] = flow
			take(p.Step(now, &Ask{Proxy: 1, ID: id, About: &fleet.About{Flow: flow}}))
		}
		if now += 1000; p.queue.len > 1000 {
			g := held[r.IntN(len(held))]
			held = slices.DeleteFunc(held, func(o fleet.GrantID) bool { return o == g })
			take(p.Step(now, &Done{Proxy: 1, Grant: g, Outcome: fleet.OK, Latency: time.Millisecond}))
		}
		// A share is exact only while every flow waits.
		for _, f := range p.ranks[fleet.Normal].flows {
			if f.waiting == 0 && p.queue.len > 1000 {
				t.Fatalf("flow %s has run dry", f.name)
			}
		}
	}
	a, b, c := float64(got["a"]), float64(got["b"]), float64(got["c"])
	if a < 100 || math.Abs(b/a-2) > 0.05 || math.Abs(c/a-5) > 0.1 {
		t.Errorf("the flows of weight 1, 2 and 5 got %v, %v and %v", a, b, c)
	}
}

// TestDeadlines has a pool whose requests take 10 ms, and one in a hundred of them 100 ms.
func TestDeadlines(t *testing.T) {
	p, _ := benchPool(1, 1)
	now := fleet.Time(time.Second)
	id := fleet.AskID(1000)
	ask := func(deadline time.Duration) []Effect {
		id++
		return p.Step(now, &Ask{Proxy: 1, ID: id, About: &fleet.About{Deadline: deadline}})
	}
	for i := range 5000 {
		g := ask(0)[0].Grant
		latency := 10 * time.Millisecond
		if i%50 == 7 {
			latency = 100 * time.Millisecond
		}
		now = now.Add(latency)
		p.Step(now, &Done{Proxy: 1, Grant: g, Outcome: fleet.OK, Latency: latency})
	}
	reason := func(effects []Effect) fleet.Reason {
		if len(effects) != 1 {
			return fleet.NoReason
		}
		return effects[0].Reason
	}
	if got := ask(5 * time.Millisecond); reason(got) != fleet.TooLate {
		t.Errorf("5 ms, where half take 10: %v", got)
	}
	busy := ask(50 * time.Millisecond)
	if busy[0].Kind != Granted {
		t.Errorf("50 ms, with a slot free: %v", busy)
	}
	if got := ask(50 * time.Millisecond); reason(got) != fleet.TooLate {
		t.Errorf("50 ms, with none free, where one of fifty takes 100: %v", got)
	}
	if got := ask(200 * time.Millisecond); len(got) != 0 {
		t.Errorf("200 ms: %v", got)
	}
	at, _ := p.Next()
	for p.queue.len > 0 {
		at, _ = p.Next()
		if got := p.Step(at, &Tick{}); len(got) > 0 && reason(got) != fleet.TooLate {
			t.Errorf("it was given up with %v", got)
		}
	}
	if waited := at.Sub(now); waited < 80*time.Millisecond || waited > 100*time.Millisecond {
		t.Errorf("it waited %v of 200 ms, of which it may need 100", waited)
	}
}

// TestAffinityKeepsKeys checks what rendezvous hashing promises: keys spread by weight, and
// when a backend comes or goes, none moves that need not.
func TestAffinityKeepsKeys(t *testing.T) {
	p := New(fleet.PoolSpec{Name: "sticky", Slots: 2, Grace: time.Second, QueueTimeout: time.Second}, 1)
	for i := range 20 {
		name := fleet.BackendName(fmt.Sprintf("10.0.0.%d:80", i))
		spec := fleet.BackendSpec{Name: name}
		if i == 0 {
			spec.Slots = 6
		}
		p.Step(1, &Join{Spec: spec})
		p.Step(1, &Health{Backend: name, Up: true})
	}
	const keys = 20_000
	home := func(i int) fleet.BackendName { return p.home(p.all, fmt.Sprint("key", i), nil).name }
	before, count := make([]fleet.BackendName, keys), map[fleet.BackendName]int{}
	for i := range keys {
		before[i] = home(i)
		count[before[i]]++
	}
	for name, n := range count {
		want := keys * 2.0 / 44
		if name == "10.0.0.0:80" {
			want *= 3
		}
		if math.Abs(float64(n)-want) > 5*math.Sqrt(want) {
			t.Errorf("%s has %d keys of %d, should have about %.0f", name, n, keys, want)
		}
	}
	gone := fleet.BackendName("10.0.0.7:80")
	p.Step(2, &Health{Backend: gone})
	for i := range keys {
		if got := home(i); before[i] != gone && got != before[i] || got == gone {
			t.Fatalf("key %d was at %s and is at %s, when %s left", i, before[i], got, gone)
		}
	}
	p.Step(3, &Health{Backend: gone, Up: true})
	for i := range keys {
		if got := home(i); got != before[i] {
			t.Fatalf("key %d was at %s and is at %s, when all was as before", i, before[i], got)
		}
	}
}

// TestGrantTable compares with a map, in random use.
func TestGrantTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	table, plain := newGrantTable(), map[fleet.GrantID]*grant{}
	var ids []fleet.GrantID
	for i := range 200_000 {
		id := fleet.GrantID{Epoch: uint64(r.IntN(3)), Number: uint64(r.IntN(3000)) << (8 * r.IntN(3))}
		if i%20_000 < 10_000 == (r.IntN(3) > 0) {
			if plain[id] == nil {
				g := &grant{id: id}
				plain[id] = g
				table.put(g)
				ids = append(ids, id)
			}
		} else if len(ids) > 0 {
			k := r.IntN(len(ids))
			g := plain[ids[k]]
			ids[k] = ids[len(ids)-1]
			ids = ids[:len(ids)-1]
			delete(plain, g.id)
			table.remove(g)
		}
		if table.get(id) != plain[id] || table.len != len(plain) {
			t.Fatalf("after %d: %v of %d, should be %v of %d", i, table.get(id), table.len, plain[id], len(plain))
		}
	}
	for id, g := range plain {
		if table.get(id) != g {
			t.Errorf("%v is lost", id)
		}
	}
	if len(table.cells) > 64*max(len(plain), 16) {
		t.Errorf("%d cells for %d grants", len(table.cells), len(plain))
	}
}

// TestQuantiles compares the histogram's with those of the sample.
func TestQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var s service
	var all []float64
	for range lookEvery * 50 {
		x := 0.01 * math.Exp(r.NormFloat64())
		s.add(x)
		all = append(all, x)
	}
	slices.Sort(all)
	for q, got := range map[float64]time.Duration{0.5: s.typical(), 0.99: s.longest()} {
		want := all[int(q*float64(len(all)))]
		if got.Seconds() < want*0.98 || got.Seconds() > want*1.15 {
			t.Errorf("quantile %v is %v, should be about %v s", q, got, want)
		}
	}
	for _, x := range []float64{0, 1e-9, 1e9, math.Inf(1)} {
		s.add(x) // at the ends
	}
}

// TestManyScopes has more sets of labels asked for than are kept: none is answered wrongly,
// and memory does not grow.
func TestManyScopes(t *testing.T) {
	p, _ := benchPool(0, 1)
	var labels []string
	for i := range 12 {
		labels = append(labels, fmt.Sprintf("l%02d=x", i))
	}
	p.Step(2, &Join{Spec: fleet.BackendSpec{Name: "a", Slots: 1, Labels: labels}})
	p.Step(2, &Health{Backend: "a", Up: true})
	now := fleet.Time(time.Second)
	for set := range 1 << 12 {
		var required []string
		for i, l := range labels {
			if set>>i&1 == 1 {
				required = append(required, l)
			}
		}
		now++
		got := p.Step(now, &Ask{Proxy: 1, ID: fleet.AskID(1e6 + set), About: &fleet.About{Labels: required}})
		if len(got) != 1 || got[0].Kind != Granted {
			t.Fatalf("%v: %v", required, got)
		}
		p.Step(now, &Done{Proxy: 1, Grant: got[0].Grant, Outcome: fleet.OK, Latency: time.Millisecond})
		got = p.Step(now, &Ask{Proxy: 1, ID: fleet.AskID(2e6 + set), About: &fleet.About{Labels: []string{fmt.Sprint("no=", set)}}})
		if len(got) != 1 || got[0].Reason != fleet.NoMatch {
			t.Fatalf("a label that nobody has: %v", got)
		}
	}
	if len(p.scopes) > maxScopes {
		t.Errorf("%d scopes", len(p.scopes))
	}
	if err := checkInside(p); err != nil {
		t.Error(err)
	}
}
