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
		if m.spec.Assign != fleet.AssignNone {
			return m.pay(e) // the assignment came before it
		}
		return m.granted(e)
	case Assigned:
		return m.granted(e)
	case Refused:
		return m.refused(e)
	case Revoked, Recalled:
		return m.pay(e)
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

// pay checks an effect that had to come.
func (m *model) pay(e *Effect) error {
	i := slices.IndexFunc(m.owed, func(owed Effect) bool {
		owed.Moved = e.Moved
		return owed == *e
	})
	if i < 0 {
		return errors.New("not owed")
	}
	m.owed = slices.Delete(m.owed, i, i+1)
	return nil
}

// granted checks a grant, or the assignment before it.
func (m *model) granted(e *Effect) error {
	a, b := m.ask(e.Proxy, e.Ask), m.backend(e.Backend)
	if a == nil || a.offer != nil {
		return errors.New("nobody asked")
	}
	// An ask that can be granted at once is, before the time that passed is looked at. So
	// are those whom the reports in it free a slot, which only the Pool can tell.
	foretold := a == m.newcomer && len(m.fate.granted) > 0
	at, isAsk := m.input.(*Ask)
	early := foretold || isAsk && (len(at.Seen) > 0 || at.RoundTrip > 0) || a == m.newcomer && m.spec.Workers > 0
	switch {
	case b == nil || !b.open(m.spec) && !(early && b.wasOpen):
		return errors.New("the backend takes no grants")
	case slices.Contains(a.exclude, b.name):
		return errors.New("the backend is excluded")
	case a.back == m.steps && m.until(a) <= m.now:
		return errors.New("it waited as long as the pool allows, and goes on from backend to backend")
	case !a.matches(b) && !early:
		return errors.New("the backend does not have the labels")
	case m.stays(a) && b.zone != a.zone && a.back != m.steps: // else it was decided within the step
		return errors.New("it waits for its zone still")
	case b.live >= b.bound(m.spec) && !(early && b.live < b.early.Slots):
		return fmt.Errorf("overshoot: %d of %d slots were taken", b.live, b.bound(m.spec))
	case foretold && !slices.Contains(m.fate.granted, b), !early && !b.room(m.spec):
		return errors.New("its free slots rest, or others use them")
	case e.Grant != fleet.GrantID{Epoch: m.epoch, Number: m.last + 1}:
		return errors.New("it is not the next number")
	case *e != m.wanted(a, e):
		return fmt.Errorf("should be %q", proseEffect(m.wanted(a, e)))
	case a == m.newcomer && m.fate.sure && !foretold:
		return fmt.Errorf("it should have been refused: %v", m.fate.refused)
	}
	for _, first := range m.asks {
		if m.unsure {
			break // nor whose turn it is after the newcomer's
		}
		if justBack := first.back == m.steps; m.sooner(first, a) && m.mightHave(first, b, early) && !(early && (justBack || first == m.newcomer)) {
			return fmt.Errorf("p%d #%d comes first", first.proxy, first.id)
		}
	}
	if a == m.newcomer || m.newcomer != nil && early {
		m.unsure = true // whether the newcomer has waited at all, and so had a turn
	} else {
		m.turn(a)
	}
	m.bind(a, b, e)
	return nil
}

// mightHave tells whether one that waits may use b; early: before the time is looked at
// that has passed with this step.
func (m *model) mightHave(first *modelAsk, b *modelBackend, early bool) bool {
	now := m.now
	defer func() { m.now = now }()
	if early {
		m.now = m.prev
		if m.spec.SpillAfter > 0 && b.zone != first.zone && first.zone != "" {
			return false // who was in its zone then is not known any more
		}
	}
	return m.may(first, b)
}

// wanted is how the choice of a backend for a has to be told.
func (m *model) wanted(a *modelAsk, e *Effect) Effect {
	want := Effect{
		Kind: Granted, Proxy: a.proxy, Ask: a.id, Grant: e.Grant, Backend: e.Backend,
		Limit: m.spec.GrantLimit,
	}
	if m.spec.Assign == fleet.AssignNone {
		want.Moved = e.Moved && a.about != nil && a.about.Affinity != "" // where to, only the Pool tells
		want.Waited = m.now.Sub(a.arrived)
	} else {
		want.Kind, want.About = Assigned, a.about
	}
	return want
}

func (m *model) bind(a *modelAsk, b *modelBackend, e *Effect) {
	m.last++
	m.drop(a)
	if a == m.newcomer {
		m.newcomer = nil
	}
	b.live++
	g := &modelGrant{id: e.Grant, proxy: e.Proxy, asker: e.Proxy, on: b, since: m.now, coming: m.spec.Direct, told: m.spec.Direct}
	if m.spec.Direct {
		g.proxy = b.holder
	}
	if e.Kind == Assigned {
		g.offer, g.told, g.coming, a.offer = a, true, false, g
	}
	m.grants = append(m.grants, g)
}

func (m *model) refused(e *Effect) error {
	a := m.ask(e.Proxy, e.Ask)
	if a == nil || a.offer != nil {
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
		if m.until(a) > m.now {
			return errors.New("too early")
		}
	case fleet.NoBackend, fleet.AllExcluded, fleet.NoMatch:
		if why := m.hope(a); why != e.Reason && !(isNew && why != fleet.NoReason) { // of a new one as it was before
			return errors.New("there is hope")
		}
	case fleet.QueueFull:
		m.unsure = m.unsure || !isNew // whether the class was empty for a moment
		return m.shed(a, isNew)
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
	if e.Slots != b.early.Slots && e.Slots != b.size(m.spec) || e.Draining != b.draining() {
		return fmt.Errorf("it has %d slots, draining %v", b.size(m.spec), b.draining())
	}
	if e.Drained != (b.draining() && b.live == 0) && e.Drained != b.early.Drained &&
		b.emptied != m.steps { // it was drained, until a proxy told of a grant
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
		case b.known[FromAgent] && (b.toldSlots != b.size(m.spec) || b.toldDraining != b.draining()):
			return fmt.Errorf("%s's agent believes %d slots, draining %v", b.name, b.toldSlots, b.toldDraining)
		}
	}
	for _, a := range m.asks {
		if m.until(a) <= m.now {
			return fmt.Errorf("p%d #%d waits longer than allowed", a.proxy, a.id)
		}
		if usable := m.usable(a); len(usable) > 0 {
			return fmt.Errorf("p%d #%d waits while %s has room", a.proxy, a.id, usable[0].name)
		}
		if why := m.hope(a); why != fleet.NoReason {
			return fmt.Errorf("p%d #%d waits without hope: %v", a.proxy, a.id, why)
		}
	}
	first := 0
	for _, a := range m.asks {
		if a.back == 0 {
			first++
		}
	}
	if first > m.spec.QueueLimit {
		return fmt.Errorf("%d wait that were not declined", first)
	}
	return nil
}
