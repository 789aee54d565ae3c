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
	prev     fleet.Time // of the step before
	backends []*modelBackend
	asks     []*modelAsk   // as they should be queued
	grants   []*modelGrant // by number, but those of earlier controllers as they came
	proxies  []*modelProxy
	last     uint64 // grant's number

	flows []*modelFlow
	turns [fleet.Classes]float64 // virtual time, by class

	answered *modelBackend // in this step, no to an assignment
	unsure   bool          // whether turns are right

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
	work   [2]int
	labels []string

	labelsSay [2][]string
	cond      condition
	drains    [2]bool
	live      int
	errs      int
	errAt     fleet.Time
	rests     []fleet.Time

	agentGone fleet.Time // due; 0: not
	lost      fleet.Time // due; 0: not
	isLost    bool
	limit     int // as the Pool says, which knows the reports
	free      int // likewise, and with workers fewer: beyond them it may say no
	most      int // that it ever may have, with workers as the Pool says

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
	roams   bool // it has gone further than its zone
	came    int  // the step in which it came
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

// size is how many it serves at once: its slots, or its workers.
func (b *modelBackend) size(spec fleet.PoolSpec) int {
	switch {
	case spec.Workers == 0:
		return b.slots(spec)
	case b.work[0] > 0:
		return b.work[0]
	case b.work[1] > 0:
		return b.work[1]
	}
	return spec.Workers
}

// bound is how many it may have at most.
func (b *modelBackend) bound(spec fleet.PoolSpec) int {
	if spec.Workers > 0 {
		return b.most
	}
	return b.slots(spec)
}

// room tells whether it can take one more.
func (b *modelBackend) room(spec fleet.PoolSpec) bool {
	return b.open(spec) && b.live+len(b.rests) < b.limit
}

// idle tells whether what it takes begins at once.
func (b *modelBackend) idle(spec fleet.PoolSpec) bool {
	return b.open(spec) && b.live+len(b.rests) < b.free
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
	was := len(m.asks)
	m.asks = slices.DeleteFunc(m.asks, func(o *modelAsk) bool { return o == a })
	if len(m.asks) < was {
		m.leaveClass(a.class())
	}
}

// usable returns the backends with a free slot that a may use.
func (m *model) usable(a *modelAsk) (usable []*modelBackend) {
	for _, b := range m.backends {
		if b.idle(m.spec) && m.may(a, b) {
			usable = append(usable, b)
		}
	}
	return usable
}

// may tells whether a may use b, as far as that does not change with grants.
func (m *model) may(a *modelAsk, b *modelBackend) bool {
	return !slices.Contains(a.exclude, b.name) && a.matches(b) && (!m.stays(a) || b.zone == a.zone)
}

func (a *modelAsk) matches(b *modelBackend) bool {
	for _, l := range aboutOf(a.about).Labels {
		if !slices.Contains(b.labels, l) {
			return false
		}
	}
	return true
}

// stays tells whether an ask waits for its zone.
func (m *model) stays(a *modelAsk) bool {
	if !m.spec.PreferZone || a.zone == "" || a.roams || a.arrived.Add(m.spec.SpillAfter) <= m.now {
		return false
	}
	return slices.ContainsFunc(m.backends, func(b *modelBackend) bool {
		return b.hopeful(m.spec) && b.zone == a.zone && a.matches(b)
	})
}

// hope tells why nobody will ever serve a, as things stand.
func (m *model) hope(a *modelAsk) fleet.Reason {
	hopeful, match, left := 0, 0, 0
	for _, b := range m.backends {
		if b.hopeful(m.spec) {
			hopeful++
			if !a.matches(b) {
				continue
			}
			match++
			if !slices.Contains(a.exclude, b.name) {
				left++
			}
		}
	}
	switch {
	case hopeful == 0:
		return fleet.NoBackend
	case match == 0:
		return fleet.NoMatch
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
	case m.spec.Workers > 0:
		return fate{} // it may also go where it waits
	case len(usable) > 0:
		return fate{sure: true, granted: usable}
	case others >= m.spec.QueueLimit && len(m.asks) == 0:
		return fate{sure: true, refused: fleet.QueueFull}
	}
	return fate{}
}

// read takes from the Pool what only it computes: how many slots may be used beside the
// load of others, and whether an error was forgiven, when it may be.
func (m *model) read(p *Pool) {
	for _, b := range m.backends {
		if of := p.byName[b.name]; of != nil {
			b.limit, b.free = int(of.worth.most), int(of.worth.free)
			b.most = p.bound(of)
			for (m.spec.SlowStart > 0 || m.spec.Workers > 0) && m.answered == b && len(b.rests) != int(of.resting) {
				// How many slots were free to rest, only the Pool can tell.
				if len(b.rests) > int(of.resting) {
					b.rests = b.rests[:len(b.rests)-1]
				} else {
					b.rests = append(b.rests, m.now.Add(declinedRest))
				}
			}
			if of.errs == b.errs-1 && m.now.Sub(b.errAt) >= time.Second {
				b.errs, b.errAt = b.errs-1, m.now // forgiven
			}
		}
	}
}

// step follows one Step of p, which has happened, with the effects that it had.
func (m *model) step(p *Pool, now fleet.Time, in Input, effects []Effect) error {
	m.prev, m.answered = m.now, nil
	m.now, m.input, m.newcomer, m.fate, m.owed = max(m.now, now, 1), in, nil, fate{}, m.owed[:0]
	m.steps++
	m.take(in)
	for _, b := range m.backends {
		b.early = Effect{Slots: b.size(m.spec), Drained: b.draining() && b.live == 0}
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
	if m.unsure {
		m.unsure = false
		m.readTurns(p)
	}
	if err := m.settled(); err != nil {
		return err
	}
	for _, a := range m.asks {
		a.roams = !m.stays(a)
	}
	return m.agrees(p)
}
