package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// plan is what follows from a scenario, the same for each of its runs. Nobody changes it.
type plan struct {
	s        *Scenario
	spec     fleet.PoolSpec
	work     work
	groups   []BackendGroup
	groupOf  []int32 // by backend
	names    []fleet.BackendName
	index    map[fleet.BackendName]int32
	zones    []string  // by proxy
	weights  []float64 // likewise, rising sums up to 1
	capacity float64   // that antagonists and foreign load leave: work per time
	whole    float64   // all of it
	rate     float64   // requests per nanosecond
	mixes    []mix
	sets     [][]string // of labels that some mix requires; the first is none
	slots    int        // of the backend that has most, by what the pool is told
	mind     maker      // of the policy fairlead, which tests break
}

// mix is a RequestMix, with what is drawn from it.
type mix struct {
	RequestMix
	upTo  float64   // rising sum of shares, 1 at the end
	flows []float64 // rising sum over the flows, 1 at the end
	names []string  // of the flows
	keys  []string  // of affinity
	set   int32     // of labels
	limit int64     // when the client gives up; 0: never
}

const poolName = "sim"

func newPlan(s *Scenario) (*plan, error) {
	p := &plan{s: s, spec: s.Pool.PoolSpec, sets: [][]string{nil}, mind: newMind}
	law, err := newWork(s.Service)
	if err != nil {
		return nil, err
	}
	p.work = law
	if p.spec.Assign != fleet.AssignNone || p.spec.Direct {
		return nil, errors.New("the simulator has no assignments and no direct links: take them off the pool")
	}
	p.proxies()
	p.backends()
	if len(p.zones) == 0 || len(p.groupOf) == 0 {
		return nil, errors.New("a scenario needs a proxy and a backend")
	}
	if err := p.mix(); err != nil {
		return nil, err
	}
	p.fill()
	for _, f := range s.Faults {
		of := len(p.groupOf)
		if f.Kind == KillProxy || f.Kind == CutProxy {
			of = len(p.zones)
		}
		if f.Kind != KillController && (f.On < 0 || f.On >= of) {
			return nil, fmt.Errorf("fault %s is on %d, and there are only 0 to %d", f.Kind, f.On, of-1)
		}
	}
	return p, p.load()
}

func (p *plan) proxies() {
	sum := 0.0
	for _, g := range p.s.Proxies {
		for range g.Count {
			sum += orOne(g.Weight)
			p.zones = append(p.zones, g.Zone)
			p.weights = append(p.weights, sum)
		}
	}
	scale(p.weights)
}

// scale makes rising sums end at 1.
func scale(sums []float64) {
	for i := range sums {
		sums[i] /= sums[len(sums)-1]
	}
}

func orOne(x float64) float64 {
	if x == 0 {
		return 1
	}
	return x
}

func (p *plan) backends() {
	p.index = map[fleet.BackendName]int32{}
	for i, g := range p.s.Backends {
		g.Servers, g.Speed = max(g.Servers, 1), orOne(g.Speed)
		if g.Declared == 0 && !p.spec.Learn {
			g.Declared = g.Servers
		}
		p.groups = append(p.groups, g)
		for range g.Count {
			v := len(p.names)
			name := fleet.BackendName(fmt.Sprintf("10.%d.%d.%d:80", v>>16, v>>8&255, v&255))
			p.index[name] = int32(v)
			p.names = append(p.names, name)
			p.groupOf = append(p.groupOf, int32(i))
		}
		power := float64(g.Count*g.Servers) * g.Speed
		p.whole += power
		p.capacity += power * (1 - g.Foreign) * g.left()
		p.slots = max(p.slots, g.Declared)
	}
}

// fallen returns how many of the group's backends antagonists slow at any time.
func (g *BackendGroup) fallen() int {
	return int(math.Round(g.Antagonist.Share * float64(g.Count)))
}

// left returns the share of the group's capacity that antagonists leave.
func (g *BackendGroup) left() float64 {
	if g.Count == 0 || g.Antagonist.Share == 0 {
		return 1
	}
	share, speed := float64(g.fallen())/float64(g.Count), 0.0
	if g.Antagonist.Slowdown > 0 {
		speed = 1 / g.Antagonist.Slowdown
	}
	return 1 - share + share*speed
}

