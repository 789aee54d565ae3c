package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// chaos draws a scenario.
type chaos struct {
	*rand.Rand
	s    *Scenario
	mean time.Duration // of work
	span time.Duration // about how long requests arrive for
}

// Chaos makes a small scenario of a seed, in which anything may happen that the engine
// knows, and often several things at once: what no example thinks of is where minds err.
// It is small so that thousands can be played, and a failure can be read.
func Chaos(seed uint64) *Scenario {
	c := chaos{Rand: stream(seed, 77), s: &Scenario{
		Name: fmt.Sprintf("chaos %d", seed), Seeds: []uint64{seed}, Policies: []Policy{Fairlead},
	}}
	c.mean = pick(c, time.Millisecond, 10*time.Millisecond, 100*time.Millisecond, time.Second)
	c.s.Requests = 50 + c.IntN(251)
	c.proxies()
	c.backends()
	c.load()
	c.pool()
	c.bounds()
	c.mix()
	c.network()
	for range c.IntN(5) {
		c.fault()
	}
	return c.s
}

// pick returns one of several, each equally likely.
func pick[T any](c chaos, of ...T) T { return of[c.IntN(len(of))] }

// one tells whether a thing happens that does once in n times.
func (c chaos) one(n int) bool { return c.IntN(n) == 0 }

// times returns the mean work, times a number between two.
func (c chaos) times(least, most float64) time.Duration {
	return time.Duration(float64(c.mean) * (least + (most-least)*c.Float64()))
}

func (c *chaos) proxies() {
	n := 1 + c.IntN(6)
	if c.one(2) {
		c.s.Proxies = []ProxyGroup{{Count: n}}
		return
	}
	near := 1 + c.IntN(n)
	c.s.Proxies = []ProxyGroup{{Count: near, Zone: "a", Weight: pick(*c, 0, 1, 3.0)}}
	if near < n {
		c.s.Proxies = append(c.s.Proxies, ProxyGroup{Count: n - near, Zone: pick(*c, "", "b", "c")})
	}
}

func (c *chaos) backends() {
	errs := c.one(4)
	for left := 1 + c.IntN(8); left > 0; {
		g := BackendGroup{
			Count: 1 + c.IntN(left), Servers: 1 + c.IntN(3), Speed: pick(*c, 0, 0, 1, .5, 2),
			Zone: pick(*c, "", "a", "b"), Weight: pick(*c, 0, 0, 0, .5, 3), Sharing: c.one(4),
		}
		left -= g.Count
		if c.one(2) {
			g.Labels = pick(*c, []string{"gpu=yes"}, []string{"gpu=yes", "ssd=yes"}, []string{"ssd=yes"})
		}
		if c.one(4) {
			g.Declared = 1 + c.IntN(4)
		}
		if c.one(4) {
			g.Report = max(c.times(1, 20), 5*time.Millisecond)
		}
		switch { // both at once could leave a backend less than others ask of it
		case c.one(8):
			g.Foreign = .1 + .5*c.Float64()
		case c.one(6):
			g.Antagonist = Antagonist{Share: pick(*c, .3, .5, 1), Slowdown: pick(*c, 3, 10.0), Least: c.times(2, 5), Most: c.times(5, 30)}
		}
		if errs && c.one(2) {
			g.ErrorRate, g.ErrorTime = pick(*c, .05, .3, 1), c.times(.01, .5)
		}
		c.s.Backends = append(c.s.Backends, g)
	}
}

// load has requests arrive, mostly about as many as can be served, as queues are where the
// decisions are.
func (c *chaos) load() {
	c.s.Service = Service{pick(*c, Exponential, Pareto, Bimodal, Lognormal, Fixed), c.mean}
	load := pick(*c, .3, .8, 1, 1.3, 2)
	c.s.Arrivals.Load = load
	power := 0.0
	for i := range c.s.Backends {
		g := &c.s.Backends[i]
		power += float64(g.Count*max(g.Servers, 1)) * orOne(g.Speed) * (1 - g.Foreign)
	}
	c.span = time.Duration(float64(c.s.Requests) / (power * load) * float64(c.mean))
	if c.one(3) {
		c.s.Arrivals.Burst = Burst{
			High: pick(*c, 3, 10.0), Low: pick(*c, .1, .5), HighFor: c.times(1, 10), LowFor: c.times(5, 20),
			EachProxyOnItsOwn: c.one(2),
		}
	}
	if c.one(3) {
		c.s.ClientTimeout, c.s.DropsCancelled = c.times(2, 30), c.one(2)
	}
}

