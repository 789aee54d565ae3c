package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// What ails the backends.
const (
	slowShare   = 0.3 // of the backends have slowSpeed, always
	slowSpeed   = 0.5
	hitShare    = 0.2 // of the backends have an antagonist, at any time: hitFactor slower
	hitFactor   = 3.0
	hitShortest = 2 * time.Second
	hitLongest  = 10 * time.Second
)

// fleet is the backends as they will be: speeds and bad times, from the seed alone.
type fleet struct {
	workers   int // of each backend
	hit       int // backends that have an antagonist, at any time
	timelines []timeline
}

// timeline is how fast a backend works, and when. Times count from the load's start.
type timeline struct {
	speed float64 // without an antagonist
	hits  []span  // in order, apart from each other
}

type span struct{ from, to time.Duration }

// newFleet draws a fleet whose antagonists are known up to the horizon: when one leaves
// a backend, another comes to one of those that have none.
func newFleet(backends, workers int, seed uint64, horizon time.Duration) *fleet {
	random := rand.New(rand.NewPCG(seed, 2))
	f := &fleet{workers: workers, timelines: make([]timeline, backends)}
	slow := int(math.Round(slowShare * float64(backends)))
	for i, v := range random.Perm(backends) {
		f.timelines[v].speed = 1
		if i < slow {
			f.timelines[v].speed = slowSpeed
		}
	}
	f.hit = int(math.Round(hitShare * float64(backends)))
	order := random.Perm(backends)
	until := map[int]time.Duration{} // by backend, of those that are hit
	for _, v := range order[:f.hit] {
		until[v] = f.strike(v, 0, random)
	}
	well := order[f.hit:]
	for f.hit > 0 {
		v := earliest(until, backends)
		now := until[v]
		if now >= horizon {
			break
		}
		i := random.IntN(len(well))
		next := well[i]
		well[i] = v
		delete(until, v)
		until[next] = f.strike(next, now, random)
	}
	return f
}

// strike sends an antagonist to a backend and returns when it will leave.
func (f *fleet) strike(v int, now time.Duration, random *rand.Rand) time.Duration {
	end := now + hitShortest + time.Duration(random.Int64N(int64(hitLongest-hitShortest)))
	f.timelines[v].hits = append(f.timelines[v].hits, span{now, end})
	return end
}

// earliest goes by number, and not by the map's order, which is another each time.
func earliest(until map[int]time.Duration, backends int) int {
	first := -1
	for v := range backends {
		if t, ok := until[v]; ok && (first < 0 || t < until[first]) {
			first = v
		}
	}
	return first
}

// capacity returns how many requests of this mean work the fleet can serve in a second,
// with what slow backends and antagonists take of it on the average.
func (f *fleet) capacity(mean time.Duration) float64 {
	speed := 0.0
	for _, t := range f.timelines {
		speed += t.speed
	}
	left := 1 - float64(f.hit)/float64(len(f.timelines))*(1-1/hitFactor)
	return speed * left * float64(f.workers) / mean.Seconds()
}

// finish returns when a worker that begins so much work at from is done with it.
func (t *timeline) finish(from, work time.Duration) time.Duration {
	now, left := from, float64(work)/t.speed // left: at the backend's own speed
	for _, h := range t.hits {
		if h.to <= now {
			continue
		}
		if now < h.from {
			if free := float64(h.from - now); left <= free {
				return now + time.Duration(left)
			}
			left -= float64(h.from - now)
			now = h.from
		}
		if during := float64(h.to-now) / hitFactor; left > during {
			left -= during
			now = h.to
			continue
		}
		return now + time.Duration(left*hitFactor)
	}
	return now + time.Duration(left)
}

// speedAt returns how fast the backend works now.
func (t *timeline) speedAt(now time.Duration) float64 {
	for _, h := range t.hits {
		if h.from <= now && now < h.to {
			return t.speed / hitFactor
		}
	}
	return t.speed
}
