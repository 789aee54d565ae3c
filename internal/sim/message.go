package sim

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
)

// says is what a message is.
type says uint8

const (
	saysAsk says = iota
	saysWithdraw
	saysDone
	saysUse
	saysHello
	saysReport // of an agent
	saysGranted
	saysRefused
	saysRevoked
	saysReclaimed
	saysWelcome
)

// message is one between a proxy and the controller.
type message struct {
	kind    says
	proxy   int32
	session int32
	times   int32 // that it will arrive yet
	on      int32 // backend, of a report
	ask     fleet.AskID
	grant   fleet.GrantID
	backend fleet.BackendName
	outcome fleet.Outcome
	latency time.Duration
	waited  time.Duration
	limit   time.Duration
	trip    time.Duration
	links   int
	zone    string
	about   *fleet.About
	exclude []fleet.BackendName
	seen    []fleet.Seen
	live    []fleet.LiveGrant
	moved   bool
	keep    time.Duration
	kept    bool
	uses    uint32
}

func (c *remote) newMessage() (int32, *message) {
	var i int32
	if n := len(c.spare); n > 0 {
		i = c.spare[n-1]
		c.spare = c.spare[:n-1]
	} else {
		i = int32(len(c.msgs))
		c.msgs = append(c.msgs, message{})
	}
	m := &c.msgs[i]
	exclude, seen := m.exclude[:0], m.seen[:0]
	*m = message{exclude: exclude, seen: seen}
	return i, m
}

// transmit sends a message on its way. Those of one session arrive in the order in which
// they were sent, as TCP has it, unless the scenario wants it otherwise. One that is lost
// breaks the session, as a stream cannot go on without it.
func (c *remote) transmit(i int32, up bool) {
	m := &c.msgs[i]
	x := &c.proxies[m.proxy]
	n := &c.e.s.Network
	if !c.alive {
		c.spare = append(c.spare, i)
		return
	}
	if n.Loss > 0 && c.e.network.Float64() < n.Loss {
		p, session := m.proxy, m.session
		c.spare = append(c.spare, i)
		c.breakSession(p, session)
		return
	}
	if x.cut && !x.mends {
		c.spare = append(c.spare, i)
		return
	}
	at := c.due(x, up)
	m.times = 1
	if n.Double > 0 && c.e.network.Float64() < n.Double {
		m.times = 2
		c.e.events.pushLane(messageLane, at, evMessage, i, 0)
	}
	c.flying += int(m.times)
	c.e.events.pushLane(messageLane, at, evMessage, i, 0)
}

// due returns when a message that is sent now arrives.
func (c *remote) due(x *front, up bool) int64 {
	at := c.e.after(c.way)
	if x.cut {
		at += x.cutEnd - c.e.now // what is lost until then is sent again
	}
	last := &x.arriveDn
	if up {
		last = &x.arriveUp
	}
	if n := &c.e.s.Network; n.Reorder > 0 && c.e.network.Float64() < n.Reorder {
		return at + int64(float64(c.way)*2*c.e.network.Float64()) // who comes next may be earlier
	}
	*last = max(at, *last)
	return *last
}

// arrives hands a message to whom it is for, if it is of a session that still is.
func (c *remote) arrives(i int32) {
	m := &c.msgs[i]
	c.flying--
	m.times--
	last := m.times == 0
	c.receive(i)
	if last {
		c.spare = append(c.spare, i)
	}
}

func (c *remote) receive(i int32) {
	m := &c.msgs[i]
	if m.kind == saysReport {
		c.report = dispatch.Report{Backend: c.e.plan.names[m.on], Load: m.seen[0].Report}
		c.step(&c.report)
		return
	}
	x := &c.proxies[m.proxy]
	if m.kind >= saysGranted && m.session == x.session && x.connected {
		x.ledger.Heard(0, fleet.Time(max(c.e.now-2*c.way, 0)))
	}
	switch {
	case m.kind == saysHello:
		c.hello(m)
	case m.kind >= saysGranted && m.session != x.session, m.kind < saysGranted && m.session != x.known:
		// Of a session that is over.
	case m.kind == saysWelcome:
		c.welcome(m.proxy)
	case m.kind == saysAsk:
		c.ask = dispatch.Ask{
			Proxy: x.id, ID: m.ask, Waited: m.waited, Exclude: m.exclude, Zone: m.zone,
			About: m.about, InFlight: m.links, RoundTrip: m.trip, Seen: m.seen,
		}
		c.step(&c.ask)
	case m.kind == saysWithdraw:
		c.step(&dispatch.Withdraw{Proxy: x.id, Ask: m.ask})
	case m.kind == saysDone:
		c.done = dispatch.Done{Proxy: x.id, Grant: m.grant, Outcome: m.outcome, Latency: m.latency, Kept: m.kept, Uses: m.uses}
		if len(m.seen) > 0 {
			c.done.Seen = m.seen[0]
		}
		c.step(&c.done)
	case m.kind == saysGranted:
		c.granted(m)
	case m.kind == saysRefused:
		c.refused(m)
	case m.kind == saysUse:
		c.step(&dispatch.Use{Proxy: x.id, Grant: m.grant, Uses: m.uses, About: m.about})
	case m.kind == saysReclaimed:
		c.reclaimed(m.proxy, m.grant)
	case m.kind == saysRevoked:
		if x.ledger.Uses(m.grant) == m.uses {
			c.cutLink(m.proxy, m.grant)
		}
	}
}

