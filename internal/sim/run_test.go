package sim

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

var policies = []Policy{
	Fairlead, ByProxy, Random, RoundRobin, LeastConn, TwoChoices, PeakEWMA, IdleQueue, Prequal, WeightedRR, GlobalLeast, Central,
}

// rough is a small fleet on which everything happens that a scenario can say.
func rough() *Scenario {
	slowed := Antagonist{Share: .25, Slowdown: 3, Least: 200 * time.Millisecond, Most: time.Second}
	return &Scenario{
		Name: "rough", Seeds: []uint64{1, 2}, Requests: 8_000, Warmup: 1000, Policies: policies,
		Pool:    PoolScenario{fleet.PoolSpec{QueueLimit: 1000, QueueTimeout: 2 * time.Second, Grace: 2 * time.Second}},
		Proxies: []ProxyGroup{{Count: 3}, {Count: 1, Weight: 3}},
		Backends: []BackendGroup{
			{Count: 8, Servers: 2, Antagonist: slowed, Report: 100 * time.Millisecond, Labels: []string{"gpu=yes"}},
			{Count: 4, Servers: 4, Speed: .5, Sharing: true, Foreign: .2, Report: time.Second},
			{Count: 2, Servers: 2, ErrorRate: .1, ErrorTime: time.Millisecond, Declared: 3},
		},
		Arrivals: Arrivals{Load: .7, Burst: Burst{High: 2, Low: .5, HighFor: 50 * time.Millisecond, LowFor: 100 * time.Millisecond}},
		Service:  Service{Lognormal, 10 * time.Millisecond},
		Network:  Network{Hop: 100 * time.Microsecond, RoundTrip: 500 * time.Microsecond, Jitter: .5},
		Mix: []RequestMix{
			{Share: 3, Flow: "a-", Flows: 10, Skew: 1},
			{Share: 1, Class: fleet.Critical, Flow: "b", Affinity: 20, Work: .5},
			{Share: .5, Class: fleet.Sheddable, Flow: "c", Labels: []string{"gpu=yes"}},
		},
		ClientTimeout: 2 * time.Second, DropsCancelled: true,
	}
}

// TestPoliciesRun has each policy play all of it, and serve nearly all.
func TestPoliciesRun(t *testing.T) {
	t.Parallel()
	for _, r := range mustRun(t, rough(), true).Results {
		if r.Served < r.Requests*85/100 {
			t.Errorf("%s: only %d of %d were served (%d failed, %d refused, %d timed out)",
				r.Policy, r.Served, r.Requests, r.Failed, r.Refused, r.TimedOut)
		}
		if len(r.ByClass) != 3 || len(r.ByFlow) != 3 {
			t.Errorf("%s: parts %v and %v", r.Policy, r.ByClass, r.ByFlow)
		}
	}
}

