package dispatch

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// model is the dumb oracle: what a Pool must know, kept from inputs and effects only, in
// plain slices that are searched from the front. It does not choose backends; it says
// which choices were allowed.
type model struct {
	spec     fleet.PoolSpec
	epoch    uint64
	now      fleet.Time
	backends []*modelBackend
	asks     []*modelAsk   // as they should be queued
	grants   []*modelGrant // by number, but those of earlier controllers as they came
	proxies  []*modelProxy
	last     uint64 // grant's number

	newcomer *modelAsk
	fate     fate // the newcomer's, where it is known before the effects
	owed     []Effect
	input    Input
	steps    int

	expired uint64     // direct grants whose client never came
	ended   [16]uint64 // by outcome
	undone  uint64     // assignments that nobody declined, and that came to nothing
}

type modelBackend struct {
	name   fleet.BackendName
	zone   string
	known  [2]bool
	say    [2]int
	cond   condition
	drains [2]bool
	live   int
	errs   int
	errAt  fleet.Time
	rests  []fleet.Time

	agentGone fleet.Time // due; 0: not
	lost      fleet.Time // due; 0: not
	isLost    bool
	limit     int // as the Pool says, which knows the reports

	agentUp, assigns, directs bool
	holder                    fleet.ProxyID // under which direct grants are; 0: nobody

	owesDrained  bool
	emptied      int    // the latest step in which its last grant ended
	early        Effect // slots and drained, before time passed
	wasOpen      bool   // it took grants then
	toldSlots    int
	toldDraining bool
}

type modelAsk struct {
	proxy   fleet.ProxyID
	id      fleet.AskID
	came    int // the step in which it came
	arrived fleet.Time
	exclude []fleet.BackendName
	soft    int // of exclude, at its end: they declined
	zone    string
	about   *fleet.About
	offer   *modelGrant // it is assigned; nil: it is queued
	back    int         // the latest step in which it was declined; 0: never
}

type modelGrant struct {
	id     fleet.GrantID
	proxy  fleet.ProxyID // whose it is: an agent's, where links are direct
	asker  fleet.ProxyID // who may give it back before its client has come
	on     *modelBackend
	since  fleet.Time
	offer  *modelAsk // it is assigned, and not answered
	coming bool      // direct, and its client has not come
	told   bool      // the backend believes in it
	cut    bool
	cutAt  fleet.Time
	why    fleet.Reason
}

type modelProxy struct {
	id        fleet.ProxyID
	connected bool
	lostAt    fleet.Time
}

// fate is what must become of a new ask.
type fate struct {
	sure    bool
	granted []*modelBackend // one of them
	refused fleet.Reason
}

func (b *modelBackend) draining() bool { return b.drains[0] || b.drains[1] }
func (b *modelBackend) isKnown() bool  { return b.known[0] || b.known[1] }
func (b *modelBackend) open(spec fleet.PoolSpec) bool {
	return b.hopeful(spec) && b.cond == up
}

func (b *modelBackend) hopeful(spec fleet.PoolSpec) bool {
	if spec.Assign != fleet.AssignNone && !(b.agentUp && b.assigns) {
		return false
	}
	if spec.Direct && !(b.agentUp && b.directs && b.holder != 0) {
		return false
	}
	return b.isKnown() && !b.draining() && b.cond != down
}

func (b *modelBackend) slots(spec fleet.PoolSpec) int {
	switch {
	case b.say[0] > 0:
		return b.say[0]
	case b.say[1] > 0:
		return b.say[1]
	}
	return spec.Slots
}

// room tells whether it can take one more.
func (b *modelBackend) room(spec fleet.PoolSpec) bool {
	return b.open(spec) && b.live+len(b.rests) < b.limit
}

func (m *model) backend(name fleet.BackendName) *modelBackend {
	for _, b := range m.backends {
		if b.name == name {
			return b
		}
	}
	return nil
}

