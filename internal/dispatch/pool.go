package dispatch

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Pool decides for one pool. It is not safe for concurrent use.
type Pool struct {
	spec    fleet.PoolSpec
	epoch   uint64
	now     fleet.Time
	effects []Effect

	byName  map[fleet.BackendName]*backend
	order   []*backend     // in the order of joining, for whatever looks at all of them
	all     *scope         // every backend
	scopes  []*scope       // by ID, all included; nil: the ID is free
	nobody  *scope         // no backend
	looks   uint64         // counts looks for a scope
	zones   map[string]int // backends by zone
	labels  map[string]int // backends by each label
	recheck bool           // there is less hope: those who wait may have none left
	again   []*ask         // those that are back in the queue in this step, which may have none left
	slotsUp int            // of backends that take grants: slots, or workers
	ejected int            // backends
	chosen  uint64         // counts grants, so that equal backends take turns

	speed     float64 // learnt over all backends, log of seconds
	mean      float64 // of latency, in seconds
	samples   uint64
	service   service
	residual  residual
	capacity  float64 // requests a second, in learnt latency; where workers count
	roundTrip float64 // of a proxy's message, in seconds; 0: not known
	trip      float64 // the same, as bounds are made with: it moves in steps
	tripAt    fleet.Time
	learner   learner
	budget    budget
	firstUp   fleet.Time // when the first backend came up; 0: none has

	queue    list[ask]           // by first arrival
	ranks    [fleet.Classes]rank // by class
	specials list[ask]           // of the queue, those that exclude backends
	due      indexed[ask]        // of the queue, all by when they are given up
	came     uint64              // counts asks
	grants   grantTable
	last     uint64      // the number of the newest grant
	running  list[grant] // by age, oldest first
	offers   list[grant] // assigned and unanswered, by the time of the assignment
	coming   list[grant] // direct ones whose client has not come, by age
	cutting  list[grant] // revoked and unanswered, by the time of the revoke
	kept     list[grant] // permits that are not in use, the one unused longest first
	learning *learning   // nil: all who may hold slots are known
	resort   bool        // running is not in order
	proxies  map[fleet.ProxyID]*proxy
	lost     list[proxy] // by the time of the loss
	gone     int         // backends of order that are forgotten
	wakes    []wake      // min-heap by time
	beatAt   fleet.Time  // when to look at what time alone changes; 0: no need

	spareAsks   list[ask]   // to be used again
	spareGrants list[grant] // likewise

	counts Counts
	ring   ring
}

// Counts are totals since the Pool was made.
type Counts struct {
	Asks       uint64
	Granted    uint64
	Assigned   uint64        // offers to backends
	Rejected   uint64        // of these, that the backend said no to
	Unanswered uint64        // of these, that nobody answered in time
	Expired    uint64        // direct grants whose client never came
	Moved      uint64        // grants of requests whose affinity names another backend
	Ejected    uint64        // backends, for errors in a row
	Withdrawn  uint64        // by the proxy, or with its session
	Refused    [16]uint64    // by fleet.Reason
	Ended      [16]uint64    // grants, by fleet.Outcome; NoOutcome: nobody said how
	Adopted    uint64        // grants that a proxy brought from an earlier controller
	Used       uint64        // of Granted: on slots that their proxy had kept
	Stray      uint64        // inputs about an ask, grant or proxy that is not there
	Waited     time.Duration // in the queue, summed over grants
}

// New makes a Pool without backends. Grants are named with epoch, which no other
// controller may have used. The caller has checked spec.
func New(spec fleet.PoolSpec, epoch uint64) *Pool {
	p := &Pool{
		spec: spec, epoch: epoch, last: spec.FirstGrant,
		now:     1, // not 0, which in cutAt, beatAt and others stands for never
		byName:  map[fleet.BackendName]*backend{},
		grants:  newGrantTable(),
		proxies: map[fleet.ProxyID]*proxy{},
		zones:   map[string]int{},
		labels:  map[string]int{},
		all:     newScope(0, nil, ""),
		nobody:  newScope(0, nil, ""),
		due: indexed[ask]{
			before: func(a, b *ask) bool { return a.until < b.until || a.until == b.until && a.came < b.came },
			place:  func(a *ask) *int { return &a.inDue },
		},
	}
	p.scopes = []*scope{p.all}
	for i := range p.ranks {
		p.ranks[i] = newRank()
	}
	p.learner.begin(&p.spec)
	return p
}

