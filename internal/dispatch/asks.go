package dispatch

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// ask is one that waits.
type ask struct {
	id       fleet.AskID
	came     uint64 // counts asks, so that those of one moment have an order
	proxy    *proxy
	arrived  fleet.Time // first, when it asks again
	deadline fleet.Time // when its client gives up; 0: not known
	until    fleet.Time // when it is looked at, if it still waits
	exclude  []fleet.BackendName
	soft     int // of exclude, at its end: those that declined an assignment
	// declined: it was offered a backend, and is back, whatever the limits.
	declined bool
	again    bool // it is among Pool.again
	zone     string
	roams    bool // it does not wait for its zone any more
	about    *fleet.About
	offered  *grant  // nil: it is in the queue
	cost     float64 // of the zone's preference, when it is offered
	moved    bool    // when it is offered: not where its affinity leads

	flow  *flow // while it is in the queue
	lane  *lane // likewise; nil: it excludes some, and is among the special
	inDue int   // its place in the heap by until

	inQueue   node[ask]
	inProxy   node[ask]
	inLane    node[ask]
	inSpecial node[ask]
}

// nothing is what is known of a request of which nothing was said.
var nothing fleet.About

func aboutOf(a *fleet.About) *fleet.About {
	if a == nil {
		return &nothing
	}
	return a
}

// classOf returns the class that a request counts as.
func classOf(a *fleet.About) fleet.Class {
	if a == nil || a.Class == fleet.NoClass || a.Class >= fleet.Classes {
		return fleet.Normal
	}
	return a.Class
}

func (p *Pool) ask(in *Ask) {
	x := p.proxies[in.Proxy]
	if x == nil || !x.connected || x.waiting[in.ID] != nil {
		p.counts.Stray++
		return
	}
	p.counts.Asks++
	x.inFlight = in.InFlight
	moved := p.clockTrip(in.RoundTrip)
	for i := range in.Seen {
		p.seen(&in.Seen[i])
	}
	if moved || len(in.Seen) > 0 {
		p.drainQueue() // a slot that what it tells has freed is not the newcomer's
	}
	w, why := p.wish(in.Exclude, in.Zone, in.About, p.now.Add(-max(in.Waited, 0)))
	if why == fleet.NoReason {
		why = p.noGo(in, &w)
	}
	if why != fleet.NoReason {
		p.refuse(x.id, in.ID, in.About, why)
		return
	}
	// Whoever waits could not use what is free now, or it would have it; so no earlier
	// ask is passed by. Into a backend's own queue they go in their order.
	if c := p.pick(&w); c.on != nil && (c.on.standing == open || p.queue.len == 0) {
		if p.spec.Assign != fleet.AssignNone {
			p.offer(p.newAsk(x, in), c)
			return
		}
		p.bind(binding{x, in.ID, max(in.Waited, 0), in.Zone, in.About, c})
		return
	}
	p.wait(x, in, &w)
}

// noGo returns why an ask is refused whatever is free, or NoReason.
func (p *Pool) noGo(in *Ask, w *wish) fleet.Reason {
	if why := p.hopeless(w); why != fleet.NoReason {
		return why
	}
	switch {
	case !p.budgeted(len(in.Exclude) > 0):
		return fleet.RetryBudget
	case p.tooLate(w):
		return fleet.TooLate
	}
	return fleet.NoReason
}

// hopeless returns why nobody will serve a request, or NoReason.
func (p *Pool) hopeless(w *wish) fleet.Reason {
	switch {
	case p.all.hopeful == 0:
		return fleet.NoBackend
	case w.all.hopeful == 0:
		return fleet.NoMatch
	case len(w.exclude) > 0 && p.allExcluded(w.all, w.exclude):
		return fleet.AllExcluded
	}
	return fleet.NoReason
}

// tooLate tells whether a request is more likely than not to miss its deadline, were it
// served now. One that may well make it is tried; it only does not wait (untilOf).
func (p *Pool) tooLate(w *wish) bool {
	return w.about.Deadline > 0 && w.about.Deadline <= p.service.typical()
}

// wait has an ask that cannot be served now wait, if it may; or somebody else make place.
func (p *Pool) wait(x *proxy, in *Ask, w *wish) {
	until, why := p.patience(classOf(in.About), p.now.Add(-max(in.Waited, 0)), p.deadlineOf(w.about))
	if until <= p.now && why == fleet.TooLate {
		p.refuse(x.id, in.ID, in.About, why)
		return
	}
	if !p.makePlace(classOf(in.About), w.about.Flow) {
		p.refuse(x.id, in.ID, in.About, fleet.QueueFull)
		return
	}
	a := p.newAsk(x, in)
	p.enqueue(a)
	if p.all.kept > 0 {
		p.reclaimFor(a)
	}
}

// allExcluded tells whether no backend of a scope remains that could serve.
func (p *Pool) allExcluded(s *scope, exclude []fleet.BackendName) bool {
	left := s.hopeful
	for i, name := range exclude {
		if b := p.byName[name]; b != nil && b.counted && (s == p.all || s.has(b)) && !contains(exclude[:i], name) {
			left--
		}
	}
	return left <= 0
}

func contains(names []fleet.BackendName, name fleet.BackendName) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// newAsk notes an ask that cannot be answered at once.
func (p *Pool) newAsk(x *proxy, in *Ask) *ask {
	a := p.spareAsks.head()
	if a == nil {
		a = &ask{inDue: nowhere}
		a.inQueue.owner, a.inProxy.owner, a.inLane.owner, a.inSpecial.owner = a, a, a, a
	} else {
		a.inQueue.remove()
	}
	p.came++
	a.id, a.came, a.proxy, a.arrived = in.ID, p.came, x, p.now.Add(-max(in.Waited, 0))
	a.exclude, a.soft = append(a.exclude[:0], in.Exclude...), 0
	a.zone, a.about, a.offered, a.declined, a.roams = in.Zone, in.About, nil, false, false
	a.deadline = p.deadlineOf(aboutOf(in.About))
	x.asks.push(&a.inProxy)
	x.waiting[a.id] = a
	return a
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

func (p *Pool) refuse(proxy fleet.ProxyID, id fleet.AskID, about *fleet.About, why fleet.Reason) {
	p.counts.Refused[why]++
	class := classOf(about)
	p.ring.add(Decision{
		At: p.now, Proxy: proxy, Ask: id, Reason: why, Free: p.all.free.len(),
		Class: class, Flow: aboutOf(about).Flow,
	})
	p.effects = append(p.effects, Effect{
		Kind: Refused, Proxy: proxy, Ask: id, Reason: why, RetryAfter: p.retryAfter(class),
	})
}

func (p *Pool) refuseQueued(a *ask, why fleet.Reason) {
	proxy, id, about := a.proxy.id, a.id, a.about
	p.dequeue(a)
	p.refuse(proxy, id, about, why)
}

// Bounds of what a refused client is told to wait.
const (
	minRetryAfter = time.Second
	maxRetryAfter = time.Minute
)

// retryAfter estimates when a slot is likely for a request of a class: when those who
// wait before it have been served, at the rate at which the pool frees slots (Little's
// law).
func (p *Pool) retryAfter(class fleet.Class) time.Duration {
	if p.samples == 0 {
		return minRetryAfter
	}
	before := 0
	for c := fleet.Critical; c <= class; c++ {
		before += p.ranks[c].waiting
	}
	each := p.meanService() / float64(max(p.slotsUp, 1))
	wait := float64(before+1) * each * float64(time.Second)
	return min(max(time.Duration(min(wait, float64(maxRetryAfter))), minRetryAfter), maxRetryAfter)
}
