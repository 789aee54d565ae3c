package dispatch

import (
	"fmt"
	"maps"

	"github.com/fairlead/fairlead/internal/fleet"
)

// checkZones checks that backends are counted by where they are.
func checkZones(p *Pool) error {
	count := map[string]int{}
	for _, b := range p.order {
		count[b.zone]++
	}
	if !maps.Equal(count, p.zones) {
		return fmt.Errorf("zones have %v, kept as %v", count, p.zones)
	}
	labels := map[string]int{}
	for _, b := range p.order {
		for _, l := range b.labels {
			labels[l]++
		}
	}
	if !maps.Equal(labels, p.labels) {
		return fmt.Errorf("labels are had by %v, kept as %v", labels, p.labels)
	}
	return nil
}

// checkOffers checks what is assigned, and the direct grants whose client has not come.
func checkOffers(p *Pool) error {
	last := fleet.Time(-1 << 62)
	for g := p.offers.head(); g != nil; g = g.inTime.after() {
		a := g.offer
		if g.since < last || g.cutAt != 0 || !g.told || p.spec.Assign == fleet.AssignNone {
			return fmt.Errorf("grant %v is out of place among the assigned", g.id)
		}
		if a == nil || a.offered != g || g.asker != a.proxy.id || a.proxy.waiting[a.id] != a {
			return fmt.Errorf("grant %v is assigned, and no ask waits for it", g.id)
		}
		last = g.since
	}
	last = fleet.Time(-1 << 62)
	for g := p.coming.head(); g != nil; g = g.inTime.after() {
		if g.since < last || g.cutAt != 0 || g.offer != nil || !g.told || !p.spec.Direct {
			return fmt.Errorf("grant %v is out of place among those that come", g.id)
		}
		last = g.since
	}
	for _, b := range p.order {
		if x := b.holder; x != nil && (!p.spec.Direct || !b.agentUp || !x.connected || p.proxies[x.id] != x) {
			return fmt.Errorf("p%d is the agent of %s, and not there", x.id, b.name)
		}
	}
	return nil
}

// checkProxies checks that every ask that waits does so in one place: in the queue, or
// with the one grant that is assigned to it.
func checkProxies(p *Pool) error {
	waiting := 0
	for id, x := range p.proxies {
		if x.id != id || len(x.waiting) != x.asks.len || !x.connected && (x.asks.len > 0 || x.inLost.in != &p.lost) {
			return fmt.Errorf("p%d has %d asks, %d by name, connected %v", id, x.asks.len, len(x.waiting), x.connected)
		}
		for a := x.asks.head(); a != nil; a = a.inProxy.after() {
			waiting++
			queued := a.inQueue.in == &p.queue
			if x.waiting[a.id] != a || a.proxy != x || queued == (a.offered != nil) || a.soft > len(a.exclude) {
				return fmt.Errorf("p%d #%d is queued: %v, assigned: %v", id, a.id, queued, a.offered != nil)
			}
			if g := a.offered; g != nil && (g.offer != a || p.grants.get(g.id) != g || g.inTime.in != &p.offers) {
				return fmt.Errorf("p%d #%d is assigned to grant %v, which is another's", id, a.id, g.id)
			}
		}
	}
	if waiting != p.queue.len+p.offers.len {
		return fmt.Errorf("%d asks wait, %d in the queue and %d for an answer", waiting, p.queue.len, p.offers.len)
	}
	return nil
}

// checkSpare checks that what is kept to be used again keeps nothing else.
func checkSpare(p *Pool) error {
	if err := checkList(&p.spareAsks); err != nil {
		return err
	}
	for a := p.spareAsks.head(); a != nil; a = a.inQueue.after() {
		if a.proxy != nil || a.about != nil || a.offered != nil || a.inProxy.in != nil {
			return fmt.Errorf("a spare ask, once #%d, is not empty", a.id)
		}
	}
	for g := p.spareGrants.head(); g != nil; g = g.inTime.after() {
		if g.proxy != nil || g.on != nil || g.offer != nil || g.inProxy.in != nil || g.inBackend.in != nil {
			return fmt.Errorf("a spare grant, once %v, is not empty", g.id)
		}
	}
	return nil
}
