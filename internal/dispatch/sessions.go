package dispatch

import (
	"maps"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// proxy is one run of one proxy, as long as it is connected or has grants.
type proxy struct {
	id        fleet.ProxyID
	connected bool
	session   uint64 // counts its sessions
	lostAt    fleet.Time
	inFlight  int // links in this pool, by its own word
	grants    list[grant]
	kept      int // of these, permits that are not in use
	asks      list[ask]
	waiting   map[fleet.AskID]*ask

	inLost node[proxy]
}

func (p *Pool) sessionUp(in *SessionUp) { p.begin(p.proxyOf(in.Proxy), in.Live) }

// proxyOf returns the proxy of that ID, which it makes if need be.
func (p *Pool) proxyOf(id fleet.ProxyID) *proxy {
	x := p.proxies[id]
	if x == nil {
		x = &proxy{id: id, waiting: map[fleet.AskID]*ask{}}
		x.inLost.owner = x
		p.proxies[id] = x
	}
	return x
}

// begin starts a session of x, which still uses live.
func (p *Pool) begin(x *proxy, live []fleet.LiveGrant) {
	p.withdrawAll(x)
	x.inLost.remove()
	x.connected = true
	x.session++
	if p.learning != nil {
		delete(p.learning.expect, x.id)
	}
	adopted := p.counts.Adopted
	p.resort = false
	for _, l := range live {
		p.resume(x, l)
	}
	if p.counts.Adopted > adopted || p.resort {
		p.sortRunning()
	}
	for g := x.grants.head(); g != nil; {
		next := g.inProxy.after()
		if g.seen != x.session && g.inTime.in != &p.coming && g.offer == nil {
			p.end(g, fleet.NoOutcome, 0)
		}
		g = next
	}
}

// resume takes up a grant that a proxy still uses: one of ours, or one that an earlier
// controller made.
func (p *Pool) resume(x *proxy, live fleet.LiveGrant) {
	g := p.grants.get(live.ID)
	if g != nil && g.proxy != x || g == nil && p.neverMade(live.ID) {
		p.counts.Stray++
		return
	}
	if g != nil && g.offer != nil {
		p.counts.Stray++ // nobody was given it yet
		return
	}
	if g == nil {
		b := p.byName[live.Backend]
		if b == nil {
			b = p.newBackend(live.Backend)
		}
		g = p.newGrant(live.ID, x, b, p.now.Add(-max(live.Held, 0)))
		p.counts.Adopted++
		b.toldEmpty = false
		p.refresh(b)
	}
	if g.seen == x.session {
		return // named twice
	}
	g.seen = x.session
	p.rekeep(g, live)
	if x == g.on.holder {
		g.told = true // its backend names it
	}
	if g.inTime.in == &p.coming {
		p.arrived(g)
	}
	if g.cutAt != 0 {
		// It was revoked while nobody could be told.
		g.cutAt = 0
		p.revoke(g, g.why)
	}
	if g.on.lost {
		p.revoke(g, fleet.BackendLost)
	}
}

// neverMade tells whether id is of this controller's term and yet to come, or another
// pool's. To take it up would let the grant that gets the number later overwrite it, and
// leak its slot.
func (p *Pool) neverMade(id fleet.GrantID) bool {
	return id.Epoch == p.epoch && (id.Number > p.last || id.Number <= p.spec.FirstGrant)
}

func (p *Pool) sessionLost(id fleet.ProxyID) {
	x := p.proxies[id]
	if x == nil || !x.connected {
		p.counts.Stray++
		return
	}
	p.withdrawAll(x)
	x.connected = false
	x.lostAt = p.now
	for g := x.grants.head(); g != nil; g = g.inProxy.after() {
		if g.cutAt != 0 { // the revoke may be lost with the session: its grace begins now
			g.cutAt = p.now
			g.inTime.remove()
			p.cutting.push(&g.inTime)
		}
	}
	p.lost.push(&x.inLost)
	if x.grants.len == 0 {
		p.forget(x)
	}
}

// withdrawAll ends the asks of a session that is over.
func (p *Pool) withdrawAll(x *proxy) {
	for a := x.asks.head(); a != nil; a = x.asks.head() {
		p.takeBack(a)
	}
}

// forget ends what a proxy that did not come back still had.
func (p *Pool) forget(x *proxy) {
	x.inLost.remove()
	delete(p.proxies, x.id)
	x.connected = true // so that the last grant's end does not forget it again
	for g := x.grants.head(); g != nil; g = x.grants.head() {
		p.end(g, fleet.NoOutcome, 0)
	}
}

// yield forgets all proxies, with what they had.
func (p *Pool) yield() {
	p.learning = nil
	ids := slices.Sorted(maps.Keys(p.proxies))
	for _, id := range ids {
		p.withdrawAll(p.proxies[id]) // before slots come free, which are not ours to grant
	}
	for _, id := range ids {
		p.forget(p.proxies[id])
	}
}

// Asks returns how many asks of a proxy wait.
func (p *Pool) Asks(id fleet.ProxyID) int {
	if x := p.proxies[id]; x != nil {
		return x.asks.len
	}
	return 0
}

// Learning tells whether nothing is granted yet, because not all proxies are back.
func (p *Pool) Learning() bool { return p.learning != nil }

// rekeep takes in whether a proxy that is back keeps a slot or uses it.
func (p *Pool) rekeep(g *grant, live fleet.LiveGrant) {
	p.unpark(g)
	g.reclaimed, g.uses = false, live.Uses // whatever was on its way is lost
	g.turn = turnOf(live.Uses, live.Kept)
	switch {
	case g.inTime.in != &p.running && g.inTime.in != &p.kept:
	case live.Kept && g.cutAt == 0:
		p.park(g)
	case g.inTime.in == &p.kept:
		g.since = p.now.Add(-max(live.Held, 0))
		g.inTime.remove()
		p.running.push(&g.inTime)
		p.resort = true
	}
}
