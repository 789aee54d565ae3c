package dispatch

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Permits: a slot that a proxy may use again without asking. While slots are plentiful a
// grant says that its proxy may keep the slot when the request is over, for a while. A kept
// slot counts as taken, so live grants and permits together never exceed the slots; it is
// reclaimed as soon as somebody waits who may use it, and when a better one is free. It is
// the right of reusing a lease that Gray and Cheriton ("Leases", SOSP 1989) describe, with a
// callback for those who do not want to wait until it expires.

const (
	// spareShare is the share of a pool's slots that stays out of proxies' hands, for whoever
	// asks.
	spareShare = 0.3
	// idleShare is how many slots a proxy may keep unused for each that it uses, while the
	// pool is empty. It falls with the square of what is free.
	idleShare = 4
	// keepWorse is by how much a kept slot may score worse than the best that is free: a fifth
	// slower.
	keepWorse = 0.2
	// keepBetter is by how much it may score better, at most: at half the speed of a kept slot
	// (0.7) others are left with too little.
	keepBetter = 0.6
	// roomy is how many slots there are for each proxy, where slots are many.
	roomy = 16
	// reclaimAhead is how many kept slots are reclaimed for each who begins to wait: one may be
	// in use again by the time that the word arrives.
	reclaimAhead = 2
)

// How long a proxy keeps a slot that it does not use: some turns.
const (
	keepTurns = 10
	keepLeast = 50 * time.Millisecond
	keepMost  = 2 * time.Second
)

// sharable tells whether proxies may have slots in hand without a request.
func sharable(spec *fleet.PoolSpec) bool {
	return !soft(spec) && spec.Assign == fleet.AssignNone && !spec.Direct
}

// lends tells whether a pool has permits at all.
func lends(spec *fleet.PoolSpec) bool { return spec.Permits && sharable(spec) }

// turnOf orders what happens on one slot, should words of it overtake each other: its
// request, then its end, then the next request, and so on.
func turnOf(uses uint32, kept bool) uint64 {
	if kept {
		return 2*uint64(uses) + 1
	}
	return 2 * uint64(uses)
}

// keeps takes in that a request is over whose slot its proxy keeps. A proxy that heard
// nothing for long keeps what it should not; it is told so.
func (p *Pool) keeps(g *grant, in *Done, how fleet.Outcome) {
	turn := turnOf(in.Uses, true)
	if turn <= g.turn {
		p.counts.Stray++
		return
	}
	g.turn, g.uses = turn, in.Uses
	p.account(g, how, in.Latency)
	p.unpark(g)
	p.park(g)
}

// keep returns for how long a grant's proxy may keep its slot unused; 0: not at all.
func (p *Pool) keep(x *proxy) time.Duration {
	if !lends(&p.spec) || p.queue.len > 0 || !p.plenty() {
		return 0
	}
	if x.grants.len > p.slotsUp/len(p.proxies)+1 {
		return 0 // as many as its part
	}
	return min(max(keepTurns*seconds(p.mean), keepLeast), keepMost)
}

// plenty tells whether enough slots are free and in nobody's hands.
func (p *Pool) plenty() bool {
	return p.slotsUp-p.grants.len > int(spareShare*float64(p.slotsUp))
}

// park has a grant's slot be its proxy's to use again.
func (p *Pool) park(g *grant) {
	b := g.on
	g.parked, g.cutAt = true, 0
	g.inTime.remove()
	p.kept.push(&g.inTime)
	b.kept++
	g.proxy.kept++
	p.idle(b, 1)
	p.touch(b)
	if p.learning != nil {
		return // proxies live on what they have, and nobody else could get it now
	}
	if !lends(&p.spec) || !p.mayKeep(b) || g.proxy.kept > p.few(g.proxy) {
		p.reclaim(g)
	}
}

// idle counts kept slots that nobody has asked back.
func (p *Pool) idle(b *backend, more int) {
	p.all.kept += more
	for _, s := range b.scopes {
		s.kept += more
	}
}

// idleKept returns how many kept slots of b nobody has asked back.
func (b *backend) idleKept() (n int) {
	for g := b.live.head(); g != nil && b.kept > 0; g = g.inBackend.after() {
		if g.parked && !g.reclaimed {
			n++
		}
	}
	return n
}

// unpark has a kept slot be in use, or gone.
func (p *Pool) unpark(g *grant) {
	if !g.parked {
		return
	}
	g.parked = false
	g.on.kept--
	g.proxy.kept--
	if !g.reclaimed {
		p.idle(g.on, -1)
	}
}

// mayKeep tells whether nobody has more use for a kept slot of b than its proxy.
func (p *Pool) mayKeep(b *backend) bool {
	if !b.worth.eligible || int32(b.live.len)+b.resting > b.worth.most || p.specials.len > 0 || p.all.waiting > 0 {
		return false
	}
	if slices.ContainsFunc(b.scopes, func(s *scope) bool { return s.waiting > 0 }) {
		return false
	}
	best := p.all.free.top()
	return best != nil && b.score-best.score <= keepWorse && best.score-b.score <= p.spares()
}

