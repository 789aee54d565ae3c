package main

import (
	"container/heap"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const idealName = "(one queue, true speeds, no delay: computed)"

// ideal computes what a dispatcher would reach that knows how fast each backend is right
// now and needs no time: one queue, first come first served, and the fastest backend
// that has a free worker. Not a bound in the strict sense, as nothing knows the future;
// but nothing in the table can be expected to beat it.
func ideal(f *fleet, a *arrivals, warmup, duration time.Duration) result {
	q := queue{fleet: f, free: make([]int, len(f.timelines)), took: hdrhistogram.New(1, histogram, 3)}
	for v := range q.free {
		q.free[v] = f.workers
	}
	for {
		r := a.next()
		q.until(r.due)
		if r.due >= warmup+duration {
			break
		}
		q.waiting = append(q.waiting, queued{r, r.due >= warmup})
		q.assign(r.due)
	}
	q.until(1 << 62)
	ms := func(quantile float64) float64 { return float64(q.took.ValueAtQuantile(quantile)) / 1e6 }
	return result{
		Mean: q.took.Mean() / 1e6, P50: ms(50), P99: ms(99), P999: ms(99.9),
		MostInFlight: q.most, Answered: int(q.took.TotalCount()),
	}
}

type queue struct {
	fleet   *fleet
	free    []int // workers, by backend
	waiting []queued
	running completions
	most    int
	took    *hdrhistogram.Histogram
}

type queued struct {
	arrival
	measured bool
}

// until lets everything happen that is over by then.
func (q *queue) until(now time.Duration) {
	for len(q.running) > 0 && q.running[0].at <= now {
		done := heap.Pop(&q.running).(completion)
		q.free[done.backend]++
		q.assign(done.at)
	}
}

// assign gives those that wait to workers that are free.
func (q *queue) assign(now time.Duration) {
	for len(q.waiting) > 0 {
		v := q.fastest(now)
		if v < 0 {
			return
		}
		r := q.waiting[0]
		q.waiting = slices.Delete(q.waiting, 0, 1)
		q.free[v]--
		q.most = max(q.most, q.fleet.workers-q.free[v])
		end := q.fleet.timelines[v].finish(now, r.work)
		heap.Push(&q.running, completion{end, v})
		if r.measured {
			_ = q.took.RecordValue(min(int64(end-r.due), histogram))
		}
	}
}

// fastest returns a backend with a free worker; -1 if there is none.
func (q *queue) fastest(now time.Duration) int {
	best := -1
	for v := range q.free {
		if q.free[v] > 0 && (best < 0 || q.fleet.timelines[v].speedAt(now) > q.fleet.timelines[best].speedAt(now)) {
			best = v
		}
	}
	return best
}

// completion is the end of a request's work.
type completion struct {
	at      time.Duration
	backend int
}

// completions is a heap, the earliest first.
type completions []completion

// Len implements heap.Interface.
func (c completions) Len() int { return len(c) }

// Less implements heap.Interface.
func (c completions) Less(i, j int) bool { return c[i].at < c[j].at }

// Swap implements heap.Interface.
func (c completions) Swap(i, j int) { c[i], c[j] = c[j], c[i] }

// Push implements heap.Interface.
func (c *completions) Push(x any) { *c = append(*c, x.(completion)) }

// Pop implements heap.Interface.
func (c *completions) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}
