package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Things that production decides, and scenarios do not say.
const (
	noticed   = 2 * time.Second  // until health checks see that a backend is down, or up
	retries   = 2                // after a backend that could not be reached
	longest   = 10 * time.Minute // after the last arrival, what still runs is given up
	breathing = 4096             // events between looks at the context
)

// decider is a policy: it says which backend gets a request, at once or later, by
// engine.send, engine.refuse or engine.fail.
type decider interface {
	arrive(r int32)                                  // it is at its proxy, or it is there again
	ended(r int32, how fleet.Outcome, latency int64) // its proxy saw the end of what was sent
	cancel(r int32)                                  // its client left before it was sent
	departed(v int32)                                // a backend's server has become free
	changed(v int32)                                 // who may be chosen, or how fast it is
	reported(v int32, in fleet.LoadReport)           // a backend's own word
	happen(k kind, a, b int32)                       // an event of the policy's own
	fault(f *Fault, begins bool)                     // of a proxy, a link or the controller
	over() (idle bool, why string)                   // all requests are; what is wrong, if anything
}

// silent is a decider's part that does nothing.
type silent struct{}

func (silent) cancel(int32)                     {}
func (silent) departed(int32)                   {}
func (silent) changed(int32)                    {}
func (silent) reported(int32, fleet.LoadReport) {}
func (silent) happen(kind, int32, int32)        {}
func (silent) fault(*Fault, bool)               {}
func (silent) over() (bool, string)             { return true, "" }

// engine is one run: one policy, one seed. It is not safe for concurrent use.
type engine struct {
	plan   *plan
	s      *Scenario
	seed   uint64
	check  bool
	now    int64
	events events
	last   event // that happened
	source *source
	next   drawn // the request that arrives next

	network *rand.Rand
	anta    *rand.Rand
	policy  *rand.Rand
	others  *rand.Rand // foreign load

	hop      int64
	backends []backend
	proxies  []bool    // that live
	depth    []int     // how many of the faults that are alike have begun, at the first one's place
	sets     [][]int32 // backends that may be chosen, by set of labels
	scratch  []int32
	requests []request
	free     []int32
	drawn    int // requests so far
	open     int // requests whose client waits
	busy     int // records in use, foreign ones not counted
	ended    bool
	from, to int64 // when it is measured; to is 0 until the last arrival

	decider decider
	meter   meter
}

func newEngine(p *plan, policy Policy, seed uint64, check bool) (*engine, error) {
	e := &engine{
		plan: p, s: p.s, seed: seed, check: check, source: newSource(p, seed),
		network: stream(seed, 3), anta: stream(seed, 4), policy: stream(seed, 5), others: stream(seed, 6),
		depth: make([]int, len(p.s.Faults)), hop: int64(p.s.Network.Hop), proxies: make([]bool, len(p.zones)),
		backends: make([]backend, len(p.groupOf)), from: -1,
	}
	for i := range e.proxies {
		e.proxies[i] = true
	}
	for v := range e.backends {
		e.backends[v].join(&p.groups[p.groupOf[v]])
	}
	if len(p.mixes) > 1 {
		e.meter.mixes = make([]part, len(p.mixes))
	}
	e.gather()
	d, err := newDecider(e, policy)
	if err != nil {
		return nil, err
	}
	e.decider = d
	e.antagonize()
	e.startForeign()
	e.startReports(policy == WeightedRR)
	for i, f := range p.s.Faults {
		e.events.push(int64(f.At), evFault, int32(i), 1)
		if f.For > 0 {
			e.events.push(int64(f.At+f.For), evFault, int32(i), 0)
		}
	}
	e.draw()
	return e, nil
}

// gather notes which backends may be chosen, for each set of labels.
func (e *engine) gather() {
	if e.sets == nil {
		e.sets = make([][]int32, len(e.plan.sets))
	}
	for i := range e.sets {
		e.sets[i] = e.sets[i][:0]
		for v := range e.backends {
			if b := &e.backends[v]; !b.down && !b.drains && e.plan.has(int32(v), i) {
				e.sets[i] = append(e.sets[i], int32(v))
			}
		}
	}
}

// candidates returns the backends that a request may use, in order.
func (e *engine) candidates(r *request) []int32 {
	all := e.sets[e.plan.mixes[r.mix].set]
	if r.tries == 0 {
		return all
	}
	e.scratch = e.scratch[:0]
	for _, v := range all {
		if !r.tried(v) {
			e.scratch = append(e.scratch, v)
		}
	}
	return e.scratch
}

// usable tells whether a request may use a backend.
func (e *engine) usable(v int32, r *request) bool {
	b := &e.backends[v]
	return !b.down && !b.drains && !r.tried(v) && (len(e.sets) == 1 || e.plan.has(v, int(e.plan.mixes[r.mix].set)))
}

// run plays to the end.
func (e *engine) run(ctx context.Context) error {
	for n := 0; e.step(); n++ {
		if n%breathing == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if e.ended && e.open == 0 && (!e.check || e.idle()) || e.to > 0 && e.now > e.to+int64(longest) {
			break
		}
		if e.check && e.meter.violation != "" {
			break
		}
	}
	// What stands still for good at a backend is nobody's leak.
	if e.check && e.open == 0 && e.busy == 0 && !e.idle() {
		e.violate("nothing happens any more, and not all is over")
	}
	e.meter.timedOut += e.unanswered()
	if e.to == 0 {
		e.to = e.now
	}
	e.meter.span = float64(e.to-e.from) * e.plan.capacity
	return nil
}

// step has the next event happen; false: there is none.
func (e *engine) step() bool {
	v, ok := e.events.pop()
	if ok {
		e.now, e.last = v.at, v
		e.happen(&v)
	}
	return ok
}

// idle tells whether nothing is left that could become a leak.
func (e *engine) idle() bool {
	if e.busy > 0 {
		return false
	}
	idle, why := e.decider.over()
	if why != "" {
		e.violate("%s", why)
	}
	return idle
}

// violate notes that an invariant does not hold.
func (e *engine) violate(format string, args ...any) {
	if e.meter.violation == "" {
		e.meter.violation = fmt.Sprintf("seed %d, %v: ", e.seed, time.Duration(e.now)) + fmt.Sprintf(format, args...)
	}
}

func (e *engine) happen(v *event) {
	switch k := kind(v.ord & 255); k {
	case evArrive:
		e.arrived()
	case evAtProxy:
		e.atProxy(v.a)
	case evAtBackend:
		e.atBackend(v.a, v.b)
	case evFinish:
		e.finished(v.a, v.b)
	case evShare:
		e.shared(v.a, v.b)
	case evAnswer:
		e.answered(v.a, v.b)
	case evCancel:
		e.cancelled(v.a, v.b)
	case evDrop:
		e.dropped(v.a, v.b)
	case evForeign:
		e.foreign(v.a)
	case evAntagonist:
		e.recovered(v.a)
	case evReport:
		e.reports(v.a)
	case evHealth:
		e.health(v.a, v.b == 1)
	case evFault:
		e.fault(&e.s.Faults[v.a], v.b == 1)
	default:
		e.decider.happen(k, v.a, v.b)
	}
}

// later has something happen a hop from now.
func (e *engine) later(k kind, a, b int32) { e.events.pushLane(hopLane, e.after(e.hop), k, a, b) }

// after returns the time at which a message of one way, sent now, arrives.
func (e *engine) after(way int64) int64 {
	if j := e.s.Network.Jitter; j > 0 {
		return e.now + int64(float64(way)*(1+j*e.network.Float64()))
	}
	return e.now + way
}
