package sim

import (
	"slices"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
)

// effect checks one effect, at the moment at which it is said.
func (a *audit) effect(f *dispatch.Effect) {
	switch f.Kind {
	case dispatch.Granted, dispatch.Refused:
	case dispatch.Revoked:
		g := a.grants[f.Grant]
		if g == nil || g.proxy != f.Proxy {
			a.violate("grant %v is revoked, and proxy %d does not have it", f.Grant, f.Proxy)
			return
		}
		g.cutAt = a.now
		a.cut = append(a.cut, due[fleet.GrantID]{f.Grant, a.now})
		return
	default:
		return
	}
	i := a.find(f.Proxy, f.Ask)
	if i < 0 {
		a.violate("the ask %d of proxy %d is answered, and was not open", f.Ask, f.Proxy)
		return
	}
	o, fresh := a.asks[i], a.asks[i] == a.fresh
	if f.Kind == dispatch.Refused {
		a.refused(o, f.Reason)
		a.answered(i)
		return
	}
	if a.grants[f.Grant] != nil {
		a.violate("grant %v is given twice", f.Grant)
		return
	}
	v := a.c.e.plan.index[f.Backend]
	a.grants[f.Grant] = &given{proxy: f.Proxy, on: v}
	a.on[v].count++
	a.fits(o, v)
	a.inTurn(o, v, fresh)
	a.turns[o.class].takes(a, o, fresh)
	a.answered(i)
}

// fits checks that an ask may have the backend that it was granted, and that there was a
// slot.
func (a *audit) fits(o *open, v int32) {
	name, b := a.c.e.plan.names[v], &a.on[v]
	switch {
	case !b.up || b.drains:
		a.violate("%s is granted, which takes no requests", name)
	case !a.wears(v, o.about.Labels):
		a.violate("%s is granted, which has no labels %v", name, o.about.Labels)
	case slices.Contains(o.exclude, name):
		a.violate("%s is granted, which the ask excludes", name)
	case b.count > a.limit(v):
		a.measure() // how many workers are learnt has perhaps changed
		if b.count > a.limit(v) {
			a.violate("%s has %d in flight, and %d slots", name, b.count, a.limit(v))
		}
	}
}

// mostBeyond is how many times its workers a backend may have in its own queue, and one
// more, whatever is learnt of its speed.
const mostBeyond = 3

// limit returns how many grants a backend may have for one more to be given: its slots; or
// what its workers allow in the extreme, as the bound moves with what is learnt.
func (a *audit) limit(v int32) int32 {
	p := a.c.e.plan
	workers := int32(p.groups[p.groupOf[v]].Declared)
	if p.spec.Workers == 0 {
		return max(workers, 1)
	}
	if workers == 0 {
		workers = a.on[v].learnt
	}
	return (1+mostBeyond)*workers + 1
}

// surely returns how many grants a backend has a free slot below, whatever it reports and
// however new it is.
func (a *audit) surely(v int32) int32 {
	p := a.c.e.plan
	g := &p.groups[p.groupOf[v]]
	if g.Declared == 0 || g.Report > 0 || p.spec.SlowStart > 0 {
		return 1
	}
	return int32(g.Declared)
}

// wears tells whether a backend has labels.
func (a *audit) wears(v int32, labels []string) bool {
	have := a.c.e.plan.groups[a.c.e.plan.groupOf[v]].Labels
	return !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(have, l) })
}

// hopes tells whether a backend is one that an ask may be served by sooner or later.
func (a *audit) hopes(o *open, v int32) bool {
	b := &a.on[v]
	return b.up && !b.drains && a.wears(v, o.about.Labels) && !slices.Contains(o.exclude, a.c.e.plan.names[v])
}

// mayUse tells whether an ask may use a backend now. One that waits for its zone may not,
// as long as there is hope for it.
func (a *audit) mayUse(o *open, v int32) bool {
	p := a.c.e.plan
	if !a.hopes(o, v) {
		return false
	}
	if !a.mayStay(o) || p.groups[p.groupOf[v]].Zone == o.zone {
		return true
	}
	for u := range a.on {
		if b := &a.on[u]; p.groups[p.groupOf[u]].Zone == o.zone && b.up && !b.drains && a.wears(int32(u), o.about.Labels) {
			return false
		}
	}
	return true
}

