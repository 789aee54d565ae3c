package permit

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Lease is how long a proxy goes on using what its controller gave it, from when it sent the
// last message that the controller is known to have heard. It is half a second less than the
// grace, for which the controller keeps the slots of a proxy that is gone, and that begins no
// earlier: so a slot is never in two hands, as long as clocks do not drift by more than that.
const Lease = 2500 * time.Millisecond

// Kept slots: what a proxy may use again without asking. A grant says for how long its slot
// may be kept unused; and a proxy whose controller does not answer keeps every slot that it
// has in hand, because the controller counts it as taken anyway.

// controller is what this proxy knows of one controller.
type controller struct {
	quiet bool       // it leaves messages unanswered
	heard fleet.Time // when the last message was sent that it is known to have heard
}

func (l *Ledger) controller(by int) *controller {
	c := l.controllers[by]
	if c == nil {
		c = &controller{}
		l.controllers[by] = c
	}
	return c
}

// Heard notes that a controller has heard a message which was sent at a time.
func (l *Ledger) Heard(by int, sent fleet.Time) {
	c := l.controller(by)
	c.heard = max(c.heard, sent)
}

// Quiet notes whether a controller leaves a message unanswered for longer than it should. It
// returns whether that is news.
func (l *Ledger) Quiet(by int, is bool) bool {
	c := l.controller(by)
	was := c.quiet
	c.quiet = is
	return was != is
}

// Led notes that a controller leads a pool from now on, and is about to be told what of it
// is Live. learning: it does not decide yet, and this proxy goes on with the slots that it
// has in hand.
func (l *Ledger) Led(now fleet.Time, name fleet.PoolName, by int, learning bool) {
	p := l.pool(name)
	p.before = p.heard()
	p.leader, p.since, p.learning = l.controller(by), now, learning
	p.hand, p.counted = nil, false
}

// Learnt notes that the leader of a pool decides from now on.
func (l *Ledger) Learnt(name fleet.PoolName) { l.pool(name).learning = false }

// Relearn notes that the leader of a pool does not decide for a while.
func (l *Ledger) Relearn(name fleet.PoolName) { l.pool(name).learning = true }

// Unled notes that no controller leads a pool, as far as this proxy knows.
func (l *Ledger) Unled(name fleet.PoolName) {
	p := l.pool(name)
	p.before, p.leader = p.heard(), nil
}

// heard returns when the last message was sent of which the pool's leader, or the one before
// it, is known to have heard. What the leader heard before it was told what this proxy has
// counts for nothing: it could not know what that word was about.
func (p *pool) heard() fleet.Time {
	if p.leader != nil && p.leader.heard >= p.since {
		return max(p.before, p.leader.heard)
	}
	return p.before
}

// Alone tells whether a pool's requests are to be served without a controller if they can be.
func (l *Ledger) Alone(name fleet.PoolName) bool { return l.pool(name).alone() }

func (p *pool) alone() bool { return p.leader == nil || p.leader.quiet || p.learning }

// LeaseOver tells whether what controllers gave of a pool may not be used any more.
func (l *Ledger) LeaseOver(now fleet.Time, name fleet.PoolName) bool {
	return l.pool(name).leaseOver(now)
}

func (p *pool) leaseOver(now fleet.Time) bool { return now.Sub(p.heard()) >= Lease }

// MayKeep notes that a grant's slot may be kept, unused for at most a time.
func (l *Ledger) MayKeep(id fleet.GrantID, unused time.Duration) {
	if h := l.held[id]; h != nil {
		h.keep = unused
	}
}

// keeps tells whether a slot whose request is over stays in hand.
func (p *pool) keeps(now fleet.Time, h *holding, how fleet.Outcome) bool {
	switch {
	case h.own && !h.lent || p.leaseOver(now) || !p.shares && h.keep == 0 || how == fleet.Revoked:
		return false
	case !p.alone():
		return h.keep > 0 && !h.reclaimed && (how == fleet.OK || how == fleet.Unused)
	}
	return p.shares && !p.queues && !h.lent
}

// park keeps a slot.
func (p *pool) park(now fleet.Time, h *holding) {
	h.kept, h.since = true, now
	p.kept = append(p.kept, h)
}

// unpark takes a slot out of those that are kept.
func (p *pool) unpark(h *holding) {
	h.kept = false
	p.kept = slices.DeleteFunc(p.kept, func(o *holding) bool { return o == h })
}

// IsKept tells whether a grant's slot is kept, with no request on it.
func (l *Ledger) IsKept(id fleet.GrantID) bool {
	h := l.held[id]
	return h != nil && h.kept
}

// IsLent tells whether this proxy gave itself a grant, of its share.
func (l *Ledger) IsLent(id fleet.GrantID) bool {
	h := l.held[id]
	return h != nil && h.lent
}

// Uses returns how often a grant's slot was used again.
func (l *Ledger) Uses(id fleet.GrantID) uint32 {
	if h := l.held[id]; h != nil {
		return h.uses
	}
	return 0
}

// Take begins a request on a slot that is kept: of those on backends that it may use, the one
// on the backend that is fastest. False: none will do.
func (l *Ledger) Take(now fleet.Time, name fleet.PoolName, r *Wish) (fleet.GrantID, fleet.BackendName, bool) {
	p := l.pools[name]
	if p == nil || len(p.kept) == 0 || p.leaseOver(now) || r.Affinity != "" && !p.alone() {
		return fleet.GrantID{}, "", false
	}
	var best *holding
	var cost float64
	for _, h := range p.kept { // the latest last, and of equals it is the one
		c, ok := p.local.costOf(now, h.on, r)
		if ok && (best == nil || c <= cost) {
			best, cost = h, c
		}
	}
	if best == nil {
		return fleet.GrantID{}, "", false
	}
	p.unpark(best)
	best.uses++
	best.since, best.until = now, 0
	if best.limit > 0 {
		best.until = now.Add(best.limit)
	}
	p.inFlight++
	s := p.sight(best.on)
	s.inFlight++
	s.used = now
	p.local.Began(now, best.on)
	return best.id, best.on, true
}

// Wish is what a request may use.
type Wish struct {
	Exclude  []fleet.BackendName
	Labels   []string // sorted
	Affinity string   // not empty: only the controller knows where its backend is
}

// Reclaim takes the controller's word in that a slot is to be kept no more. True: it was kept,
// and is to be given back to that pool.
func (l *Ledger) Reclaim(id fleet.GrantID) (fleet.PoolName, bool) {
	h := l.held[id]
	if h == nil {
		return "", false
	}
	h.reclaimed = true
	if !h.kept {
		return "", false
	}
	l.drop(h)
	return h.pool, true
}

// drop forgets a kept slot.
func (l *Ledger) drop(h *holding) {
	l.pools[h.pool].unpark(h)
	delete(l.held, h.id)
}

// Leave notes that this proxy is about to end: it keeps no slot from now on. Unused then
// returns those that it has.
func (l *Ledger) Leave() { l.leaving = true }

// Unused returns the slots that were kept unused for long enough, with their pools, and
// forgets them: they are to be given back. Without a controller there is nobody to give them
// to.
func (l *Ledger) Unused(now fleet.Time) []Held {
	var all []Held
	for _, p := range l.all() {
		if p.alone() {
			continue
		}
		for _, h := range slices.Clone(p.kept) {
			if l.leaving || now.Sub(h.since) >= h.keep {
				l.drop(h)
				all = append(all, Held{Pool: h.pool, LiveGrant: fleet.LiveGrant{ID: h.id, Backend: h.on}})
			}
		}
	}
	return all
}