// spares is by how much the best that is free may score worse than a slot that is kept: were
// it more, the slot would serve others better than its proxy's idleness. Where slots are many,
// for each proxy and altogether, somebody else's next request is not likely to miss it.
func (p *Pool) spares() float64 {
	if p.slotsUp < roomy*len(p.proxies) {
		return keepWorse
	}
	free := 1 - float64(p.grants.len-p.kept.len)/float64(max(p.slotsUp, 1))
	return min(max(keepWorse, keepWorse+2*(free-spareShare)), keepBetter)
}

// few is how many slots a proxy may keep unused: a share of those that it uses, which falls
// steeply as the pool fills.
func (p *Pool) few(x *proxy) int {
	free := 1 - float64(p.grants.len-p.kept.len)/float64(max(p.slotsUp, 1))
	return 1 + int(idleShare*max(free, 0)*max(free, 0)*float64(x.grants.len-x.kept))
}

// reclaim has a proxy told to give a kept slot back, if it does not use it by then.
func (p *Pool) reclaim(g *grant) {
	if g.reclaimed {
		return
	}
	g.reclaimed = true
	if g.parked {
		p.idle(g.on, -1)
	}
	if g.proxy.connected {
		p.effects = append(p.effects, Effect{Kind: Reclaimed, Proxy: g.proxy.id, Grant: g.id, Backend: g.on.name})
	}
}

// reclaimFor asks slots back for somebody who begins to wait.
func (p *Pool) reclaimFor(a *ask) {
	w, why := p.wishOf(a)
	if why != fleet.NoReason || p.learning != nil {
		return
	}
	s := w.all
	if w.stays {
		s = w.near
	}
	if s.kept == 0 {
		return
	}
	n := reclaimAhead
	for g := p.kept.head(); g != nil && n > 0; g = g.inTime.after() {
		if !g.reclaimed && (s == p.all || slices.Contains(g.on.scopes, s)) && !contains(a.exclude, g.on.name) {
			p.reclaim(g)
			n--
		}
	}
}

// reclaimOn asks all kept slots of a backend back.
func (p *Pool) reclaimOn(b *backend) {
	for g := b.live.head(); g != nil; g = g.inBackend.after() {
		if g.parked {
			p.reclaim(g)
		}
	}
}

// use takes a proxy's word in that it uses a slot which it had kept.
func (p *Pool) use(in *Use) {
	g := p.grants.get(in.Grant)
	if g == nil {
		p.counts.Stray++
		p.effects = append(p.effects, Effect{Kind: Reclaimed, Proxy: in.Proxy, Grant: in.Grant})
		return
	}
	turn := turnOf(in.Uses, false)
	if g.proxy.id != in.Proxy || turn <= g.turn || g.inTime.in != &p.kept && g.inTime.in != &p.running {
		p.counts.Stray++
		return
	}
	p.unpark(g)
	g.turn, g.uses, g.since = turn, in.Uses, p.now
	g.inTime.remove()
	p.running.push(&g.inTime)
	b := g.on
	g.load = b.live.len
	b.granted++
	p.counts.Granted++
	p.counts.Used++
	p.touch(b)
	p.ring.add(Decision{
		At: p.now, Proxy: in.Proxy, Grant: g.id, Backend: b.name, Score: b.score,
		Free: p.all.free.len(), Class: classOf(in.About), Flow: aboutOf(in.About).Flow, Kept: true,
	})
	if a := p.queue.head(); a != nil && g.reclaimed { // it was to be somebody's
		p.reclaimFor(a)
	}
}

// learning is what a controller that has just taken over still waits for.
type learning struct {
	until  fleet.Time
	expect map[fleet.ProxyID]bool // that may hold slots, and are not back
}

// learn begins a term: nothing is granted before all that hold slots have said so, or their
// leases are over.
func (p *Pool) beginLearning(in *Learn) {
	if in.Epoch > 0 {
		p.epoch = in.Epoch
	}
	l := &learning{until: p.now.Add(in.For), expect: map[fleet.ProxyID]bool{}}
	for _, id := range in.Expect {
		if x := p.proxies[id]; x == nil || !x.connected {
			l.expect[id] = true
		}
	}
	p.learning = l
	p.learnt()
	p.refreshAll()
}

// learnt ends the learning when it is time.
func (p *Pool) learnt() {
	if l := p.learning; l == nil || len(l.expect) > 0 && p.now < l.until {
		return
	}
	p.learning = nil
	p.refreshAll()
	for g := p.kept.head(); g != nil; g = g.inTime.after() {
		if !lends(&p.spec) || !p.mayKeep(g.on) {
			p.reclaim(g)
		}
	}
	p.drainQueue()
	for a := p.queue.head(); a != nil && p.all.kept > 0; a = a.inQueue.after() {
		p.reclaimFor(a)
	}
}
