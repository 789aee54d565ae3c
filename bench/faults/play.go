//go:build unix

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/faults/harness"
)

// row is what one fault did at one load.
type row struct {
	fault                 string
	share                 float64
	requests, failed, own int
	how                   map[string]int
	most                  int
	normal                time.Duration // until all was as before
	never                 bool          // it was not, within the limit
	before, during, after time.Duration // p99
	skipped               string        // why it was not played
}

// repeated plays a fault as often as asked for, each time with a fleet of its own.
func repeated(o options, fault harness.Fault, share float64, progress io.Writer) (row, error) {
	var all []row
	for i := range o.repeat {
		fmt.Fprintf(progress, "%s, load %.0f %% ...\n", fault.Name, 100*share)
		r, err := play(o, fault, share, uint64(i+1))
		if err != nil || r.skipped != "" {
			return r, err
		}
		all = append(all, r)
	}
	return together(all), nil
}

// together makes one row of several: medians of times, sums of requests.
func together(all []row) row {
	r := row{fault: all[0].fault, share: all[0].share, how: map[string]int{}}
	never := 0
	for _, x := range all {
		r.requests += x.requests
		r.failed += x.failed
		r.own += x.own
		r.most = max(r.most, x.most)
		for how, n := range x.how {
			r.how[how] += n
		}
		if x.never {
			never++
		}
	}
	r.never = 2*never > len(all)
	r.before = median(all, func(x row) time.Duration { return x.before })
	r.during = median(all, func(x row) time.Duration { return x.during })
	r.after = median(all, func(x row) time.Duration { return x.after })
	r.normal = median(all, func(x row) time.Duration { return x.normal })
	return r
}

func median(all []row, of func(row) time.Duration) time.Duration {
	var times []time.Duration
	for _, x := range all {
		times = append(times, of(x))
	}
	slices.SortFunc(times, cmp.Compare)
	return times[(len(times)-1)/2]
}

// play breaks one thing under load, mends it, and goes on until all is as before.
func play(o options, fault harness.Fault, share float64, seed uint64) (row, error) {
	r := row{fault: fault.Name, share: share}
	fleet := o.fleet
	if fault.Needs == harness.Standby {
		fleet.Controllers = 3
	}
	fleet.Direct = fault.Needs != harness.Relays && fault.Needs != harness.Standby
	fleet.Namespaces = fault.Needs == harness.Spaces
	skipped, err := harness.Outside(func(t testing.TB) { r.measure(t, o, harness.New(t, fleet), fault, seed) })
	r.skipped = skipped
	return r, err
}

// measure is one run.
func (r *row) measure(t testing.TB, o options, f *harness.Fleet, fault harness.Fault, seed uint64) {
	l := f.Load(r.share*f.Capacity(o.mean), o.mean, seed)
	l.For(o.before)
	began := l.Now()
	before := harness.Window{From: time.Second, To: began}
	r.before = harness.P99(harness.In(l.Outcomes(), before))
	fault.Begin(f)
	l.For(fault.Long)
	ended := l.Now()
	fault.End(f)
	for l.For(time.Second); l.Now()-ended < o.limit; l.For(time.Second) {
		if took, ok := harness.Normal(l.Outcomes(), ended, l.Now()-time.Second, r.before); ok && l.Now() > ended+took+3*time.Second {
			break
		}
	}
	stopped := l.Now()
	all := l.Stop()
	r.requests, r.most = len(all), f.Most()
	r.how, r.failed, r.own = harness.Failed(all)
	took, ok := harness.Normal(all, ended, stopped, r.before)
	r.normal, r.never = took, !ok
	if !ok {
		r.normal = o.limit
	}
	r.during = harness.P99(harness.In(all, harness.Window{From: began, To: ended}))
	r.after = harness.P99(harness.In(all, harness.Window{From: ended + took, To: stopped}))
	f.Await()
	f.AwaitIdle()
	if t.Failed() {
		t.Fatal(errors.New("the run is worth nothing"))
	}
}
