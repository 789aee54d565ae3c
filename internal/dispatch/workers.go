package dispatch

import (
	"math"

	"github.com/fairlead/fairlead/internal/fleet"
)

// learner finds out how many workers the backends of a pool have, when nobody says.
//
// It is an experiment. One half of the backends is taken to have lo workers and the other
// half hi, and every other beat they change places, so that what a backend is like cancels
// out. Of requests that took the last of the workers that are believed in, the latency is
// compared between the halves, in the log domain and against each backend's own level. If
// hi workers are there, it is the same; if not, it grows as hi over lo. In between lies the
// threshold. While hi is there, lo goes up: doubling until it is not for the first time,
// and by a quarter from then on. Then there is a rest, longer each time that nothing has
// changed, as an experiment costs; and after it the next lower step is tried in the same
// way, or, in turns or when requests wait, the next higher one.
type learner struct {
	workers int   // what is believed
	phase   phase // what is tried
	slow    bool  // it still doubles
	lower   bool  // what is to be tried next is lower
	odd     bool  // which half has hi
	beats   int   // since they changed places, or of the rest
	rest    int   // how many beats the next rest has

	lo, hi trial     // since the halves last changed places
	places [2]trials // by which half had hi
	spread trial     // within all of these, around their means
}

// phase is what a learner does.
type phase uint8

const (
	tryUp phase = iota
	tryDown
	rests
)

// trial is what was measured with one number of workers, in one place.
type trial struct{ n, sum, squares float64 }

// trials is the growth that was measured with the halves in one place: only what was
// measured at the same time is compared.
type trials struct{ weight, growth float64 }

const (
	trialBeats   = 2   // between changes of places
	trialLeast   = 150 // answers with each number
	trialPart    = 3   // with each number before the halves change places, to count
	trialSure    = 2.5 // standard errors
	trialEdge    = 0.4 // of the growth that would be seen if hi were not there
	trialMost    = 1 << 12
	trialShrink  = 1.25
	levelRate    = 0.01 // a backend's own level, for each answer
	trialOutlier = 4.0  // a deviation beyond this counts as this much
	shortRest    = 20   // beats
	longRest     = 600
)

func (l *learner) begin(spec *fleet.PoolSpec) {
	l.workers, l.slow, l.lower, l.rest = max(spec.Workers, 1), true, true, shortRest
}

// steps returns the two numbers of workers that are compared.
func (l *learner) steps() (lo, hi int) {
	switch {
	case l.phase == rests:
		return l.workers, l.workers
	case l.phase == tryDown:
		return max(1, min(l.workers-1, int(float64(l.workers)/trialShrink))), l.workers
	case l.slow:
		return l.workers, 2 * l.workers
	}
	return l.workers, l.workers + max(1, l.workers/4)
}

// workersOf returns how many workers a backend is taken to have now.
func (l *learner) workersOf(b *backend) int {
	lo, hi := l.steps()
	if b.half == l.odd {
		return hi
	}
	return lo
}

// alternate has the halves change places, or a rest end, when it is time.
func (p *Pool) alternate() {
	l := &p.learner
	if !p.spec.Learn {
		return
	}
	l.beats++
	backlog := p.queue.len > 0
	switch {
	case l.phase == rests && (l.beats >= l.rest || backlog && l.beats >= shortRest):
		l.phase, l.beats = tryUp, 0
		if l.lower && !backlog && l.workers > 1 {
			l.phase = tryDown
		}
		l.lower = !l.lower
	case l.phase == tryDown && backlog:
		l.takeRest(shortRest) // fewer workers are not what is needed now
	case l.phase != rests && l.beats >= trialBeats:
		l.beats = 0
		l.gather()
		l.judge()
		l.odd = !l.odd
	default:
		return
	}
	p.refreshAll()
}

// gather compares what was measured since the halves last changed places.
func (l *learner) gather() {
	lo, hi := &l.lo, &l.hi
	if lo.n >= trialPart && hi.n >= trialPart {
		at := &l.places[0]
		if l.odd {
			at = &l.places[1]
		}
		weight := 1 / (1/lo.n + 1/hi.n)
		at.weight += weight
		at.growth += weight * (hi.mean() - lo.mean())
		l.spread.n += lo.n + hi.n - 2
		l.spread.squares += lo.around() + hi.around()
	}
	l.lo, l.hi = trial{}, trial{}
}

// anew begins a trial.
func (l *learner) anew() {
	l.lo, l.hi, l.spread, l.places = trial{}, trial{}, trial{}, [2]trials{}
}

// takeRest ends a trial for a while.
func (l *learner) takeRest(next int) {
	l.phase, l.beats, l.rest = rests, 0, min(next, longRest)
	l.anew()
}

// observe takes the latency of a grant in, which began beside others.
func (p *Pool) observe(g *grant, b *backend, seconds float64) {
	if !p.spec.Learn {
		return
	}
	x := math.Log(seconds)
	if b.samples <= 1 {
		b.level = x
	}
	off := min(max(x-b.level, -trialOutlier), trialOutlier)
	b.level += levelRate * (x - b.level)
	lo, hi := p.learner.steps()
	switch {
	case lo == hi, g.load != g.trial: // it had a worker to itself anyway, or it knowingly waited for one
	case g.trial == lo:
		p.learner.lo.add(off)
	case g.trial == hi:
		p.learner.hi.add(off)
	}
}

func (t *trial) add(x float64) {
	t.n++
	t.sum += x
	t.squares += x * x
}

func (t *trial) mean() float64 { return t.sum / t.n }

// around is the sum of squares around the mean.
func (t *trial) around() float64 { return max(t.squares-t.sum*t.sum/t.n, 0) }

// judge ends a trial when it is decided. The two places count alike, so that what the
// halves' backends are like cancels out.
func (l *learner) judge() {
	a, b := &l.places[0], &l.places[1]
	if min(a.weight, b.weight) < trialLeast/4 { // of as many with each, the weight is a half
		return
	}
	lo, hi := l.steps()
	growth := (a.growth/a.weight + b.growth/b.weight) / 2
	doubt := trialSure * math.Sqrt(l.spread.squares/l.spread.n*(1/a.weight+1/b.weight)/4)
	edge := trialEdge * math.Log(float64(hi)/float64(lo))
	switch there, notThere := growth+doubt < edge, growth-doubt > edge; {
	case !there && !notThere:
		return // not decided yet
	case there && l.phase == tryUp:
		l.workers, l.rest = min(hi, trialMost), shortRest
	case notThere && l.phase == tryDown:
		l.workers, l.rest = lo, shortRest
	default: // it is as was believed
		l.slow = false
		l.takeRest(2 * l.rest)
	}
	l.anew()
}
