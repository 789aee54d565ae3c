package dispatch

import (
	"math"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Outlier ejection: a backend that answers with errors in a row gets no requests for a
// while, longer each time, but only so many are out at once. When much of a pool fails,
// the cause is likely elsewhere, and the rest would only be overloaded.

// mostEjections bounds how often the time out doubles.
const mostEjections = 6

// eject takes a backend that has just failed out, if it is to be.
func (p *Pool) eject(b *backend) {
	spec := &p.spec.Eject
	if spec.Errors <= 0 || b.errs < spec.Errors || b.ejected || p.ejected >= p.mostEjected() {
		return
	}
	b.ejected = true
	p.ejected++
	b.ejectMark++
	out := spec.For << min(b.ejections, mostEjections)
	b.ejections++
	p.counts.Ejected++
	p.wakeAt(wake{at: p.now.Add(out), what: ejectionOver, on: b, mark: b.ejectMark})
}

// readmit has an ejected backend take requests again. The count of its errors begins anew.
func (p *Pool) readmit(b *backend) {
	if b.ejected {
		b.ejected = false
		b.ejectMark++
		b.errs = 0
		b.readmitted = p.now
		p.ejected--
	}
}

// mostEjected returns how many backends may be out at once: at least one, unless it is
// the only one.
func (p *Pool) mostEjected() int {
	if p.spec.Eject.Most <= 0 || p.all.hopeful < 2 {
		return 0
	}
	return min(max(1, int(p.spec.Eject.Most*float64(p.all.hopeful))), p.all.hopeful-1)
}

// holdOf returns for how many times holdUnit, as a power of two, a slot rests after an
// error. When as many are out as may be, slots rest for the least time only.
func (p *Pool) holdOf(b *backend) int {
	if p.spec.Eject.Errors > 0 && p.ejected >= p.mostEjected() && !b.ejected {
		return 0
	}
	return min(b.errs, maxErrors)
}

// behave forgets a backend's earlier ejections once it has gone without for long.
func (p *Pool) behave(b *backend) {
	if b.ejections > 0 && p.now.Sub(b.readmitted) > 10*p.spec.Eject.For {
		b.ejections = 0
	}
}

// budget bounds tries beyond the first.
type budget struct {
	tokens float64
	at     fleet.Time
}

// mostTokens bounds what is saved up, in tries.
const mostTokens = 100

// budgeted tells whether an ask is within the pool's budget for tries beyond the first,
// and counts it. A first ask adds to the budget (Finagle's retry budget, without its
// window: what is saved is bounded instead).
func (p *Pool) budgeted(again bool) bool {
	spec, b := &p.spec.Budget, &p.budget
	if spec.Ratio <= 0 && spec.Least <= 0 {
		return true
	}
	if b.at == 0 {
		b.tokens = max(spec.Least, 1)
	} else {
		b.tokens += spec.Least * p.now.Sub(b.at).Seconds()
	}
	b.at = p.now
	if !again {
		b.tokens += spec.Ratio
	}
	b.tokens = math.Min(b.tokens, max(mostTokens, spec.Least))
	if !again {
		return true
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
