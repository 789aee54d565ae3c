package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// TestWorkersAreLearnt plays pools whose backends do not say how many workers they have, and
// looks at what the mind believes in the end.
func TestWorkersAreLearnt(t *testing.T) {
	for _, servers := range []int{1, 2, 4, 16} {
		for _, law := range []Law{Exponential, Pareto} {
			t.Run(fmt.Sprint(servers, law), func(t *testing.T) {
				t.Parallel()
				s := &Scenario{
					Name: "learn", Seeds: []uint64{1}, Requests: 200_000, Warmup: 1000, Policies: []Policy{Fairlead},
					Pool:     PoolScenario{fleet.PoolSpec{Workers: 1, Learn: true, QueueLimit: 1e6, QueueTimeout: time.Minute}},
					Proxies:  []ProxyGroup{{Count: 4}},
					Backends: []BackendGroup{{Count: 14, Servers: servers}, {Count: 6, Servers: servers, Speed: .5}},
					Arrivals: Arrivals{Load: .8},
					Service:  Service{Law: law, Mean: 10 * time.Millisecond},
					Network:  Network{Hop: 50 * time.Microsecond, RoundTrip: 500 * time.Microsecond},
				}
				p, err := newPlan(s)
				if err != nil {
					t.Fatal(err)
				}
				e, err := newEngine(p, Fairlead, 1, false)
				if err != nil {
					t.Fatal(err)
				}
				if err := e.run(t.Context()); err != nil {
					t.Fatal(err)
				}
				got := e.decider.(*remote).brain.(*dispatch.Pool).State(fleet.Time(e.now)).Workers
				if least, most := servers-servers/4, servers+max(1, servers/3); got < least || got > most {
					t.Errorf("%d workers are believed in, there are %d", got, servers)
				}
			})
		}
	}
}
