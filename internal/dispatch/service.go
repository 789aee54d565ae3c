package dispatch

import (
	"math"
	"time"
)

// service is how long the pool's requests take of late, as a histogram of the logarithm.
type service struct {
	counts  [buckets]float64
	total   float64
	samples uint64
	median  time.Duration // as of the last look
	p99     time.Duration
}

const (
	buckets       = 320
	perOctaveBits = 3
	leastBucket   = (1023 - 20) << perOctaveBits // two to the power of -20 seconds: a microsecond
	lookEvery     = 64                           // answers between looks
	halveEvery    = 4096
	sureFrom      = 100 // answers before anything is said
)

// add takes one latency in. The buckets are eight to an octave, straight between its ends:
// the exponent and the first bits of the fraction, so that no logarithm is needed.
func (s *service) add(seconds float64) {
	at := int(math.Float64bits(seconds)>>(52-perOctaveBits)) - leastBucket
	s.counts[min(max(at, 0), buckets-1)]++
	s.total++
	s.samples++
	if s.samples%halveEvery == 0 {
		for i := range s.counts {
			s.counts[i] /= 2
		}
		s.total /= 2
	}
	if s.samples%lookEvery == 0 && s.samples >= sureFrom {
		s.median, s.p99 = s.quantile(0.5), s.quantile(0.99)
	}
}

func (s *service) quantile(q float64) time.Duration {
	left := q * s.total
	for i, n := range s.counts {
		if left -= n; left <= 0 {
			return seconds(math.Float64frombits(uint64(i+1+leastBucket) << (52 - perOctaveBits)))
		}
	}
	return 0
}

// typical returns how long half of the requests take; 0: not known.
func (s *service) typical() time.Duration { return s.median }

// longest returns how long 99 % of the requests take; 0: not known.
func (s *service) longest() time.Duration { return s.p99 }
