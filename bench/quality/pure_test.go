package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"
)

func TestLawsHaveTheirMean(t *testing.T) {
	const n = 2_000_000
	for _, name := range []string{"exp", "pareto"} {
		l, err := newLaw(name, 20*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(7, 7))
		sum, lowest, highest := 0.0, math.Inf(1), 0.0
		for range n {
			w := float64(l(random))
			sum += w
			lowest, highest = min(lowest, w), max(highest, w)
		}
		if mean := sum / n / 1e6; math.Abs(mean-20) > 0.2 {
			t.Errorf("%s: mean %.2f ms, want 20", name, mean)
		}
		if name == "pareto" && highest/lowest > paretoRange*1.001 {
			t.Errorf("pareto reaches from %.0f to %.0f, more than 1:%d", lowest, highest, paretoRange)
		}
	}
	if _, err := newLaw("normal", time.Second); err == nil {
		t.Error("an unknown law is no error")
	}
}

func TestArrivalsFollowTheSeed(t *testing.T) {
	l, err := newLaw("exp", time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	a, b, other := newArrivals(l, 1000, 3), newArrivals(l, 1000, 3), newArrivals(l, 1000, 4)
	var last time.Duration
	differ := false
	for range 100_000 {
		x := a.next()
		if y := b.next(); x != y {
			t.Fatalf("the same seed gave %v and %v", x, y)
		}
		differ = differ || x != other.next()
		if x.due < last {
			t.Fatalf("due at %v after %v", x.due, last)
		}
		last = x.due
	}
	if !differ {
		t.Error("two seeds gave the same")
	}
	if last < 98*time.Second || last > 102*time.Second {
		t.Errorf("100,000 requests at 1000 a second took %v", last)
	}
}

func TestFleetIsTheSameForAll(t *testing.T) {
	if !reflect.DeepEqual(newFleet(20, 4, 5, time.Minute), newFleet(20, 4, 5, time.Minute)) {
		t.Error("the same seed gave two fleets")
	}
	if reflect.DeepEqual(newFleet(20, 4, 5, time.Minute), newFleet(20, 4, 6, time.Minute)) {
		t.Error("two seeds gave the same fleet")
	}
}

func TestAntagonistsAreAlwaysSoMany(t *testing.T) {
	for _, c := range []struct{ backends, slow, hit int }{{20, 6, 4}, {100, 30, 20}, {3, 1, 1}, {2, 1, 0}, {1, 0, 0}} {
		const horizon = 100 * time.Second
		f := newFleet(c.backends, 4, 11, horizon)
		slow := 0
		for v, tl := range f.timelines {
			if tl.speed == slowSpeed {
				slow++
			}
			for i, h := range tl.hits {
				if d := h.to - h.from; d < hitShortest || d > hitLongest || i > 0 && h.from < tl.hits[i-1].to {
					t.Fatalf("backend %d is hit %v", v, tl.hits)
				}
			}
		}
		if slow != c.slow {
			t.Errorf("%d of %d backends are slow, want %d", slow, c.backends, c.slow)
		}
		for now := time.Duration(0); now < horizon; now += 97 * time.Millisecond {
			hit := 0
			for _, tl := range f.timelines {
				if tl.speedAt(now) < tl.speed {
					hit++
				}
			}
			if hit != c.hit {
				t.Fatalf("at %v %d of %d backends are hit, want %d", now, hit, c.backends, c.hit)
			}
		}
	}
}

func TestCapacity(t *testing.T) {
	// 14 + 6/2 backends' worth of 4 workers, of which a fifth works at a third.
	want := 17.0 * 4 * (0.8 + 0.2/3) / 0.020
	if got := newFleet(20, 4, 1, 0).capacity(20 * time.Millisecond); math.Abs(got-want) > 1e-6 {
		t.Errorf("capacity %.3f, want %.3f", got, want)
	}
}

func TestFinish(t *testing.T) {
	tl := timeline{speed: 0.5, hits: []span{{10, 40}, {50, 80}}}
	for _, c := range []struct{ from, work, want time.Duration }{
		{0, 5, 10},     // before the first
		{0, 6, 16},     // one of six is done at a sixth
		{10, 5, 40},    // exactly as long as the bad time
		{10, 6, 42},    // and a little longer
		{10, 15, 80},   // 5 in the first, 5 between, 5 in the second
		{10, 20, 90},   // through both
		{45, 1, 47},    // between them
		{100, 10, 120}, // after both
	} {
		if got := tl.finish(c.from, c.work); got != c.want {
			t.Errorf("%d of work from %d: done at %d, want %d", c.work, c.from, got, c.want)
		}
	}
}

// TestFinishAgainstSteps: the closed form is what small steps add up to.
func TestFinishAgainstSteps(t *testing.T) {
	f := newFleet(20, 4, 3, 30*time.Second)
	agrees := func(v uint8, from, work uint32) bool {
		tl := f.timelines[int(v)%len(f.timelines)]
		start, left := time.Duration(from)*5, float64(work)/2 // up to 21 s, and 2 s of work
		now := start
		const step = 100 * time.Microsecond
		for left > 0 {
			left -= tl.speedAt(now) * float64(step)
			now += step
		}
		return (tl.finish(start, time.Duration(work)/2) - now).Abs() <= 30*step
	}
	if err := quick.Check(agrees, &quick.Config{MaxCount: 200}); err != nil {
		t.Error(err)
	}
}

func TestBackendServesInOrder(t *testing.T) {
	epoch := time.Now()
	v := &backend{timeline: timeline{speed: 1}, free: make([]time.Duration, 2)}
	if _, err := v.arrive(epoch, time.Second); err == nil {
		t.Error("work before the load has begun is no error")
	}
	v.epoch = epoch
	for i, want := range []time.Duration{3, 5, 4, 6} { // the third and fourth wait
		done, err := v.arrive(epoch, []time.Duration{3, 5, 1, 2}[i]*time.Second)
		if err != nil || done.Sub(epoch) != want*time.Second {
			t.Errorf("request %d is done after %v (%v), want %v s", i, done.Sub(epoch), err, want)
		}
	}
	v.leave()
	if v.inFlight != 3 || v.most != 4 {
		t.Errorf("%d in flight, at most %d; want 3 and 4", v.inFlight, v.most)
	}
}

// TestIdealMeetsErlangC: without slow backends it is a queue with a known formula.
func TestIdealMeetsErlangC(t *testing.T) {
	const servers, rho = 8, 0.8
	f := &fleet{workers: 4, timelines: []timeline{{speed: 1}, {speed: 1}}}
	l, err := newLaw("exp", 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	got := ideal(f, newArrivals(l, rho*f.capacity(20*time.Millisecond), 1), time.Second, 1000*time.Second)
	load, sum, term := servers*rho, 0.0, 1.0
	for k := range servers {
		sum += term
		term *= load / float64(k+1)
	}
	wait := term / (1 - rho) / (sum + term/(1-rho))
	want := 20 + wait*20/(servers*(1-rho))
	if math.Abs(got.Mean-want) > 0.03*want || got.MostInFlight != 4 {
		t.Errorf("mean %.2f ms, most in flight %d; Erlang C says %.2f", got.Mean, got.MostInFlight, want)
	}
}

func TestSummaryHidesNoFailure(t *testing.T) {
	s := summary([]result{
		{Mean: 3, MostInFlight: 4, Answered: 10}, {Mean: 1, MostInFlight: 5, Answered: 9, Failed: 1, FirstFailure: "x"}, {Mean: 2, Refused: 2},
	})
	want := result{Mean: 2, MostInFlight: 5, Answered: 19, Failed: 1, Refused: 2, FirstFailure: "x"}
	if s != want {
		t.Errorf("summary %+v, want %+v", s, want)
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("median %v, want 2.5", m)
	}
}

func TestReports(t *testing.T) {
	r := report{Options: options{Proxies: 1, Backends: 1}, Contestants: []outcome{{Name: "one", Rounds: []result{{Mean: 1.5}}}}}
	r.summarize()
	var text, markdown, js strings.Builder
	for _, c := range []struct {
		out            *strings.Builder
		json, markdown bool
	}{{&text, false, false}, {&markdown, false, true}, {&js, true, false}} {
		r.Options.json, r.Options.markdown = c.json, c.markdown
		if err := r.write(c.out); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text.String(), "no HAProxy") || !strings.Contains(text.String(), "\none ") {
		t.Errorf("text:\n%s", &text)
	}
	if !strings.Contains(markdown.String(), "\n| one | 1.5 |") {
		t.Errorf("markdown:\n%s", &markdown)
	}
	var back report
	if err := json.Unmarshal([]byte(js.String()), &back); err != nil || back.Contestants[0].Summary.Mean != 1.5 {
		t.Errorf("JSON: %v\n%s", err, &js)
	}
}
