package sim

import (
	"fmt"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
)

// brain is a controller's mind: dispatch.Pool, or another that takes the same words.
type brain interface {
	Step(now fleet.Time, in dispatch.Input) []dispatch.Effect
	Next() (fleet.Time, bool)
}

// maker makes the mind of a controller's term.
type maker func(e *engine, epoch uint64) brain

func newMind(e *engine, epoch uint64) brain { return dispatch.New(e.plan.spec, epoch) }

// remote is the decider of proxies that ask a controller for each request.
type remote struct {
	e       *engine
	make    maker
	brain   brain
	alive   bool
	epoch   uint64
	tickAt  int64 // of the tick that is under way; 0: none
	proxies []front
	asks    uint64 // so far
	grants  uint64 // likewise
	way     int64  // half a round trip
	abouts  [][]*fleet.About
	audit   *audit
	msgs    []message
	spare   []int32
	flying  int // messages
	since   int64
	lastID  fleet.ProxyID
	lapsed  bool // a proxy has served within its share, its lease being over
	alone   bool // proxies serve without a controller

	ask    dispatch.Ask // used again and again, as Step takes pointers
	done   dispatch.Done
	report dispatch.Report
}

// front is a proxy, as far as its session with the controller goes.
type front struct {
	id        fleet.ProxyID
	ledger    *permit.Ledger
	session   int32 // counts them
	known     int32 // the one that the controller knows; 0: none
	connected bool
	cut       bool  // from the controller
	mends     bool  // before anybody notices,
	cutEnd    int64 // at this time
	downs     int32 // how often it was not connected
	downAt    int64
	pause     int64
	arriveUp  int64 // when the last message to the controller arrives
	arriveDn  int64 // and the last one from it
	trip      float64
	listed    map[fleet.GrantID]bool // grants that the hello named, until it is answered
	late      []int32                // words on these, to be said then
}

func newRemote(e *engine, m maker) *remote {
	p := e.plan
	r := &remote{e: e, make: m, way: int64(p.s.Network.RoundTrip / 2), abouts: make([][]*fleet.About, len(p.mixes))}
	r.alone = p.spec.Assign == fleet.AssignNone && !p.spec.Direct
	if e.check {
		r.audit = newAudit(r)
	}
	for i := range p.mixes {
		x := &p.mixes[i]
		r.abouts[i] = make([]*fleet.About, len(x.flows)*(max(x.Affinity, 1)))
	}
	r.proxies = make([]front, len(p.zones))
	r.takeOver()
	for i := range r.proxies {
		r.startProxy(int32(i))
		r.connect(int32(i))
	}
	return r
}

// startProxy begins a new run of a proxy, which knows nothing.
func (c *remote) startProxy(p int32) {
	c.lastID++
	x := &c.proxies[p]
	*x = front{
		id: c.lastID, ledger: permit.NewFrom(uint64(c.lastID) << 32), session: x.session, downs: x.downs,
		cut: x.cut, mends: x.mends, cutEnd: x.cutEnd, arriveUp: x.arriveUp, arriveDn: x.arriveDn,
	}
	x.ledger.SetAlone(poolName, c.alone, c.e.plan.spec.Workers > 0)
	if c.alone {
		c.e.events.push(c.e.now+int64(looks), evHouse, p, int32(x.id))
	}
}

// connect sets a session up that is there from the beginning.
func (c *remote) connect(p int32) {
	x := &c.proxies[p]
	x.session++
	x.known, x.connected = x.session, true
	x.ledger.Led(fleet.Time(c.e.now), poolName, 0, false)
	x.ledger.Heard(0, fleet.Time(c.e.now))
	c.share()
	c.step(&dispatch.SessionUp{Proxy: x.id})
}

// takeOver begins a controller's term: it is told of the backends, and of their health.
func (c *remote) takeOver() {
	c.epoch++
	c.brain, c.alive, c.tickAt = c.make(c.e, c.epoch), true, 0
	if c.audit != nil {
		c.audit.restart()
	}
	for v := range c.e.backends {
		c.joins(int32(v))
		c.e.backends[v].noted = noted{c.e.backends[v].down, c.e.backends[v].drains}
	}
	if c.epoch > 1 {
		c.learn()
	}
}

