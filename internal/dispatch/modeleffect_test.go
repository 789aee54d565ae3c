package dispatch

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// effect checks that the Pool was allowed to do so, and follows.
func (m *model) effect(e *Effect) error {
	switch e.Kind {
	case Granted:
		return m.granted(e)
	case Refused:
		return m.refused(e)
	case Revoked:
		want := Effect{Kind: Revoked, Proxy: e.Proxy, Grant: e.Grant, Backend: e.Backend, Reason: e.Reason}
		i := slices.Index(m.owed, want)
		if i < 0 || *e != want {
			return errors.New("not owed")
		}
		m.owed = slices.Delete(m.owed, i, i+1)
	case Changed:
		return m.changed(e)
	case Gone:
		b := m.backend(e.Backend)
		if b == nil || b.isKnown() || b.live > 0 {
			return errors.New("it is known or used")
		}
		if b.owesDrained {
			return errors.New("it is gone before it was told to be drained")
		}
		m.backends = slices.DeleteFunc(m.backends, func(o *modelBackend) bool { return o == b })
	default:
		return errors.New("no such kind")
	}
	return nil
}

func (m *model) granted(e *Effect) error {
	a, b := m.ask(e.Proxy, e.Ask), m.backend(e.Backend)
	if a == nil {
		return errors.New("nobody asked")
	}
	// An ask that can be granted at once is, before the time that passed is looked at. So
	// are those whom the reports in it free a slot, which only the Pool can tell.
	foretold := a == m.newcomer && len(m.fate.granted) > 0
	at, isAsk := m.input.(*Ask)
	early := foretold || isAsk && len(at.Seen) > 0
	switch {
	case b == nil || !(b.hopeful() && b.cond == up) && !(early && b.wasOpen):
		return errors.New("the backend takes no grants")
	case slices.Contains(a.exclude, b.name):
		return errors.New("the backend is excluded")
	case b.live >= b.slots(m.spec) && !(early && b.live < b.early.Slots):
		return fmt.Errorf("overshoot: %d of %d slots were taken", b.live, b.slots(m.spec))
	case foretold && !slices.Contains(m.fate.granted, b), !early && !b.room():
		return errors.New("its free slots rest, or others use them")
	case e.Grant != fleet.GrantID{Epoch: m.epoch, Number: m.last + 1}:
		return errors.New("it is not the next number")
	case e.Waited != m.now.Sub(a.arrived) || e.Limit != m.spec.GrantLimit:
		return fmt.Errorf("it waited %v, and the limit is %v", m.now.Sub(a.arrived), m.spec.GrantLimit)
	case a == m.newcomer && m.fate.sure && !foretold:
		return fmt.Errorf("it should have been refused: %v", m.fate.refused)
	}
	for _, first := range m.asks[:slices.Index(m.asks, a)] {
		if !slices.Contains(first.exclude, b.name) {
			return fmt.Errorf("p%d #%d came first", first.proxy, first.id)
		}
	}
	m.bind(a, b, e)
	return nil
}

func (m *model) bind(a *modelAsk, b *modelBackend, e *Effect) {
	m.last++
	m.drop(a)
	if a == m.newcomer {
		m.newcomer = nil
	}
	b.live++
	m.grants = append(m.grants, &modelGrant{id: e.Grant, proxy: e.Proxy, on: b, since: m.now})
}

func (m *model) refused(e *Effect) error {
	a := m.ask(e.Proxy, e.Ask)
	if a == nil {
		return errors.New("nobody asked")
	}
	if e.RetryAfter < time.Second || e.RetryAfter > time.Minute {
		return errors.New("retry after that?")
	}
	isNew := a == m.newcomer
	if isNew {
		m.newcomer = nil
	}
	m.drop(a)
	if isNew && m.fate.sure {
		if len(m.fate.granted) > 0 || m.fate.refused != e.Reason {
			return fmt.Errorf("foretold: %d backends are free, %v", len(m.fate.granted), m.fate.refused)
		}
		return nil
	}
	switch e.Reason {
	case fleet.QueueTimeout:
		if a.arrived.Add(m.spec.QueueTimeout) > m.now {
			return errors.New("too early")
		}
	case fleet.NoBackend, fleet.AllExcluded:
		if m.hope(a) != e.Reason {
			return errors.New("there is hope")
		}
	case fleet.QueueFull:
		if !isNew || len(m.asks) < m.spec.QueueLimit {
			return errors.New("the queue was not full")
		}
	default:
		return errors.New("no reason to refuse")
	}
	return nil
}

// changed checks a word to an agent.
func (m *model) changed(e *Effect) error {
	b := m.backend(e.Backend)
	if b == nil {
		return errors.New("it is gone")
	}
	if e.Slots != b.early.Slots && e.Slots != b.slots(m.spec) || e.Draining != b.draining() {
		return fmt.Errorf("it has %d slots, draining %v", b.slots(m.spec), b.draining())
	}
	if e.Drained != (b.draining() && b.live == 0) && e.Drained != b.early.Drained {
		return fmt.Errorf("draining %v, with %d grants", b.draining(), b.live)
	}
	if e.Drained && !b.owesDrained && !m.inputIsOf(b) {
		return errors.New("it was told so before")
	}
	b.owesDrained = b.owesDrained && !e.Drained
	b.toldSlots, b.toldDraining = e.Slots, e.Draining
	return nil
}

