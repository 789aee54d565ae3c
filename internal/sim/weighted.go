package sim

import "github.com/fairlead/fairlead/internal/fleet"

// weighted is weighted round robin by what backends report each second: a weight is
// requests over utilization, errors taken off, and each proxy goes round by itself with a
// static stride (gRPC's weighted_round_robin, proposal A58).
type weighted struct {
	silent
	e       *engine
	weights []float64 // the latest, in requests per time at full use; 0: none yet
	strides []uint64  // of these, the highest is maxStride
	turn    []uint64  // by proxy
}

const maxStride = 1<<16 - 1

func newWeighted(e *engine) *weighted {
	w := &weighted{
		e: e, weights: make([]float64, len(e.backends)), strides: make([]uint64, len(e.backends)),
		turn: make([]uint64, len(e.proxies)),
	}
	for v := range w.strides {
		w.strides[v] = maxStride
	}
	for p := range w.turn {
		w.turn[p] = e.policy.Uint64N(maxStride * uint64(len(e.backends)))
	}
	return w
}

// reported takes a weight in. Half a round trip is nothing to a report's second, so the
// proxies have it at once.
func (w *weighted) reported(v int32, load fleet.LoadReport) {
	use := load.CPU
	if load.RPS > 0 {
		use += load.EPS / load.RPS
	}
	if use <= 0 || load.RPS <= 0 {
		return
	}
	w.weights[v] = load.RPS / use
	w.scale()
}

// scale brings the strides up to date. A backend without a weight gets the mean of the
// others.
func (w *weighted) scale() {
	most, sum, n := 0.0, 0.0, 0.0
	for _, x := range w.weights {
		if x > 0 {
			most, sum, n = max(most, x), sum+x, n+1
		}
	}
	for v, x := range w.weights {
		if x == 0 {
			x = sum / n
		}
		w.strides[v] = max(1, uint64(x/most*maxStride))
	}
}

func (w *weighted) arrive(i int32) {
	r := &w.e.requests[i]
	of := w.e.candidates(r)
	if len(of) == 0 {
		w.e.refuse(i)
		return
	}
	for turn := &w.turn[r.proxy]; ; {
		*turn++
		n := uint64(len(of))
		v := of[*turn%n]
		stride := w.strides[v]
		// One with the highest stride is taken in each round, the others as often as their
		// stride allows, and not all of them in the same rounds.
		offset := uint64(v) * maxStride / 2
		if (stride*(*turn/n)+offset)%maxStride >= maxStride-stride {
			w.e.send(i, v)
			return
		}
	}
}

func (w *weighted) ended(int32, fleet.Outcome, int64) {}
