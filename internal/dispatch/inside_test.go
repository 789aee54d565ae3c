package dispatch

import (
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// checkInside compares what a Pool keeps twice, and the order of what it keeps in order.
func checkInside(p *Pool) error {
	for _, check := range []func(*Pool) error{checkBackends, checkScopes, checkZones, checkFlows, checkGrants, checkOffers, checkQueue, checkProxies, checkSpare, checkWakes} {
		if err := check(p); err != nil {
			return err
		}
	}
	return nil
}

func checkBackends(p *Pool) error {
	if len(p.order) != len(p.byName) {
		return fmt.Errorf("%d backends in order, %d by name", len(p.order), len(p.byName))
	}
	hopeful, slots, live := 0, 0, 0
	for _, b := range p.order {
		if p.byName[b.name] != b {
			return fmt.Errorf("%s is not found by its name", b.name)
		}
		if !b.isKnown() && b.live.len == 0 {
			return fmt.Errorf("%s is not forgotten", b.name)
		}
		if b.hopeful(&p.spec) {
			hopeful++
		}
		if b.eligible(&p.spec) {
			slots += p.size(b)
		}
		live += b.live.len
		if err := checkLive(p, b); err != nil {
			return err
		}
		// What nobody measured is scored by the pool's speed, which each answer moves;
		// the next beat catches up.
		if w := p.worthOf(b); w != b.worth && b.upAt == 0 && (b.samples > 0 || !soft(&p.spec)) { // others each beat
			return fmt.Errorf("%s is worth %+v, kept as %+v", b.name, w, b.worth)
		}
		// The wait in a backend's own queue grows until somebody looks.
		want := p.scoreOf(b).Sum()
		if wrong := b.score != want && b.standing != overflowing || b.score > want+1e-9; wrong && (b.samples > 0 || p.beatAt == 0) {
			return fmt.Errorf("score of %s is %v, kept as %v", b.name, want, b.score)
		}
	}
	if hopeful != p.all.hopeful || slots != p.slotsUp {
		return fmt.Errorf("hopeful %d and slots %d, kept as %d and %d", hopeful, slots, p.all.hopeful, p.slotsUp)
	}
	if live != p.grants.len {
		return fmt.Errorf("%d grants live on backends, %d are known", live, p.grants.len)
	}
	return nil
}

func checkLive(p *Pool, b *backend) error {
	if err := checkList(&b.live); err != nil {
		return fmt.Errorf("grants of %s: %w", b.name, err)
	}
	for g := b.live.head(); g != nil; g = g.inBackend.after() {
		if p.grants.get(g.id) != g || g.on != b {
			return fmt.Errorf("grant %v of %s is lost", g.id, b.name)
		}
	}
	return nil
}

// checkScopes checks that each scope has those that are its, in heaps that are in order, and
// nobody else.
func checkScopes(p *Pool) error {
	for id, s := range p.scopes {
		if s == nil {
			continue
		}
		if s.id != id {
			return fmt.Errorf("scope %d is at %d", s.id, id)
		}
		hopeful := 0
		for _, b := range p.order {
			in := s == p.all || slices.Contains(b.scopes, s)
			if in != (s == p.all || s.has(b)) {
				return fmt.Errorf("%s in scope %v %q: %v", b.name, s.labels, s.zone, in)
			}
			if in && b.hopeful(&p.spec) {
				hopeful++
			}
		}
		if hopeful != s.hopeful {
			return fmt.Errorf("%d are hopeful in scope %v %q, kept as %d", hopeful, s.labels, s.zone, s.hopeful)
		}
		for as, h := range map[standing]*freeHeap{open: &s.free, overflowing: &s.over} {
			if err := checkHeap(p, s, h, as); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkHeap checks the order of one heap, and that it has all of its scope that stand so.
func checkHeap(p *Pool, s *scope, h *freeHeap, as standing) error {
	for i := range h.items {
		e := &h.items[i]
		b := e.on
		if e.score != b.score || e.chosen != b.chosen {
			return fmt.Errorf("%s is ordered by what it was: %+v", b.name, *e)
		}
		if int(*h.placeOf(b)) != i {
			return fmt.Errorf("%s is at %d of the heap, and believes %d", b.name, i, *h.placeOf(b))
		}
		if i > 0 && e.before(&h.items[(i-1)/2]) {
			return fmt.Errorf("%s is below a worse one in the heap", b.name)
		}
		if p.byName[b.name] != b || b.standing != as {
			return fmt.Errorf("%s is in the heap, and stands %d, not %d, or is forgotten", b.name, b.standing, as)
		}
	}
	n := 0
	for _, b := range p.order {
		if (s == p.all || s.has(b)) && b.stand() == as {
			n++
		}
	}
	if n != len(h.items) {
		return fmt.Errorf("%d stand %d in scope %v %q, %d are in the heap", n, as, s.labels, s.zone, len(h.items))
	}
	return nil
}

func checkGrants(p *Pool) error {
	if n := p.running.len + p.cutting.len + p.offers.len + p.coming.len + p.kept.len; n != p.grants.len {
		return fmt.Errorf("%d grants run, are cut or are kept, %d are known", n, p.grants.len)
	}
	for _, l := range []*list[grant]{&p.running, &p.cutting, &p.offers, &p.coming, &p.kept, &p.spareGrants} {
		if err := checkList(l); err != nil {
			return err
		}
	}
	before := fleet.Time(-1 << 62)
	for g := p.running.head(); g != nil; g = g.inTime.after() {
		if g.since < before || g.cutAt != 0 || g.offer != nil {
			return fmt.Errorf("grant %v is out of place among the running", g.id)
		}
		before = g.since
	}
	before = 1
	for g := p.cutting.head(); g != nil; g = g.inTime.after() {
		if g.cutAt < before || g.offer != nil {
			return fmt.Errorf("grant %v is out of place among the cut", g.id)
		}
		before = g.cutAt
	}
	if p.spareGrants.len > maxSpare || p.spareAsks.len > maxSpare {
		return fmt.Errorf("%d grants and %d asks to spare", p.spareGrants.len, p.spareAsks.len)
	}
	return nil
}

func checkQueue(p *Pool) error {
	if err := checkList(&p.queue); err != nil {
		return err
	}
	before := fleet.Time(-1 << 62)
	for a := p.queue.head(); a != nil; a = a.inQueue.after() {
		if a.arrived < before {
			return fmt.Errorf("ask #%d is out of place in the queue", a.id)
		}
		before = a.arrived
		if a.proxy == nil || a.proxy.waiting[a.id] != a || !a.proxy.connected {
			return fmt.Errorf("ask #%d waits, and its proxy does not know", a.id)
		}
	}
	before = 0
	for x := p.lost.head(); x != nil; x = x.inLost.after() {
		if x.lostAt < before || x.connected || x.grants.len == 0 || p.proxies[x.id] != x {
			return fmt.Errorf("p%d is out of place among the lost", x.id)
		}
		before = x.lostAt
	}
	return nil
}

func checkWakes(p *Pool) error {
	resting := map[*backend]int{}
	for i, w := range p.wakes {
		if i > 0 && w.at < p.wakes[(i-1)/2].at {
			return fmt.Errorf("wake %d is before its parent", i)
		}
		if w.what == slotRests {
			resting[w.on]++
		}
	}
	for _, b := range p.order {
		if resting[b] != int(b.resting) {
			return fmt.Errorf("%d slots of %s rest, %d will wake", b.resting, b.name, resting[b])
		}
	}
	return nil
}

func checkList[T any](l *list[T]) error {
	n := 0
	var last *node[T]
	for at := l.first; at != nil; at = at.next {
		if at.prev != last || at.in != l || at.owner == nil {
			return fmt.Errorf("node %d of a list is badly tied", n)
		}
		last = at
		n++
		if n > l.len {
			break
		}
	}
	if n != l.len || last != l.last {
		return fmt.Errorf("a list of %d says %d", n, l.len)
	}
	return nil
}

// checkFlows checks that each ask waits in one place, and that places are in order.
func checkFlows(p *Pool) error {
	if len(p.due.items) != p.queue.len {
		return fmt.Errorf("%d wait, %d will be given up", p.queue.len, len(p.due.items))
	}
	lanes, waiting := map[*lane]bool{}, [fleet.Classes]int{}
	for a := p.queue.head(); a != nil; a = a.inQueue.after() {
		if a.flow == nil || p.ranks[a.flow.class].flows[a.flow.name] != a.flow || p.due.items[a.inDue] != a {
			return fmt.Errorf("ask #%d waits in no flow", a.id)
		}
		waiting[a.flow.class]++
		switch {
		case a.lane == nil && a.inSpecial.in != &p.specials:
			return fmt.Errorf("ask #%d waits nowhere", a.id)
		case a.lane == nil:
		case a.lane.flow != a.flow || a.inLane.in != &a.lane.asks || a.inSpecial.in != nil || p.scopes[a.lane.scope.id] != a.lane.scope:
			return fmt.Errorf("ask #%d waits in another's lane", a.id)
		default:
			lanes[a.lane] = true
		}
	}
	for class := range p.ranks {
		if err := checkRank(&p.ranks[class], waiting[class]); err != nil {
			return fmt.Errorf("class %v: %w", fleet.Class(class), err)
		}
	}
	for _, s := range p.scopes {
		if s == nil {
			continue
		}
		n := 0
		for class := range s.lanes {
			h := &s.lanes[class]
			for i, l := range h.items {
				if l.place != i || !lanes[l] || l.scope != s || i > 0 && laneBefore(l, h.items[(i-1)/2]) {
					return fmt.Errorf("lane %d of scope %v %q is out of place", i, s.labels, s.zone)
				}
				n += l.asks.len
				delete(lanes, l)
			}
		}
		if n != s.waiting {
			return fmt.Errorf("%d wait in scope %v %q, kept as %d", n, s.labels, s.zone, s.waiting)
		}
	}
	if len(lanes) > 0 {
		return fmt.Errorf("%d lanes are in no heap", len(lanes))
	}
	return nil
}

func checkRank(r *rank, waiting int) error {
	n := 0
	for i, f := range r.longest.items {
		if f.place != i || f.waiting == 0 || i > 0 && r.longest.before(f, r.longest.items[(i-1)/2]) {
			return fmt.Errorf("flow %q is out of place", f.name)
		}
		n += f.waiting
	}
	if n != waiting || r.waiting != waiting {
		return fmt.Errorf("%d wait, kept as %d and %d", waiting, n, r.waiting)
	}
	if r.idle.len > maxIdle {
		return fmt.Errorf("%d idle flows are remembered", r.idle.len)
	}
	return nil
}
