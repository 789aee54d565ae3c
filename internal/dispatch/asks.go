package dispatch

import (
	"math"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// ask is one that waits.
type ask struct {
	id      fleet.AskID
	proxy   *proxy
	arrived fleet.Time // first, when it asks again
	exclude []fleet.BackendName
	soft    int // of exclude, at its end: those that declined an assignment
	zone    string
	about   *fleet.About
	offered *grant  // nil: it is in the queue
	cost    float64 // of the zone's preference, when it is offered

	inQueue node[ask]
	inProxy node[ask]
}

func (p *Pool) ask(in *Ask) {
	x := p.proxies[in.Proxy]
	if x == nil || !x.connected || x.waiting[in.ID] != nil {
		p.counts.Stray++
		return
	}
	p.counts.Asks++
	x.inFlight = in.InFlight
	for i := range in.Seen {
		p.seen(&in.Seen[i])
	}
	if len(in.Seen) > 0 {
		p.drainQueue() // a slot that a report has freed is not the newcomer's
	}
	if p.hopeful == 0 {
		p.refuse(x.id, in.ID, fleet.NoBackend)
		return
	}
	if len(in.Exclude) > 0 && p.allExcluded(in.Exclude) {
		p.refuse(x.id, in.ID, fleet.AllExcluded)
		return
	}
	// Whoever waits could not use what is free now, or it would have it; so no earlier
	// ask is passed by.
	if b, cost := p.pick(in.Exclude, in.Zone); b != nil {
		if p.spec.Assign != fleet.AssignNone {
			p.offer(p.newAsk(x, in), b, cost)
			return
		}
		p.bind(binding{x, in.ID, b, max(in.Waited, 0), in.Zone, cost})
		return
	}
	if p.queue.len >= p.spec.QueueLimit {
		p.refuse(x.id, in.ID, fleet.QueueFull)
		return
	}
	p.enqueue(p.newAsk(x, in))
}

// pick returns the best backend with a free slot that is not excluded, or nil; and what
// the preference for the ask's zone costs: by how much the best one elsewhere is better.
func (p *Pool) pick(exclude []fleet.BackendName, zone string) (*backend, float64) {
	best := p.free.best(exclude)
	if !p.spec.PreferZone || zone == "" || best == nil || best.zone == zone {
		return best, 0
	}
	local := p.zones[zone].best(exclude)
	if local == nil || local.score-best.score > zoneWorth {
		return best, 0
	}
	return local, local.score - best.score
}

func contains(names []fleet.BackendName, name fleet.BackendName) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// allExcluded tells whether no backend remains that could serve.
func (p *Pool) allExcluded(exclude []fleet.BackendName) bool {
	left := p.hopeful
	for i, name := range exclude {
		if b := p.byName[name]; b != nil && b.hopeful(&p.spec) && !contains(exclude[:i], name) {
			left--
		}
	}
	return left <= 0
}

// newAsk notes an ask that cannot be answered at once.
func (p *Pool) newAsk(x *proxy, in *Ask) *ask {
	a := p.spareAsks.head()
	if a == nil {
		a = &ask{}
		a.inQueue.owner, a.inProxy.owner = a, a
	} else {
		a.inQueue.remove()
	}
	a.id, a.proxy, a.arrived = in.ID, x, p.now.Add(-max(in.Waited, 0))
	a.exclude, a.soft = append(a.exclude[:0], in.Exclude...), 0
	a.zone, a.about, a.offered = in.Zone, in.About, nil
	x.asks.push(&a.inProxy)
	x.waiting[a.id] = a
	return a
}

// enqueue has an ask wait, in its place by first arrival.
func (p *Pool) enqueue(a *ask) {
	at := p.queue.last
	for at != nil && at.owner.arrived > a.arrived {
		at = at.prev
	}
	p.queue.insertAfter(at, &a.inQueue)
}

// dequeue takes an ask out of the queue, or from its offer, and returns it to the spare
// ones.
func (p *Pool) dequeue(a *ask) {
	delete(a.proxy.waiting, a.id)
	a.inProxy.remove()
	a.inQueue.remove()
	a.proxy, a.about, a.offered = nil, nil, nil
	if p.spareAsks.len < maxSpare {
		p.spareAsks.push(&a.inQueue)
	}
}

// maxSpare bounds what is kept to be used again, so that one burst does not hold its
// memory for ever.
const maxSpare = 4096

// drainQueue gives free slots to those who wait, longest first.
func (p *Pool) drainQueue() {
	for a := p.queue.head(); a != nil && p.free.len() > 0; {
		next := a.inQueue.after()
		b, cost := p.pick(a.exclude, a.zone)
		switch {
		case b == nil:
		case p.spec.Assign != fleet.AssignNone:
			a.inQueue.remove()
			p.offer(a, b, cost)
		default:
			to := binding{a.proxy, a.id, b, p.now.Sub(a.arrived), a.zone, cost}
			p.dequeue(a)
			p.bind(to)
		}
		a = next
	}
}

// withdraw forgets an ask. One that was granted meanwhile is given back by its proxy.
func (p *Pool) withdraw(in *Withdraw) {
	x := p.proxies[in.Proxy]
	if x == nil {
		p.counts.Stray++
		return
	}
	if a := x.waiting[in.Ask]; a != nil {
		p.takeBack(a)
	}
}

// takeBack ends an ask whose proxy does not want it any more.
func (p *Pool) takeBack(a *ask) {
	p.counts.Withdrawn++
	if g := a.offered; g != nil {
		p.recall(g, fleet.NotComing)
		p.unlink(g)
	}
	p.dequeue(a)
}

// Queued tells whether an ask waits, for a slot or for a backend's answer.
func (p *Pool) Queued(proxy fleet.ProxyID, id fleet.AskID) bool {
	x := p.proxies[proxy]
	return x != nil && x.waiting[id] != nil
}

func (p *Pool) refuse(proxy fleet.ProxyID, id fleet.AskID, why fleet.Reason) {
	p.counts.Refused[why]++
	p.ring.add(Decision{At: p.now, Proxy: proxy, Ask: id, Reason: why, Free: p.free.len()})
	p.effects = append(p.effects, Effect{
		Kind: Refused, Proxy: proxy, Ask: id, Reason: why, RetryAfter: p.retryAfter(),
	})
}

func (p *Pool) refuseQueued(a *ask, why fleet.Reason) {
	proxy, id := a.proxy.id, a.id
	p.dequeue(a)
	p.refuse(proxy, id, why)
}

// refuseHopeless refuses those who wait and for whom no backend is left.
func (p *Pool) refuseHopeless() {
	for a := p.queue.head(); a != nil; {
		next := a.inQueue.after()
		switch {
		case p.hopeful == 0:
			p.refuseQueued(a, fleet.NoBackend)
		case len(a.exclude) > 0 && p.allExcluded(a.exclude):
			// Whoever declined may have a slot later.
			if a.forgive(); p.allExcluded(a.exclude) {
				p.refuseQueued(a, fleet.AllExcluded)
			}
		}
		a = next
	}
}

// Bounds of what a refused client is told to wait.
const (
	minRetryAfter = time.Second
	maxRetryAfter = time.Minute
)

// retryAfter estimates when the queue as it stands will have been served: its length
// over the rate at which the pool frees slots (Little's law).
func (p *Pool) retryAfter() time.Duration {
	if p.samples == 0 {
		return minRetryAfter
	}
	each := math.Exp(p.speed) / float64(max(p.slotsUp, 1))
	wait := float64(p.queue.len+1) * each * float64(time.Second)
	return min(max(time.Duration(min(wait, float64(maxRetryAfter))), minRetryAfter), maxRetryAfter)
}