// Step takes one input at a moment not before the last one's, and returns what is to be
// done because of it, in order. A Tick that is due comes before an input of the same
// moment or a later one. The slice is used again by the next Step.
func (p *Pool) Step(now fleet.Time, in Input) []Effect {
	p.now = max(p.now, now)
	p.effects = p.effects[:0]
	switch in := in.(type) {
	case *Ask:
		p.ask(in)
	case *Done:
		p.done(in)
	case *Withdraw:
		p.withdraw(in)
	case *Report:
		p.report(in.Backend, in.Load)
	case *Tick:
		// What is due is done for every input.
	case *Health:
		p.health(in)
	case *Override:
		p.override(in)
	case *Adjust:
		p.adjust(in)
	case *Join:
		p.join(in)
	case *Leave:
		p.leave(in.Backend, in.Source)
	case *AgentLost:
		p.agentLost(in.Backend)
	case *SessionUp:
		p.sessionUp(in)
	case *SessionLost:
		p.sessionLost(in.Proxy)
	case *Answer:
		p.answer(in)
	case *Arrival:
		p.arrival(in)
	case *Ended:
		p.ended(in)
	case *Use:
		p.use(in)
	case *Learn:
		p.beginLearning(in)
	case *Respec:
		p.respec(in.Spec)
	case *Yield:
		p.yield()
	}
	p.elapse()
	return p.effects
}

// Next returns when a Tick is due, if nothing else comes before; false: not at all.
func (p *Pool) Next() (fleet.Time, bool) {
	var at fleet.Time
	earliest := func(t fleet.Time) {
		if at == 0 || t < at {
			at = t
		}
	}
	if a := p.due.top(); a != nil {
		earliest(a.until)
	}
	if g := p.running.head(); g != nil && p.spec.GrantLimit > 0 {
		earliest(g.since.Add(p.spec.GrantLimit))
	}
	if g := p.cutting.head(); g != nil {
		earliest(g.cutAt.Add(p.spec.Grace))
	}
	if g := p.offers.head(); g != nil {
		earliest(g.since.Add(p.spec.AssignTimeout))
	}
	if g := p.coming.head(); g != nil {
		earliest(g.since.Add(p.spec.TicketLife))
	}
	if x := p.lost.head(); x != nil {
		earliest(x.lostAt.Add(p.spec.Grace))
	}
	if len(p.wakes) > 0 {
		earliest(p.wakes[0].at)
	}
	if p.beatAt != 0 {
		earliest(p.beatAt)
	}
	if p.learning != nil {
		earliest(p.learning.until)
	}
	return at, at != 0
}

// elapse does what has become due by p.now.
func (p *Pool) elapse() {
	p.wakeUp()
	for x := p.lost.head(); x != nil && x.lostAt.Add(p.spec.Grace) <= p.now; x = p.lost.head() {
		p.forget(x)
	}
	for g := p.cutting.head(); g != nil && g.cutAt.Add(p.spec.Grace) <= p.now; g = p.cutting.head() {
		p.end(g, fleet.NoOutcome, 0)
	}
	p.elapseOffers()
	if p.spec.GrantLimit > 0 {
		for g := p.running.head(); g != nil && g.since.Add(p.spec.GrantLimit) <= p.now; g = p.running.head() {
			p.revoke(g, fleet.TimeLimit)
		}
	}
	if p.beatAt != 0 && p.beatAt <= p.now {
		p.beat()
	}
	p.refuseHopeless()
	p.sweep()
	p.giveUp()
	p.learnt()
	p.drainQueue()
}
