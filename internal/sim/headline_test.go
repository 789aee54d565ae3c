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

// TestHeadline prints the headline cell. It takes a while, so only on request:
// FAIRLEAD_SIM="central fairlead random" go test -run Headline -v ./internal/sim
func TestHeadline(t *testing.T) {
	names := strings.Fields(os.Getenv("FAIRLEAD_SIM"))
	if len(names) == 0 {
		t.Skip("it is asked for by policies in FAIRLEAD_SIM")
	}
	for _, load := range []float64{.8, .9, .95} {
		s := headline(load)
		for _, n := range names {
			s.Policies = append(s.Policies, Policy(n))
		}
		s.Seeds = []uint64{1, 2, 3}
		began := time.Now()
		report, err := Run(t.Context(), s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		took, bound := time.Since(began), report.Results[0]
		var b strings.Builder
		fmt.Fprintf(&b, "load %v, %v\n", load, took)
		for _, r := range report.Results {
			fmt.Fprintf(&b, "%-14s p99 %9v x%-7.3f mean %9v x%-7.3f p50 %9v most %5d goodput %.3f refused %d %s\n", r.Policy,
				r.P99.Round(10*time.Microsecond), float64(r.P99)/float64(bound.P99), r.Mean.Round(10*time.Microsecond),
				float64(r.Mean)/float64(bound.Mean), r.P50.Round(10*time.Microsecond), r.MostIn, r.Goodput, r.Refused, r.Violation)
		}
		t.Log(b.String())
	}
}
