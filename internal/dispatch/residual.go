package dispatch

import "math"

// residual is what the pool's requests have still to run, by how long they have run: the
// median of the rest, learnt from latencies of late. Both are in units of the backend's
// learnt latency, so that all backends teach the same curve.
//
// Service times differ most in this. If they are exponential, age says nothing of the
// rest; if they are all alike, the rest is what is missing; if their tail is heavy, who
// has run for long is the likelier to run on. A rule that assumes one of these is wrong
// for the others.
type residual struct {
	counts  [residues]float64 // of latencies, by quarter octaves
	total   float64
	samples uint64
	left    [residues]float64 // the median of the rest, at the lower end of each bucket
	known   bool
}

const (
	residues     = 64
	residueBits  = 2                         // four buckets to an octave, straight between its ends
	residueLeast = (1023 - 6) << residueBits // the first: two to the power of -6
	residueLook  = 256
	residueHalve = 8192
	residueTotal = 16 // answers, weighed, from which a curve is drawn
)

// bucket returns where a latency belongs, as a multiple of the learnt one.
func (r *residual) bucket(multiple float64) int {
	// The exponent and the first bits of the fraction, so that no logarithm is needed.
	at := int(math.Float64bits(max(multiple, 0))>>(52-residueBits)) - residueLeast
	return min(max(at, 0), residues-1)
}

// end is the upper end of a bucket.
func end(bucket int) float64 {
	return math.Float64frombits(uint64(bucket+1+residueLeast) << (52 - residueBits))
}

// add takes a latency in.
func (r *residual) add(multiple float64) {
	r.counts[r.bucket(multiple)]++
	r.total++
	r.samples++
	if r.samples%residueHalve == 0 {
		for i := range r.counts {
			r.counts[i] /= 2
		}
		r.total /= 2
	}
	if r.samples%residueLook == 0 {
		r.draw()
	}
}

// draw makes the curve. Where hardly anybody gets that old, the rest is taken to be as the
// age, as with a heavy tail.
func (r *residual) draw() {
	r.known = true
	at, before := 0, 0.0 // the bucket up to which half of those above have ended, and all below it
	ended := 0.0
	for young := range r.counts {
		age, above := end(young-1), r.total-ended
		for at < residues-1 && before+r.counts[at] < ended+above/2 {
			before += r.counts[at]
			at++
		}
		if above < residueTotal {
			r.left[young] = age
		} else {
			part := 0.5 // of the bucket, as if they ended evenly in it
			if r.counts[at] > 0 {
				part = min(max((ended+above/2-before)/r.counts[at], 0), 1)
			}
			from := end(at - 1)
			r.left[young] = max(from+part*(end(at)-from)-age, age/residues)
		}
		ended += r.counts[young]
	}
}

// rest returns for how long a request runs on, in units of the backend's learnt latency.
func (r *residual) rest(age float64) float64 {
	if !r.known {
		return 1 + age
	}
	return r.left[r.bucket(age)]
}
