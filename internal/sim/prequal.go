package sim

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// prequal is Prequal (Wydrowski, Kleinberg, Rumble, Archer: Load is not what you should
// balance, NSDI 2024), asynchronous: with each request its proxy sends probes, whose
// answers it keeps for the requests to come. It avoids backends with many requests in
// flight, against others that it heard of, and of the rest takes the one with the least
// latency (the hot-cold lexicographic rule).
type prequal struct {
	silent
	e     *engine
	pools []probes
	seen  []latencies // by backend
	reuse float64
	all   []probe // under way
	free  []int32
}

// The paper's constants.
const (
	probesEach  = 3             // for a request
	probesKept  = 16            // by a proxy
	probeAge    = int64(1e9)    // at most
	removeEach  = 1             // for a request, by turns the oldest and the worst
	hotQuantile = .84           // of requests in flight, above which a backend is hot
	reuseDelta  = 1.0           // probes that come in beyond those that go
	rifsKept    = 128           // of answers, for the quantile
	rifsTold    = 1 << 10       // as many or more are counted as one
	mostReuse   = math.MaxInt32 // where fewer probes come than go
	medianOf    = 16            // latencies, at each number in flight
	levels      = 64            // numbers in flight that latency is kept for
	unknown     = 1.0           // latency of a backend that has none yet: it is tried first
)

// probe is an answer, or one to be.
type probe struct {
	proxy, backend int32
	rif            int32
	latency        float64
	at             int64
	uses           float64
}

// probes is what a proxy has of them.
type probes struct {
	kept   []probe // oldest first
	rifs   [rifsKept]int32
	counts [rifsTold]int32
	told   int
	worst  bool // whose turn it is
}

// latencies is what a backend remembers of its own, by how many it had in hand.
type latencies struct {
	of [levels]struct {
		last   [medianOf]int64
		n      int
		median float64
		stale  bool
	}
}

func newPrequal(e *engine) *prequal {
	q := &prequal{e: e, pools: make([]probes, len(e.proxies)), seen: make([]latencies, len(e.backends)), reuse: mostReuse}
	m, n := float64(probesKept), float64(len(e.backends))
	if d := (1-m/n)*probesEach - removeEach; d > 0 {
		q.reuse = max(1, (1+reuseDelta)/d)
	}
	return q
}

func (q *prequal) arrive(i int32) {
	r := &q.e.requests[i]
	of := q.e.candidates(r)
	if len(of) == 0 {
		q.e.refuse(i)
		return
	}
	v := q.choose(r, of)
	p := r.proxy
	q.pools[p].remove()
	q.e.send(i, v)
	for range min(probesEach, len(of)) {
		q.probe(p, of[q.e.policy.IntN(len(of))])
	}
}

// choose takes a backend by what the proxy heard.
func (q *prequal) choose(r *request, of []int32) int32 {
	pool := &q.pools[r.proxy]
	pool.kept = slices.DeleteFunc(pool.kept, func(x probe) bool {
		return q.e.now-x.at > probeAge || x.uses <= 0 || !q.e.usable(x.backend, r)
	})
	if len(pool.kept) < 2 {
		return of[q.e.policy.IntN(len(of))]
	}
	x := &pool.kept[pool.best(pool.limit())]
	x.rif++ // what is sent there now is in flight for the next one
	x.uses--
	return x.backend
}

// best returns the cold one with the least latency; if all are hot, the one with the least
// in flight.
func (p *probes) best(limit int32) int {
	best := 0
	for i := 1; i < len(p.kept); i++ {
		x, y := &p.kept[i], &p.kept[best]
		hot, was := x.rif > limit, y.rif > limit
		switch {
		case hot != was:
			if was {
				best = i
			}
		case hot:
			if x.rif < y.rif {
				best = i
			}
		case x.latency < y.latency:
			best = i
		}
	}
	return best
}

// limit returns the number in flight above which a backend is hot.
func (p *probes) limit() int32 {
	n := int32(min(p.told, rifsKept))
	rank := int32(hotQuantile * float64(n))
	for rif, c := range p.counts {
		if rank -= c; rank < 0 {
			return int32(rif)
		}
	}
	return math.MaxInt32
}

// remove forgets a probe, by turns the oldest and the one that is worst by the rule.
func (p *probes) remove() {
	if len(p.kept) == 0 {
		return
	}
	worst := 0
	if p.worst = !p.worst; p.worst {
		limit := p.limit()
		for i := 1; i < len(p.kept); i++ {
			x, y := &p.kept[i], &p.kept[worst]
			hot, was := x.rif > limit, y.rif > limit
			if hot && (!was || x.rif > y.rif) || !hot && !was && x.latency > y.latency {
				worst = i
			}
		}
	}
	p.kept = slices.Delete(p.kept, worst, worst+1)
}

// probe asks a backend how it is.
func (q *prequal) probe(p, v int32) {
	var i int32
	if n := len(q.free); n > 0 {
		i = q.free[n-1]
		q.free = q.free[:n-1]
	} else {
		i = int32(len(q.all))
		q.all = append(q.all, probe{})
	}
	q.all[i] = probe{proxy: p, backend: v}
	q.e.later(evProbe, i, 0)
}

func (q *prequal) happen(k kind, i, _ int32) {
	x := &q.all[i]
	switch k {
	case evProbe:
		b := &q.e.backends[x.backend]
		if b.dead || b.frozen {
			q.free = append(q.free, i)
			return
		}
		x.rif, x.latency = b.inHand, q.seen[x.backend].at(b.inHand)
		q.e.later(evProbed, i, 0)
	case evProbed:
		x.at, x.uses = q.e.now, whole(q.reuse, q.e.policy)
		q.pools[x.proxy].add(*x)
		q.free = append(q.free, i)
	}
}

// whole returns an integer whose mean is x.
func whole(x float64, dice *rand.Rand) float64 {
	low := math.Floor(x)
	if dice.Float64() < x-low {
		low++
	}
	return low
}

// add keeps an answer, for the oldest one where there are too many.
func (p *probes) add(x probe) {
	rif := min(x.rif, rifsTold-1)
	if p.told >= rifsKept {
		p.counts[p.rifs[p.told%rifsKept]]--
	}
	p.rifs[p.told%rifsKept] = rif
	p.counts[rif]++
	p.told++
	if len(p.kept) == probesKept {
		p.kept = slices.Delete(p.kept, 0, 1)
	}
	p.kept = append(p.kept, x)
}

func (q *prequal) ended(i int32, how fleet.Outcome, latency int64) {
	if r := &q.e.requests[i]; how == fleet.OK {
		q.seen[r.backend].add(r.met, latency-2*q.e.hop)
	}
}

// add remembers the latency of a request that met so many others.
func (l *latencies) add(met int32, latency int64) {
	x := &l.of[min(met, levels-1)]
	x.last[x.n%medianOf] = latency
	x.n++
	x.stale = true
}

// at returns the median of the latest latencies with so many in hand, or with about as
// many.
func (l *latencies) at(rif int32) float64 {
	near := int(min(rif, levels-1))
	for d := range levels {
		for _, i := range [2]int{near - d, near + d} {
			if i >= 0 && i < levels && l.of[i].n > 0 {
				return l.median(i)
			}
		}
	}
	return unknown
}

func (l *latencies) median(i int) float64 {
	x := &l.of[i]
	if x.stale {
		sorted := x.last
		n := min(x.n, medianOf)
		slices.Sort(sorted[:n])
		x.median, x.stale = float64(sorted[n/2]), false
	}
	return x.median
}
