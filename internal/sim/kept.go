package sim

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
)

// What a proxy does with the slots that it has in hand: it keeps them for the next request,
// and without a controller it lives on them, and then on its share.

// fromHand has a request served on a slot that its proxy has, if there is one.
func (c *remote) fromHand(i int32) bool {
	r := &c.e.requests[i]
	x := &c.proxies[r.proxy]
	about := c.about(r)
	w := permit.Wish{Labels: about.Labels, Affinity: about.Affinity}
	for _, v := range r.exclude[:r.tries] {
		w.Exclude = append(w.Exclude, c.e.plan.names[v])
	}
	now := fleet.Time(c.e.now)
	serve := x.ledger.Take
	if x.ledger.Alone(poolName) {
		if x.listed != nil {
			return false // a controller is about to answer, and would not know of it
		}
		serve = func(now fleet.Time, name fleet.PoolName, w *permit.Wish) (fleet.GrantID, fleet.BackendName, bool) {
			return x.ledger.Serve(now, name, w, c.e.plan.spec.GrantLimit)
		}
	}
	id, b, ok := serve(now, poolName, &w)
	if !ok {
		return false
	}
	if c.e.measured(r) {
		c.e.meter.fromHand++
	}
	r.grant, r.ask = id, 0
	c.lapsed = c.lapsed || x.ledger.IsLent(id)
	if c.audit != nil {
		c.audit.hands()
	}
	if x.connected {
		n, m := c.newMessage()
		m.kind, m.proxy, m.session, m.grant, m.about = saysUse, r.proxy, x.session, id, about
		m.uses = x.ledger.Uses(id)
		c.transmit(n, true)
	}
	c.e.send(i, c.e.plan.index[b])
	return true
}

// serveWaiting has a proxy without a controller serve whom it can, critical ones first, and
// by who came first.
func (c *remote) serveWaiting(p int32) {
	x := &c.proxies[p]
	if !x.ledger.Alone(poolName) || !c.e.proxies[p] {
		return
	}
	all := c.waitingAt(p)
	class := func(i int32) fleet.Class {
		if k := c.e.plan.mixes[c.e.requests[i].mix].Class; k != fleet.NoClass {
			return k
		}
		return fleet.Normal
	}
	slices.SortStableFunc(all, func(a, b int32) int { return int(class(a)) - int(class(b)) })
	asks := make([]fleet.AskID, len(all))
	for n, i := range all {
		asks[n] = c.e.requests[i].ask
	}
	for n, i := range all {
		if c.find(p, asks[n]) >= 0 { // one that was served may have ended, and freed a slot
			c.fromHand(i)
		}
	}
}

// share tells proxies how many slots of each backend are theirs without a controller.
func (c *remote) share() {
	if !c.alone {
		return
	}
	var live []int32
	for p := range c.proxies {
		if c.proxies[p].known != 0 {
			live = append(live, int32(p))
		}
	}
	for k, p := range live {
		all := make([]permit.Choosable, len(c.e.backends))
		for v := range all {
			g := c.e.backends[v].group
			all[v] = permit.Choosable{
				BackendSpec: fleet.BackendSpec{Name: c.e.plan.names[v], Labels: g.Labels, Weight: g.Weight},
				Share:       fleet.ShareOf(max(g.Declared, 1), v, k, len(live)),
			}
		}
		c.proxies[p].ledger.Backends(poolName).SetBackends(all)
	}
}

// house does what time brings to slots in hand, again and again while there are any, or
// nobody else would serve.
func (c *remote) house(p, run int32) {
	x := &c.proxies[p]
	if int32(x.id) != run || !c.e.proxies[p] {
		return
	}
	now := fleet.Time(c.e.now)
	for _, h := range x.ledger.Unused(now) {
		c.sendDone(p, h.ID, fleet.Unused, 0, fleet.Seen{}, false, 0)
	}
	c.serveWaiting(p)
	if c.e.ended && c.e.open == 0 && x.ledger.Kept() == 0 {
		return
	}
	c.e.events.push(c.e.now+int64(looks), evHouse, p, run)
}

// reclaimed gives a slot back that the controller wants.
func (c *remote) reclaimed(p int32, id fleet.GrantID) {
	if _, kept := c.proxies[p].ledger.Reclaim(id); kept {
		c.sendDone(p, id, fleet.Unused, 0, fleet.Seen{}, false, 0)
	}
}

// learn has a controller's term begin as in production: it waits for the proxies that may
// hold slots.
func (c *remote) learn() {
	in := dispatch.Learn{For: max(c.e.plan.spec.Grace, permit.Lease+500*time.Millisecond)}
	for p := range c.proxies {
		if c.proxies[p].ledger != nil && c.e.proxies[p] {
			in.Expect = append(in.Expect, c.proxies[p].id)
		}
	}
	c.step(&in)
}
