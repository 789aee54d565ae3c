package sim

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// headline is the base cell that the rules are compared in: 16 proxies, 100 backends of 4
// workers, 30 of them half as fast, a fifth of all slowed by antagonists.
func headline(load float64, policies ...Policy) *Scenario {
	slowed := Antagonist{Share: .2, Slowdown: 3, Least: 2 * time.Second, Most: 10 * time.Second}
	return &Scenario{
		Name: "headline", Seeds: []uint64{1}, Requests: 600_000, Warmup: 150_000, Policies: policies,
		Pool:    PoolScenario{fleet.PoolSpec{QueueLimit: 100_000, QueueTimeout: 30 * time.Second}},
		Proxies: []ProxyGroup{{Count: 16}},
		Backends: []BackendGroup{
			{Count: 70, Servers: 4, Antagonist: slowed},
			{Count: 30, Servers: 4, Speed: .5, Antagonist: slowed},
		},
		Arrivals: Arrivals{Load: load},
		Service:  Service{Pareto, 10 * time.Millisecond},
		Network:  Network{Hop: 50 * time.Microsecond, RoundTrip: 500 * time.Microsecond},
	}
}

// cells are the base with something changed.
var cells = map[string]func(s *Scenario){
	"load=.5":  func(s *Scenario) { s.Arrivals.Load = .5 },
	"load=.8":  func(s *Scenario) { s.Arrivals.Load = .8 },
	"load=.9":  func(*Scenario) {},
	"load=.95": func(s *Scenario) { s.Arrivals.Load = .95 },
	"equal":    func(s *Scenario) { s.Backends = []BackendGroup{{Count: 100, Servers: 4}} },
	"sharing":  func(s *Scenario) { each(s, func(g *BackendGroup) { g.Sharing = true }) },
	"c=1":      func(s *Scenario) { each(s, func(g *BackendGroup) { g.Servers = 1 }) },
	"c=16":     func(s *Scenario) { each(s, func(g *BackendGroup) { g.Servers = 16 }) },
	"exponential": func(s *Scenario) {
		s.Service.Law = Exponential
		s.Backends = []BackendGroup{{Count: 100, Servers: 4}}
	},
	"lognormal": func(s *Scenario) { s.Service.Law = Lognormal },
	"bimodal":   func(s *Scenario) { s.Service.Law = Bimodal },
	"bursts": func(s *Scenario) {
		s.Arrivals = Arrivals{Load: .8, Burst: Burst{High: 1.8, Low: .733, HighFor: 50 * time.Millisecond, LowFor: 150 * time.Millisecond}}
	},
	"own-bursts": func(s *Scenario) {
		s.Arrivals = Arrivals{Load: .8, Burst: Burst{5, .556, 100 * time.Millisecond, 900 * time.Millisecond, true}}
	},
	"unequal": func(s *Scenario) { s.Proxies = []ProxyGroup{{Count: 2, Weight: 7}, {Count: 14}} },
	"freezes": func(s *Scenario) {
		s.Arrivals.Load = .8
		each(s, func(g *BackendGroup) {
			g.Antagonist = Antagonist{Share: .02, Least: 2 * time.Second, Most: 5 * time.Second}
		})
	},
	"foreign": func(s *Scenario) {
		s.Arrivals.Load = .8
		s.Backends = []BackendGroup{
			{Count: 56, Servers: 4, Report: time.Second}, {Count: 14, Servers: 4, Foreign: .5, Report: time.Second},
			{Count: 24, Servers: 4, Speed: .5, Report: time.Second}, {Count: 6, Servers: 4, Speed: .5, Foreign: .5, Report: time.Second},
		}
	},
	"10x16": func(s *Scenario) {
		s.Arrivals.Load = .8
		s.Backends[0].Count, s.Backends[1].Count = 7, 3
	},
	"10x64": func(s *Scenario) {
		s.Proxies[0].Count = 64
		s.Backends[0].Count, s.Backends[1].Count = 7, 3
	},
	"64-proxies": func(s *Scenario) { s.Proxies[0].Count = 64 },
	"mean=100ms": func(s *Scenario) { s.Service.Mean = 100 * time.Millisecond },
	"mean=2ms":   func(s *Scenario) { s.Service.Mean, s.Arrivals.Load = 2*time.Millisecond, .8 },
	"overload": func(s *Scenario) {
		s.Arrivals.Load, s.ClientTimeout, s.DropsCancelled = 1.1, time.Second, true
		s.Pool.QueueTimeout = 100 * time.Millisecond
	},
	"overload-kept": func(s *Scenario) {
		s.Arrivals.Load, s.ClientTimeout = 1.1, time.Second
		s.Pool.QueueTimeout = 100 * time.Millisecond
	},
	"outage": func(s *Scenario) {
		s.Arrivals.Load = .8
		s.Faults = []Fault{{Kind: KillController, At: 10 * time.Second, For: 10 * time.Second}}
	},
	"errors": func(s *Scenario) {
		s.Arrivals.Load = .8
		bad := s.Backends[0]
		bad.Count, bad.ErrorRate, bad.ErrorTime = 1, 1, time.Millisecond
		s.Backends[0].Count--
		s.Backends = append(s.Backends, bad)
	},
}

func each(s *Scenario, change func(*BackendGroup)) {
	for i := range s.Backends {
		change(&s.Backends[i])
	}
}

// TestCells prints cells, each policy beside the first one. It takes a while, so only on
// request: FAIRLEAD_SIM="central fairlead random" FAIRLEAD_CELLS="load=.8 load=.9"
// go test -run Cells -v ./internal/sim
func TestCells(t *testing.T) {
	var named []Policy
	for _, n := range strings.Fields(os.Getenv("FAIRLEAD_SIM")) {
		named = append(named, Policy(n))
	}
	if len(named) == 0 {
		t.Skip("it is asked for by policies in FAIRLEAD_SIM")
	}
	for _, name := range strings.Fields(os.Getenv("FAIRLEAD_CELLS")) {
		change := cells[name]
		if change == nil {
			t.Fatalf("there is no cell %q", name)
		}
		s := headline(.9, named...)
		change(s)
		s.Seeds = []uint64{1, 2, 3}
		began := time.Now()
		report, err := Run(t.Context(), s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s, %v\n%s", name, time.Since(began).Round(time.Millisecond), beside(report))
	}
}

// beside prints results, with ratios to the first.
func beside(report *Report) string {
	var b strings.Builder
	first := &report.Results[0]
	for i := range report.Results {
		r := &report.Results[i]
		fmt.Fprintf(&b, "%-13s p99 %9v x%-7.3f mean %9v x%-7.3f p50 %8v most %5d goodput %.3f failed %.4f refused %.4f late %.4f %s\n",
			r.Policy, r.P99.Round(10*time.Microsecond), ratio(r.P99, first.P99),
			r.Mean.Round(10*time.Microsecond), ratio(r.Mean, first.Mean), r.P50.Round(10*time.Microsecond), r.MostIn,
			r.Goodput, outOf(r, r.Failed), outOf(r, r.Refused), outOf(r, r.TimedOut), r.Violation)
	}
	return b.String()
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func outOf(r *Result, n int) float64 { return float64(n) / float64(r.Requests) }
