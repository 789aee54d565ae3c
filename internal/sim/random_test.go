package sim

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// anyOf returns a whole number from low to high.
func anyOf(dice *rand.Rand, low, high int) int { return low + dice.IntN(high-low+1) }

func chance(dice *rand.Rand, p float64) bool { return dice.Float64() < p }

// anyScenario draws a scenario, of all that there can be.
func anyScenario(dice *rand.Rand) *Scenario {
	const ms = time.Millisecond
	s := &Scenario{
		Name: "any", Seeds: []uint64{dice.Uint64()}, Requests: 1500, Warmup: 100, Policies: []Policy{Fairlead},
		Arrivals: Arrivals{Load: .3 + dice.Float64()},
		Service:  Service{[]Law{Exponential, Pareto, Bimodal, Lognormal, Fixed}[dice.IntN(5)], time.Duration(anyOf(dice, 1, 20)) * ms},
		Network:  Network{Hop: time.Duration(dice.IntN(200)) * time.Microsecond, RoundTrip: time.Duration(dice.IntN(3000)) * time.Microsecond, Jitter: dice.Float64()},
	}
	s.Pool.QueueLimit, s.Pool.QueueTimeout = dice.IntN(200), time.Duration(anyOf(dice, 1, 2000))*ms
	s.Pool.Grace = time.Duration(anyOf(dice, 1, 3000)) * ms
	if chance(dice, .2) {
		s.Pool.GrantLimit = time.Duration(anyOf(dice, 20, 1000)) * ms
	}
	if chance(dice, .3) {
		s.Pool.LostAfter = time.Duration(anyOf(dice, 1, 1000)) * ms
	}
	if chance(dice, .5) {
		s.ClientTimeout, s.DropsCancelled = time.Duration(anyOf(dice, 10, 1000))*ms, chance(dice, .5)
	}
	if chance(dice, .3) {
		n := &s.Network
		n.Loss, n.Double, n.Reorder = dice.Float64()*.003, dice.Float64()*.05, dice.Float64()*.1
	}
	anyFleet(dice, s)
	for range dice.IntN(6) {
		s.Mix = append(s.Mix, RequestMix{
			Share: dice.Float64() + .1, Class: fleet.Class(dice.IntN(int(fleet.Classes))), Flows: dice.IntN(5), Flow: "f",
			Affinity: dice.IntN(3), Work: dice.Float64() + .5, Deadline: time.Duration(dice.IntN(3)*dice.IntN(500)) * ms,
		})
	}
	for range dice.IntN(5) {
		s.Faults = append(s.Faults, Fault{
			Kind: []FaultKind{KillProxy, KillController, KillBackend, FreezeBackend, CutProxy, LoseAgent, DrainBackend}[dice.IntN(7)],
			At:   time.Duration(dice.IntN(2000)) * ms, For: time.Duration(anyOf(dice, 1, 4000)) * ms,
			On: dice.IntN(min(s.Proxies[0].Count, s.Backends[0].Count)),
		})
	}
	return s
}

func anyFleet(dice *rand.Rand, s *Scenario) {
	s.Proxies = []ProxyGroup{{Count: anyOf(dice, 1, 4)}}
	for range anyOf(dice, 1, 3) {
		g := BackendGroup{
			Count: anyOf(dice, 1, 6), Servers: anyOf(dice, 1, 5), Speed: .3 + dice.Float64(),
			Declared: dice.IntN(6), Sharing: chance(dice, .3), Report: time.Duration(dice.IntN(300)) * time.Millisecond,
		}
		if chance(dice, .3) {
			g.Foreign = dice.Float64() * .6
		}
		if chance(dice, .3) {
			g.Antagonist = Antagonist{dice.Float64() * .7, float64(dice.IntN(4)), 10 * time.Millisecond, time.Second}
		}
		if chance(dice, .3) {
			g.ErrorRate, g.ErrorTime = dice.Float64(), time.Duration(dice.IntN(20))*time.Millisecond
		}
		s.Backends = append(s.Backends, g)
	}
}

// TestAnyScenario has the mind's promises hold in scenarios that nobody thought of.
func TestAnyScenario(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		s := anyScenario(rand.New(rand.NewPCG(seed, 99)))
		if _, err := newPlan(s); err != nil {
			continue // its backends stand still for good
		}
		if mustRun(t, s, true); t.Failed() {
			t.Fatalf("scenario %d: %+v", seed, s)
		}
	}
}