func (p *plan) mix() error {
	all := p.s.Mix
	if len(all) == 0 {
		all = []RequestMix{{Share: 1}}
	}
	sum := 0.0
	for _, m := range all {
		sum += m.Share
		if m.Share < 0 || m.Class >= fleet.Classes {
			return fmt.Errorf("mix: share %v of class %d: a share is 0 or more, a class below %d", m.Share, m.Class, fleet.Classes)
		}
		m.Work = orOne(m.Work)
		p.mixes = append(p.mixes, mix{
			RequestMix: m, upTo: sum, flows: zipf(max(m.Flows, 1), m.Skew),
			names: numbered(m.Flow, m.Flows), keys: numbered("key-", m.Affinity), set: p.set(m.Labels),
			limit: int64(sooner(m.Deadline, p.s.ClientTimeout)),
		})
	}
	if sum == 0 {
		return errors.New("mix: all shares are 0")
	}
	for i := range p.mixes {
		p.mixes[i].upTo /= sum
	}
	return nil
}

// sooner returns the lesser of two times, of which 0 is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// numbered returns names that end with 0, 1 and so on.
func numbered(prefix string, n int) []string {
	if n <= 1 {
		return []string{prefix}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return names
}

// zipf returns the rising sums of n shares of which the i-th is i^-skew.
func zipf(n int, skew float64) []float64 {
	sums := make([]float64, n)
	sum := 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -skew)
		sums[i] = sum
	}
	scale(sums)
	return sums
}

// set returns the number of a set of labels.
func (p *plan) set(labels []string) int32 {
	for i, s := range p.sets {
		if slices.Equal(s, labels) {
			return int32(i)
		}
	}
	p.sets = append(p.sets, labels)
	return int32(len(p.sets) - 1)
}

// has tells whether a backend has all the labels of a set.
func (p *plan) has(backend int32, set int) bool {
	labels := p.groups[p.groupOf[backend]].Labels
	for _, l := range p.sets[set] {
		if !slices.Contains(labels, l) {
			return false
		}
	}
	return true
}

// fill gives the pool what the config would, where the scenario says nothing.
func (p *plan) fill() {
	p.spec.Name = poolName
	if p.spec.QueueTimeout == 0 {
		p.spec.QueueTimeout = 30 * time.Second
		if p.spec.QueueLimit == 0 {
			p.spec.QueueLimit = 1000
		}
	}
	if p.spec.Grace == 0 {
		p.spec.Grace = 10 * time.Second
	}
	if p.spec.Workers == 0 && p.spec.Slots == 0 {
		p.spec.Slots = max(p.slots, 1)
	}
}

// load finds the rate of arrivals.
func (p *plan) load() error {
	mean, last := 0.0, 0.0
	for _, m := range p.mixes {
		mean += (m.upTo - last) * m.Work
		last = m.upTo
	}
	mean *= float64(p.s.Service.Mean)
	a := p.s.Arrivals
	switch {
	case len(a.Trace) > 0:
		if len(a.Sizes) > 0 && len(a.Sizes) != len(a.Trace) {
			return fmt.Errorf("the trace has %d times and %d sizes", len(a.Trace), len(a.Sizes))
		}
		if !slices.IsSorted(a.Trace) {
			return errors.New("the trace's times must rise")
		}
	case a.Load > 0 && p.capacity <= 0:
		return errors.New("antagonists and foreign load leave no capacity, of which the load would be a share")
	case a.Load > 0:
		p.rate = a.Load * p.capacity / mean
	case a.Rate > 0:
		p.rate = a.Rate / float64(time.Second)
	default:
		return errors.New("arrivals need a load, a rate or a trace")
	}
	return nil
}

// requestsPerSecond returns the capacity in the terms of Result.
func (p *plan) requestsPerSecond() float64 {
	return p.capacity / float64(p.s.Service.Mean) * float64(time.Second)
}
