package sim

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// fleetOf is a small fleet with a network.
func fleetOf(load float64, change func(*Scenario), policies ...Policy) *Scenario {
	s := small(Fairlead, 10, 4, load, 20_000)
	s.Policies = policies
	s.Network = Network{Hop: 50 * time.Microsecond, RoundTrip: 500 * time.Microsecond}
	s.Pool.QueueLimit, s.Pool.QueueTimeout, s.Pool.Grace = 1000, 5*time.Second, time.Second
	if change != nil {
		change(s)
	}
	return s
}

// TestKilledBackend: requests that do not get through are tried elsewhere.
func TestKilledBackend(t *testing.T) {
	s := fleetOf(.5, func(s *Scenario) {
		s.Faults = []Fault{{Kind: KillBackend, At: time.Second, For: 2 * time.Second, On: 3}}
	}, Fairlead, LeastConn, ByProxy, IdleQueue, Prequal, GlobalLeast)
	for _, r := range mustRun(t, s, true).Results {
		if r.Failed > 20 || r.Refused > 0 { // what it had in hand, for two seeds
			t.Errorf("%s: %d failed, %d were refused", r.Policy, r.Failed, r.Refused)
		}
	}
}

// TestNoController for good: proxies go on by themselves, and the run ends.
func TestNoController(t *testing.T) {
	s := fleetOf(.5, func(s *Scenario) {
		s.Faults = []Fault{{Kind: KillController, At: 5 * time.Second}}
		s.Pool.GrantLimit = time.Minute
	}, Fairlead, GlobalLeast)
	for _, r := range mustRun(t, s, true).Results {
		if r.Refused > 0 || r.Failed > 0 {
			t.Errorf("%s: %d refused, %d failed", r.Policy, r.Refused, r.Failed)
		}
	}
}

// TestNewController: grants that live go over to it, and who waits is asked for again. What
// is over its slots by then is not.
func TestNewController(t *testing.T) {
	s := fleetOf(.9, func(s *Scenario) {
		s.Faults = []Fault{{Kind: KillController, At: 3 * time.Second, For: 200 * time.Millisecond}}
	}, Fairlead)
	r := mustRun(t, s, true).Results[0]
	if r.Failed > 0 || r.MostIn > 4 {
		t.Errorf("%d failed, at most %d in flight", r.Failed, r.MostIn)
	}
}

// TestLongest: a request that runs longer than a grant may is cut.
func TestLongest(t *testing.T) {
	s := fleetOf(.5, func(s *Scenario) { s.Pool.GrantLimit = 40 * time.Millisecond }, Fairlead)
	r := mustRun(t, s, true).Results[0]
	near(t, "cut", float64(r.Failed)/float64(r.Requests), .0183, .15) // e^-4
}

// TestOverload: with a bound on the wait, what is served is served in time; with none, in
// the end nearly nobody is.
func TestOverload(t *testing.T) {
	for _, drops := range []bool{false, true} {
		for _, sharing := range []bool{false, true} {
			s := fleetOf(1.3, func(s *Scenario) {
				s.ClientTimeout, s.DropsCancelled = 400*time.Millisecond, drops
				s.Pool.QueueTimeout = 50 * time.Millisecond
				s.Backends[0].Sharing = sharing
				s.Faults = []Fault{{Kind: KillBackend, At: 2 * time.Second, For: time.Second}}
			}, Fairlead, Random)
			results := mustRun(t, s, true).Results
			if r := results[0]; r.Goodput < .85 || r.Refused == 0 {
				t.Errorf("drops %v: goodput %.2f, %d refused", drops, r.Goodput, r.Refused)
			}
			if r := results[1]; r.TimedOut == 0 || !drops && r.Goodput > .7 {
				t.Errorf("drops %v: at random, goodput %.2f, %d timed out", drops, r.Goodput, r.TimedOut)
			}
		}
	}
}

// TestFailsFast: a backend that answers with errors at once draws least connections to it,
// and the guards of the mind and of the proxies' own choice keep requests away.
func TestFailsFast(t *testing.T) {
	s := fleetOf(.6, func(s *Scenario) {
		s.Backends = append(s.Backends, BackendGroup{Count: 1, Servers: 4, ErrorRate: 1, ErrorTime: time.Millisecond})
	}, Fairlead, ByProxy, LeastConn)
	results := mustRun(t, s, true).Results
	if mind, proxies, least := results[0].Failed, results[1].Failed, results[2].Failed; mind > 200 || proxies > 200 || least < 1000 {
		t.Errorf("%d failed by the mind, %d by the proxies' choice, %d by least connections", mind, proxies, least)
	}
}

// TestClasses: the central queue serves critical requests first.
func TestClasses(t *testing.T) {
	s := fleetOf(.95, func(s *Scenario) {
		s.Mix = []RequestMix{{Share: 1, Class: fleet.Critical}, {Share: 1}, {Share: 2, Class: fleet.Sheddable, Labels: []string{"a=b"}}}
		s.Backends[0].Labels = []string{"a=b"}
		s.Backends[0].Servers = 1
	}, Central)
	r := mustRun(t, s, false).Results[0]
	if c, n, l := r.ByClass["critical"].Mean, r.ByClass["normal"].Mean, r.ByClass["sheddable"].Mean; c >= n || n >= l {
		t.Errorf("means %v, %v, %v", c, n, l)
	}
	if sum := r.ByClass["critical"].Requests + r.ByClass["normal"].Requests + r.ByClass["sheddable"].Requests; sum != r.Requests {
		t.Errorf("%d of %d requests are of a class", sum, r.Requests)
	}
}

// TestLabels: only those that have them serve who requires them, whatever the policy.
func TestLabels(t *testing.T) {
	s := fleetOf(.3, func(s *Scenario) {
		s.Backends = []BackendGroup{{Count: 1, Servers: 1, Labels: []string{"a=b"}}, {Count: 9, Servers: 4}}
		s.Mix = []RequestMix{{Share: 1, Labels: []string{"a=b"}}}
		s.Arrivals = Arrivals{Rate: 50}
		s.Requests = 2000
	}, Random, RoundRobin, LeastConn, TwoChoices, PeakEWMA, ByProxy, IdleQueue, Prequal, WeightedRR, GlobalLeast, Central)
	for _, r := range mustRun(t, s, true).Results {
		if r.Served != r.Requests || r.Mean < 15*time.Millisecond { // M/M/1 at .5 takes 20 ms
			t.Errorf("%s: %d of %d served, in %v", r.Policy, r.Served, r.Requests, r.Mean)
		}
	}
}

// TestForeign: others take the share of a backend that they should.
func TestForeign(t *testing.T) {
	s := fleetOf(.01, func(s *Scenario) { s.Backends[0].Foreign = .5 }, Random)
	p, err := newPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "capacity", p.capacity, 20, 1e-9)
	e, err := newEngine(p, Random, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	busy, last := 0.0, int64(0)
	for e.now < int64(30*time.Second) {
		was := 0
		for v := range e.backends {
			was += len(e.backends[v].running)
		}
		e.step()
		busy += float64(was) * float64(e.now-last)
		last = e.now
	}
	near(t, "busy servers", busy/float64(last), 20+p.rate*1e7, .03)
}