// TestSameAgain: a run can be repeated to the bit, however many there are at a time.
func TestSameAgain(t *testing.T) {
	t.Parallel()
	s := rough()
	s.Faults = allFaults()
	s.Network.Double, s.Network.Reorder, s.Network.Loss = .01, .01, .0005
	one, err := Run(t.Context(), s, Options{Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	many, err := Run(t.Context(), s, Options{Parallel: 8, Check: true, Progress: func(done, of int, _ *Result) {
		if told++; done != told || of != 2*len(policies) {
			t.Errorf("progress %d of %d, after %d", done, of, told)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range one.Results {
		if r := many.Results[i]; r.Violation != "" {
			t.Errorf("%s: %s", r.Policy, r.Violation)
		} else if !reflect.DeepEqual(one.Results[i], r) {
			t.Errorf("%s:\n%+v\n%+v", r.Policy, one.Results[i], r)
		}
	}
}

// allFaults is one of each kind. A run of rough takes about 4 s.
func allFaults() []Fault {
	const ms = time.Millisecond
	return []Fault{
		{KillBackend, 500 * ms, 700 * ms, 0},
		{FreezeBackend, 600 * ms, 300 * ms, 9},
		{CutProxy, 700 * ms, 500 * ms, 1},
		{KillProxy, 900 * ms, 600 * ms, 2},
		{LoseAgent, 1000 * ms, 500 * ms, 3},
		{DrainBackend, 1100 * ms, 500 * ms, 4},
		{KillController, 1300 * ms, 300 * ms, 0},
		{CutProxy, 2000 * ms, 4000 * ms, 0},
	}
}

// TestFaultsLeaveNothing has each fault alone: when all is over, nothing is left of it.
func TestFaultsLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, f := range allFaults() {
		s := rough()
		s.Policies, s.Seeds, s.Faults = []Policy{Fairlead, ByProxy, GlobalLeast}, []uint64{1, 2}, []Fault{f}
		t.Run(fmt.Sprint(f.Kind, f.For), func(t *testing.T) {
			for _, r := range mustRun(t, s, true).Results {
				if r.Served < r.Requests*70/100 {
					t.Errorf("%s: only %d of %d were served (%d failed, %d refused, %d timed out)",
						r.Policy, r.Served, r.Requests, r.Failed, r.Refused, r.TimedOut)
				}
			}
		})
	}
}

// TestBadNetwork has messages lost, doubled and overtaken.
func TestBadNetwork(t *testing.T) {
	t.Parallel()
	for _, n := range []Network{{Loss: .001}, {Double: .05}, {Reorder: .2}, {Loss: .001, Double: .05, Reorder: .1}} {
		s := rough()
		n.Hop, n.RoundTrip, n.Jitter = s.Network.Hop, s.Network.RoundTrip, s.Network.Jitter
		s.Network, s.Policies = n, []Policy{Fairlead}
		t.Run(fmt.Sprintf("%+v", n), func(t *testing.T) { mustRun(t, s, true) })
	}
}

// TestRates: each kind of arrivals has the rate that it should, over all.
func TestRates(t *testing.T) {
	t.Parallel()
	b := Burst{High: 1.8, Low: .733, HighFor: 50 * time.Millisecond, LowFor: 150 * time.Millisecond}
	o := Burst{High: 5, Low: .556, HighFor: 100 * time.Millisecond, LowFor: 900 * time.Millisecond, EachProxyOnItsOwn: true}
	for name, a := range map[string]Arrivals{
		"load": {Load: .5}, "rate": {Rate: 12_345}, "common bursts": {Load: .5, Burst: b}, "own bursts": {Load: .5, Burst: o},
	} {
		s := headline(.5)
		s.Arrivals, s.Requests = a, 400_000
		p, err := newPlan(s)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "capacity", p.capacity, 4*(70*(1-.2*2/3)+30*.5*(1-.2*2/3)), 1e-9)
		rate, load, dispersion := observe(t, newSource(p, 1))
		within := .02
		if a.Burst.EachProxyOnItsOwn {
			within = .06 // a proxy has 30 bursts in all
		}
		want := a.Rate / 1e9
		if a.Load > 0 {
			want = .5 * p.capacity / 1e7
			near(t, name+": work", load, .5*p.capacity, within+.01)
		}
		near(t, name, rate, want, within)
		if bursts := a.Burst.High > 0; bursts != (dispersion > 2) {
			t.Errorf("%s: in 10 ms, the variance is %.2f times the mean", name, dispersion)
		}
	}
}

// observe returns the rate and the work per time of what a source draws, and by how much
// the arrivals in 10 ms vary, as a multiple of their mean: 1 for Poisson.
func observe(t *testing.T, src *source) (rate, load, dispersion float64) {
	t.Helper()
	var last drawn
	n, work, squares, inBin, bin := 0.0, 0.0, 0.0, 0.0, int64(0)
	for d, ok := src.take(); ok; d, ok = src.take() {
		if d.at < last.at {
			t.Fatal("times do not rise")
		}
		for ; bin < d.at/1e7; bin++ {
			squares += inBin * inBin
			inBin = 0
		}
		inBin++
		last = d
		n++
		work += d.work
	}
	mean := n / float64(bin)
	return n / float64(last.at), work / float64(last.at), (squares/float64(bin) - mean*mean) / mean
}

// TestTrace plays arrivals as they are given.
func TestTrace(t *testing.T) {
	s := small(Central, 1, 1, 0, 3)
	s.Seeds, s.Warmup = []uint64{1}, 0
	s.Arrivals = Arrivals{
		Trace: []time.Duration{0, time.Millisecond, time.Second},
		Sizes: []time.Duration{5 * time.Millisecond, 10 * time.Millisecond, time.Millisecond},
	}
	r := mustRun(t, s, false).Results[0]
	if r.Mean != (5+14+1)*time.Millisecond/3 || r.Served != 3 {
		t.Errorf("%d served in %v on average", r.Served, r.Mean)
	}
}

// TestAntagonists: at any time their share of each group is slow, and not always the same.
func TestAntagonists(t *testing.T) {
	p, err := newPlan(headline(.1))
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(p, Random, 5, false)
	if err != nil {
		t.Fatal(err)
	}
	ever := map[int]bool{}
	for e.now < int64(20*time.Second) {
		e.step()
		if kind(e.last.ord&255) != evAntagonist {
			continue
		}
		fallen := [2]int{}
		for v := range e.backends {
			b := &e.backends[v]
			if b.fallen {
				fallen[p.groupOf[v]]++
				ever[v] = true
			}
			want := b.group.Speed
			if b.fallen {
				want /= 3
			}
			if math.Abs(b.rate-want) > 1e-9 {
				t.Fatalf("backend %d has rate %v", v, b.rate)
			}
		}
		if fallen != [2]int{14, 6} {
			t.Fatalf("%v: %v are slow", time.Duration(e.now), fallen)
		}
	}
	if len(ever) < 50 {
		t.Errorf("only %d were ever slow", len(ever))
	}
}

// TestSameWeather: what a policy does changes neither arrivals nor trouble.
func TestSameWeather(t *testing.T) {
	s := rough()
	s.Policies = []Policy{Random, Central, Fairlead, WeightedRR}
	p, err := newPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	var want []event
	for _, policy := range s.Policies {
		e, err := newEngine(p, policy, 9, false)
		if err != nil {
			t.Fatal(err)
		}
		var got []event
		for len(got) < 400 {
			e.step()
			if k := kind(e.last.ord & 255); k == evAntagonist || k == evForeign {
				got = append(got, event{at: e.now, a: e.last.a})
			}
		}
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s has its own weather", policy)
		}
	}
}

// TestBadScenarios says what is wrong.
func TestBadScenarios(t *testing.T) {
	for name, change := range map[string]func(*Scenario){
		"law":     func(s *Scenario) { s.Service.Law = "x" },
		"mean":    func(s *Scenario) { s.Service.Mean = 0 },
		"policy":  func(s *Scenario) { s.Policies = []Policy{"x"} },
		"load":    func(s *Scenario) { s.Arrivals = Arrivals{} },
		"proxies": func(s *Scenario) { s.Proxies = nil },
		"seeds":   func(s *Scenario) { s.Seeds = nil },
		"fault":   func(s *Scenario) { s.Faults = []Fault{{Kind: KillProxy, On: 99}} },
		"capacity": func(s *Scenario) {
			s.Backends = []BackendGroup{{Count: 1, Antagonist: Antagonist{Share: 1, Most: time.Second}}}
		},
		"assign": func(s *Scenario) { s.Pool.Assign = fleet.AssignConfirm },
		"sizes": func(s *Scenario) {
			s.Arrivals = Arrivals{Trace: make([]time.Duration, 2), Sizes: make([]time.Duration, 1)}
		},
	} {
		s := rough()
		change(s)
		if _, err := Run(t.Context(), s, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, rough(), Options{}); err == nil {
		t.Error("it ran after its context ended")
	}
}

// BenchmarkRun measures simulated requests a second, for each policy in the headline cell.
func BenchmarkRun(b *testing.B) {
	for _, policy := range policies {
		b.Run(string(policy), func(b *testing.B) {
			p, err := newPlan(headline(.8, policy))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			e, err := newEngine(p, policy, 1, false)
			if err != nil {
				b.Fatal(err)
			}
			e.source.left = b.N
			b.ResetTimer()
			if err := e.run(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkEvents measures one event, of as many as a fleet of 100 backends has to come.
func BenchmarkEvents(b *testing.B) {
	var h events
	dice := stream(1, 1)
	for range 1000 {
		h.push(dice.Int64N(1e7), evArrive, 0, 0)
	}
	for b.Loop() {
		v, _ := h.pop()
		h.push(v.at+dice.Int64N(1e7), evArrive, 0, 0)
	}
}
