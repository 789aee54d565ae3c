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
	if b := p.pick(in.Exclude); b != nil {
		p.bind(x, in.ID, b, max(in.Waited, 0))
		return
	}
	if p.queue.len >= p.spec.QueueLimit {
		p.refuse(x.id, in.ID, fleet.QueueFull)
		return
	}
	p.enqueue(x, in)
}

// pick returns the best backend with a free slot that is not excluded, or nil.
func (p *Pool) pick(exclude []fleet.BackendName) *backend {
	if len(exclude) == 0 {
		return p.free.best()
	}
	var best *backend
	for _, b := range p.free {
		if !contains(exclude, b.name) && (best == nil || before(b, best)) {
			best = b
		}
	}
	return best
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
		if b := p.byName[name]; b != nil && b.hopeful() && !contains(exclude[:i], name) {
			left--
		}
	}
	return left <= 0
}

// enqueue has an ask wait, in its place by first arrival.
func (p *Pool) enqueue(x *proxy, in *Ask) {
	a := p.spareAsks.head()
	if a == nil {
		a = &ask{}
		a.inQueue.owner, a.inProxy.owner = a, a
	} else {
		a.inQueue.remove()
	}
	a.id, a.proxy, a.arrived = in.ID, x, p.now.Add(-max(in.Waited, 0))
	a.exclude = append(a.exclude[:0], in.Exclude...)
	at := p.queue.last
	for at != nil && at.owner.arrived > a.arrived {
		at = at.prev
	}
	p.queue.insertAfter(at, &a.inQueue)
	x.asks.push(&a.inProxy)
	x.waiting[a.id] = a
}

// dequeue takes an ask out of the queue, and returns it to the spare ones.
func (p *Pool) dequeue(a *ask) {
	delete(a.proxy.waiting, a.id)
	a.inProxy.remove()
	a.inQueue.remove()
	a.proxy = nil
	if p.spareAsks.len < maxSpare {
		p.spareAsks.push(&a.inQueue)
	}
}

// maxSpare bounds what is kept to be used again, so that one burst does not hold its
// memory for ever.
const maxSpare = 4096

// drainQueue gives free slots to those who wait, longest first.
func (p *Pool) drainQueue() {
	for a := p.queue.head(); a != nil && len(p.free) > 0; {
		next := a.inQueue.after()
		b := p.pick(a.exclude)
		if b != nil {
			x, id, waited := a.proxy, a.id, p.now.Sub(a.arrived)
			p.dequeue(a)
			p.bind(x, id, b, waited)
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
		p.counts.Withdrawn++
		p.dequeue(a)
	}
}

// Queued tells whether an ask waits.
func (p *Pool) Queued(proxy fleet.ProxyID, id fleet.AskID) bool {
	x := p.proxies[proxy]
	return x != nil && x.waiting[id] != nil
}

func (p *Pool) refuse(proxy fleet.ProxyID, id fleet.AskID, why fleet.Reason) {
	p.counts.Refused[why]++
	p.ring.add(Decision{At: p.now, Proxy: proxy, Ask: id, Reason: why, Free: len(p.free)})
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
			p.refuseQueued(a, fleet.AllExcluded)
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
