package permit

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

const three fleet.BackendName = "b3:80"

func choosable(name fleet.BackendName, labels ...string) Choosable {
	return Choosable{BackendSpec: fleet.BackendSpec{Name: name, Labels: labels}}
}

// chooses checks whom the next requests get.
func chooses(t *testing.T, l *Local, now fleet.Time, want ...fleet.BackendName) {
	t.Helper()
	for i, w := range want {
		if got, ok := l.Choose(now, nil, nil); !ok || got != w {
			t.Fatalf("choice %d is %q, %v; want %q", i+1, got, ok, w)
		}
	}
}

// serve has a backend serve a request that somebody else gave it.
func serve(l *Local, now fleet.Time, b fleet.BackendName, how fleet.Outcome, took time.Duration) {
	l.Began(now, b)
	l.Done(now, b, how, took)
}

func TestLocalTakesTurnsAmongEqualOnes(t *testing.T) {
	l := NewLocal()
	l.SetBackends([]Choosable{choosable(one), choosable(two), choosable(three), choosable(two)})
	chooses(t, l, start, one, two, three, one, two, three)
	l.Done(start, two, fleet.OK, 0)
	l.Done(start, one, fleet.OK, 0)
	chooses(t, l, start, one, two) // one was not chosen for longer
}

func TestLocalGoesByLoadAndSpeed(t *testing.T) {
	l := NewLocal()
	l.SetBackends([]Choosable{choosable(one), choosable(two)})
	serve(l, start, one, fleet.OK, 10*time.Millisecond)
	serve(l, start, two, fleet.OK, 29*time.Millisecond)
	// 1*10 < 1*29, 2*10 < 29, 3*10 > 29, 3*10 < 2*29
	chooses(t, l, start, one, one, two, one)
}

func TestLocalHeedsWeights(t *testing.T) {
	l := NewLocal()
	heavy := choosable(one)
	heavy.Weight = 3
	l.SetBackends([]Choosable{heavy, choosable(two)})
	n := map[fleet.BackendName]int{}
	for range 40 {
		b, _ := l.Choose(start, nil, nil)
		n[b]++
	}
	if n[one] != 30 {
		t.Errorf("the choices are %v, want 30 to 10", n)
	}
}

// TestLocalAndUnknownBackends: one that nobody has measured goes a little before the
// average, and as the controller says where it says something.
func TestLocalAndUnknownBackends(t *testing.T) {
	l := NewLocal()
	hinted := choosable(three)
	hinted.Latency = 50 * time.Millisecond
	l.SetBackends([]Choosable{choosable(one), choosable(two), hinted})
	serve(l, start, one, fleet.OK, 100*time.Millisecond)
	chooses(t, l, start, three, two) // 50, 100/e^0.2 = 82, 100
	serve(l, start, three, fleet.OK, time.Second)
	chooses(t, l, start, one) // what was seen goes before what was said
	l = NewLocal()
	l.SetBackends([]Choosable{choosable(one), hinted})
	chooses(t, l, start, one, three) // 50/e^0.2 = 41 of what is hinted at, 50
}

func TestLocalRefuses(t *testing.T) {
	l := NewLocal()
	if _, ok := l.Choose(start, nil, nil); ok || l.Refusal(nil, nil) != fleet.NoBackend {
		t.Errorf("nobody was chosen from: %v, %v", ok, l.Refusal(nil, nil))
	}
	l.SetBackends([]Choosable{choosable(one, "gpu=a", "os=x"), choosable(two, "gpu=b"), choosable(three)})
	for _, c := range []struct {
		exclude []fleet.BackendName
		labels  []string
		want    fleet.BackendName
		why     fleet.Reason
	}{
		{nil, []string{"gpu=b"}, two, 0},
		{nil, []string{"gpu=a", "os=x"}, one, 0},
		{nil, []string{"os=x"}, one, 0},
		{nil, []string{"gpu=b", "os=x"}, "", fleet.NoMatch},
		{nil, []string{"gpu=c"}, "", fleet.NoMatch},
		{[]fleet.BackendName{one}, []string{"os=x"}, "", fleet.AllExcluded},
		{[]fleet.BackendName{one, two}, nil, three, 0},
		{[]fleet.BackendName{one, two, three}, nil, "", fleet.AllExcluded},
	} {
		got, ok := l.Choose(start, c.exclude, c.labels)
		if got != c.want || ok != (c.want != "") || !ok && l.Refusal(c.exclude, c.labels) != c.why {
			t.Errorf("without %v, with %v: %q, %v, %v; want %q, %v",
				c.exclude, c.labels, got, ok, l.Refusal(c.exclude, c.labels), c.want, c.why)
		}
	}
}

