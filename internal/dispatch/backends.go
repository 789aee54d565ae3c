package dispatch

import (
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// nowhere is the place of a backend that is not in the free heap.
const nowhere = -1

type condition uint8

const (
	unchecked condition = iota
	up
	down
)

// backend is one that somebody knows, or that still has grants.
type backend struct {
	name fleet.BackendName
	zone string
	// What each source says. A backend is known while any of them is set.
	known    [2]bool // by Source
	slotsSay [2]int  // 0: nothing

	holder  *proxy // its agent, under whose ID direct grants are; nil: it never had one
	agentUp bool   // the agent is connected
	assigns bool   // the agent takes assignments
	directs bool   // the agent lets direct clients in

	condition  condition
	why        string  // it is down
	lost       bool    // it is down for so long that its grants were revoked
	healthMark uint64  // changes with condition
	agentMark  uint64  // changes when the agent comes or goes
	drains     [2]bool // who wants it drained: an operator (FromConfig), its agent
	toldEmpty  bool    // the agent was told that it is drained

	live    list[grant]
	resting int        // slots not given out for a while after an error
	errs    int        // in a row, less those forgiven
	errAt   fleet.Time // the last one, or when one was forgiven

	speed   float64 // learnt, log of seconds
	samples uint64
	heard   fleet.Time // when a grant last ended

	report       fleet.LoadReport
	reportAt     fleet.Time
	reportWeight float64 // how much the report counts at its age
	foreign      float64 // load by others, in slots
	foreignAt    fleet.Time
	// Apart from reportWeight, as not every report says how much is in flight.
	foreignWeight float64

	score   float64
	chosen  uint64    // the pool's count when it was last chosen
	place   [2]int    // in the heap of all that are free, and in its zone's; or nowhere
	zoned   *freeHeap // its zone's heap while it is in it
	counted bool      // in p.hopeful
	shares  int       // in p.slotsUp

	granted, errors uint64

	assigned, rejected, unanswered uint64
}

func (b *backend) isKnown() bool { return b.known[FromConfig] || b.known[FromAgent] }

// hopeful tells whether it can take grants now or as soon as it was checked.
func (b *backend) hopeful(spec *fleet.PoolSpec) bool {
	return b.isKnown() && !b.draining() && b.condition != down && b.fit(spec)
}

// fit tells whether its agent does what the pool needs of it.
func (b *backend) fit(spec *fleet.PoolSpec) bool {
	return (spec.Assign == fleet.AssignNone || b.agentUp && b.assigns) &&
		(!spec.Direct || b.agentUp && b.directs && b.holder != nil)
}

func (b *backend) draining() bool { return b.drains[FromConfig] || b.drains[FromAgent] }

// eligible tells whether it takes grants while it has a free slot.
func (b *backend) eligible(spec *fleet.PoolSpec) bool {
	return b.hopeful(spec) && b.condition == up
}

// slots returns how many grants it may have: as the config says of it, else its agent,
// else the pool.
func (b *backend) slots(spec *fleet.PoolSpec) int {
	for _, n := range b.slotsSay {
		if n > 0 {
			return n
		}
	}
	return max(spec.Slots, 1)
}

// limit returns how many slots may be used now, which is fewer where others use the
// backend too, but never none: a report may be wrong, and an answer tells.
func (b *backend) limit(spec *fleet.PoolSpec) int {
	return max(1, b.slots(spec)-int(b.foreign*b.foreignWeight+0.5))
}

// refresh brings what is derived of b up to date, after any change to it.
func (p *Pool) refresh(b *backend) {
	if h := b.hopeful(&p.spec); h != b.counted {
		b.counted = h
		if h {
			p.hopeful++
		} else {
			p.hopeful--
			p.recheck = true
		}
	}
	shares := 0
	if b.eligible(&p.spec) {
		shares = b.slots(&p.spec)
	}
	p.slotsUp += shares - b.shares
	b.shares = shares

	b.score = p.scoreOf(b).Sum()
	free := b.eligible(&p.spec) && b.live.len+b.resting < b.limit(&p.spec)
	p.free.put(b, free)
	if p.spec.PreferZone {
		p.zone(b, free)
	}
}

// zone keeps b in its zone's heap while it is free.
func (p *Pool) zone(b *backend, free bool) {
	h := p.zones[b.zone]
	if b.zoned != nil && b.zoned != h {
		b.zoned.put(b, false) // it has moved
		p.dropZone(b.zoned)
	}
	if h == nil {
		h = &freeHeap{kind: inZone, zone: b.zone}
		p.zones[b.zone] = h
	}
	h.put(b, free)
	b.zoned = h
	if !b.isKnown() {
		p.dropZone(h)
	}
}

// dropZone forgets a zone in which nobody is free. It is made again when somebody is.
func (p *Pool) dropZone(h *freeHeap) {
	if h.len() == 0 && p.zones[h.zone] == h {
		delete(p.zones, h.zone)
	}
}

// newBackend adds one that nobody knows yet.
func (p *Pool) newBackend(name fleet.BackendName) *backend {
	b := &backend{name: name, place: [2]int{nowhere, nowhere}}
	p.byName[name] = b
	p.order = append(p.order, b)
	return b
}

func (p *Pool) join(in *Join) {
	b := p.byName[in.Spec.Name]
	if b == nil {
		b = p.newBackend(in.Spec.Name)
	}
	before := b.slots(&p.spec)
	b.known[in.Source] = true
	b.slotsSay[in.Source] = in.Spec.Slots
	if in.Spec.Zone != "" {
		b.zone = in.Spec.Zone
	}
	if in.Source == FromAgent {
		p.agentJoined(b, in)
	} else if b.known[FromAgent] && before != b.slots(&p.spec) {
		p.tell(b)
	}
	p.refresh(b)
}

func (p *Pool) agentJoined(b *backend, in *Join) {
	b.agentMark++
	b.drains[FromAgent] = false // a drain ends with the run of the agent that wished it
	if b.holder != nil && b.holder.id != in.Agent {
		p.agentOff(b) // another run, and nobody said that this one is over
	}
	b.agentUp, b.assigns, b.directs = true, in.Assigns, in.Directs
	if p.spec.Direct && in.Agent != 0 {
		b.holder = p.proxyOf(in.Agent)
		p.begin(b.holder, in.Live)
	}
	p.tell(b)
}

// agentOff takes note that a backend's agent is not connected any more. What it was
// assigned goes to others; its direct grants have the grace to be told of again.
func (p *Pool) agentOff(b *backend) {
	b.agentMark++
	if !b.agentUp {
		return
	}
	b.agentUp = false
	p.refresh(b)
	p.rescindAll(b)
	if b.holder != nil {
		p.sessionLost(b.holder.id)
		b.holder = nil
	}
}

func (p *Pool) leave(name fleet.BackendName, source Source) {
	b := p.byName[name]
	if b == nil {
		p.counts.Stray++
		return
	}
	before := b.slots(&p.spec)
	b.known[source] = false
	b.slotsSay[source] = 0
	if source == FromAgent {
		p.agentOff(b)
	} else if b.known[FromAgent] && before != b.slots(&p.spec) {
		p.tell(b)
	}
	p.refresh(b)
	p.settle(b)
}

func (p *Pool) agentLost(name fleet.BackendName) {
	b := p.byName[name]
	if b == nil || !b.known[FromAgent] {
		p.counts.Stray++
		return
	}
	p.agentOff(b)
	p.wakeAt(wake{at: p.now.Add(p.spec.Grace), what: agentGone, on: b, mark: b.agentMark})
}

func (p *Pool) health(in *Health) {
	b := p.byName[in.Backend]
	if b == nil {
		p.counts.Stray++
		return
	}
	is := down
	if in.Up {
		is = up
	}
	b.why = in.Why
	if b.condition == is {
		return
	}
	b.condition, b.lost = is, false
	b.healthMark++
	if is == down && p.spec.LostAfter > 0 {
		p.wakeAt(wake{at: p.now.Add(p.spec.LostAfter), what: backendLost, on: b, mark: b.healthMark})
	}
	p.refresh(b)
}

func (p *Pool) override(in *Override) {
	b := p.byName[in.Backend]
	if b == nil {
		p.counts.Stray++
		return
	}
	was := b.draining()
	b.drains[in.Source] = in.Drain
	if !in.Drain && in.Source == FromConfig {
		b.drains[FromAgent] = false
	}
	if b.draining() == was {
		return
	}
	b.toldEmpty = b.draining() && b.live.len == 0
	p.tell(b)
	p.refresh(b)
}

// settle does what a backend's emptiness brings: word to a drained one's agent, and the
// end of one that nobody knows.
func (p *Pool) settle(b *backend) {
	if b.live.len > 0 {
		return
	}
	if b.draining() && !b.toldEmpty {
		b.toldEmpty = true
		p.tell(b)
	}
	if !b.isKnown() && p.byName[b.name] == b {
		delete(p.byName, b.name)
		p.effects = append(p.effects, Effect{Kind: Gone, Backend: b.name})
		p.gone++
	}
}

// sweep takes those that are forgotten out of p.order, all of a step at once.
func (p *Pool) sweep() {
	if p.gone > 0 {
		p.gone = 0
		p.order = slices.DeleteFunc(p.order, func(b *backend) bool { return p.byName[b.name] != b })
	}
}

// tell has the backend's agent told how things are.
func (p *Pool) tell(b *backend) {
	p.effects = append(p.effects, Effect{
		Kind: Changed, Backend: b.name, Slots: b.slots(&p.spec),
		Draining: b.draining(), Drained: b.draining() && b.live.len == 0,
	})
}

func (p *Pool) report(name fleet.BackendName, load fleet.LoadReport) {
	b := p.byName[name]
	if b == nil {
		p.counts.Stray++
		return
	}
	b.report, b.reportAt, b.reportWeight = load, p.now, 1
	p.heed(b, load.InFlight, load.HasInFlight)
	p.refresh(b)
	p.stir()
}

// seen takes in what a proxy saw of a backend.
func (p *Pool) seen(s *fleet.Seen) {
	b := p.byName[s.Backend]
	if b == nil {
		p.counts.Stray++
		return
	}
	if s.Latency > 0 {
		p.hint(b, s.Latency)
	}
	if s.Errors > 0 {
		b.errors += uint64(s.Errors)
		b.errs += s.Errors
		b.errAt = p.now
		p.stir()
	}
	if s.Reported {
		p.report(s.Backend, s.Report)
		return
	}
	p.refresh(b)
}
