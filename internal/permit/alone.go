package permit

import (
	"maps"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Without a controller a proxy serves what it can, in three steps that together keep slots in
// one hand (docs/failure.md derives the bound):
//
// While its lease lasts it uses the slots that it has in hand: those it keeps, and those whose
// requests end. The controller, should it live, counts them as taken.
//
// When the lease is over it uses of each backend no more than it had in hand and no more than
// its share of the slots, whichever is less: other proxies shrink to their shares meanwhile.
//
// After that it uses its share. The shares of all proxies sum to the slots.

// settling is how long proxies shrink to their shares before they grow to them.
const settling = 2 * time.Second

// SetAlone says whether a pool may be served without a controller, and whether its backends
// have queues of their own: then nothing bounds what they are given, and there is nothing to
// wait for.
func (l *Ledger) SetAlone(name fleet.PoolName, may, queues bool) {
	p := l.pool(name)
	p.shares, p.queues = may, queues
}

// Serve finds a request a backend without a controller: on a slot in hand, or within this
// proxy's share. limit is how long it may live; 0: any time. False: there is none now.
func (l *Ledger) Serve(now fleet.Time, name fleet.PoolName, r *Wish, limit time.Duration) (fleet.GrantID, fleet.BackendName, bool) {
	p := l.pools[name]
	if p == nil || !p.shares || !p.alone() {
		return fleet.GrantID{}, "", false
	}
	if !p.queues && (p.leader != nil || !p.leaseOver(now)) {
		// A leader was told of what is in hand, and may give the rest to others.
		return l.Take(now, name, r)
	}
	if !p.queues {
		l.shrink(p)
	}
	whole := now.Sub(p.heard()) >= Lease+settling
	b, ok := p.local.choose(now, r, func(b *backend) bool {
		if p.queues {
			return true
		}
		most := b.share
		if !whole {
			most = min(most, p.hand[b.name])
		}
		return p.sight(b.name).inFlight < most
	})
	if !ok {
		return fleet.GrantID{}, "", false
	}
	l.lastOwn++
	id := fleet.GrantID{Epoch: ownEpoch, Number: l.lastOwn}
	l.hold(now, name, id, b, limit)
	h := l.held[id]
	h.own, h.lent = true, true
	return id, b, true
}

// shrink ends the lease: what was in hand is counted, and what is not in use is let go.
func (l *Ledger) shrink(p *pool) {
	if p.counted {
		return
	}
	p.counted = true
	p.hand = map[fleet.BackendName]int{}
	for _, h := range p.kept {
		delete(l.held, h.id)
		p.hand[h.on]++
	}
	p.kept = nil
	for _, h := range inOrder(l.held) {
		if l.pools[h.pool] == p {
			p.hand[h.on]++
		}
	}
}

// NextStep returns when Serve may find backends of a pool that it does not find now, though
// no request ends; false: it will not.
func (l *Ledger) NextStep(now fleet.Time, name fleet.PoolName) (fleet.Time, bool) {
	heard := l.pool(name).heard()
	for _, at := range []fleet.Time{heard.Add(Lease), heard.Add(Lease + settling)} {
		if at > now {
			return at, true
		}
	}
	return 0, false
}

// all returns the pools, by name.
func (l *Ledger) all() []*pool {
	all := make([]*pool, 0, len(l.pools))
	for _, name := range slices.Sorted(maps.Keys(l.pools)) {
		all = append(all, l.pools[name])
	}
	return all
}