// TestLocalRestsWhatFails: one that fails fast is passed by for longer and longer.
func TestLocalRestsWhatFails(t *testing.T) {
	l := NewLocal()
	l.SetBackends([]Choosable{choosable(one), choosable(two)})
	serve(l, start, one, fleet.OK, time.Millisecond)
	serve(l, start, two, fleet.OK, time.Second)
	l.Began(start, one) // so that they are not idle
	l.Began(start, two)
	now, rest := start, 100*time.Millisecond
	for n := range 12 {
		serve(l, now, one, fleet.Failed, 0)
		serve(l, now, one, fleet.Unreachable, 0) // from before, so it prolongs nothing
		chooses(t, l, now.Add(rest-1), two)
		l.Done(now.Add(rest-1), two, fleet.OK, 0)
		now = now.Add(rest)
		chooses(t, l, now, one)
		l.Done(now, one, fleet.Cancelled, time.Hour) // which says nothing
		if n < maxRests-1 {
			rest *= 2
		}
	}
	if rest != 12800*time.Millisecond {
		t.Errorf("it rests for %v at most, want 12.8 s", rest)
	}
	serve(l, now, one, fleet.OK, 0)
	serve(l, now, one, fleet.Failed, 0)
	chooses(t, l, now.Add(100*time.Millisecond), one) // not in a row any more
	// When everyone rests, the best of them is chosen.
	serve(l, now, one, fleet.Failed, 0)
	serve(l, now, two, fleet.Failed, 0)
	chooses(t, l, now, one)
}

func TestLocalKeepsWhatItLearntOfThoseWhoComeBack(t *testing.T) {
	l := NewLocal()
	both := []Choosable{choosable(one), choosable(two)}
	l.SetBackends(both)
	serve(l, start, one, fleet.OK, time.Second)
	serve(l, start, two, fleet.OK, 10*time.Millisecond)
	chooses(t, l, start, two)
	l.SetBackends(both[:1])
	chooses(t, l, start, one)
	l.SetBackends(both)
	if n := l.InFlight(two); n != 1 {
		t.Errorf("%d in flight at %s, want 1", n, two)
	}
	chooses(t, l, start, two)
	l.SetBackends(nil)
	if l.Sweep(start.Add(time.Hour)) {
		t.Error("requests in flight were forgotten")
	}
	for _, b := range []fleet.BackendName{one, two, two, two, "never:1"} { // one more than there were
		l.Done(start, b, fleet.OK, 0)
	}
	if l.Sweep(start.Add(unusedAfter)) || !l.Sweep(start.Add(unusedAfter+1)) {
		t.Error("what was unused for long is to be forgotten, and nothing before")
	}
}

// TestLocalTriesASlowOneAgain: who was slow once is not passed by for ever.
func TestLocalTriesASlowOneAgain(t *testing.T) {
	l := NewLocal()
	l.SetBackends([]Choosable{choosable(one), choosable(two)})
	serve(l, start, one, fleet.OK, 10*time.Second)
	for n := range 1000 {
		now := start.Add(time.Duration(n) * 100 * time.Millisecond)
		b, _ := l.Choose(now, nil, nil)
		l.Done(now, b, fleet.OK, time.Duration(9+n%3)*time.Millisecond)
		if b == one {
			return
		}
	}
	t.Error("one slow answer kept a backend idle for 100 s")
}

func TestLocalLearnsAGeometricMean(t *testing.T) {
	l := NewLocal()
	l.SetBackends([]Choosable{choosable(one)})
	mean := 0.0
	for n := range 100 {
		took := time.Duration(1+n*n%97) * time.Millisecond
		serve(l, start, one, fleet.OK, took)
		mean += max(0.05, 1/float64(n+1)) * (math.Log(took.Seconds()) - mean)
	}
	if got := l.known[one].speed; math.Abs(got-mean) > 1e-9 {
		t.Errorf("the mean is %g, want %g", got, mean)
	}
}

// BenchmarkLocal is one request: a choice among n, and its end.
func BenchmarkLocal(b *testing.B) {
	for _, n := range []int{10, 100, 300, 1000} {
		l, all := crowd(n)
		b.Run(fmt.Sprint("choose/", n), func(b *testing.B) {
			b.ReportAllocs()
			now := start
			for b.Loop() {
				now++
				name, _ := l.Choose(now, nil, nil)
				l.known[name].inFlight-- // without what Done costs
			}
		})
		b.Run(fmt.Sprint("request/", n), func(b *testing.B) {
			b.ReportAllocs()
			now := start
			for b.Loop() {
				now = now.Add(time.Microsecond)
				name, _ := l.Choose(now, nil, nil)
				l.Done(now, name, fleet.OK, time.Millisecond)
			}
		})
		b.Run(fmt.Sprint("exclude/", n), func(b *testing.B) {
			b.ReportAllocs()
			exclude := []fleet.BackendName{all[0].Name}
			for b.Loop() {
				name, _ := l.Choose(start, exclude, nil)
				l.Done(start, name, fleet.OK, 0)
			}
		})
	}
}

// crowd returns a Local that has learnt of n backends.
func crowd(n int) (*Local, []Choosable) {
	var all []Choosable
	for i := range n {
		all = append(all, choosable(fleet.BackendName(fmt.Sprintf("10.0.%d.%d:80", i/250, i%250))))
	}
	l := NewLocal()
	l.SetBackends(all)
	for i, c := range all {
		for range 1 + i%4 {
			serve(l, start, c.Name, fleet.OK, time.Duration(1+i%17)*time.Millisecond)
		}
		for range i % 4 {
			l.Began(start, c.Name)
		}
	}
	return l, slices.Clone(all)
}

func TestChoosingAllocatesNothing(t *testing.T) {
	l, all := crowd(100)
	exclude := []fleet.BackendName{all[3].Name}
	if n := testing.AllocsPerRun(100, func() {
		name, _ := l.Choose(start, exclude, nil)
		l.Done(start, name, fleet.OK, time.Millisecond)
	}); n != 0 {
		t.Errorf("a request allocates %g times", n)
	}
}