func (c *remote) joins(v int32) {
	b := &c.e.backends[v]
	g, name := b.group, c.e.plan.names[v]
	spec := fleet.BackendSpec{Name: name, Zone: g.Zone, Labels: g.Labels, Weight: g.Weight}
	if c.e.plan.spec.Workers > 0 || c.e.plan.spec.Learn {
		spec.Workers = g.Declared
	} else {
		spec.Slots = g.Declared
	}
	c.step(&dispatch.Join{Spec: spec})
	if g.Report > 0 && !b.silent {
		c.agent(v)
	}
	c.health(v)
	if b.drains {
		c.step(&dispatch.Override{Backend: name, Drain: true})
	}
}

// agent has a backend's agent join.
func (c *remote) agent(v int32) {
	spec := fleet.BackendSpec{Name: c.e.plan.names[v], Zone: c.e.backends[v].group.Zone}
	c.step(&dispatch.Join{Spec: spec, Source: dispatch.FromAgent})
}

func (c *remote) health(v int32) {
	h := dispatch.Health{Backend: c.e.plan.names[v], Up: !c.e.backends[v].down}
	if !h.Up {
		h.Why = "connection refused"
	}
	c.step(&h)
}

// step gives the mind an input, and sends what comes of it on its way.
func (c *remote) step(in dispatch.Input) {
	if !c.alive {
		return
	}
	if c.tickAt != 0 && c.tickAt <= c.e.now {
		c.tickAt = 0
		c.step(&dispatch.Tick{})
	}
	now := fleet.Time(c.e.now)
	effects := c.brain.Step(now, in)
	if c.audit != nil {
		c.audit.stepped(in, effects)
	}
	for i := range effects {
		c.effect(&effects[i])
	}
	if _, is := in.(*dispatch.Tick); is {
		if at, ok := c.brain.Next(); ok && int64(at) <= c.e.now {
			c.e.violate("a tick does not do what is due: the next one is due at %v", time.Duration(at))
			c.tickAt = c.e.now + int64(time.Millisecond) // or time would stand still
			c.e.events.push(c.tickAt, evTick, 0, 0)
			return
		}
	}
	c.wind()
}

// wind has the mind's next tick come.
func (c *remote) wind() {
	at, ok := c.brain.Next()
	if ok && (c.tickAt == 0 || int64(at) < c.tickAt) {
		c.tickAt = max(int64(at), c.e.now)
		c.e.events.push(c.tickAt, evTick, 0, 0)
	}
}

func (c *remote) tick() {
	if c.e.now != c.tickAt || !c.alive {
		return
	}
	c.tickAt = 0
	if at, ok := c.brain.Next(); ok && int64(at) > c.e.now {
		c.wind()
		return
	}
	c.step(&dispatch.Tick{})
}

func (c *remote) effect(f *dispatch.Effect) {
	switch f.Kind {
	case dispatch.Granted, dispatch.Refused, dispatch.Revoked, dispatch.Reclaimed:
	default:
		return // for agents
	}
	p := c.proxyOf(f.Proxy)
	if p < 0 || c.proxies[p].known == 0 {
		return
	}
	i, m := c.newMessage()
	m.proxy, m.session, m.ask, m.grant, m.backend = p, c.proxies[p].known, f.Ask, f.Grant, f.Backend
	m.limit, m.waited, m.moved, m.keep, m.uses = f.Limit, f.Waited, f.Moved, f.Keep, f.Uses
	switch f.Kind {
	case dispatch.Granted:
		m.kind = saysGranted
		c.lookAtBounds()
	case dispatch.Refused:
		m.kind = saysRefused
	case dispatch.Revoked:
		m.kind = saysRevoked
	case dispatch.Reclaimed:
		m.kind = saysReclaimed
	}
	c.transmit(i, false)
}

