package sim

import (
	"math"
	"math/rand/v2"

	"github.com/fairlead/fairlead/internal/fleet"
)

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