// arrive has a request's proxy ask for it.
func (c *remote) arrive(i int32) {
	r := &c.e.requests[i]
	c.asks++
	r.ask = fleet.AskID(c.asks<<32 | uint64(uint32(i)))
	if c.alone && c.fromHand(i) {
		return
	}
	c.sendAsk(i)
}

// sendAsk asks, or asks again in a new session.
func (c *remote) sendAsk(i int32) {
	r := &c.e.requests[i]
	x := &c.proxies[r.proxy]
	if !x.connected {
		return // it is asked when there is a session
	}
	r.asked = c.e.now
	n, m := c.newMessage()
	m.kind, m.proxy, m.session, m.ask = saysAsk, r.proxy, x.session, r.ask
	m.waited = time.Duration(c.e.now - r.came)
	m.zone, m.about, m.trip = c.e.plan.zones[r.proxy], c.about(r), time.Duration(x.trip)
	for _, v := range r.exclude[:r.tries] {
		m.exclude = append(m.exclude, c.e.plan.names[v])
	}
	m.links, m.seen = x.ledger.Ask(poolName, m.seen)
	c.transmit(n, true)
}

// find returns the request of an ask that still waits; -1: it does not.
func (c *remote) find(p int32, ask fleet.AskID) int32 {
	i := int32(uint32(ask))
	if r := &c.e.requests[i]; r.at != waiting || r.ask != ask || r.proxy != p {
		return -1
	}
	return i
}

// tripRate is the weight of the newest round trip in its moving average.
const tripRate = .1

// granted takes a grant in at a proxy.
func (c *remote) granted(m *message) {
	x := &c.proxies[m.proxy]
	i := c.find(m.proxy, m.ask)
	if i < 0 { // it crossed with the withdrawal, or came twice
		if !c.holds(m.proxy, m.grant) {
			c.sendDone(m.proxy, m.grant, fleet.Unused, 0, fleet.Seen{}, false, 0)
		}
		return
	}
	r := &c.e.requests[i]
	queued := m.waited - time.Duration(r.asked-r.came)
	if trip := float64(c.e.now-r.asked) - float64(max(queued, 0)); trip > 0 {
		if x.trip == 0 {
			x.trip = trip
		}
		x.trip += tripRate * (trip - x.trip)
	}
	if m.moved && c.e.measured(r) {
		c.e.meter.moved++
	}
	x.ledger.Granted(fleet.Time(c.e.now), poolName, m.grant, m.backend, m.limit)
	x.ledger.MayKeep(m.grant, m.keep)
	if c.audit != nil {
		c.audit.hands()
	}
	r.grant, r.ask = m.grant, 0
	c.e.send(i, c.e.plan.index[m.backend])
}

// holds tells whether a proxy has a grant already, which a doubled message names again.
func (c *remote) holds(p int32, id fleet.GrantID) bool {
	if c.e.s.Network.Double == 0 {
		return false
	}
	return slices.ContainsFunc(c.proxies[p].ledger.Live(fleet.Time(c.e.now), poolName), func(h permit.Held) bool { return h.ID == id })
}

func (c *remote) refused(m *message) {
	if i := c.find(m.proxy, m.ask); i >= 0 {
		c.e.refuse(i)
	}
}

// cutLink has a proxy end a link whose grant was revoked, or has run too long.
func (c *remote) cutLink(p int32, id fleet.GrantID) {
	for i := range c.e.requests {
		r := &c.e.requests[i]
		if r.at != nowhere && r.at != waiting && !r.closed && !r.foreign && r.proxy == p && r.grant == id {
			c.ended(int32(i), fleet.Revoked, 0)
			c.e.leave(int32(i), fleet.Failed)
			return
		}
	}
}

// cancel takes an ask back.
func (c *remote) cancel(i int32) {
	r := &c.e.requests[i]
	x := &c.proxies[r.proxy]
	ask := r.ask
	r.ask = 0 // it does not wait any more, should the session break with this
	if x.connected {
		n, m := c.newMessage()
		m.kind, m.proxy, m.session, m.ask = saysWithdraw, r.proxy, x.session, ask
		c.transmit(n, true)
	}
}

// ended tells the controller that a grant is over.
func (c *remote) ended(i int32, how fleet.Outcome, latency int64) {
	r := &c.e.requests[i]
	x := &c.proxies[r.proxy]
	if !c.e.proxies[r.proxy] {
		return // it is dead, and says nothing
	}
	if how != fleet.OK {
		latency = 0
	}
	told := x.connected || x.listed[r.grant]
	seen, held := x.ledger.Done(fleet.Time(c.e.now), r.grant, how, time.Duration(latency), told)
	if held && told {
		c.sendDone(r.proxy, r.grant, how, time.Duration(latency), seen, x.ledger.IsKept(r.grant), x.ledger.Uses(r.grant))
	}
	if c.alone {
		c.serveWaiting(r.proxy)
	}
}

// sendDone says it now, or when the hello that named the grant is answered.
func (c *remote) sendDone(p int32, id fleet.GrantID, how fleet.Outcome, latency time.Duration, seen fleet.Seen, kept bool, uses uint32) {
	x := &c.proxies[p]
	i, m := c.newMessage()
	m.kind, m.proxy, m.session = saysDone, p, x.session
	m.grant, m.outcome, m.latency, m.kept, m.uses = id, how, latency, kept, uses
	if seen.Backend != "" {
		m.seen = append(m.seen, seen)
	}
	if !x.connected {
		x.late = append(x.late, i)
		return
	}
	c.transmit(i, true)
}
