package sim

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// What the proxy's session does in production.
const (
	silence    = 3 * time.Second // without a word, a session is lost
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
	patience   = 10 * time.Second       // until those who wait without a session are refused
	looks      = 250 * time.Millisecond // between looks at that
)

// fault has what happens to proxies, links and the controller break sessions.
func (c *remote) fault(f *Fault, begins bool) {
	p := int32(f.On)
	switch f.Kind {
	case KillController:
		if begins {
			c.kill()
		} else {
			c.takeOver()
		}
	case KillProxy:
		if begins {
			c.lose(p)
		} else {
			c.startProxy(p)
			c.down(p)
		}
	case CutProxy:
		c.cut(f, begins)
	case LoseAgent:
		if begins {
			c.step(&dispatch.AgentLost{Backend: c.e.plan.names[p]})
		} else if c.e.backends[p].group.Report > 0 {
			c.agent(p)
		}
	}
}

// kill ends the controller: connections to it are reset at once.
func (c *remote) kill() {
	c.alive = false
	for p := range c.proxies {
		x := &c.proxies[p]
		x.known = 0
		if c.e.proxies[p] {
			c.down(int32(p))
		}
	}
}

// lose has the controller see that a proxy's connection is reset.
func (c *remote) lose(p int32) {
	x := &c.proxies[p]
	x.connected = false
	x.session++
	x.downs++
	x.listed, x.late = nil, nil
	c.forget(p)
}

// forget has the controller see a session as lost.
func (c *remote) forget(p int32) {
	x := &c.proxies[p]
	if x.known != 0 {
		x.known = 0
		c.step(&dispatch.SessionLost{Proxy: x.id})
	}
}

// breakSession ends a session that lost a message, on both sides.
func (c *remote) breakSession(p, session int32) {
	x := &c.proxies[p]
	if x.session != session {
		return
	}
	c.down(p)
	// The controller must not be stepped from within its own step, nor know it earlier than
	// the news can be there.
	c.e.events.push(c.e.now+c.way, evSilence, p, session)
}

// cut takes a proxy off the controller, or lets it back. Neither side sees it before it has
// heard nothing for long.
func (c *remote) cut(f *Fault, begins bool) {
	p := int32(f.On)
	x := &c.proxies[p]
	x.cut, x.mends = begins, f.For > 0 && f.For < silence
	x.cutEnd = int64(f.At + f.For)
	if begins {
		x.ledger.Heard(0, fleet.Time(c.e.now))
		c.e.events.push(c.e.now+int64(silence), evSilence, p, x.session)
	}
}

// silence has both sides see that they do not hear from one another.
func (c *remote) silence(p, session int32) {
	x := &c.proxies[p]
	broken := x.session != session || !x.connected
	if x.known == session && (x.cut || broken) {
		c.forget(p)
	}
	if x.cut && x.session == session && x.connected {
		c.down(p)
	}
}

// down has a proxy be without a session, and try again after a pause.
func (c *remote) down(p int32) {
	x := &c.proxies[p]
	if x.connected {
		x.downAt = c.e.now
		if !x.cut {
			x.ledger.Heard(0, fleet.Time(c.e.now)) // statuses are answered all the time
		}
	}
	x.ledger.Unled(poolName)
	x.connected, x.pause = false, int64(firstPause)
	x.downs++
	x.session++
	c.spare = append(c.spare, x.late...)
	x.listed, x.late = nil, nil
	c.again(p)
	c.e.events.push(c.e.now+int64(looks), evPatience, p, x.downs)
	if c.alone {
		c.serveWaiting(p)
	}
}

// again has a proxy try to connect after about its pause, so that those which lost the same
// controller do not come back in step.
func (c *remote) again(p int32) {
	x := &c.proxies[p]
	c.e.events.push(c.e.now+int64(float64(x.pause)*(.5+c.e.network.Float64())), evReconnect, p, x.session)
	x.pause = min(2*x.pause, int64(lastPause))
}

// reconnect says hello, with the grants that the proxy still uses.
func (c *remote) reconnect(p, session int32) {
	x := &c.proxies[p]
	if x.session != session || x.connected || !c.e.proxies[p] {
		return
	}
	if !c.alive || x.cut {
		c.again(p)
		return
	}
	x.session++
	i, m := c.newMessage()
	m.kind, m.proxy, m.session = saysHello, p, x.session
	x.listed, x.late = map[fleet.GrantID]bool{}, nil
	for _, h := range x.ledger.Live(fleet.Time(c.e.now), poolName) {
		x.listed[h.ID] = true
		m.live = append(m.live, h.LiveGrant)
	}
	m.times = 1
	c.flying++
	at := max(c.e.after(c.way), x.arriveUp)
	x.arriveUp = at
	c.e.events.push(at, evMessage, i, 0)
}

// hello begins a session at the controller.
func (c *remote) hello(m *message) {
	x := &c.proxies[m.proxy]
	if m.session != x.session || !c.alive || x.cut {
		if m.session == x.session {
			x.session++
			c.again(m.proxy)
		}
		return
	}
	live, p := m.live, m.proxy
	x.known = m.session
	i, w := c.newMessage()
	w.kind, w.proxy, w.session, w.times = saysWelcome, p, x.session, 1
	c.flying++
	x.arriveDn = max(c.e.after(c.way), x.arriveDn)
	c.e.events.push(x.arriveDn, evMessage, i, 0)
	c.step(&dispatch.SessionUp{Proxy: x.id, Live: live})
}

// welcome begins it at the proxy: what ended meanwhile is told, and who waits is asked for
// again.
func (c *remote) welcome(p int32) {
	x := &c.proxies[p]
	if x.connected {
		return
	}
	x.connected = true
	x.ledger.Reconnected(poolName)
	told := fleet.Time(max(c.e.now-2*c.way, 0))
	x.ledger.Led(told, poolName, 0, false)
	x.ledger.Heard(0, told)
	c.share()
	late := x.late
	x.listed, x.late = nil, nil
	for _, i := range late {
		c.msgs[i].session = x.session
		c.transmit(i, true)
	}
	for _, i := range c.waitingAt(p) {
		c.sendAsk(i)
	}
}

// waitingAt returns the requests that wait at a proxy, in the order of their asks.
func (c *remote) waitingAt(p int32) []int32 {
	var all []int32
	for i := range c.e.requests {
		if r := &c.e.requests[i]; r.at == waiting && r.proxy == p && !r.foreign && r.ask != 0 {
			all = append(all, int32(i))
		}
	}
	slices.SortFunc(all, func(a, b int32) int { return int(int64(c.e.requests[a].ask>>32) - int64(c.e.requests[b].ask>>32)) })
	return all
}

// impatient does what a proxy without a session does by itself: it refuses those who have
// waited for long, and cuts links whose grants have run too long.
func (c *remote) impatient(p, downs int32) {
	x := &c.proxies[p]
	if x.downs != downs || x.connected || !c.e.proxies[p] {
		return
	}
	if c.e.plan.spec.GrantLimit > 0 {
		for _, id := range x.ledger.Expired(fleet.Time(c.e.now)) {
			c.cutLink(p, id)
		}
	}
	for _, i := range c.waitingAt(p) {
		r := &c.e.requests[i]
		if c.alone && c.e.now-r.came >= int64(c.e.plan.spec.QueueTimeout) || !c.alone && c.e.now-max(r.born, x.downAt) > int64(patience) {
			c.e.refuse(i)
		}
	}
	c.e.events.push(c.e.now+int64(looks), evPatience, p, downs)
}
