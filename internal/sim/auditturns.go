package sim

import (
	"math"
	"slices"
)

// The order in which those are served who wait. It is checked against what is promised,
// and not by queueing them once more: a higher class goes first; of one flow, who came
// first does; and of one class, no flow gets more than its share and a turn.
//
// For start-time fair queueing the last one is: from the moment at which an ask is the
// first of its flow f until it is granted, another flow m is granted at most w(m)/w(f)
// asks, rounded down, and one. For f's tag is then at most v + 1/w(f), where v is the tag
// of the last grant; m's grants have tags from v on, w(m) of them in each turn, none above
// f's. It holds while all of the class may use the same backends. Where they may not, v
// runs ahead with those who may use more, and a newcomer begins there.

// turns is what flows of a class were granted while others waited.
type turns struct {
	uneven bool              // they may not all use the same
	flows  map[string]*queue // that wait
}

// queue is a flow that waits.
type queue struct {
	waiting int
	passed  map[string]int // grants of others while its first waits
}

// comes counts an ask that begins to wait.
func (t *turns) comes(a *audit, o *open) {
	if t.flows == nil {
		t.flows = map[string]*queue{}
	}
	q := t.flows[o.about.Flow]
	if q == nil {
		q = &queue{passed: map[string]int{}}
		t.flows[o.about.Flow] = q
	}
	q.waiting++
	t.mixes(a, o)
}

// mixes notes whether an ask may use other backends than those of its class that wait.
func (t *turns) mixes(a *audit, o *open) {
	for _, other := range a.asks {
		if other != o && other.class == o.class {
			t.uneven = t.uneven || !slices.Equal(other.about.Labels, o.about.Labels)
			break
		}
	}
	t.uneven = t.uneven || len(o.exclude) > 0 || a.mayStay(o)
}

// leaves counts one no more.
func (t *turns) leaves(o *open) {
	if !o.counted {
		return
	}
	q := t.flows[o.about.Flow]
	if q.waiting--; q.waiting == 0 {
		delete(t.flows, o.about.Flow)
	}
	if len(t.flows) == 0 {
		t.uneven = false // all begins anew
	}
}

// takes counts a grant. One to who has just come is a turn of its flow if it goes through
// the queue, as into a backend's own it does, and none if nobody else may use the slot.
func (t *turns) takes(a *audit, o *open, fresh bool) {
	mine := o.about.Flow
	if q := t.flows[mine]; q != nil {
		clear(q.passed)
	}
	if fresh {
		if len(t.flows) > 0 {
			t.mixes(a, o)
		}
		return
	}
	for name, q := range t.flows {
		if name == mine {
			continue
		}
		q.passed[mine]++
		most := int(math.Floor(a.weight(mine)/a.weight(name)+1e-9)) + 1
		if n := q.passed[mine]; n > most && !t.uneven {
			a.violate("flow %q is granted %d turns while the first of %q waits, and %d is fair", mine, n, name, most)
		}
	}
}

func (a *audit) weight(flow string) float64 {
	if w := a.c.e.plan.spec.FlowWeights[flow]; w > 0 {
		return w
	}
	return 1
}

// inTurn checks that nobody who may use a backend goes before the ask that gets it: who
// came earlier, if that one did not wait at all; else those of a higher class, and the
// earlier ones of its flow.
func (a *audit) inTurn(o *open, v int32, fresh bool) {
	if a.on[v].count > a.surely(v) && a.c.e.plan.spec.Workers > 0 {
		return // into the backend's own queue, which is not each one's to take
	}
	for _, b := range a.asks {
		if b == o || b == a.fresh || !a.mayUse(b, v) {
			continue
		}
		switch {
		case b.class < o.class, fresh && b.class == o.class:
			a.violate("%s is granted to the ask %d of proxy %d, and the ask %d of proxy %d, which may use it, goes first", a.c.e.plan.names[v], o.ask, o.proxy, b.ask, b.proxy)
		case b.class == o.class && b.about.Flow == o.about.Flow && b.arrived < o.arrived && a.alike(b, o):
			a.violate("of flow %q the ask %d of proxy %d is granted before the ask %d of proxy %d, which came first", o.about.Flow, o.ask, o.proxy, b.ask, b.proxy)
		}
	}
}

// alike tells whether two asks may use the same backends.
func (a *audit) alike(x, y *open) bool {
	return slices.Equal(x.about.Labels, y.about.Labels) && slices.Equal(x.exclude, y.exclude) &&
		(!a.mayStay(x) && !a.mayStay(y) || x.zone == y.zone)
}
