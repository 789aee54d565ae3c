package dispatch

import "github.com/fairlead/fairlead/internal/fleet"

// enqueue has an ask wait, in its place by first arrival among all and in its flow.
func (p *Pool) enqueue(a *ask) {
	p.queue.insertSorted(&a.inQueue, a.beside(func(b *ask) *node[ask] { return &b.inQueue }), (*ask).earlier)
	a.flow = p.flowOf(classOf(a.about), aboutOf(a.about).Flow)
	p.ranks[a.flow.class].joins(a.flow)
	a.until, _ = p.untilOf(a)
	p.place(a)
	p.due.push(a)
}

// earlier tells whether a first arrived before b.
func (a *ask) earlier(b *ask) bool {
	return a.arrived < b.arrived || a.arrived == b.arrived && a.came < b.came
}

// beside returns the place of the ask that the same proxy made before a, for a search to
// begin at: those that come again after a session broke come in their order, and each is
// near the one before.
func (a *ask) beside(place func(*ask) *node[ask]) *node[ask] {
	if before := a.inProxy.prev; before != nil {
		return place(before.owner)
	}
	return nil
}

// place puts a waiting ask where those who may use the same backends are.
func (p *Pool) place(a *ask) {
	w, why := p.wishOf(a)
	a.roams = !w.stays // also when its zone has backends again
	if w.stays {
		a.until = min(a.until, a.arrived.Add(p.spec.SpillAfter))
	}
	switch {
	case len(a.exclude) > 0, why != fleet.NoReason: // too many scopes are in use, as it was not when it came
		p.specials.push(&a.inSpecial)
	case w.stays:
		a.queueIn(w.near)
	default:
		a.queueIn(w.all)
	}
	if a.inDue != nowhere {
		p.due.fix(a)
	}
}

// untilOf returns when an ask is given up if it still waits then, and why.
func (p *Pool) untilOf(a *ask) (fleet.Time, fleet.Reason) {
	return p.patience(classOf(a.about), a.arrived, a.deadline)
}

func (p *Pool) patience(class fleet.Class, arrived, deadline fleet.Time) (fleet.Time, fleet.Reason) {
	timeout := p.spec.QueueTimeout
	if own := p.spec.Classes[class].Timeout; own > 0 {
		timeout = own
	}
	until := arrived.Add(timeout)
	if deadline != 0 {
		// The last moment from which it is all but sure to be finished in time.
		if last := deadline.Add(-p.service.longest()); last < until {
			return last, fleet.TooLate
		}
	}
	return until, fleet.QueueTimeout
}

// deadlineOf returns when the client of a request that asks now gives up; 0: not known.
func (p *Pool) deadlineOf(about *fleet.About) fleet.Time {
	if about.Deadline <= 0 {
		return 0
	}
	return p.now.Add(about.Deadline)
}

// displace takes a waiting ask out of its lane, or from among the special.
func (p *Pool) displace(a *ask) {
	if a.lane != nil {
		a.leaveLane()
		return
	}
	a.inSpecial.remove()
}

// unqueue takes an ask out of the queue.
func (p *Pool) unqueue(a *ask) {
	p.displace(a)
	p.due.remove(a)
	a.inQueue.remove()
	p.ranks[a.flow.class].leaves(a.flow)
	a.flow = nil
}

// dequeue ends an ask, which is in the queue or offered, and returns it to the spare
// ones.
func (p *Pool) dequeue(a *ask) {
	delete(a.proxy.waiting, a.id)
	a.inProxy.remove()
	if a.flow != nil {
		p.unqueue(a)
	}
	a.proxy, a.about, a.offered, a.again = nil, nil, nil, false
	if p.spareAsks.len < maxSpare {
		p.spareAsks.push(&a.inQueue)
	}
}

// maxSpare bounds what is kept to be used again, so that one burst does not hold its
// memory for ever.
const maxSpare = 4096

// drainQueue gives free slots to those who wait, in their order.
func (p *Pool) drainQueue() {
	for p.queue.len > 0 {
		a, c := p.next()
		if a == nil {
			return
		}
		p.turn(a.flow)
		if p.spec.Assign != fleet.AssignNone {
			p.unqueue(a)
			p.offer(a, c)
			continue
		}
		to := binding{a.proxy, a.id, p.now.Sub(a.arrived), a.zone, a.about, c}
		p.dequeue(a)
		p.bind(to)
	}
}