// backendOrNew returns the one of that name, which it makes if need be.
func (m *model) backendOrNew(name fleet.BackendName) *modelBackend {
	b := m.backend(name)
	if b == nil {
		b = &modelBackend{name: name}
		m.backends = append(m.backends, b)
	}
	return b
}

func (m *model) proxy(id fleet.ProxyID) *modelProxy {
	for _, x := range m.proxies {
		if x.id == id {
			return x
		}
	}
	return nil
}

func (m *model) grant(id fleet.GrantID) *modelGrant {
	for _, g := range m.grants {
		if g.id == id {
			return g
		}
	}
	return nil
}

func (m *model) ask(proxy fleet.ProxyID, id fleet.AskID) *modelAsk {
	for _, a := range m.asks {
		if a.proxy == proxy && a.id == id {
			return a
		}
	}
	for _, g := range m.grants {
		if a := g.offer; a != nil && a.proxy == proxy && a.id == id {
			return a
		}
	}
	return nil
}

func (m *model) grantsOf(proxy fleet.ProxyID) (of []*modelGrant) {
	for _, g := range m.grants {
		if g.proxy == proxy {
			of = append(of, g)
		}
	}
	return of
}

func (m *model) drop(a *modelAsk) {
	m.asks = slices.DeleteFunc(m.asks, func(o *modelAsk) bool { return o == a })
}

// usable returns the backends with a free slot that a may use.
func (m *model) usable(a *modelAsk) (usable []*modelBackend) {
	for _, b := range m.backends {
		if b.room(m.spec) && !slices.Contains(a.exclude, b.name) {
			usable = append(usable, b)
		}
	}
	return usable
}

// hope tells why nobody will ever serve a, as things stand.
func (m *model) hope(a *modelAsk) fleet.Reason {
	hopeful, left := 0, 0
	for _, b := range m.backends {
		if b.hopeful(m.spec) {
			hopeful++
			if !slices.Contains(a.exclude, b.name) {
				left++
			}
		}
	}
	switch {
	case hopeful == 0:
		return fleet.NoBackend
	case left == 0:
		return fleet.AllExcluded
	}
	return fleet.NoReason
}

// foretell says what must become of an ask that has just come, others being as they are.
func (m *model) foretell(a *modelAsk, others int) fate {
	switch why, usable := m.hope(a), m.usable(a); {
	case why != fleet.NoReason:
		return fate{sure: true, refused: why}
	case len(usable) > 0:
		return fate{sure: true, granted: usable}
	case others >= m.spec.QueueLimit:
		return fate{sure: true, refused: fleet.QueueFull}
	}
	return fate{}
}

// read takes from the Pool what only it computes: how many slots may be used beside the
// load of others, and whether an error was forgiven, when it may be.
func (m *model) read(p *Pool) {
	for _, b := range m.backends {
		if of := p.byName[b.name]; of != nil {
			b.limit = p.limit(of)
			if of.errs == b.errs-1 && m.now.Sub(b.errAt) >= time.Second {
				b.errs, b.errAt = b.errs-1, m.now // forgiven
			}
		}
	}
}

// step follows one Step of p, which has happened, with the effects that it had.
func (m *model) step(p *Pool, now fleet.Time, in Input, effects []Effect) error {
	m.now, m.input, m.newcomer, m.fate, m.owed = max(m.now, now, 1), in, nil, fate{}, m.owed[:0]
	m.steps++
	m.take(in)
	for _, b := range m.backends {
		b.early = Effect{Slots: b.slots(m.spec), Drained: b.draining() && b.live == 0}
		b.wasOpen = b.open(m.spec)
	}
	m.pass()
	for _, a := range m.asks {
		m.relent(a)
	}
	m.read(p)
	for i := range effects {
		if err := m.effect(&effects[i]); err != nil {
			return fmt.Errorf("effect %q: %w", proseEffect(effects[i]), err)
		}
	}
	if err := m.settled(); err != nil {
		return err
	}
	return m.agrees(p)
}
