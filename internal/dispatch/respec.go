package dispatch

import (
	"maps"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// respec takes over what the pool is wished to be from now on.
func (p *Pool) respec(spec fleet.PoolSpec) {
	was := p.spec
	p.spec = kept(&was, spec)
	if p.spec.SlowStart <= 0 {
		for _, b := range p.order {
			b.upAt = 0
		}
	}
	if p.spec.LostAfter != was.LostAfter {
		p.waitAnew()
	}
	p.weighAnew()
	if p.spec.PreferZone && p.spec.SpillAfter != was.SpillAfter {
		p.placeAnew()
	}
	p.refreshAll()
	if p.spec.Slots != was.Slots || p.spec.Workers != was.Workers {
		p.tellAgents()
	}
	if !lends(&p.spec) {
		for g := p.kept.head(); g != nil; g = g.inTime.after() {
			p.reclaim(g)
		}
	}
}

// kept returns a spec with what a pool that has grants cannot change as it was. Tickets
// that were signed are taken for as long as they say, so the time for them only grows.
func kept(was *fleet.PoolSpec, spec fleet.PoolSpec) fleet.PoolSpec {
	spec.Name, spec.FirstGrant = was.Name, was.FirstGrant
	spec.Learn, spec.Assign, spec.Direct, spec.PreferZone = was.Learn, was.Assign, was.Direct, was.PreferZone
	if (spec.Workers > 0) != (was.Workers > 0) {
		spec.Slots, spec.Workers = was.Slots, was.Workers
	}
	spec.TicketLife = max(spec.TicketLife, was.TicketLife)
	return spec
}

// waitAnew has the grants of backends that are down end when the time for it, which is
// another one now, has passed from now on.
func (p *Pool) waitAnew() {
	for _, b := range p.order {
		if b.condition != down || b.lost {
			continue
		}
		b.healthMark++ // the wake that is set does not count
		if p.spec.LostAfter > 0 {
			p.wakeAt(wake{at: p.now.Add(p.spec.LostAfter), what: backendLost, on: b, mark: b.healthMark})
		}
	}
}

// weighAnew gives flows the weights that they have now.
func (p *Pool) weighAnew() {
	for i := range p.ranks {
		r := &p.ranks[i]
		for _, name := range slices.Sorted(maps.Keys(r.flows)) { // each moves in the heap: in an order
			f := r.flows[name]
			if f.weight = p.spec.FlowWeights[name]; f.weight <= 0 {
				f.weight = 1
			}
			if f.place != nowhere {
				r.longest.fix(f)
			}
		}
	}
}

// placeAnew puts those who wait where they are after another time for backends in their zone.
func (p *Pool) placeAnew() {
	for a := p.queue.head(); a != nil; a = a.inQueue.after() {
		p.displace(a)
		a.until, _ = p.untilOf(a)
		p.place(a)
	}
}

// tellAgents tells the agents how many slots their backends have now.
func (p *Pool) tellAgents() {
	for _, b := range p.order {
		if b.known[FromAgent] {
			p.tell(b)
		}
	}
}
