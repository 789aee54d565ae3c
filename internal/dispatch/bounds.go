package dispatch

import (
	"math"

	"github.com/fairlead/fairlead/internal/fleet"
)

// said returns what the config says of a backend, else its agent, else 0.
func said(by [2]int) int {
	for _, n := range by {
		if n > 0 {
			return n
		}
	}
	return 0
}

// soft tells whether backends have a queue of their own, so that workers count and not
// slots.
func soft(spec *fleet.PoolSpec) bool { return spec.Workers > 0 || spec.Learn }

// size returns how many requests a backend is taken to serve at once: its workers, or its
// slots.
func (p *Pool) size(b *backend) int {
	if soft(&p.spec) {
		return p.workersOf(b)
	}
	return b.slots(&p.spec)
}

// slots returns how many grants it may have, where slots bound: as an operator says, else the
// config of it, else its agent, else the pool.
func (b *backend) slots(spec *fleet.PoolSpec) int {
	if b.handSlots > 0 && !soft(spec) {
		return b.handSlots
	}
	if n := said(b.slotsSay); n > 0 {
		return n
	}
	return max(spec.Slots, 1)
}

// workersOf returns how many requests a backend with a queue of its own works on at a
// time: as an operator says, else as declared, else as learnt, else as the pool says.
func (p *Pool) workersOf(b *backend) int {
	if b.handSlots > 0 {
		return b.handSlots
	}
	if n := said(b.workSay); n > 0 {
		return n
	}
	if p.spec.Learn {
		return p.learner.workersOf(b)
	}
	return p.spec.Workers
}

// bound returns how many grants a backend may have at most: its slots; or its workers and
// what keeps them busy while a done and the next grant are on their way.
func (p *Pool) bound(b *backend) int {
	if !soft(&p.spec) {
		return b.slots(&p.spec)
	}
	workers := p.workersOf(b)
	if b.saturated || p.spec.Learn && p.learner.phase != rests {
		return workers // in a trial, what would wait there would hide how many there are
	}
	return p.reach(workers, b.worth.pace)
}

// reach returns how many grants keep some workers busy that each take pace for one.
func (p *Pool) reach(workers int, pace float64) int {
	more := math.Ceil(2 * float64(workers) * p.way() / pace)
	return workers + 1 + int(min(more, float64(maxMore*workers)))
}

// maxMore bounds what a backend gets beyond its workers, in as many again: where requests
// are shorter than the way, no queue of bearable length keeps the workers busy.
const maxMore = 3

// limit returns how many grants a backend may have now, which is fewer where others use
// it too and in its slow start, but never none: a report may be wrong, and an answer
// tells.
func (p *Pool) limit(b *backend) int {
	most := p.bound(b)
	if b.upAt != 0 {
		most = int(math.Ceil(float64(p.size(b)) * float64(p.now.Sub(b.upAt)) / float64(p.spec.SlowStart)))
	}
	return max(1, min(most, p.bound(b))-int(b.foreign*b.foreignWeight+0.5))
}

// free returns how many grants a backend can have before more would wait in its own queue.
func (p *Pool) freeLimit(b *backend) int {
	return max(1, min(p.limit(b), p.size(b)-int(b.foreign*b.foreignWeight+0.5)))
}

// worthOf computes what refresh keeps of a backend.
func (p *Pool) worthOf(b *backend) worth {
	rest := p.knownOf(b)
	pace := 0.0
	if soft(&p.spec) {
		pace = math.Exp(p.speedOf(b))
		b.worth.pace = pace // the limits follow from it
	}
	w := worth{
		pace:     pace,
		eligible: b.eligible(&p.spec), most: int32(p.limit(b)), size: float64(p.size(b)), rest: rest.rest(),
		quiet: b.errs == 0 && b.ejections == 0 && b.isKnown() && !b.draining(),
	}
	w.free = w.most
	if soft(&p.spec) {
		w.plain = !b.saturated && !p.spec.Learn && b.upAt == 0 && b.foreign == 0
		w.free = int32(p.freeLimit(b))
	}
	return w
}

// startSlowly has a backend that has come up get its slots one after the other: caches are
// cold and pools of connections are empty.
func (p *Pool) startSlowly(b *backend) {
	if p.spec.SlowStart <= 0 {
		return
	}
	if p.firstUp == 0 {
		p.firstUp = p.now
	}
	// To a controller that has just started everybody is new, and nobody is.
	if p.now.Sub(p.firstUp) >= p.spec.SlowStart {
		b.upAt = p.now
		p.stir()
	}
}