// boundsEvery is how many grants there are between looks at the bounds of backends, which
// move with what is learnt.
const boundsEvery = 1024

// lookAtBounds notes how many grants the mind allows a backend at most.
func (c *remote) lookAtBounds() {
	c.grants++
	pool, ok := c.brain.(*dispatch.Pool)
	if !ok || c.grants%boundsEvery != 1 {
		return
	}
	s := pool.State(fleet.Time(c.e.now))
	for i := range s.Backends {
		c.e.meter.bound = max(c.e.meter.bound, s.Backends[i].Bound)
	}
}

// proxyOf returns the place of a proxy; -1: that run of it is over.
func (c *remote) proxyOf(id fleet.ProxyID) int32 {
	if i := int(id) - 1; i < len(c.proxies) && c.proxies[i].id == id {
		return int32(i)
	}
	for i := range c.proxies {
		if c.proxies[i].id == id {
			return int32(i)
		}
	}
	return -1
}

func (c *remote) happen(k kind, a, b int32) {
	switch k {
	case evMessage:
		c.arrives(a)
	case evTick:
		c.tick()
	case evReconnect:
		c.reconnect(a, b)
	case evSilence:
		c.silence(a, b)
	case evPatience:
		c.impatient(a, b)
	case evHouse:
		c.house(a, b)
	}
}

// about returns what a request is, in the words of an ask. Requests that are alike share
// one.
func (c *remote) about(r *request) *fleet.About {
	x := &c.e.plan.mixes[r.mix]
	i := int(r.flow)*max(x.Affinity, 1) + int(max(r.key, 0))
	a := c.abouts[r.mix][i]
	if a == nil {
		a = &fleet.About{Class: x.Class, Flow: x.names[r.flow], Deadline: x.Deadline, Labels: x.Labels}
		if x.Affinity > 0 {
			a.Affinity = x.keys[r.key]
		}
		c.abouts[r.mix][i] = a
	}
	return a
}

// departed, changed and reported are what others see at backends.
func (c *remote) departed(int32) {}

func (c *remote) changed(v int32) {
	b := &c.e.backends[v]
	if b.noted == (noted{b.down, b.drains}) {
		return
	}
	if b.noted.down != b.down {
		c.health(v)
	}
	if b.noted.drains != b.drains {
		c.step(&dispatch.Override{Backend: c.e.plan.names[v], Drain: b.drains})
	}
	b.noted = noted{b.down, b.drains}
}

func (c *remote) reported(v int32, load fleet.LoadReport) {
	i, m := c.newMessage()
	m.kind, m.proxy, m.on, m.seen = saysReport, -1, v, append(m.seen[:0], fleet.Seen{Report: load})
	m.times = 1
	c.flying++
	c.e.events.push(c.e.after(c.way), evMessage, i, 0)
}

// over tells whether the mind is at rest: a leak is a grant or an ask that is left when
// all requests are over, and the time in which a broken session may come back too.
func (c *remote) over() (bool, string) {
	if c.audit == nil || !c.alive {
		return true, ""
	}
	if c.since == 0 {
		c.since = c.e.now
	}
	why := c.audit.leak()
	if why == "" {
		return true, ""
	}
	limit := 2*c.e.plan.spec.Grace + c.e.plan.spec.LostAfter + time.Minute
	if c.e.now-c.since > int64(limit) {
		return true, fmt.Sprintf("%v after the last request, %s", limit, why)
	}
	if c.tickAt == 0 && c.flying == 0 && c.settled() {
		return true, fmt.Sprintf("after the last request, with no message and no tick to come, %s", why)
	}
	return false, ""
}

// settled tells whether every proxy that lives has a session, and its controller thinks
// so too: what is amiss there is noticed in time.
func (c *remote) settled() bool {
	for p := range c.proxies {
		if x := &c.proxies[p]; c.e.proxies[p] && (!x.connected || x.cut || x.known != x.session || x.ledger.Kept() > 0) {
			return false
		}
	}
	return true
}
