package dispatch

import (
	"math"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// wish is what a request may use.
type wish struct {
	exclude []fleet.BackendName
	about   *fleet.About // never nil
	zone    string
	all     *scope // by its labels
	near    *scope // by its labels and zone; nil: no zone is preferred
	stays   bool   // it is still to wait for a slot near, if there is none
}

// wish makes out what a request may use that first asked at a moment. A reason says that
// it cannot be told.
func (p *Pool) wish(exclude []fleet.BackendName, zone string, about *fleet.About, arrived fleet.Time) (wish, fleet.Reason) {
	w := wish{exclude: exclude, about: aboutOf(about), zone: zone, all: p.all}
	if len(w.about.Labels) > 0 {
		s, ok := p.labelled(w.about.Labels)
		if !ok {
			return w, fleet.OverLimit
		}
		w.all = s
	}
	if w.all == p.nobody {
		return w, fleet.NoReason // nor is anybody of them near, and such a scope is not kept
	}
	if p.spec.PreferZone && zone != "" && p.zones[zone] > 0 {
		if s, ok := p.scopeOf(w.about.Labels, zone); ok {
			w.near = s
			w.stays = s.hopeful > 0 && arrived.Add(p.spec.SpillAfter) > p.now
		}
	}
	return w, fleet.NoReason
}

// wishOf makes out what one that waits may use.
func (p *Pool) wishOf(a *ask) (wish, fleet.Reason) {
	w, why := p.wish(a.exclude, a.zone, a.about, a.arrived)
	w.stays = w.stays && !a.roams
	return w, why
}

// labelled returns the scope of some labels. One that nobody is in is not kept: whatever
// clients may write in a header would fill the memory.
func (p *Pool) labelled(labels []string) (*scope, bool) {
	for _, s := range p.scopes[1:] {
		if s != nil && s.zone == "" && len(s.labels) > 0 && slices.Equal(s.labels, labels) {
			p.looks++
			s.used = p.looks
			return s, true
		}
	}
	for _, l := range labels {
		if p.labels[l] == 0 {
			return p.nobody, true
		}
	}
	for _, b := range p.order {
		if b.isKnown() && hasAll(b.labels, labels) {
			return p.scopeOf(labels, "")
		}
	}
	return p.nobody, true
}

// choice is the backend that a request gets.
type choice struct {
	on    *backend
	cost  float64 // of the preference for the request's zone: by how much the best elsewhere is better
	moved bool    // its affinity names another
}

// pick returns the best backend for a request, if there is one that takes it now.
func (p *Pool) pick(w *wish) choice {
	from := w.all
	if w.stays {
		from = w.near
	}
	if w.about.Affinity != "" {
		return p.stick(from, w)
	}
	best := p.best(from, w.exclude)
	if best == nil || w.near == nil || w.stays || best.zone == w.zone {
		return choice{on: best}
	}
	local := p.best(w.near, w.exclude)
	if local == nil || local.score-best.score > zoneWorth {
		return choice{on: best}
	}
	return choice{on: local, cost: local.score - best.score}
}

// best returns the backend of a scope with the least score, or nil: one that has a free
// slot, or one in whose own queue the request is done sooner all the same.
func (p *Pool) best(s *scope, exclude []fleet.BackendName) *backend {
	var free *backend
	if len(exclude) == 0 {
		free = s.free.top()
	} else {
		free = s.free.best(func(b *backend) bool { return !contains(exclude, b.name) })
	}
	if s.over.len() == 0 || free != nil && s.over.items[0].score >= free.score {
		return free // what is kept of the others is at most what they score now
	}
	over := p.bestOver(s, exclude)
	switch {
	case over == nil:
		return free
	case free == nil:
		return p.bearable(s, over, exclude)
	case over.score < free.score:
		return over
	}
	return free
}

// bestOver returns the backend of a scope in whose own queue a request is done soonest.
//
// How long the queue of a backend lasts is kept as of when it last changed. It mostly grows
// with time, as requests that have run for long are the likelier to run on; so once the
// first of the heap is brought up to date and is still first, it is the best.
func (p *Pool) bestOver(s *scope, exclude []fleet.BackendName) *backend {
	for range s.over.len() + 1 {
		var b *backend
		if len(exclude) == 0 {
			b = s.over.top()
		} else {
			b = s.over.best(func(b *backend) bool { return !contains(exclude, b.name) })
		}
		if b == nil {
			return nil
		}
		was := b.score
		b.score = p.rated(b)
		if b.score <= was {
			b.score = was
			return b
		}
		p.all.over.fix(b)
		for _, o := range b.scopes {
			o.over.fix(b)
		}
	}
	return nil
}

// maxBear bounds the backends that are looked at for one whose queue is bearable.
const maxBear = 16

// bearable returns the best backend of a scope in whose own queue a request waits no longer
// than it may while nobody has a free slot; first is the best of all. nil: there is none
// among the first few.
//
// While somebody has one, others weigh that against this queue, and would go into it past a
// request that may only not use the free one.
func (p *Pool) bearable(s *scope, first *backend, exclude []fleet.BackendName) *backend {
	if p.all.free.len() > 0 {
		return first
	}
	allowance := p.allowance()
	if p.queueOf(first) <= allowance {
		return first
	}
	return s.over.bestOf(maxBear, func(b *backend) bool {
		return !contains(exclude, b.name) && p.queueOf(b) <= allowance
	})
}

// queueOf estimates for how long, in seconds of learnt latency, a request would wait in a
// backend's own queue: until as many of those that are worked on have ended as wait. How
// long each runs on is learnt (residual.go).
func (p *Pool) queueOf(b *backend) float64 {
	workers := p.workersOf(b)
	ahead := b.live.len + 1 - workers
	if ahead <= 0 {
		return 0
	}
	pace := b.worth.pace
	rate := 0.0
	g := b.live.head()
	for range min(workers, b.live.len) {
		rate += 1 / (pace * p.residual.rest(float64(max(p.now.Sub(g.since), 0))/(1e9*pace)))
		g = g.inBackend.after()
	}
	return float64(ahead) / rate
}

// allowance is for how long a request may wait in a backend's own queue: until the pool's
// has been served, or ten ways to the controller and back. In seconds of learnt latency,
// which is to the mean as the pool's is.
func (p *Pool) allowance() float64 {
	scale := p.scale()
	way := 10 * p.way()
	if p.capacity > 0 {
		way = max(way, float64(p.queue.len+1)*scale/p.capacity)
	}
	return way / scale
}

// scale is the pool's mean latency over its learnt one, which is a geometric mean.
func (p *Pool) scale() float64 {
	if p.samples == 0 {
		return 1
	}
	return max(p.mean/math.Exp(p.speed), 1e-3)
}

// way is how long a worker idles between two requests that the controller gives it one
// after the other, in seconds: the way of the done and of the grant, and the two hops
// beside them.
func (p *Pool) way() float64 { return 1.2 * p.trip }

// clockTrip takes a round trip between a proxy and here in, and tells whether bounds have
// moved with it.
func (p *Pool) clockTrip(d time.Duration) bool {
	if d <= 0 {
		return false
	}
	if p.roundTrip == 0 {
		p.roundTrip = d.Seconds()
	}
	p.roundTrip += tripRate * (d.Seconds() - p.roundTrip)
	if !soft(&p.spec) || math.Abs(p.roundTrip-p.trip) <= tripStep*p.trip {
		return false
	}
	if p.trip != 0 && p.now.Sub(p.tripAt) < beat {
		// Where proxies are near and far it moves with every few asks, and each time all
		// backends are looked at.
		return false
	}
	p.trip, p.tripAt = p.roundTrip, p.now
	p.refreshAll()
	return true
}

// refreshAll brings every backend up to date, after a change of what their bounds follow
// from.
func (p *Pool) refreshAll() {
	for _, b := range p.order {
		p.refresh(b)
	}
}
