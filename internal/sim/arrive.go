package sim

import (
	"math"
	"math/rand/v2"
	"sort"
)

// source draws requests, one after the other. Two of the same seed draw the same, whatever
// the policies make of them.
type source struct {
	plan    *plan
	arrival *rand.Rand
	service *rand.Rand
	left    int
	next    int     // in the trace
	now     float64 // of the last arrival

	sums   []float64 // rising weights of the proxies, bursts included
	high   []bool    // by proxy; or one for all
	change []float64 // when that changes
	first  float64   // the earliest of change
}

// drawn is what was drawn of one request.
type drawn struct {
	at    int64
	work  float64
	luck  float64 // 0 to 1: below a backend's error rate it fails there
	proxy int32
	mix   int32
	flow  int32
	key   int32 // of affinity; -1: none
}

func newSource(p *plan, seed uint64) *source {
	s := &source{
		plan: p, arrival: stream(seed, 1), service: stream(seed, 2),
		left: p.s.Warmup + p.s.Requests, sums: p.weights, first: math.Inf(1),
	}
	b := p.s.Arrivals.Burst
	if len(p.s.Arrivals.Trace) > 0 {
		s.left = min(s.left, len(p.s.Arrivals.Trace))
		return s
	}
	if b.High == 0 {
		return s
	}
	n := 1
	if b.EachProxyOnItsOwn {
		n = len(p.weights)
	}
	s.high, s.change = make([]bool, n), make([]float64, n)
	for i := range n {
		// It begins as it is on average, so that there is nothing to warm up.
		s.high[i] = s.arrival.Float64() < float64(b.HighFor)/float64(b.HighFor+b.LowFor)
		s.draw(i)
	}
	s.weigh()
	return s
}

// stream returns one of a seed's independent streams of random numbers.
func stream(seed, of uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, of)) }

// draw draws when the i-th burst state changes next.
func (s *source) draw(i int) {
	mean := s.plan.s.Arrivals.Burst.LowFor
	if s.high[i] {
		mean = s.plan.s.Arrivals.Burst.HighFor
	}
	s.change[i] = s.now + float64(mean)*s.arrival.ExpFloat64()
}

// weigh brings what is derived of the burst states up to date.
func (s *source) weigh() {
	b := s.plan.s.Arrivals.Burst
	s.first = s.change[0]
	for _, at := range s.change {
		s.first = min(s.first, at)
	}
	sums, last, sum := make([]float64, len(s.plan.weights)), 0.0, 0.0
	if len(s.sums) == len(sums) && &s.sums[0] != &s.plan.weights[0] {
		sums = s.sums
	}
	for i, w := range s.plan.weights {
		times := b.Low
		if s.high[min(i, len(s.high)-1)] {
			times = b.High
		}
		sum += (w - last) * times
		last, sums[i] = w, sum
	}
	s.sums = sums
}

// take draws the next request; false: there is none.
func (s *source) take() (drawn, bool) {
	if s.left == 0 {
		return drawn{}, false
	}
	s.left--
	var d drawn
	if trace := s.plan.s.Arrivals.Trace; len(trace) > 0 {
		d.at = int64(trace[s.next])
	} else {
		s.pass()
		d.at = int64(s.now)
	}
	d.proxy = int32(pickSum(s.sums, s.arrival.Float64()*s.sums[len(s.sums)-1]))
	s.kind(&d)
	s.next++
	return d, true
}

// pass goes on to the next arrival. An exponential time has no memory, so it is drawn
// anew where the rate changes.
func (s *source) pass() {
	for {
		rate := s.plan.rate * s.sums[len(s.sums)-1]
		at := math.Inf(1)
		if rate > 0 {
			at = s.now + s.arrival.ExpFloat64()/rate
		}
		if at <= s.first {
			s.now = at
			return
		}
		s.now = s.first
		for i := range s.change {
			if s.change[i] <= s.now {
				s.high[i] = !s.high[i]
				s.draw(i)
			}
		}
		s.weigh()
	}
}

// kind draws what the request is.
func (s *source) kind(d *drawn) {
	p := s.plan
	if len(p.mixes) > 1 {
		x := s.service.Float64()
		for p.mixes[d.mix].upTo < x && int(d.mix) < len(p.mixes)-1 {
			d.mix++
		}
	}
	m := &p.mixes[d.mix]
	if len(m.flows) > 1 {
		d.flow = int32(pickSum(m.flows, s.service.Float64()))
	}
	d.key = -1
	if m.Affinity > 0 {
		d.key = s.service.Int32N(int32(m.Affinity))
	}
	d.luck = s.service.Float64()
	if sizes := p.s.Arrivals.Sizes; len(sizes) > 0 {
		d.work = float64(sizes[s.next])
	} else {
		d.work = p.work(s.service) * m.Work
	}
}

// pickSum returns the first of rising sums that is above x.
func pickSum(sums []float64, x float64) int {
	if len(sums) == 1 {
		return 0
	}
	i := sort.Search(len(sums), func(i int) bool { return sums[i] > x })
	return min(i, len(sums)-1)
}
