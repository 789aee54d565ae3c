package dispatch

import (
	"math"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// State is a Pool's knowledge at one moment, as values.
type State struct {
	Spec     fleet.PoolSpec
	Backends []BackendState     // in the order of joining
	Slots    int                // of backends that take grants; or workers
	Workers  int                // of a backend that does not say, declared or learnt; 0: slots bound
	Queues   [fleet.Classes]int // asks that wait, by class
	Mean     time.Duration      // latency; 0: not known
	P99      time.Duration      // likewise
	Trip     time.Duration      // to a proxy and back; 0: not known
	InFlight int
	Kept     int  // permits that are not in use
	Learning bool // nothing is granted before all proxies are back
	Waiting  int
	Oldest   time.Duration // how long the first in the queue has waited
	Counts   Counts
}

// BackendState is one backend.
type BackendState struct {
	Name       fleet.BackendName
	Zone       string
	Slots      int  // or workers
	Bound      int  // grants that it may have at most
	Workers    bool // Slots are workers
	Labels     []string
	Weight     float64
	ByHand     bool // an operator has set slots or weight
	InFlight   int
	Kept       int // permits that are not in use
	Eligible   bool
	State      string        // "up", "ejected", "down", "draining", "drained", "unknown", "leaving"
	Why        string        // it takes no grants, in a sentence
	Latency    time.Duration // learnt; 0: not yet
	Foreign    float64       // load by others, in slots
	Report     fleet.LoadReport
	ReportAge  time.Duration
	Reported   bool // there was a report
	HasAgent   bool
	FromConfig bool
	Granted    uint64
	Errors     uint64
	Assigned   uint64 // assignments
	Rejected   uint64 // of these, declined
	Unanswered uint64 // of these, not answered in time
}

// State returns what the Pool knows at the moment now.
func (p *Pool) State(now fleet.Time) State {
	s := State{
		Spec: p.spec, Slots: p.slotsUp, InFlight: p.grants.len - p.kept.len, Kept: p.kept.len,
		Learning: p.learning != nil,
		Waiting:  p.queue.len, Counts: p.counts,
		Backends: make([]BackendState, 0, len(p.order)),
	}
	if soft(&p.spec) {
		s.Workers = p.spec.Workers
		if p.spec.Learn {
			s.Workers = p.learner.workers
		}
	}
	for c := range s.Queues {
		s.Queues[c] = p.ranks[c].waiting
	}
	s.Mean, s.P99 = seconds(p.meanService()), p.service.longest()
	s.Trip = seconds(p.roundTrip)
	if a := p.queue.head(); a != nil {
		s.Oldest = now.Sub(a.arrived)
	}
	for _, b := range p.order {
		s.Backends = append(s.Backends, p.stateOf(b, now))
	}
	return s
}

func (p *Pool) stateOf(b *backend, now fleet.Time) BackendState {
	s := BackendState{
		Name: b.name, Zone: b.zone, Slots: p.size(b), InFlight: b.live.len - int(b.kept), Kept: int(b.kept),
		Bound: p.bound(b), Workers: soft(&p.spec), Labels: b.labels, Weight: b.weight,
		ByHand:   b.handSlots > 0 || b.handWeight > 0,
		Eligible: b.eligible(&p.spec), State: b.word(), Foreign: b.foreign * b.foreignWeight,
		Report: b.report, Reported: b.reportAt != 0,
		HasAgent: b.known[FromAgent], FromConfig: b.known[FromConfig],
		Granted: b.granted, Errors: b.errors,
		Assigned: b.assigned, Rejected: b.rejected, Unanswered: b.unanswered,
	}
	if !s.Eligible {
		s.Why = p.whyNot(b, nil)
	}
	if b.samples > 0 {
		s.Latency = time.Duration(math.Exp(b.speed) * float64(time.Second))
	}
	if s.Reported {
		s.ReportAge = now.Sub(b.reportAt)
	}
	return s
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// word names a backend's state.
func (b *backend) word() string {
	switch {
	case !b.isKnown():
		return "leaving"
	case b.draining() && b.live.len == 0:
		return "drained"
	case b.draining():
		return "draining"
	case b.condition == up && b.ejected:
		return "ejected"
	case b.condition == up:
		return "up"
	case b.condition == down:
		return "down"
	}
	return "unknown"
}
