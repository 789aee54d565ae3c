package dispatch

import "github.com/fairlead/fairlead/internal/fleet"

// declinedRest is how long a backend that declined an assignment gets no other.
const declinedRest = 2 * holdUnit

// offer has a backend told that an ask is about to be granted it. The slot is taken from
// now on. The grant follows when the assignment is answered; when it is declined, or not
// answered in time, the ask takes its place in the queue again and goes to another.
func (p *Pool) offer(a *ask, c choice) {
	b := c.on
	g := p.take(a.proxy, b)
	g.inTime.remove()
	p.offers.push(&g.inTime)
	g.offer, g.told, a.offered, a.cost, a.moved = a, true, g, c.cost, c.moved
	b.assigned++
	p.counts.Assigned++
	p.refresh(b)
	p.effects = append(p.effects, Effect{
		Kind: Assigned, Proxy: a.proxy.id, Ask: a.id, Grant: g.id, Backend: b.name,
		Limit: p.spec.GrantLimit, About: a.about,
	})
}

// answer takes the word on an assignment in.
func (p *Pool) answer(in *Answer) {
	g := p.grants.get(in.Grant)
	if g == nil || g.offer == nil || g.on.name != in.Backend {
		p.counts.Stray++ // it came too late, and the backend was told so
		return
	}
	b := g.on
	if in.Rejection != fleet.Accepted {
		b.rejected++
		p.counts.Rejected++
		p.rescind(g)
		p.rest(b, in.Rejection)
		return
	}
	a := g.offer
	g.offer = nil
	g.since = p.now
	g.inTime.remove()
	p.running.push(&g.inTime)
	p.touch(b)
	to := binding{a.proxy, a.id, p.now.Sub(a.arrived), a.zone, a.about, choice{b, a.cost, a.moved}}
	p.dequeue(a)
	p.granted(g, to)
}

// rest keeps a backend that declined from being asked again at once: one slot of it, or
// all that are free when it said that it has none.
func (p *Pool) rest(b *backend, why fleet.Rejection) {
	slots := 1
	if why != fleet.RejectedOther {
		slots = max(1, int(b.worth.most)-b.live.len-int(b.resting))
	}
	for range slots {
		b.resting++
		p.wakeAt(wake{at: p.now.Add(declinedRest), what: slotRests, on: b})
	}
	p.refresh(b)
}

// rescind takes an assignment back, and has its ask look for another backend.
func (p *Pool) rescind(g *grant) {
	a, b := g.offer, g.on
	p.unlink(g)
	a.offered = nil
	if until, why := p.untilOf(a); until <= p.now {
		// Or it would go from one to the next for as long as they decline.
		p.refuseQueued(a, why)
		return
	}
	a.exclude = append(a.exclude, b.name)
	a.soft++
	a.declined = true
	p.enqueue(a)
	a.again = true // it may have been the last one left
	p.again = append(p.again, a)
}

// forgive has an ask go to those again that declined. They may have a slot later; whoever
// could not be reached may not.
func (a *ask) forgive() { a.exclude, a.soft = a.exclude[:len(a.exclude)-a.soft], 0 }

// rescindAll takes back what was assigned to a backend and is not answered.
func (p *Pool) rescindAll(b *backend) {
	for g := b.live.head(); g != nil; {
		next := g.inBackend.after()
		if g.offer != nil {
			p.rescind(g)
		}
		g = next
	}
}

// recall tells the backend's agent that a grant is not coming, or must end.
func (p *Pool) recall(g *grant, why fleet.Reason) {
	g.told = false
	p.effects = append(p.effects, Effect{Kind: Recalled, Backend: g.on.name, Grant: g.id, Reason: why})
}

// arrival notes that a direct grant's client is there: from now on it lasts until the
// backend says otherwise.
func (p *Pool) arrival(in *Arrival) {
	g := p.grants.get(in.Grant)
	if g == nil {
		// Its slot has been given to somebody else since.
		p.counts.Stray++
		p.effects = append(p.effects, Effect{
			Kind: Recalled, Backend: in.Backend, Grant: in.Grant, Reason: fleet.TimeLimit,
		})
		return
	}
	if g.on.name != in.Backend || g.inTime.in != &p.coming {
		p.counts.Stray++
		return
	}
	p.arrived(g)
}

func (p *Pool) arrived(g *grant) {
	g.since = p.now
	g.inTime.remove()
	p.running.push(&g.inTime)
	p.touch(g.on)
}

// ended takes a backend's word on a direct grant in.
func (p *Pool) ended(in *Ended) {
	g := p.grants.get(in.Grant)
	if g == nil || !p.spec.Direct || g.on.name != in.Backend || g.offer != nil {
		p.counts.Stray++
		return
	}
	how := in.Outcome
	if !how.Valid() {
		how = fleet.NoOutcome
	}
	g.told = false // it knows
	p.end(g, how, in.Latency)
}

// elapseOffers does what has become due of assignments and direct grants.
func (p *Pool) elapseOffers() {
	for g := p.offers.head(); g != nil && g.since.Add(p.spec.AssignTimeout) <= p.now; g = p.offers.head() {
		b := g.on
		b.unanswered++
		p.counts.Unanswered++
		p.recall(g, fleet.NotComing)
		p.rescind(g)
		p.failed(b)
		p.refresh(b)
	}
	for g := p.coming.head(); g != nil && g.since.Add(p.spec.TicketLife) <= p.now; g = p.coming.head() {
		p.counts.Expired++
		p.end(g, fleet.Unused, 0)
	}
}
