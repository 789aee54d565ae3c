package sim

import (
	"math"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// What goes on at the backends whatever a policy does: antagonists, foreign load, reports.
// All of it is drawn from streams of its own, so each policy sees the same weather.

// antagonize has the antagonists fall on their first backends.
func (e *engine) antagonize() {
	first := 0
	for g := range e.plan.groups {
		group := &e.plan.groups[g]
		for _, v := range e.anta.Perm(group.Count)[:min(group.fallen(), group.Count)] {
			e.fall(int32(first + v))
		}
		first += group.Count
	}
}

// fall has an antagonist fall on a backend.
func (e *engine) fall(v int32) {
	b := &e.backends[v]
	a := &b.group.Antagonist
	b.fallen, b.slow = true, a.Slowdown
	if a.Slowdown == 0 {
		b.slow = math.Inf(1)
	}
	e.pace(v)
	last := a.Least + time.Duration(float64(a.Most-a.Least)*e.anta.Float64())
	e.events.push(e.now+int64(last), evAntagonist, v, 0)
}

// recovered has an antagonist move on, to another backend of the group that has none.
func (e *engine) recovered(v int32) {
	b := &e.backends[v]
	b.fallen, b.slow = false, 1
	e.pace(v)
	g := e.plan.groupOf[v]
	var others []int32
	for u := range e.backends {
		if e.plan.groupOf[u] == g && !e.backends[u].fallen && int32(u) != v {
			others = append(others, int32(u))
		}
	}
	if len(others) == 0 {
		others = append(others, v)
	}
	e.fall(others[e.anta.IntN(len(others))])
}

func (e *engine) startForeign() {
	for v := range e.backends {
		if e.backends[v].group.Foreign > 0 {
			e.nextForeign(int32(v))
		}
	}
}

// nextForeign has others send their next request to a backend.
func (e *engine) nextForeign(v int32) {
	g := e.backends[v].group
	rate := g.Foreign * float64(g.Servers) * g.Speed / float64(e.s.Service.Mean)
	e.events.push(e.now+int64(e.others.ExpFloat64()/rate), evForeign, v, 0)
}

func (e *engine) foreign(v int32) {
	if e.ended && e.open == 0 && e.busy == 0 {
		return
	}
	b := &e.backends[v]
	work := e.plan.work(e.others)
	if !b.dead {
		i := e.newRequest()
		r := &e.requests[i]
		r.foreign, r.closed, r.backend, r.work = true, true, v, work
		e.takeIn(i, b)
	}
	e.nextForeign(v)
}

// startReports has the reports begin, at any time in their interval. Where they are all
// that a policy weighs by, each backend makes them.
func (e *engine) startReports(weighs bool) {
	dice := stream(e.seed, 8)
	for v := range e.backends {
		b := &e.backends[v]
		if weighs {
			b.every = int64(time.Second)
		}
		if b.every > 0 {
			e.events.push(int64(float64(b.every)*dice.Float64()), evReport, int32(v), 0)
		}
	}
}

// reports has a backend say how it is. When that is known where it counts is the decider's
// matter.
func (e *engine) reports(v int32) {
	b := &e.backends[v]
	b.account(e.now)
	span := float64(e.now - b.told)
	if span > 0 && !b.dead && !b.silent && !b.frozen {
		load := fleet.LoadReport{
			CPU:      min(1, b.area/(span*float64(b.servers))),
			InFlight: float64(b.inHand), HasInFlight: true,
			RPS: float64(b.served) / span * float64(time.Second),
			EPS: float64(b.erred) / span * float64(time.Second),
		}
		e.decider.reported(v, load)
	}
	b.area, b.served, b.erred, b.told = 0, 0, 0, e.now
	e.events.push(e.now+b.every, evReport, v, 0)
}
