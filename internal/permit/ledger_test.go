package permit

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

const (
	work  fleet.PoolName    = "work"
	one   fleet.BackendName = "b1:80"
	two   fleet.BackendName = "b2:80"
	start fleet.Time        = 1000
)

func id(n uint64) fleet.GrantID { return fleet.GrantID{Epoch: 7, Number: n} }

// names returns the backends that an ask tells of.
func names(seen []fleet.Seen) []fleet.BackendName {
	var all []fleet.BackendName
	for _, s := range seen {
		all = append(all, s.Backend)
	}
	return all
}

func TestDoneTellsOnce(t *testing.T) {
	l := New()
	l.Granted(start, work, id(1), one, 0)
	l.Head(work, one, fleet.LoadReport{CPU: 0.5})
	seen, held := l.Done(start, id(1), fleet.OK, time.Second, true)
	if !held || seen.Backend != one || !seen.Reported || seen.Report.CPU != 0.5 || seen.InFlight != 0 {
		t.Errorf("Done = %+v, %v; want the report with it", seen, held)
	}
	if d := seen.Latency - time.Second; d < -time.Microsecond || d > time.Microsecond {
		t.Errorf("the first latency is %v, want the one that was measured", seen.Latency)
	}
	if again, held := l.Done(start, id(1), fleet.OK, time.Second, true); held || again != (fleet.Seen{}) {
		t.Errorf("a second Done = %+v, %v; the grant is over", again, held)
	}
	l.Granted(start, work, id(2), one, 0)
	if seen, _ := l.Done(start, id(2), fleet.OK, 0, true); seen.Reported {
		t.Error("a report was told twice")
	}
}

// TestErrorsWaitForWhoListens has errors happen while no controller listens.
func TestErrorsWaitForWhoListens(t *testing.T) {
	l := New()
	for n := range uint64(3) {
		l.Granted(start, work, id(n), one, 0)
	}
	for n, how := range []fleet.Outcome{fleet.Failed, fleet.Unreachable, fleet.Cancelled} {
		if seen, held := l.Done(start, id(uint64(n)), how, 0, false); !held || how.Error() && seen.Errors != 0 {
			t.Errorf("Done(%v) = %+v, %v", how, seen, held)
		}
	}
	inFlight, seen := l.Ask(work, nil)
	if inFlight != 0 || len(seen) != 1 || seen[0].Errors != 2 {
		t.Errorf("Ask = %d, %+v; want the two errors of one backend", inFlight, seen)
	}
	if _, seen := l.Ask(work, nil); len(seen) != 0 {
		t.Errorf("the next ask tells %+v again", seen)
	}
	// An error whose Done was told is in the Done's outcome, and is not told once more.
	l.Granted(start, work, id(9), one, 0)
	if seen, _ := l.Done(start, id(9), fleet.Failed, 0, true); seen.Errors != 0 {
		t.Errorf("a Done that was told carries %d errors besides", seen.Errors)
	}
	if _, seen := l.Ask(work, nil); len(seen) != 0 {
		t.Errorf("an error that was told is told again: %+v", seen)
	}
}

func TestAskTellsABoundedNumber(t *testing.T) {
	l := New()
	var all []fleet.BackendName
	for i := range maxSeen + 5 {
		b := fleet.BackendName(string(rune('A' + i)))
		all = append(all, b)
		l.Head(work, b, fleet.LoadReport{CPU: 1})
		l.Head(work, b, fleet.LoadReport{CPU: 2}) // in place of the first
	}
	scratch := make([]fleet.Seen, 0, maxSeen)
	_, first := l.Ask(work, scratch)
	if got := names(first); !slices.Equal(got, all[:maxSeen]) || first[0].Report.CPU != 2 {
		t.Errorf("the first ask tells of %v, want the oldest %d with their newest report", got, maxSeen)
	}
	_, rest := l.Ask(work, nil)
	if got := names(rest); !slices.Equal(got, all[maxSeen:]) {
		t.Errorf("the second ask tells of %v, want %v", got, all[maxSeen:])
	}
	if n, none := l.Ask("other", nil); n != 0 || len(none) != 0 {
		t.Errorf("an ask for another pool tells %d, %v", n, none)
	}
}

