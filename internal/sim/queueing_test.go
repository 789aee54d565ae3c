package sim

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// small is a scenario of equal backends without a network, whose answers theory knows.
func small(policy Policy, backends, servers int, load float64, requests int) *Scenario {
	return &Scenario{
		Name: "small", Seeds: []uint64{1, 2}, Requests: requests, Warmup: requests / 10, Policies: []Policy{policy},
		Proxies:  []ProxyGroup{{Count: 2}},
		Backends: []BackendGroup{{Count: backends, Servers: servers}},
		Arrivals: Arrivals{Load: load},
		Service:  Service{Exponential, 10 * time.Millisecond},
	}
}

// mustRun runs a scenario, and fails the test where it does not run or an invariant breaks.
func mustRun(t testing.TB, s *Scenario, check bool) *Report {
	t.Helper()
	report, err := Run(t.Context(), s, Options{Check: check})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Results {
		if r.Violation != "" {
			t.Errorf("%s: %s", r.Policy, r.Violation)
		}
		if got := r.Served + r.Failed + r.Refused + r.TimedOut; got != r.Requests {
			t.Errorf("%s: %d served, %d failed, %d refused and %d timed out are not the %d requests",
				r.Policy, r.Served, r.Failed, r.Refused, r.TimedOut, r.Requests)
		}
	}
	return report
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got/want-1) > within {
		t.Errorf("%s: %.5g, and should be %.5g", what, got, want)
	}
}

// erlangC returns the chance that a request waits in M/M/c (Erlang 1917), by the recursion
// for Erlang B.
func erlangC(c int, load float64) float64 {
	offered, b := load*float64(c), 1.0
	for i := 1; i <= c; i++ {
		b = offered * b / (float64(i) + offered*b)
	}
	return b / (1 - load*(1-b))
}

// TestErlang compares the central queue's mean with M/M/c, whose servers are spread over
// backends, as that makes no difference to it.
func TestErlang(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		backends, servers int
		load              float64
		requests          int
	}{{1, 1, .5, 100_000}, {1, 4, .8, 150_000}, {5, 4, .9, 200_000}} {
		r := mustRun(t, small(Central, c.backends, c.servers, c.load, c.requests), false).Results[0]
		n := c.backends * c.servers
		want := .01 * (1 + erlangC(n, c.load)/(float64(n)*(1-c.load)))
		near(t, fmt.Sprintf("mean of M/M/%d at %v", n, c.load), r.Mean.Seconds(), want, .02)
		if r.MostIn > c.servers {
			t.Errorf("%d in flight on a backend with %d servers", r.MostIn, c.servers)
		}
	}
}

// TestSharing: a processor that is shared has the mean of M/M/1 for every law of the same
// mean; and a request's time is in proportion to its work (Kleinrock 1967).
func TestSharing(t *testing.T) {
	t.Parallel()
	for _, law := range []Law{Exponential, Fixed, Bimodal} {
		s := small(Random, 1, 1, .7, 120_000)
		s.Service.Law = law
		s.Backends[0].Sharing = true
		near(t, string(law), mustRun(t, s, false).Results[0].Mean.Seconds(), .01/.3, .04)
	}
}

// TestFIFO compares one server's mean with the formula of Pollaczek and Khinchine.
func TestFIFO(t *testing.T) {
	t.Parallel()
	for law, scv := range map[Law]float64{Exponential: 1, Fixed: 0, Bimodal: (.9*100+.1*40000)/(29*29) - 1} {
		s := small(RoundRobin, 1, 1, .6, 200_000)
		s.Service.Law = law
		near(t, string(law), mustRun(t, s, false).Results[0].Mean.Seconds(), .01*(1+.6/.4*(1+scv)/2), .03)
	}
}

// TestLaws checks means, and for the bounded law its bounds.
func TestLaws(t *testing.T) {
	for _, law := range []Law{Exponential, Pareto, Bimodal, Lognormal, Fixed} {
		draw, err := newWork(Service{law, 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		dice := stream(7, 7)
		sum, low, high, n := 0.0, math.Inf(1), 0.0, 1_000_000
		for range n {
			x := draw(dice)
			sum, low, high = sum+x, min(low, x), max(high, x)
		}
		near(t, string(law), sum/float64(n), 1e7, .02)
		if law == Pareto && (high/low > 1000 || high/low < 900) {
			t.Errorf("pareto: the highest is %.0f times the lowest", high/low)
		}
	}
	if _, err := newWork(Service{"normal", time.Second}); err == nil {
		t.Error("there is no such law")
	}
}

// TestLittle: what is in the system is the rate times the time in it.
func TestLittle(t *testing.T) {
	p, err := newPlan(small(LeastConn, 4, 2, .8, 100_000))
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(p, LeastConn, 3, false)
	if err != nil {
		t.Fatal(err)
	}
	area, last := 0.0, int64(0)
	for open := 0; !e.ended || e.open > 0; open = e.open {
		e.step()
		area += float64(e.now-last) * float64(open)
		last = e.now
	}
	// All requests count for the area, and those of the warm-up not for the mean.
	near(t, "in the system", area/float64(last), p.rate*float64(e.meter.took.mean()), .03)
}

// TestBound: in flight on a backend never goes beyond its slots where they are hard.
func TestBound(t *testing.T) {
	r := mustRun(t, small(Fairlead, 10, 4, .95, 50_000), true).Results[0]
	if r.MostIn > r.Bound || r.Bound != 4 {
		t.Errorf("%d in flight, and %d are allowed", r.MostIn, r.Bound)
	}
}

// TestHistogram compares percentiles with those of the sorted values.
func TestHistogram(t *testing.T) {
	var h histogram
	dice := stream(1, 1)
	for i := range 63 {
		if bin := binOf(int64(1) << i); bin != min(i, 8)<<0+bin-min(i, 8) || i > 0 && bin <= binOf(int64(1)<<(i-1)) {
			t.Errorf("bin %d of 2^%d", bin, i)
		}
	}
	for range 100_000 {
		h.add(int64(1e6 * math.Exp(3*dice.NormFloat64())))
	}
	near(t, "median", float64(h.quantile(.5)), 1e6, .03)
	near(t, "p99", float64(h.quantile(.99)), 1e6*math.Exp(3*2.3263), .1)
	near(t, "mean", float64(h.mean()), 1e6*math.Exp(4.5), .3)
	var one histogram
	for _, d := range []int64{0, 1, 255, 256, 257, 511, 512, 1000, 123456789, 1e12} {
		one = histogram{}
		one.add(d)
		if got := one.quantile(.5); math.Abs(float64(got)-float64(d)) > .003*float64(d)+.5 {
			t.Errorf("%d is told as %d", d, got)
		}
	}
}
