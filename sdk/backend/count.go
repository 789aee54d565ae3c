package backend

import (
	"sync/atomic"
	"time"
)

// counters hold what Handler and Begin count. Safe for concurrent use.
type counters struct {
	used     atomic.Bool // a backend that counts nothing must not report 0 in flight
	inFlight atomic.Int64
	finished atomic.Uint64
	failed   atomic.Uint64
}

// Begin counts a request that does not come through Handler: a gRPC call, a job. The
// function that it returns ends the request, and says whether it failed; calls after the
// first do nothing. Safe for concurrent use; it never blocks.
func (r *Reporter) Begin() (end func(failed bool)) {
	r.count.used.Store(true)
	r.count.inFlight.Add(1)
	r.wake()
	var over atomic.Bool
	return func(failed bool) {
		if over.Swap(true) {
			return
		}
		r.count.inFlight.Add(-1)
		r.count.finished.Add(1)
		if failed {
			r.count.failed.Add(1)
		}
		r.wake()
	}
}

// rates turns counts into rates, from one interval to the next. The
// Reporter's lock guards it.
type rates struct {
	at               time.Time
	finished, failed uint64
	rps, eps         float64
}

// take measures since the last call. The first one knows no rate.
func (s *rates) take(c *counters, now time.Time) {
	finished, failed := c.finished.Load(), c.failed.Load()
	if elapsed := now.Sub(s.at).Seconds(); !s.at.IsZero() && elapsed > 0 {
		s.rps = float64(finished-s.finished) / elapsed
		s.eps = float64(failed-s.failed) / elapsed
	}
	s.at, s.finished, s.failed = now, finished, failed
}

// fill adds what was counted to a load that does not say it itself.
func (s *rates) fill(l *Load, c *counters) {
	if !c.used.Load() {
		return
	}
	if l.RPS == 0 {
		l.RPS = s.rps
	}
	if l.EPS == 0 {
		l.EPS = s.eps
	}
	if _, said := l.Named[InFlight]; !said {
		l.Named[InFlight] = float64(c.inFlight.Load())
	}
}
