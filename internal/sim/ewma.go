package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// logEWMA takes the backend at which (own in flight + 1) times the learnt latency is
// least. Latency is learnt in the log domain, so that one long request does not outweigh
// many short ones. What a proxy has not used for a while drifts to what it knows of all, or
// a backend that was slow once would never be tried again.
type logEWMA struct {
	own
	seen  []sight // by proxy, then backend
	pool  []sight // by proxy
	swept []int64 // by proxy
	turn  []int   // by proxy; where it begins to look
}

// sight is what a proxy has learnt.
type sight struct {
	mean    float64 // moving average of the logarithm
	latency float64 // e to that
	samples int
	heard   int64
}

const (
	learnRate = .05 // the weight of the newest latency
	driftEach = int64(100 * time.Millisecond)
	driftRate = .02
	unheard   = int64(500 * time.Millisecond) // until it drifts
)

func (s *sight) learn(latency int64) {
	s.samples++
	s.mean += max(learnRate, 1/float64(s.samples)) * (math.Log(float64(max(latency, 1000))) - s.mean)
	s.latency = math.Exp(s.mean)
}

func newLogEWMA(proxies, backends int, dice *rand.Rand) *logEWMA {
	return &logEWMA{newOwn(proxies, backends), make([]sight, proxies*backends), make([]sight, proxies), make([]int64, proxies), starts(dice, proxies, backends)}
}

func (c *logEWMA) choose(now int64, p int32, of []int32) int32 {
	if now-c.swept[p] >= driftEach {
		c.swept[p] = now
		c.drift(now, p)
	}
	row, seen := c.row(p), c.seen[int(p)*c.backends:]
	unseen := c.pool[p].latency // as the others, then
	if unseen == 0 {
		unseen = 1
	}
	best, least := of[0], math.Inf(1)
	c.turn[p]++
	turn := c.turn[p] % len(of) // so that equal ones take turns, and proxies differ
	for _, part := range [2][]int32{of[turn:], of[:turn]} {
		for _, v := range part {
			latency := seen[v].latency
			if latency == 0 {
				latency = unseen
			}
			if score := float64(row[v]+1) * latency; score < least {
				best, least = v, score
			}
		}
	}
	row[best]++
	return best
}

// drift has what is known of unused backends fade.
func (c *logEWMA) drift(now int64, p int32) {
	row, seen := c.row(p), c.seen[int(p)*c.backends:]
	for v := range row {
		if s := &seen[v]; row[v] == 0 && s.samples > 0 && now-s.heard >= unheard {
			s.mean += driftRate * (c.pool[p].mean - s.mean)
			s.latency = math.Exp(s.mean)
		}
	}
}

func (c *logEWMA) ended(now int64, p, v int32, how fleet.Outcome, latency int64) {
	c.own.ended(now, p, v, how, latency)
	if how == fleet.OK {
		s := &c.seen[int(p)*c.backends+int(v)]
		s.heard = now
		s.learn(latency)
		c.pool[p].learn(latency)
	}
}

// peakEWMA is Finagle's load metric: a moving average of latency that jumps to a higher one
// at once and forgets over decay, times one more than the proxy has in flight there. The
// better of two at random is taken (twitter/finagle, PeakEwma.scala and P2C).
type peakEWMA struct {
	own
	dice *rand.Rand
	cost []float64
	at   []int64
}

const (
	peakDecay   = 10e9             // Finagle's default: 10 s
	peakPenalty = float64(1 << 40) // of one in flight where no latency is known yet
)

func newPeakEWMA(proxies, backends int, dice *rand.Rand) *peakEWMA {
	n := proxies * backends
	return &peakEWMA{newOwn(proxies, backends), dice, make([]float64, n), make([]int64, n)}
}

func (c *peakEWMA) choose(now int64, p int32, of []int32) int32 {
	v, u := two(of, c.dice)
	if c.load(now, p, u) < c.load(now, p, v) {
		v = u
	}
	c.row(p)[v]++
	return v
}

func (c *peakEWMA) load(now int64, p, v int32) float64 {
	c.observe(now, p, v, 0)
	cost := c.cost[int(p)*c.backends+int(v)]
	n := float64(c.row(p)[v])
	if cost == 0 && n > 0 {
		return peakPenalty + n
	}
	return cost * (n + 1)
}

// observe takes a latency in; 0 only lets time pass.
func (c *peakEWMA) observe(now int64, p, v int32, latency float64) {
	i := int(p)*c.backends + int(v)
	if latency > c.cost[i] {
		c.cost[i] = latency
	} else {
		w := math.Exp(-float64(now-c.at[i]) / peakDecay)
		c.cost[i] = c.cost[i]*w + latency*(1-w)
	}
	c.at[i] = now
}

func (c *peakEWMA) ended(now int64, p, v int32, how fleet.Outcome, latency int64) {
	c.own.ended(now, p, v, how, latency)
	c.observe(now, p, v, float64(latency))
}
