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
	seen  uint64 // the latest session in which its proxy named it

	inTime    node[grant] // of running or cutting
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
	g.id, g.proxy, g.on, g.since, g.cutAt, g.seen = id, x, b, since, 0, 0
	p.running.push(&g.inTime)
	x.grants.push(&g.inProxy)
	b.live.push(&g.inBackend)
	p.grants[id] = g
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

// bind grants an ask a slot.
func (p *Pool) bind(x *proxy, id fleet.AskID, b *backend, waited time.Duration) {
	p.last++
	p.chosen++
	g := p.newGrant(fleet.GrantID{Epoch: p.epoch, Number: p.last}, x, b, p.now)
	p.ring.add(Decision{
		At: p.now, Proxy: x.id, Ask: id, Grant: g.id, Backend: b.name,
		Score: b.score, Waited: waited, Free: len(p.free),
	})
	b.chosen = p.chosen
	b.granted++
	p.refresh(b)
	p.counts.Granted++
	p.counts.Waited += waited
	p.effects = append(p.effects, Effect{
		Kind: Granted, Proxy: x.id, Ask: id, Grant: g.id, Backend: b.name,
		Limit: p.spec.GrantLimit, Waited: waited,
	})
}

func (p *Pool) done(in *Done) {
	if in.Seen.Backend != "" {
		p.seen(&in.Seen)
	}
	g := p.grants[in.Grant]
	if g == nil || g.proxy.id != in.Proxy {
		p.counts.Stray++
		return
	}
	how := in.Outcome
	if !how.Valid() {
		how = fleet.NoOutcome // a later version's word; the slot is free all the same
	}
	p.end(g, how, in.Latency)
}

// end is where every grant ends.
func (p *Pool) end(g *grant, how fleet.Outcome, latency time.Duration) {
	b, x := g.on, g.proxy
	delete(p.grants, g.id)
	g.inTime.remove()
	g.inProxy.remove()
	g.inBackend.remove()
	g.proxy, g.on = nil, nil
	if p.spareGrants.len < maxSpare {
		p.spareGrants.push(&g.inTime)
	}
	p.counts.Ended[how]++
	b.heard = p.now
	switch {
	case how.Error():
		p.failed(b)
	case how == fleet.OK:
		b.errs = 0
		if latency > 0 {
			p.learn(b, latency)
		}
	}
	p.refresh(b)
	p.settle(b)
	if b.live.len == 0 {
		p.stir()
	}
	if !x.connected && x.grants.len == 0 {
		p.forget(x)
	}
}

// failed keeps the slot of a grant that ended with an error for a while, longer with
// each error in a row: a backend that fails fast would otherwise be the one with free
// slots, and draw everyone to it.
func (p *Pool) failed(b *backend) {
	b.errors++
	b.errs++
	b.errAt = p.now
	p.stir()
	b.resting++
	p.wakeAt(wake{at: p.now.Add(holdUnit << min(b.errs, maxErrors)), what: slotRests, on: b})
}

// revoke tells a grant's proxy to cut the link. The slot stays taken until the proxy
// says so, or the grace is over.
func (p *Pool) revoke(g *grant, why fleet.Reason) {
	if g.cutAt != 0 {
		return
	}
	g.cutAt, g.why = p.now, why
	g.inTime.remove()
	p.cutting.push(&g.inTime)
	if g.proxy.connected {
		p.effects = append(p.effects, Effect{
			Kind: Revoked, Proxy: g.proxy.id, Grant: g.id, Backend: g.on.name, Reason: why,
		})
	}
}
