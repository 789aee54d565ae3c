package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Of the bounded Pareto law: a few requests have most of the work, as with real ones.
const (
	paretoAlpha = 1.3
	paretoRange = 1000 // the highest over the lowest
)

// law draws the work of a request. Its mean is exact.
type law func(*rand.Rand) time.Duration

func newLaw(name string, mean time.Duration) (law, error) {
	m := float64(mean)
	switch name {
	case "exp":
		return func(r *rand.Rand) time.Duration { return time.Duration(m * r.ExpFloat64()) }, nil
	case "pareto":
		lowest := m / paretoMean(paretoAlpha, paretoRange)
		tail := 1 - math.Pow(paretoRange, -paretoAlpha) // the share that the bound leaves
		return func(r *rand.Rand) time.Duration {
			return time.Duration(lowest * math.Pow(1-r.Float64()*tail, -1/paretoAlpha))
		}, nil
	}
	return nil, fmt.Errorf("-law %q is not exp or pareto", name)
}

// paretoMean returns the mean of the Pareto law from 1 to high.
func paretoMean(alpha, high float64) float64 {
	return alpha / (alpha - 1) * (1 - math.Pow(high, 1-alpha)) / (1 - math.Pow(high, -alpha))
}

// arrival is one request that will be.
type arrival struct {
	due   time.Duration // after the load's start
	work  time.Duration
	proxy uint32 // modulo the number of fronts
}

// arrivals draws requests, one after the other. Two with the same seed draw the same,
// whatever the contestant makes of them.
type arrivals struct {
	random *rand.Rand
	law    law
	gap    float64 // mean, in nanoseconds
	due    float64 // of the last, in nanoseconds
}

func newArrivals(l law, rate float64, seed uint64) *arrivals {
	return &arrivals{random: rand.New(rand.NewPCG(seed, 1)), law: l, gap: float64(time.Second) / rate}
}

func (a *arrivals) next() arrival {
	a.due += a.gap * a.random.ExpFloat64()
	return arrival{time.Duration(a.due), a.law(a.random), a.random.Uint32()}
}