// next returns the first of those who wait that can be granted something now, and what.
func (p *Pool) next() (*ask, choice) {
	var first *ask
	var what choice
	consider := func(a *ask) {
		if first != nil && !sooner(a, first) {
			return
		}
		w, why := p.wishOf(a)
		if why != fleet.NoReason {
			return
		}
		if c := p.pick(&w); c.on != nil {
			first, what = a, c
		}
	}
	for _, s := range p.scopes {
		if s == nil || s.waiting == 0 || s.free.len()+s.over.len() == 0 {
			continue
		}
		for class := fleet.Critical; class < fleet.Classes; class++ {
			if l := s.lanes[class].top(); l != nil {
				consider(l.asks.head())
				break
			}
		}
	}
	if p.all.free.len()+p.all.over.len() > 0 {
		for a := p.specials.head(); a != nil; a = a.inSpecial.after() {
			consider(a)
		}
	}
	return first, what
}

// giveUp refuses those whose time is over, and has those go further who waited for their
// zone for long enough.
func (p *Pool) giveUp() {
	for a := p.due.top(); a != nil && a.until <= p.now; a = p.due.top() {
		until, why := p.untilOf(a)
		if until <= p.now {
			p.refuseQueued(a, why)
			continue
		}
		p.displace(a)
		a.until = until
		p.place(a)
	}
}

// refuseHopeless refuses those who wait and for whom no backend is left.
func (p *Pool) refuseHopeless() {
	for _, a := range p.again {
		if a.again && !p.recheck { // else it is looked at with all others
			p.reconsider(a)
		}
		a.again = false
	}
	clear(p.again)
	p.again = p.again[:0]
	if !p.recheck {
		return
	}
	p.recheck = false
	for a := p.queue.head(); a != nil; {
		next := a.inQueue.after()
		p.reconsider(a)
		a = next
	}
}

// reconsider refuses one that waits if no backend is left for it.
func (p *Pool) reconsider(a *ask) {
	if p.all.hopeful == 0 {
		p.refuseQueued(a, fleet.NoBackend)
	} else if w, why := p.wishOf(a); why == fleet.NoReason {
		p.rehope(a, &w)
	}
}

// rehope does for one that waits what a change of the backends that it may use brings.
func (p *Pool) rehope(a *ask, w *wish) {
	switch {
	case w.all.hopeful == 0:
		p.refuseQueued(a, fleet.NoMatch)
	case len(a.exclude) > 0 && p.allExcluded(w.all, a.exclude):
		if a.soft == 0 {
			p.refuseQueued(a, fleet.AllExcluded)
			return
		}
		p.displace(a)
		if a.forgive(); p.allExcluded(w.all, a.exclude) { // whoever declined may have a slot later
			p.place(a)
			p.refuseQueued(a, fleet.AllExcluded)
			return
		}
		p.place(a)
	case !a.roams && !w.stays:
		p.displace(a)
		p.place(a)
	}
}

// makePlace tells whether one more ask of a class and flow may wait, for which it may
// refuse another: the newest of the lowest class; or, within the class, the newest of the
// flow that has taken most of the queue (McKenney, "Stochastic Fairness Queueing",
// INFOCOM 1990, on buffer stealing).
func (p *Pool) makePlace(class fleet.Class, name string) bool {
	a, ok := p.victimOf(class, name)
	if a != nil {
		p.refuseQueued(a, fleet.QueueFull)
	}
	return ok
}

// hasPlace tells whether makePlace would.
func (p *Pool) hasPlace(class fleet.Class, name string) bool {
	_, ok := p.victimOf(class, name)
	return ok
}

// victimOf returns who has to go for one more ask to wait, and whether it may.
func (p *Pool) victimOf(class fleet.Class, name string) (*ask, bool) {
	limit := p.spec.Classes[class].Limit
	crowded := limit > 0 && p.ranks[class].waiting >= limit
	if !crowded && p.queue.len < p.spec.QueueLimit {
		return nil, true
	}
	if !crowded {
		for low := fleet.Classes - 1; low > class; low-- {
			if a := p.ranks[low].newest(0); a != nil {
				return a, true
			}
		}
	}
	mine := 1.0
	if own := p.ranks[class].flows[name]; own != nil {
		mine = float64(own.waiting+1) / own.weight
	} else if weight := p.spec.FlowWeights[name]; weight > 0 {
		mine = 1 / weight
	}
	a := p.ranks[class].newest(mine)
	return a, a != nil
}

// newest returns the last that came, of the flow that has taken most of the queue and more
// than some, and that had a place in it from the start; nil: there is none.
func (r *rank) newest(more float64) *ask {
	f := r.longest.top()
	if f == nil || f.length() <= more {
		return nil
	}
	if a := f.newest(); a != nil {
		return a
	}
	for _, f := range r.longest.items {
		if f.length() > more {
			if a := f.newest(); a != nil {
				return a
			}
		}
	}
	return nil
}

func (f *flow) newest() *ask {
	var newest *ask
	for _, l := range f.lanes {
		for at := l.asks.last; at != nil; at = at.prev {
			if a := at.owner; !a.declined {
				if newest == nil || newest.earlier(a) {
					newest = a
				}
				break
			}
		}
	}
	return newest
}
