//go:build unix

package harness

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Window is a span of the load's time, from its start.
type Window struct{ From, To time.Duration }

// In returns the outcomes of requests that fell due in the window.
func In(all []Outcome, w Window) []Outcome {
	var in []Outcome
	for _, o := range all {
		if w.From <= o.Due && o.Due < w.To {
			in = append(in, o)
		}
	}
	return in
}

// Failed counts those that were not answered 200, by how they ended, without those on a
// proxy that was killed; own counts these.
func Failed(all []Outcome) (failed map[string]int, total, own int) {
	failed = map[string]int{}
	for _, o := range all {
		switch {
		case o.OK():
		case o.Own:
			own++
		default:
			failed[o.How()]++
			total++
		}
	}
	return failed, total, own
}

// P99 is the time that 99 of 100 answers took no longer than; 0 without answers.
func P99(all []Outcome) time.Duration {
	var took []time.Duration
	for _, o := range all {
		if o.OK() {
			took = append(took, o.Took)
		}
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[int(0.99*float64(len(took)-1))]
}

const (
	span = 250 * time.Millisecond // looked at, for whether all is as before
	near = 1.5                    // times the p99 of before is as before
)

// Normal returns how long after a moment all was as before: the end of the first span in
// which every request was answered and their p99 was at most 1.5 times that of before.
// Requests that fell due later than until are not all over yet.
func Normal(all []Outcome, after, until, before time.Duration) (took time.Duration, ok bool) {
	for from := after; from+span <= until; from += span {
		in := In(all, Window{from, from + span})
		_, failed, _ := Failed(in)
		if len(in) > 0 && failed == 0 && float64(P99(in)) <= near*float64(before) {
			return from + span - after, true
		}
	}
	return 0, false
}

// List words counts, the same each time.
func List(counts map[string]int) string {
	var all []string
	for _, how := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d x %s", counts[how], how))
	}
	return strings.Join(all, ", ")
}
