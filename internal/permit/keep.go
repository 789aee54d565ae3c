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

// Heard notes that the controller has heard a message which was sent at a time.
func (l *Ledger) Heard(sent fleet.Time) { l.heard = max(l.heard, sent) }

// Connected notes whether there is a session with a controller. It begins with the hello,
// which the controller has heard.
func (l *Ledger) Connected(is bool) {
	l.connected = is
	if is {
		l.quiet, l.alone = false, false
		for _, p := range l.all() {
			p.hand = nil
		}
	}
}

// Quiet notes whether the controller leaves a message unanswered for longer than it should.
// It returns whether that is news.
func (l *Ledger) Quiet(is bool) bool {
	was := l.quiet
	l.quiet = is
	return was != is
}

// Alone tells whether requests are to be served without a controller if they can be.
func (l *Ledger) Alone() bool { return !l.connected || l.quiet }

// LeaseOver tells whether what the controller gave may not be used any more.
func (l *Ledger) LeaseOver(now fleet.Time) bool { return now.Sub(l.heard) >= Lease }

// MayKeep notes that a grant's slot may be kept, unused for at most a time.
func (l *Ledger) MayKeep(id fleet.GrantID, unused time.Duration) {
	if h := l.held[id]; h != nil {
		h.keep = unused
	}
}

// keeps tells whether a slot whose request is over stays in hand.
func (l *Ledger) keeps(now fleet.Time, h *holding, how fleet.Outcome) bool {
	p := l.pools[h.pool]
	switch {
	case h.own && !h.lent || l.LeaseOver(now) || !p.shares && h.keep == 0 || how == fleet.Revoked:
		return false
	case !l.Alone():
		return h.keep > 0 && !h.reclaimed && !l.leaving && (how == fleet.OK || how == fleet.Unused)
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
	if p == nil || len(p.kept) == 0 || l.LeaseOver(now) || r.Affinity != "" && !l.Alone() {
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
	if l.Alone() {
		return nil
	}
	var all []Held
	for _, p := range l.all() {
		for _, h := range slices.Clone(p.kept) {
			if l.leaving || now.Sub(h.since) >= h.keep {
				l.drop(h)
				all = append(all, Held{Pool: h.pool, LiveGrant: fleet.LiveGrant{ID: h.id, Backend: h.on}})
			}
		}
	}
	return all
}