// mayStay tells whether an ask may be one that waits for its zone.
func (a *audit) mayStay(o *open) bool {
	spec := &a.c.e.plan.spec
	return spec.PreferZone && o.zone != "" && o.arrived.Add(spec.SpillAfter) > a.now
}

// refused checks that an ask could not be served, or not in time.
func (a *audit) refused(o *open, why fleet.Reason) {
	spec := &a.c.e.plan.spec
	switch why {
	case fleet.NoBackend, fleet.NoMatch, fleet.AllExcluded:
		for v := range a.on {
			if a.hopes(o, int32(v)) {
				a.violate("the ask %d of proxy %d is refused (%s), and %s could serve it", o.ask, o.proxy, why.Text(), a.c.e.plan.names[v])
			}
		}
	case fleet.QueueTimeout:
		if waited := a.now.Sub(o.arrived); waited < a.patience(o) {
			a.violate("the ask %d of proxy %d is refused (%s) after %v of %v", o.ask, o.proxy, why.Text(), waited, a.patience(o))
		}
	case fleet.QueueFull:
		limit := spec.Classes[o.class].Limit
		if len(a.asks) <= spec.QueueLimit && (limit == 0 || a.waiting[o.class] <= limit) {
			a.violate("the ask %d of proxy %d is refused (%s), and only %d wait", o.ask, o.proxy, why.Text(), len(a.asks)-1)
		}
	}
}

// bounds checks how many wait.
func (a *audit) bounds() {
	spec := &a.c.e.plan.spec
	if len(a.asks) > spec.QueueLimit {
		a.violate("%d wait, and %d may", len(a.asks), spec.QueueLimit)
	}
	for class := range a.waiting {
		if limit := spec.Classes[class].Limit; limit > 0 && a.waiting[class] > limit {
			a.violate("%d of class %s wait, and %d may", a.waiting[class], fleet.Class(class), limit)
		}
	}
}

// idleSlots checks that nobody waits while a backend that he may use has a free slot.
// Where errors, reports or a slow start keep slots back, the mind says how many; else not
// even that is taken on trust.
func (a *audit) idleSlots() {
	if len(a.asks) == 0 {
		return
	}
	p := a.c.e.plan
	hard := p.spec.Workers == 0
	var free map[fleet.BackendName]bool
	for v := range a.on {
		b, name := &a.on[v], p.names[v]
		if !b.up || b.drains || b.count >= a.surely(int32(v)) && (!hard || b.count >= a.limit(int32(v))) {
			continue
		}
		i := slices.IndexFunc(a.asks, func(o *open) bool { return a.mayUse(o, int32(v)) })
		if i < 0 {
			continue
		}
		if b.erred || b.count >= a.surely(int32(v)) {
			if free == nil {
				free = a.freeByItsWord()
			}
			if !free[name] {
				continue
			}
		}
		a.violate("%d wait, while %s has %d of %d slots taken; one is the ask %d of proxy %d", len(a.asks), name, b.count, a.limit(int32(v)), a.asks[i].ask, a.asks[i].proxy)
	}
}

// freeByItsWord returns the backends that the mind says take a grant.
func (a *audit) freeByItsWord() map[fleet.BackendName]bool {
	free := map[fleet.BackendName]bool{}
	for _, c := range a.mind.Explain(dispatch.Hypothetical{}, 0).Candidates {
		free[c.Backend] = c.Free
	}
	return free
}

// hands checks that no slot is in two hands: proxies together hold no more of a backend than
// its slots, whatever became of sessions and controllers, while leases last.
func (a *audit) hands() {
	p := a.c.e.plan
	if !a.small() || p.spec.Workers > 0 || a.c.lapsed || a.mind == nil || p.spec.Grace <= permit.Lease {
		return
	}
	held := make([]int32, len(a.on))
	for i := range a.c.proxies {
		if !a.c.e.proxies[i] {
			continue
		}
		live := a.c.proxies[i].ledger.Live(a.now, poolName)
		if len(live) > 0 && a.c.proxies[i].ledger.LeaseOver(a.now, poolName) {
			a.c.lapsed = true // what runs for so long runs on
			return
		}
		for _, h := range live {
			held[p.index[h.Backend]]++
		}
	}
	for v := range held {
		if most := max(int32(p.groups[p.groupOf[v]].Declared), 1); held[v] > most {
			a.violate("proxies hold %d slots of %s, which has %d", held[v], p.names[v], most)
		}
	}
}
