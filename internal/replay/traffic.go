package replay

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/record"
	"github.com/fairlead/fairlead/internal/sim"
)

// traffic is what a log shows of requests and backends, whoever decided.
type traffic struct {
	visits   []visit
	asked    map[askID]int // the visit of an ask that waits
	granted  map[uint64]int
	kept     map[uint64]fleet.BackendName // slots, by the grant's number
	proxies  map[fleet.ProxyID]bool
	backends map[fleet.BackendName]fleet.BackendSpec
	order    []fleet.BackendName
}

type askID struct {
	proxy fleet.ProxyID
	ask   fleet.AskID
}

// visit is one request. Its work is known when it was served.
type visit struct {
	at      fleet.Time
	since   fleet.Time // it was granted
	backend fleet.BackendName
	took    time.Duration // on the backend; 0: not known
}

func newTraffic() traffic {
	return traffic{
		asked: map[askID]int{}, granted: map[uint64]int{}, kept: map[uint64]fleet.BackendName{}, proxies: map[fleet.ProxyID]bool{},
		backends: map[fleet.BackendName]fleet.BackendSpec{},
	}
}

func (t *traffic) take(e *record.Event) {
	switch in := e.Input.(type) {
	case *dispatch.Ask:
		t.proxies[in.Proxy] = true
		if in.Waited == 0 && len(in.Exclude) == 0 { // else it came before
			t.asked[askID{in.Proxy, in.ID}] = len(t.visits)
			t.visits = append(t.visits, visit{at: e.Now})
		}
	case *dispatch.Use:
		t.proxies[in.Proxy] = true
		t.granted[in.Grant.Number] = len(t.visits)
		t.visits = append(t.visits, visit{at: e.Now, since: e.Now, backend: t.kept[in.Grant.Number]})
	case *dispatch.Done:
		if i, ok := t.granted[in.Grant.Number]; ok && in.Kept {
			t.kept[in.Grant.Number] = t.visits[i].backend
		} else if !in.Kept {
			delete(t.kept, in.Grant.Number)
		}
		t.done(e.Now, in.Grant.Number, in.Outcome, in.Latency)
	case *dispatch.Ended:
		t.done(e.Now, in.Grant.Number, in.Outcome, in.Latency)
	case *dispatch.Join:
		if _, again := t.backends[in.Spec.Name]; !again {
			t.order = append(t.order, in.Spec.Name)
		}
		t.backends[in.Spec.Name] = in.Spec
	}
	for _, g := range e.Grants {
		key := askID{g.Proxy, g.Ask}
		if i, ok := t.asked[key]; ok {
			delete(t.asked, key)
			t.visits[i].since, t.visits[i].backend = e.Now, g.Backend
			t.granted[g.Number] = i
		}
	}
}

func (t *traffic) done(now fleet.Time, grant uint64, outcome fleet.Outcome, latency time.Duration) {
	i, ok := t.granted[grant]
	if !ok {
		return
	}
	delete(t.granted, grant)
	if outcome == fleet.OK {
		v := &t.visits[i]
		v.took = max(cmp.Or(latency, now.Sub(v.since)), time.Nanosecond)
	}
}

// fewest is how many answers of a backend say something of its speed.
const fewest = 30

// speeds returns how fast each backend is, relative to the mean, judged by the logarithm
// of how long it took.
func (t *traffic) speeds() map[fleet.BackendName]float64 {
	type sum struct{ log, n float64 }
	all, by := sum{}, map[fleet.BackendName]sum{}
	for _, v := range t.visits {
		if v.took > 0 {
			l := math.Log(v.took.Seconds())
			s := by[v.backend]
			by[v.backend] = sum{s.log + l, s.n + 1}
			all = sum{all.log + l, all.n + 1}
		}
	}
	speeds := map[fleet.BackendName]float64{}
	for _, name := range t.order {
		speeds[name] = 1
		if s := by[name]; s.n >= fewest {
			speeds[name] = math.Exp(all.log/all.n - s.log/s.n)
		}
	}
	return speeds
}

// Scenario makes a scenario of what a pool's log shows: its requests come when they came,
// with the work that their answers took, at the speed that their backends had. Requests
// that were not served get the mean work. Classes, flows, labels, affinities and faults
// are left out.
func (p *Pool) Scenario() (*sim.Scenario, error) {
	if p.Lost > 0 {
		return nil, fmt.Errorf("pool %s: the log lacks %d steps, from line %d on; a comparison would say nothing", p.Name, p.Lost, p.LostAt)
	}
	t := &p.seen
	if len(t.order) == 0 || len(t.visits) == 0 {
		return nil, fmt.Errorf("pool %s: the log has no requests or no backends to make a scenario of", p.Name)
	}
	speeds := t.speeds()
	var total time.Duration
	known := 0
	for i := range t.visits {
		if v := &t.visits[i]; v.took > 0 {
			v.took = max(time.Duration(float64(v.took)*speeds[v.backend]), 1)
			total += v.took
			known++
		}
	}
	if known == 0 {
		return nil, errors.New("no request of the log was served, so nothing is known of their work")
	}
	mean := total / time.Duration(known)
	sc := &sim.Scenario{
		Name: string(p.Name), Note: "as a decision log shows it",
		Seeds: []uint64{1}, Requests: len(t.visits), Policies: sim.Policies(),
		Proxies:  []sim.ProxyGroup{{Count: max(len(t.proxies), 1)}},
		Backends: t.groups(&p.spec, speeds),
		Service:  sim.Service{Law: sim.Exponential, Mean: mean},
		Network:  sim.Network{Hop: sim.DefaultHop, RoundTrip: sim.DefaultRoundTrip},
	}
	sc.Pool.PoolSpec = p.spec
	sc.Pool.Name, sc.Pool.FirstGrant = "", 0
	first := t.visits[0].at
	for _, v := range t.visits {
		sc.Arrivals.Trace = append(sc.Arrivals.Trace, v.at.Sub(first))
		sc.Arrivals.Sizes = append(sc.Arrivals.Sizes, cmp.Or(v.took, mean))
	}
	return sc, nil
}

func (t *traffic) groups(spec *fleet.PoolSpec, speeds map[fleet.BackendName]float64) (all []sim.BackendGroup) {
	for _, name := range t.order {
		b := t.backends[name]
		all = append(all, sim.BackendGroup{
			Count: 1, Servers: cmp.Or(b.Workers, b.Slots, spec.Workers, spec.Slots), Speed: speeds[name],
			Zone: b.Zone, Labels: slices.Clone(b.Labels), Weight: b.Weight,
		})
	}
	return all
}
