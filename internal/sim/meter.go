package sim

import (
	"math/bits"
	"time"
)

// histogram counts times in bins that are 1/256 of their power of two wide, so that a
// percentile is off by 0.2 % at most.
type histogram struct {
	bins  [50 << binBits]uint32 // up to 2^57 ns, which is four years
	total int
	sum   float64
}

const binBits = 8

func binOf(d int64) int {
	d = max(d, 0)
	if d < 1<<binBits {
		return int(d)
	}
	shift := bits.Len64(uint64(d)) - binBits - 1
	return shift<<binBits + int(d>>shift)
}

func (h *histogram) add(d int64) {
	h.bins[min(binOf(d), len(h.bins)-1)]++
	h.total++
	h.sum += float64(d)
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.bins {
		h.bins[i] += n
	}
	h.total += o.total
	h.sum += o.sum
}

// quantile returns the middle of the bin in which the q-th part ends.
func (h *histogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := int(q * float64(h.total))
	for i, n := range h.bins {
		if rank < int(n) {
			if i < 2<<binBits {
				return time.Duration(i)
			}
			shift := i>>binBits - 1
			low := int64(i-shift<<binBits) << shift
			return time.Duration(low + 1<<shift/2)
		}
		rank -= int(n)
	}
	return 0
}

func (h *histogram) mean() time.Duration {
	if h.total == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.total))
}

// part meters some of the requests.
type part struct {
	requests, refused int
	took              histogram
}

func (p *part) merge(o *part) {
	p.requests += o.requests
	p.refused += o.refused
	p.took.merge(&o.took)
}

func (p *part) result() Part {
	return Part{
		Requests: p.requests, Served: p.took.total, Refused: p.refused,
		Mean: p.took.mean(), P99: p.took.quantile(.99),
	}
}

// meter is what is measured in a run.
type meter struct {
	requests, failed, refused, timedOut, moved, fromHand int

	took, excess histogram
	most         int32
	bound        int     // the most that the policy allowed a backend, as far as was looked
	good         int     // served while it was measured, in their client's time
	work         float64 // of these
	span         float64 // how long that was, times the capacity
	mixes        []part  // by the scenario's mix; only where there is more than one
	violation    string
}

func (m *meter) merge(o *meter) {
	m.requests += o.requests
	m.failed += o.failed
	m.refused += o.refused
	m.timedOut += o.timedOut
	m.moved += o.moved
	m.fromHand += o.fromHand
	m.took.merge(&o.took)
	m.excess.merge(&o.excess)
	m.most = max(m.most, o.most)
	m.bound = max(m.bound, o.bound)
	m.good += o.good
	m.work += o.work
	m.span += o.span
	for i := range m.mixes {
		m.mixes[i].merge(&o.mixes[i])
	}
	if m.violation == "" {
		m.violation = o.violation
	}
}
