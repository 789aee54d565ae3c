//go:build unix

// Package faults breaks the parts of a fleet of real processes, one at a time and under
// load, and counts: which requests fail, how many a backend has at once, and whether all
// is as before afterwards. What a fault may do stands in one table, harness/bounds.go.
//
// A plain run plays a few; FAIRLEAD_FAULTS=all, or make test-faults, all of them.
package faults

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
	"github.com/fairlead/fairlead/test/faults/harness"
)

func TestMain(m *testing.M) { testproc.Main(m) }

const (
	slots = 2
	mean  = 40 * time.Millisecond // of a request's work: 300 requests/s at most, which any machine carries
)

// few are played in a plain run.
var few = []string{"controller killed, restarted", "backend killed, restarted", "leading controller killed, two stand by"}

func TestFaults(t *testing.T) {
	o := options(t)
	o.Controllers, o.Direct = 1, true
	playAll(t, o, harness.Nothing)
}

// TestCuts plays cuts of the network, by relays.
func TestCuts(t *testing.T) {
	onlyAll(t)
	o := options(t)
	o.Controllers = 1
	playAll(t, o, harness.Relays)
}

// TestStandby plays what becomes of one of three controllers.
func TestStandby(t *testing.T) {
	o := options(t)
	o.Controllers = 3
	playAll(t, o, harness.Standby)
}

// TestNamespaces plays the cuts that relays cannot make: of one pair of parts, with each
// packet lost, those that connect and acknowledge too.
func TestNamespaces(t *testing.T) {
	onlyAll(t)
	o := options(t)
	o.Controllers, o.Namespaces = 1, true
	playAll(t, o, harness.Spaces)
}

func everything() bool { return os.Getenv("FAIRLEAD_FAULTS") == "all" }

func onlyAll(t *testing.T) {
	t.Helper()
	if !everything() {
		t.Skip("only with FAIRLEAD_FAULTS=all (make test-faults)")
	}
}

// playAll plays the faults that have one need, on one fleet.
func playAll(t *testing.T, o harness.Options, need harness.Need) {
	t.Helper()
	f := harness.New(t, o)
	n := 0
	for _, fault := range harness.Faults() {
		if fault.Needs != need {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			if !slices.Contains(few, fault.Name) {
				onlyAll(t)
			}
			load := 0.6
			if n++; everything() && n%2 == 0 {
				load = 0.9
			}
			play(t, f, fault, load)
		})
	}
}

func options(t *testing.T) harness.Options {
	t.Helper()
	if os.Getenv("GORACE") == "" {
		t.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	return harness.Options{
		Proxies: 3, Backends: 6, Slots: slots, Fairlead: testproc.Fairlead(t),
		Backend: testproc.Binary(t, "github.com/fairlead/fairlead/test/faults/backend"),
	}
}

// play breaks one thing under load, mends it, and holds what happened against the bound.
func play(t *testing.T, f *harness.Fleet, fault harness.Fault, load float64) {
	t.Helper()
	defer f.In(t)()
	f.Forget()
	broken := f.Backends[len(f.Backends)-1]
	wrong := broken.Wrong.Load()
	l := f.Load(load*f.Capacity(mean), mean, 1)
	l.Answers(100)
	fault.Begin(f)
	l.For(fault.Hold)
	fault.End(f)
	f.Await()
	l.Answers(200)
	all := l.Stop()
	f.AwaitIdle()
	f.EachServes()

	counts, failed, own := harness.Failed(all)
	may := fault.Bound.Failed * slots
	if fault.Bound.Wrong {
		may += int(broken.Wrong.Load() - wrong)
	}
	if failed > may {
		t.Errorf("%d requests failed, and %d may: %s", failed, may, harness.List(counts))
	}
	for how, n := range counts {
		if !slices.Contains(fault.Bound.How, how) {
			t.Errorf("%d requests ended with %q, which is none of %q", n, how, fault.Bound.How)
		}
	}
	if most := f.Most(); most > slots+fault.Bound.Beyond(slots, len(f.Proxies)) {
		t.Errorf("a backend had %d requests at once on %d slots", most, slots)
	}
	t.Logf("load %.0f %%: %d requests, %d failed (%s), %d more on a killed proxy; most in flight %d on %d slots; p99 %v",
		100*load, len(all), failed, harness.List(counts), own, f.Most(), slots, harness.P99(all).Round(time.Millisecond))
}

// TestUnfenced has controllers that neither wait for who may hold slots nor care whether
// their term is over: slots are used twice. So the tests above would see it.
func TestUnfenced(t *testing.T) {
	onlyAll(t)
	o := options(t)
	o.Controllers, o.Fairlead = 3, testproc.Tagged(t, "github.com/fairlead/fairlead/cmd/fairlead", "unfenced")
	f := harness.New(t, o)
	faults := harness.Faults()
	fault := faults[slices.IndexFunc(faults, func(x harness.Fault) bool { return x.Name == harness.CutWhileKilled })]
	l := f.Load(0.9*f.Capacity(mean), mean, 1)
	l.Answers(100)
	fault.Begin(f)
	l.For(fault.Hold)
	fault.End(f)
	f.Await()
	l.Stop()
	if most := f.Most(); most <= slots {
		t.Errorf("a backend had at most %d requests at once on %d slots, so the tests of faults show nothing about fencing", most, slots)
	} else {
		t.Logf("without fencing a backend had %d requests at once on %d slots", most, slots)
	}
}
