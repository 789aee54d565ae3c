package dispatch

import (
	"math"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// nowhere is the place in a heap of what is not in it.
const nowhere = -1

type condition uint8

const (
	unchecked condition = iota
	up
	down
)

// backend is one that somebody knows, or that still has grants. What each decision looks
// at comes first, so that it is in few cache lines: with thousands of backends each
// decision meets one that it has not met for long.
type backend struct {
	live     list[grant]
	score    float64
	chosen   uint64  // the pool's count when it was last chosen
	speed    float64 // learnt, log of seconds
	samples  uint64
	heard    fleet.Time // when a grant last ended
	granted  uint64
	scopes   []*scope // that it is in, but the one of all
	resting  int32    // slots not given out for a while after an error
	kept     int32    // grants that are permits not in use
	place    int32    // in the heap of its standing of all; or nowhere
	worth    worth    // as of the last refresh
	standing standing // in every scope
	known    [2]bool  // by Source: who says that it is there. It is known while any does
	drains   [2]bool  // who wants it drained: an operator (FromConfig), its agent
	counted  bool     // as hopeful
	ejected  bool

	name   fleet.BackendName
	zone   string
	labels []string
	weight float64
	// By hand, and 0 where an operator says nothing.
	handSlots              int
	handWeight, saidWeight float64
	// What each source says; 0: nothing.
	slotsSay [2]int
	workSay  [2]int
	// Labels are those of both.
	labelsSay [2][]string

	holder  *proxy // its agent, under whose ID direct grants are; nil: it never had one
	agentUp bool   // the agent is connected
	assigns bool   // the agent takes assignments
	directs bool   // the agent lets direct clients in

	condition  condition
	why        string // it is down
	lost       bool   // it is down for so long that its grants were revoked
	healthMark uint64 // changes with condition
	agentMark  uint64 // changes when the agent comes or goes
	toldEmpty  bool   // the agent was told that it is drained

	errs       int        // in a row, less those forgiven
	errAt      fleet.Time // the last one, or when one was forgiven
	upAt       fleet.Time // since when it is up; 0: slow start is over
	ejections  int        // of late
	ejectMark  uint64     // changes with ejected
	readmitted fleet.Time

	report       fleet.LoadReport
	reportAt     fleet.Time
	half         bool    // which one it is in, where workers are learnt
	level        float64 // of its latency, log of seconds, likewise
	saturated    bool    // by its word it can do no more, with fewer than its workers busy
	reportWeight float64 // how much the report counts at its age
	foreign      float64 // load by others, in slots
	foreignAt    fleet.Time
	// Apart from reportWeight, as not every report says how much is in flight.
	foreignWeight float64

	places   []int32 // in the heaps of scopes, by ID
	shares   int     // in p.slotsUp
	capacity float64 // in p.capacity

	errors, assigned, rejected, unanswered uint64
}

// worth is what changes rarely of what a decision needs to know of a backend.
type worth struct {
	eligible bool
	plain    bool    // its bounds follow from its workers and its speed alone
	quiet    bool    // nothing is known against it, so an answer tells nothing but its speed
	free     int32   // grants from which more would wait in its own queue
	most     int32   // grants that it may have
	size     float64 // slots, or workers
	rest     float64 // of the score: all but speed, fill and queue
	pace     float64 // learnt latency in seconds, where workers count
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
	return b.hopeful(spec) && b.condition == up && !b.ejected
}

// refresh brings what is derived of b up to date, after any change to it.
func (p *Pool) refresh(b *backend) {
	if h := b.hopeful(&p.spec); h != b.counted {
		b.counted = h
		more := -1
		if h {
			more = 1
		}
		p.recheck = p.recheck || !h
		p.all.hopeful += more
		for _, s := range b.scopes {
			s.hopeful += more
		}
	}
	b.worth = p.worthOf(b)
	p.share(b)
	p.touch(b)
	if b.kept > 0 && (!b.worth.eligible || int32(b.live.len)+b.resting > b.worth.most) {
		p.reclaimOn(b)
	}
}

// touch brings b's place up to date, after a change of its grants or its speed alone.
func (p *Pool) touch(b *backend) {
	was := b.standing
	if b.standing = b.stand(); p.learning != nil {
		b.standing = shut
	}
	b.score = p.rated(b)
	p.all.put(b, was, b.standing)
	for _, s := range b.scopes {
		s.put(b, was, b.standing)
	}
}

// pace brings b up to date after a change of its speed, on which its bounds depend where
// workers count.
func (p *Pool) pace(b *backend) {
	b.worth.pace = math.Exp(p.speedOf(b))
	if b.worth.plain {
		b.worth.most = int32(p.reach(int(b.worth.size), b.worth.pace))
	} else {
		b.worth.most, b.worth.free = int32(p.limit(b)), int32(p.freeLimit(b))
	}
	p.share(b)
	p.touch(b)
}

// rated returns b's score as of p.now, from what is kept of it.
func (p *Pool) rated(b *backend) float64 {
	score := p.speedOf(b) + fillWeight*float64(b.live.len)/b.worth.size + b.worth.rest
	if b.standing == overflowing {
		score += p.queueScore(b)
	}
	return score
}

// stand returns whether a backend takes a grant now.
func (b *backend) stand() standing {
	switch used := int32(b.live.len) + b.resting; {
	case !b.worth.eligible || used >= b.worth.most:
		return shut
	case used < b.worth.free:
		return open
	}
	return overflowing
}

// share brings b's part in the pool's capacity up to date.
func (p *Pool) share(b *backend) {
	shares := 0
	if b.worth.eligible {
		shares = int(b.worth.size)
	}
	if shares != b.shares {
		p.slotsUp += shares - b.shares
		b.shares = shares
		p.outdate(b)
	}
	if soft(&p.spec) {
		capacity := float64(shares) / b.worth.pace
		p.capacity += capacity - b.capacity
		b.capacity = capacity
	}
}

// newBackend adds one that nobody knows yet.
func (p *Pool) newBackend(name fleet.BackendName) *backend {
	b := &backend{name: name, place: nowhere, weight: 1}
	p.byName[name] = b
	b.half = len(p.order)%2 == 1
	p.order = append(p.order, b)
	p.zones[""]++
	return b
}

func (p *Pool) join(in *Join) {
	b := p.byName[in.Spec.Name]
	if b == nil {
		b = p.newBackend(in.Spec.Name)
	}
	before := p.size(b)
	b.known[in.Source] = true
	b.slotsSay[in.Source], b.workSay[in.Source] = in.Spec.Slots, in.Spec.Workers
	p.describe(b, in.Source, &in.Spec)
	if in.Source == FromAgent {
		p.agentJoined(b, in)
	} else if b.known[FromAgent] && before != p.size(b) {
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
	before := p.size(b)
	b.known[source] = false
	b.slotsSay[source], b.workSay[source] = 0, 0
	b.labelsSay[source] = nil
	if labels := union(b.labelsSay[FromConfig], b.labelsSay[FromAgent]); len(labels) != len(b.labels) {
		p.relabel(b, labels)
		p.move(b)
	}
	if source == FromAgent {
		p.agentOff(b)
	} else if b.known[FromAgent] && before != p.size(b) {
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
	if is == up {
		p.readmit(b)
		p.startSlowly(b)
	}
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
		p.readmit(b)
		p.unzone(b)
		p.relabel(b, nil)
		p.leaveScopes(b)
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
		Kind: Changed, Backend: b.name, Slots: p.size(b),
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
	b.saturated = load.Utilization() >= saturation && b.live.len < p.size(b)
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