func TestLatencyIsAGeometricMean(t *testing.T) {
	l := New()
	mean := 0.0
	random := rand.New(rand.NewPCG(1, 2))
	for n := range uint64(200) {
		took := time.Duration(1+random.IntN(1000)) * time.Millisecond
		l.Granted(start, work, id(n), one, 0)
		seen, _ := l.Done(start, id(n), fleet.OK, took, true)
		mean += max(latencyRate, 1/float64(n+1)) * (math.Log(took.Seconds()) - mean)
		want := time.Duration(math.Exp(mean) * 1e9)
		if d := seen.Latency - want; d < -time.Microsecond || d > time.Microsecond {
			t.Fatalf("after %d latencies the mean is %v, want %v", n+1, seen.Latency, want)
		}
	}
	before, _ := doneOnce(l, 1000, fleet.OK, 0)
	for n, how := range []fleet.Outcome{fleet.Failed, fleet.Unreachable, fleet.Cancelled, fleet.Unused, fleet.Revoked} {
		if after, _ := doneOnce(l, uint64(1001+n), how, time.Hour); after.Latency != before.Latency {
			t.Errorf("%v moves the latency to %v", how, after.Latency)
		}
	}
}

func doneOnce(l *Ledger, n uint64, how fleet.Outcome, took time.Duration) (fleet.Seen, bool) {
	l.Granted(start, work, id(n), one, 0)
	return l.Done(start, id(n), how, took, true)
}

// TestReconnected shows what a controller that knows nothing is told again.
func TestReconnected(t *testing.T) {
	l := New()
	doneOnce(l, 1, fleet.OK, time.Second)
	l.Granted(start, work, id(2), two, 0) // nothing was seen of it yet
	if _, seen := l.Ask(work, nil); len(seen) != 0 {
		t.Fatalf("before that an ask tells %+v", seen)
	}
	l.Reconnected(work)
	l.Reconnected(work)
	inFlight, seen := l.Ask(work, nil)
	if inFlight != 1 || len(seen) != 1 || seen[0].Backend != one || seen[0].Latency == 0 || seen[0].Errors != 0 {
		t.Errorf("Ask = %d, %+v; want the latency of %s, once", inFlight, seen, one)
	}
}

func TestSweep(t *testing.T) {
	l := New()
	doneOnce(l, 1, fleet.OK, time.Second)
	l.Granted(start, work, id(2), two, 0)
	l.Head("reports", "b3:80", fleet.LoadReport{})
	late := start.Add(unusedAfter + 1)
	l.Sweep(start.Add(unusedAfter))
	if l.pools[work].backends[one] == nil {
		t.Errorf("%s was forgotten after %v, not more", one, unusedAfter)
	}
	l.Sweep(late)
	p := l.pools[work]
	if p == nil || p.backends[one] != nil || p.backends[two] == nil {
		t.Errorf("after a sweep %v is known; want the backend with a grant, and no other", p)
	}
	if l.pools["reports"] == nil {
		t.Error("what was not told yet was forgotten")
	}
	l.Ask("reports", nil)
	l.Done(late, id(2), fleet.OK, 0, true)
	l.Sweep(late.Add(unusedAfter + 1))
	if len(l.pools) != 0 {
		t.Errorf("%d pools are known after all was swept", len(l.pools))
	}
	if n, seen := l.Ask(work, nil); n != 0 || len(seen) != 0 {
		t.Errorf("after that, Ask = %d, %v", n, seen)
	}
}

func TestExpired(t *testing.T) {
	l := New()
	l.Granted(start, work, id(3), one, 2*time.Second)
	l.Granted(start, work, id(1), one, time.Second)
	l.Granted(start, work, id(2), two, 0)
	for _, c := range []struct {
		after time.Duration
		want  []fleet.GrantID
	}{
		{time.Second - 1, nil}, {time.Second, []fleet.GrantID{id(1)}},
		{2 * time.Second, []fleet.GrantID{id(3), id(1)}}, {time.Hour, []fleet.GrantID{id(3), id(1)}},
	} {
		if got := l.Expired(start.Add(c.after)); !slices.Equal(got, c.want) {
			t.Errorf("after %v the expired are %v, want %v in the order in which they came", c.after, got, c.want)
		}
	}
	if l.InFlight() != 3 {
		t.Errorf("%d in flight; to be expired is not to be over", l.InFlight())
	}
}
