package dispatch

import (
	"math"

	"github.com/fairlead/fairlead/internal/fleet"
)

// learner finds out how many workers the backends of a pool have, when nobody says.
//
// It is a standing experiment. At any time one half of the backends is taken to have lo
// workers and the other half hi, and every other beat they change places, so that what a
// backend is like cancels out. Where requests run beside as many others as they may, their
// latency is compared between the halves, in the log domain and against each backend's own
// level. If hi workers are there, it is the same; if not, it grows as hi over lo. In
// between lies the threshold. While hi is there, lo goes up: doubling until it is not for
// the first time, and by a quarter from then on. When hi is not there, the next lower step
// is tried in the same way, and taken if the present one is too high.
type learner struct {
	workers int  // what is believed
	slow    bool // it still doubles
	down    bool // the next lower step is tried
	odd     bool // which half has hi
	beats   int  // since they changed places

	lo, hi trial
}

// trial is what was measured with one number of workers.
type trial struct{ n, sum, squares float64 }

const (
	trialBeats   = 2 // between changes of places
	trialLeast   = 150
	trialSure    = 2.5 // standard errors
	trialEdge    = 0.4 // of the growth that would be seen if hi were not there
	trialMost    = 1 << 12
	trialShrink  = 1.25
	levelRate    = 0.01 // a backend's own level, for each answer
	trialOutlier = 4.0  // a deviation beyond this counts as this much
)

func (l *learner) begin(spec *fleet.PoolSpec) {
	l.workers, l.slow = max(spec.Workers, 1), true
}

// steps returns the two numbers of workers that are compared.
func (l *learner) steps() (lo, hi int) {
	switch {
	case l.down:
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

// alternate has the halves change places, when it is time.
func (p *Pool) alternate() {
	l := &p.learner
	if !p.spec.Learn {
		return
	}
	if l.beats++; l.beats >= trialBeats {
		l.beats = 0
		l.odd = !l.odd
		p.refreshAll()
	}
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
	case g.load < lo: // it had its worker to itself, however many there are
	case g.trial == lo:
		p.learner.lo.add(off)
	case g.trial == hi && g.load >= hi:
		p.learner.hi.add(off)
	}
	if p.learner.judge(p.queue.len > 0) {
		p.refreshAll()
	}
}

func (t *trial) add(x float64) {
	t.n++
	t.sum += x
	t.squares += x * x
}

func (t *trial) mean() float64 { return t.sum / t.n }

// variance is that of the mean.
func (t *trial) variance() float64 { return max(t.squares/t.n-t.mean()*t.mean(), 0) / t.n }

// judge ends a trial when it is decided, and tells whether something has changed.
func (l *learner) judge(backlog bool) bool {
	if l.lo.n < trialLeast || l.hi.n < trialLeast {
		return false
	}
	lo, hi := l.steps()
	growth := l.hi.mean() - l.lo.mean()
	doubt := trialSure * math.Sqrt(l.lo.variance()+l.hi.variance())
	edge := trialEdge * math.Log(float64(hi)/float64(lo))
	switch there, notThere := growth+doubt < edge, growth-doubt > edge; {
	case there && l.down:
		l.down = false
	case there:
		l.workers = min(hi, trialMost)
	case notThere && l.down && !backlog:
		l.workers = lo
	case notThere && !l.down:
		l.slow, l.down = false, l.workers > 1
	case there == notThere:
		return false // not decided yet
	}
	l.lo, l.hi = trial{}, trial{}
	return true
}
