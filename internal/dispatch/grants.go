package dispatch

import (
	"cmp"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// grant is one that lives.
type grant struct {
	id    fleet.GrantID
	proxy *proxy
	on    *backend
	since fleet.Time
	cutAt fleet.Time // when it was revoked; 0: it was not
	why   fleet.Reason
	seen  uint64        // the latest session in which its proxy named it
	offer *ask          // it is assigned and not answered yet; nil: it is granted
	load  int           // grants that its backend had with it
	trial int           // workers that its backend was taken to have then, where they are learnt
	told  bool          // its backend's agent knows of it, and not that it is over
	asker fleet.ProxyID // whose ask it answers; of those made here

	parked    bool   // its request is over, and its proxy keeps the slot
	reclaimed bool   // its proxy was told to keep it no more
	uses      uint32 // how often the slot was used again
	turn      uint64 // counts its uses and their ends

	inTime    node[grant] // of running, offers, coming, cutting or kept
	inProxy   node[grant]
	inBackend node[grant]
}

// newGrant adds one that began at since. If that is not now, the caller sorts.
func (p *Pool) newGrant(id fleet.GrantID, x *proxy, b *backend, since fleet.Time) *grant {
	g := p.spareGrants.head()
	if g == nil {
		g = &grant{}
		g.inTime.owner, g.inProxy.owner, g.inBackend.owner = g, g, g
	} else {
		g.inTime.remove()
	}
	g.id, g.proxy, g.on, g.since, g.cutAt, g.seen, g.offer, g.told = id, x, b, since, 0, 0, nil, false
	g.parked, g.reclaimed, g.uses, g.turn = false, false, 0, 0
	p.running.push(&g.inTime)
	x.grants.push(&g.inProxy)
	b.live.push(&g.inBackend)
	g.load = b.live.len
	if p.spec.Learn {
		g.trial = p.workersOf(b)
	}
	p.grants.put(g)
	return g
}

// sortRunning puts the running grants back in order, after some were added that began
// earlier. Once for all that a session brings: at a takeover these are tens of thousands,
// and finding the place of each would take seconds.
func (p *Pool) sortRunning() {
	all := make([]*grant, 0, p.running.len)
	for g := p.running.head(); g != nil; g = g.inTime.after() {
		all = append(all, g)
	}
	slices.SortStableFunc(all, func(a, b *grant) int { return cmp.Compare(a.since, b.since) })
	for _, g := range all {
		g.inTime.remove()
		p.running.push(&g.inTime)
	}
}

// binding is an ask and the backend that it gets.
type binding struct {
	proxy  *proxy
	ask    fleet.AskID
	waited time.Duration
	zone   string
	about  *fleet.About
	choice
}

// take makes a grant with the next number. It is its proxy's, or its backend's where
// links are direct.
func (p *Pool) take(x *proxy, b *backend) *grant {
	p.last++
	p.chosen++
	b.chosen = p.chosen
	asker := x.id
	if p.spec.Direct {
		x = b.holder
	}
	g := p.newGrant(fleet.GrantID{Epoch: p.epoch, Number: p.last}, x, b, p.now)
	g.asker = asker
	return g
}

// bind grants an ask a slot.
func (p *Pool) bind(to binding) {
	g := p.take(to.proxy, to.on)
	p.granted(g, to)
	p.touch(to.on)
}

// granted tells an ask's proxy of its grant.
func (p *Pool) granted(g *grant, to binding) {
	b := to.on
	p.ring.add(Decision{
		At: p.now, Proxy: to.proxy.id, Ask: to.ask, Grant: g.id, Backend: b.name,
		Score: b.score, Waited: to.waited, Free: p.all.free.len(), Zone: to.zone, ZoneCost: to.cost,
		Class: classOf(to.about), Flow: aboutOf(to.about).Flow, Moved: to.moved,
	})
	if to.moved {
		p.counts.Moved++
	}
	if p.spec.Direct {
		g.since = p.now
		g.told = true // by the ticket, at the latest
		g.inTime.remove()
		p.coming.push(&g.inTime)
	}
	b.granted++
	p.counts.Granted++
	p.counts.Waited += to.waited
	p.effects = append(p.effects, Effect{
		Kind: Granted, Proxy: to.proxy.id, Ask: to.ask, Grant: g.id, Backend: b.name,
		Limit: p.spec.GrantLimit, Waited: to.waited, Moved: to.moved, Keep: p.keep(to.proxy),
	})
}

func (p *Pool) done(in *Done) {
	if in.Seen.Backend != "" {
		p.seen(&in.Seen)
	}
	g := p.grants.get(in.Grant)
	if g == nil || !p.mayEnd(g, in) {
		p.counts.Stray++
		return
	}
	how := in.Outcome
	if !how.Valid() {
		how = fleet.NoOutcome // a later version's word; the slot is free all the same
	}
	if in.Kept && sharable(&p.spec) {
		p.keeps(g, in, how)
		return
	}
	p.end(g, how, in.Latency)
}

// mayEnd tells whether a proxy's done is about a grant that is its to end: its own, or a
// direct one that it gives back before the client has come.
func (p *Pool) mayEnd(g *grant, in *Done) bool {
	if g.inTime.in == &p.coming {
		return in.Outcome == fleet.Unused && g.asker == in.Proxy
	}
	return g.proxy.id == in.Proxy && g.offer == nil
}

// unlink takes a grant out of all accounts; its slot is free then.
func (p *Pool) unlink(g *grant) {
	b := g.on
	p.unpark(g)
	p.grants.remove(g)
	g.inTime.remove()
	g.inProxy.remove()
	g.inBackend.remove()
	g.proxy, g.on, g.offer = nil, nil, nil
	if p.spareGrants.len < maxSpare {
		p.spareGrants.push(&g.inTime)
	}
	switch {
	case b.worth.quiet && !soft(&p.spec):
		p.touch(b)
	case b.worth.quiet:
		p.pace(b)
	default:
		p.refresh(b)
		p.settle(b)
	}
	if b.live.len == 0 {
		p.stir()
	}
}

// end is where every grant ends.
func (p *Pool) end(g *grant, how fleet.Outcome, latency time.Duration) {
	x := g.proxy
	if !g.parked { // else its request has been over for long
		p.account(g, how, latency)
	}
	p.unlink(g)
	if !x.connected && x.grants.len == 0 {
		p.forget(x)
	}
}

// account takes in how a request went.
func (p *Pool) account(g *grant, how fleet.Outcome, latency time.Duration) {
	b := g.on
	if g.told && how != fleet.OK && how != fleet.Failed {
		p.recall(g, fleet.NotComing)
	}
	p.counts.Ended[how]++
	b.heard = p.now
	switch {
	case how.Error():
		p.failed(b)
	case how == fleet.OK:
		if !b.worth.quiet {
			b.errs = 0
			p.behave(b)
		}
		if latency > 0 {
			p.learn(b, latency, g.load)
			p.observe(g, b, latency.Seconds())
		}
	}
}

// failed keeps the slot of a grant that ended with an error for a while, longer with
// each error in a row: a backend that fails fast would otherwise be the one with free
// slots, and draw everyone to it.
func (p *Pool) failed(b *backend) {
	b.errors++
	b.errs++
	b.errAt = p.now
	b.worth.quiet = false
	p.stir()
	p.eject(b)
	b.resting++
	p.wakeAt(wake{at: p.now.Add(holdUnit << p.holdOf(b)), what: slotRests, on: b})
}

// revoke tells a grant's proxy to cut the link, or its backend where the grant is that
// one's. The slot stays taken until word comes of its end, or the grace is over.
func (p *Pool) revoke(g *grant, why fleet.Reason) {
	if g.parked {
		p.reclaim(g) // there is no link to cut
		return
	}
	if g.cutAt != 0 {
		return
	}
	g.cutAt, g.why = p.now, why
	g.inTime.remove()
	p.cutting.push(&g.inTime)
	if g.told {
		p.recall(g, why)
	}
	if g.proxy.connected && g.proxy != g.on.holder {
		p.effects = append(p.effects, Effect{
			Kind: Revoked, Proxy: g.proxy.id, Grant: g.id, Backend: g.on.name, Reason: why, Uses: g.uses,
		})
	}
}
