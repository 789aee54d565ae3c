package backend

import (
	"math"
	"unicode/utf8"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// Names in Load.Named that the controller reads.
const (
	// InFlight is how many requests the backend has in hand, from wherever they came.
	InFlight = "in_flight"
	// Load1 is the host's run queue, averaged over the last minute.
	Load1 = "load1"
)

// Load is what a backend says of itself. The fields mean what those of ORCA mean (Open
// Request Cost Aggregation). A value that is negative, infinite or not a number counts
// as not said. Of either map at most 128 names are sent, of at most 128 bytes of UTF-8.
type Load struct {
	CPU         float64 // 1 is all of the host; 0: not said
	Memory      float64 // 0 to 1; 0: not said
	Application float64 // 1 is all that the backend can do; 0: not said

	RPS float64 // requests a second; 0: as Handler and Begin count
	EPS float64 // of these failed; 0: as Handler and Begin count

	Utilization map[string]float64 // 0 to 1, by resource, such as "gpu"
	// Named has values of any unit. InFlight is filled in from what Handler and Begin
	// count, where they are used and it is not given.
	Named map[string]float64
}

// Bounds that keep a report far below the message limit, whatever a sampler returns.
const (
	maxNames      = 128 // in either map; which of more are sent is not said
	maxNameLength = 128 // bytes
)

// clone returns a copy that shares no map with l, of usable values alone.
func (l Load) clone() Load {
	return Load{
		CPU: known(l.CPU), Memory: min(known(l.Memory), 1), Application: known(l.Application),
		RPS: known(l.RPS), EPS: known(l.EPS),
		Utilization: cloneValues(l.Utilization, 1), Named: cloneValues(l.Named, math.MaxFloat64),
	}
}

func known(v float64) float64 {
	if !usable(v) {
		return 0
	}
	return v
}

func usable(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

func cloneValues(values map[string]float64, most float64) map[string]float64 {
	clone := make(map[string]float64, min(len(values), maxNames)+1)
	for name, v := range values {
		if len(clone) >= maxNames {
			break
		}
		if name != "" && len(name) <= maxNameLength && utf8.ValidString(name) && usable(v) {
			clone[name] = min(v, most)
		}
	}
	return clone
}

func (l Load) proto() *fairleadv1.OrcaLoadReport {
	return &fairleadv1.OrcaLoadReport{
		CpuUtilization:         l.CPU,
		MemUtilization:         l.Memory,
		ApplicationUtilization: l.Application,
		RpsFractional:          l.RPS,
		Eps:                    l.EPS,
		Utilization:            l.Utilization,
		NamedMetrics:           l.Named,
	}
}

// What makes a value worth a report of its own before the interval is over.
const (
	moveShare = 0.05 // of the larger of the two
	moveLeast = 0.01 // of a utilization: half a percent of CPU and one are the same
)

// moved tells whether l differs enough from the last report for the controller to want
// to know now. slots is how many the backend has; 0: not known.
func (l Load) moved(last Load, slots int) bool {
	return movedBy(l.CPU, last.CPU, moveLeast) ||
		movedBy(l.Memory, last.Memory, moveLeast) ||
		movedBy(l.Application, last.Application, moveLeast) ||
		movedBy(l.RPS, last.RPS, 0) || movedBy(l.EPS, last.EPS, 0) ||
		anyMoved(l.Utilization, last.Utilization, moveLeast) ||
		anyMoved(l.Named, last.Named, 0) ||
		crossed(l.Named[InFlight], last.Named[InFlight], float64(slots))
}

func movedBy(a, b, least float64) bool {
	d := math.Abs(a - b)
	return d > moveShare*max(a, b) && d > least
}

func anyMoved(a, b map[string]float64, least float64) bool {
	if len(a) != len(b) {
		return true
	}
	for name, v := range a {
		w, ok := b[name]
		if !ok || movedBy(v, w, least) {
			return true
		}
	}
	return false
}

// crossed tells whether the backend became full or ceased to be: of 100 slots the last
// is only 1 % of the requests, and yet the one that counts.
func crossed(a, b, slots float64) bool {
	return slots > 0 && (a >= slots) != (b >= slots)
}
