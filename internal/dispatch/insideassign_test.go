package dispatch

import (
	"fmt"

	"github.com/fairlead/fairlead/internal/fleet"
)

// checkZones checks that the zones' heaps are together what the heap of all is, and that
// none is kept of a zone in which nobody is.
func checkZones(p *Pool) error {
	if !p.spec.PreferZone && len(p.zones) > 0 {
		return fmt.Errorf("%d zones are kept, and nobody prefers any", len(p.zones))
	}
	known := map[string]bool{}
	free := 0
	for _, b := range p.order {
		known[b.zone] = true
		if !p.spec.PreferZone && b.place[inZone] != nowhere {
			return fmt.Errorf("%s is at %d of a zone's heap", b.name, b.place[inZone])
		}
		if b.place[inZone] != nowhere && (b.zoned != p.zones[b.zone] || b.zoned == nil) {
			return fmt.Errorf("%s is free in another zone than its own, %q", b.name, b.zone)
		}
	}
	for zone, h := range p.zones {
		if !known[zone] || h.zone != zone || h.kind != inZone {
			return fmt.Errorf("zone %q is kept, and nobody is there", zone)
		}
		if err := checkFree(p, h); err != nil {
			return fmt.Errorf("zone %q: %w", zone, err)
		}
		free += h.len()
	}
	if p.spec.PreferZone && free != p.free.len() {
		return fmt.Errorf("%d are free in zones, and %d in all", free, p.free.len())
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
			if g := a.offered; g != nil && (g.offer != a || p.grants[g.id] != g || g.inTime.in != &p.offers) {
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