// inputIsOf tells whether the step's input has an agent told of b, whatever it knows.
func (m *model) inputIsOf(b *modelBackend) bool {
	switch in := m.input.(type) {
	case *Join:
		return in.Spec.Name == b.name
	case *Leave:
		return in.Backend == b.name
	}
	return false
}

// settled checks what must be so when a step is over.
func (m *model) settled() error {
	if len(m.owed) > 0 {
		return fmt.Errorf("missing: %s", proseEffect(m.owed[0]))
	}
	if m.newcomer != nil && m.fate.sure {
		return fmt.Errorf("the new ask waits; foretold: %d backends are free, %v", len(m.fate.granted), m.fate.refused)
	}
	for _, b := range m.backends {
		switch {
		case !b.isKnown() && b.live == 0:
			return fmt.Errorf("%s should be gone", b.name)
		case b.owesDrained:
			return fmt.Errorf("nobody said that %s is drained", b.name)
		case b.known[FromAgent] && (b.toldSlots != b.slots(m.spec) || b.toldDraining != b.draining()):
			return fmt.Errorf("%s's agent believes %d slots, draining %v", b.name, b.toldSlots, b.toldDraining)
		}
	}
	for _, a := range m.asks {
		if a.arrived.Add(m.spec.QueueTimeout) <= m.now {
			return fmt.Errorf("p%d #%d waits longer than allowed", a.proxy, a.id)
		}
		if usable := m.usable(a); len(usable) > 0 {
			return fmt.Errorf("p%d #%d waits while %s has room", a.proxy, a.id, usable[0].name)
		}
		if why := m.hope(a); why != fleet.NoReason {
			return fmt.Errorf("p%d #%d waits without hope: %v", a.proxy, a.id, why)
		}
	}
	if len(m.asks) > m.spec.QueueLimit {
		return fmt.Errorf("%d wait", len(m.asks))
	}
	return nil
}

// agrees compares with what the Pool knows.
func (m *model) agrees(p *Pool) error {
	if len(p.grants) != len(m.grants) || p.queue.len != len(m.asks) ||
		len(p.proxies) != len(m.proxies) || len(p.order) != len(m.backends) {
		return fmt.Errorf("there are %d grants, %d asks, %d proxies and %d backends; should be %d, %d, %d, %d",
			len(p.grants), p.queue.len, len(p.proxies), len(p.order),
			len(m.grants), len(m.asks), len(m.proxies), len(m.backends))
	}
	for _, g := range m.grants {
		if of := p.grants[g.id]; of == nil || of.proxy.id != g.proxy || of.on.name != g.on.name || (of.cutAt != 0) != g.cut {
			return fmt.Errorf("grant %v should be p%d's on %s, cut: %v", g.id, g.proxy, g.on.name, g.cut)
		}
	}
	queued := p.queue.head()
	for _, a := range m.asks {
		if queued.id != a.id || queued.proxy.id != a.proxy {
			return fmt.Errorf("p%d #%d should be queued where p%d #%d is", a.proxy, a.id, queued.proxy.id, queued.id)
		}
		queued = queued.inQueue.after()
	}
	for _, b := range m.backends {
		of := p.byName[b.name]
		if of == nil || of.live.len != b.live || of.eligible(&p.spec) != (b.hopeful() && b.cond == up) ||
			of.slots(&p.spec) != b.slots(m.spec) || of.resting != len(b.rests) || of.errs != b.errs {
			return fmt.Errorf("%s should be %+v", b.name, *b)
		}
	}
	if err := balanced(p); err != nil {
		return err
	}
	return m.timely(p)
}

// balanced checks that no ask and no grant was ended twice or never, by the totals.
func balanced(p *Pool) error {
	c := &p.counts
	var refused, ended uint64
	for i := range c.Refused {
		refused += c.Refused[i]
		ended += c.Ended[i]
	}
	if c.Asks != c.Granted+refused+c.Withdrawn+uint64(p.queue.len) {
		return fmt.Errorf("asks do not add up: %+v, %d wait", *c, p.queue.len)
	}
	if c.Granted+c.Adopted != ended+uint64(len(p.grants)) {
		return fmt.Errorf("grants do not add up: %+v, %d live", *c, len(p.grants))
	}
	return nil
}

// timely checks that the Pool will be ticked for whatever is due, and not before now.
func (m *model) timely(p *Pool) error {
	next, any := p.Next()
	if any && next <= m.now {
		return fmt.Errorf("the next tick is due at %v, and it is %v", next, m.now)
	}
	due := func(what string, at fleet.Time) error {
		if !any || next > at {
			return fmt.Errorf("%s is due at %v, and the next tick at %v (%v)", what, at, next, any)
		}
		return nil
	}
	var errs []error
	for _, a := range m.asks {
		errs = append(errs, due("an ask", a.arrived.Add(m.spec.QueueTimeout)))
	}
	for _, g := range m.grants {
		if g.cut {
			errs = append(errs, due("a cut grant", g.cutAt.Add(m.spec.Grace)))
		} else if m.spec.GrantLimit > 0 {
			errs = append(errs, due("a grant", g.since.Add(m.spec.GrantLimit)))
		}
	}
	for _, x := range m.proxies {
		if !x.connected {
			errs = append(errs, due("a proxy", x.lostAt.Add(m.spec.Grace)))
		}
	}
	for _, b := range m.backends {
		for _, at := range append([]fleet.Time{b.agentGone, b.lost}, b.rests...) {
			if at != 0 {
				errs = append(errs, due(string(b.name), at))
			}
		}
	}
	return errors.Join(errs...)
}