func (c *chaos) pool() {
	p := &c.s.Pool.PoolSpec
	switch c.IntN(5) {
	case 0:
		p.Workers = 1 + c.IntN(3)
	case 1:
		p.Workers, p.Learn = 1+c.IntN(2), true
	default:
		p.Slots = 1 + c.IntN(4)
		p.Permits = c.one(2)
	}
	p.Grace = pick(*c, c.times(1, 5), time.Second, 3*time.Second, 3*time.Second)
	p.Grace = max(p.Grace, 20*time.Millisecond)
	if c.one(3) {
		p.LostAfter = max(c.times(1, 10), 100*time.Millisecond)
	}
	if c.one(4) {
		p.GrantLimit = max(c.times(2, 20), 10*time.Millisecond)
	}
	if c.one(3) {
		p.PreferZone = true
		if c.one(2) {
			p.SpillAfter = max(c.times(.5, 5), time.Millisecond)
		}
	}
	if c.one(5) {
		p.SlowStart = max(c.times(2, 50), 10*time.Millisecond)
	}
	if c.one(5) {
		p.Eject = fleet.EjectSpec{Errors: 1 + c.IntN(4), For: max(c.times(2, 30), 10*time.Millisecond), Most: pick(*c, .1, .5, 1)}
	}
	if c.one(5) {
		p.Budget = fleet.BudgetSpec{Ratio: pick(*c, 0, .1, .5), Least: float64(1 + c.IntN(3))}
	}
}

// bounds are those of the queue.
func (c *chaos) bounds() {
	p := &c.s.Pool.PoolSpec
	p.QueueLimit, p.QueueTimeout = pick(*c, 0, 3, 10, 30, 1000), max(c.times(1, 20), 20*time.Millisecond)
	if c.one(2) {
		p.QueueTimeout = time.Minute
	}
	for class := fleet.Critical; class < fleet.Classes; class++ {
		if c.one(6) {
			p.Classes[class].Limit = 1 + c.IntN(10)
		}
		if c.one(6) {
			p.Classes[class].Timeout = max(c.times(1, 10), 20*time.Millisecond)
		}
	}
	if c.one(2) {
		p.FlowWeights = map[string]float64{"f0": pick(*c, 2, 5, .5), "g": 3}
	}
}

func (c *chaos) mix() {
	if c.one(6) {
		return
	}
	classes := c.one(2)
	for range 1 + c.IntN(4) {
		m := RequestMix{Share: pick(*c, .3, 1, 3), Flow: pick(*c, "f", "f", "g", "")}
		if m.Flow != "" && c.one(2) {
			m.Flows = 2 + c.IntN(6)
			m.Skew = pick(*c, 0, 0, 1, 2.0)
		}
		if classes {
			m.Class = fleet.Class(c.IntN(int(fleet.Classes)))
		}
		if g := c.s.Backends[c.IntN(len(c.s.Backends))]; len(g.Labels) > 0 && c.one(2) {
			m.Labels = g.Labels[c.IntN(len(g.Labels)):]
		}
		if c.one(5) {
			m.Affinity = 1 + c.IntN(5)
		}
		if c.one(5) {
			m.Deadline = c.times(.5, 20)
		}
		if c.one(5) {
			m.Work = pick(*c, .2, 3)
		}
		c.s.Mix = append(c.s.Mix, m)
	}
}

func (c *chaos) network() {
	n := &c.s.Network
	n.Hop = pick(*c, 0, 50*time.Microsecond, time.Millisecond)
	n.RoundTrip = pick(*c, 100*time.Microsecond, time.Millisecond, 20*time.Millisecond)
	n.Jitter = pick(*c, 0, 0, .5, 2)
	if c.one(4) {
		n.Loss = pick(*c, .001, .01, .05)
	}
	if c.one(4) {
		n.Double = pick(*c, .01, .1, .5)
	}
	if c.one(4) {
		n.Reorder = pick(*c, .05, .3, .8)
	}
}

// fault adds one, while nothing of its kind is wrong with what it is on. What stands still
// does not do so for good: nothing would ever end it.
func (c *chaos) fault() {
	f := Fault{Kind: pick(*c, KillProxy, KillController, KillBackend, FreezeBackend, CutProxy, LoseAgent, DrainBackend)}
	proxies, backends := c.s.Count()
	switch f.Kind {
	case KillController:
	case KillProxy, CutProxy:
		f.On = c.IntN(proxies)
	default:
		f.On = c.IntN(backends)
	}
	f.At = time.Duration(float64(c.span) * 1.1 * c.Float64()).Round(time.Microsecond)
	f.For = max(c.span/time.Duration(1+c.IntN(20)), time.Millisecond).Round(time.Microsecond)
	if f.Kind == CutProxy || c.one(4) {
		f.For = pick(*c, 500*time.Millisecond, 2*time.Second, 5*time.Second)
	}
	if f.Kind != FreezeBackend && c.one(6) {
		f.For = 0
	}
	for _, o := range c.s.Faults {
		if o.Kind == f.Kind && o.On == f.On && (o.For == 0 || f.For == 0 || o.At <= f.At+f.For && f.At <= o.At+o.For) {
			return
		}
	}
	c.s.Faults = append(c.s.Faults, f)
}
