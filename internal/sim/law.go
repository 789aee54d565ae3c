package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Of the bounded Pareto law: a few requests have most of the work, as with real ones.
const (
	paretoAlpha = 1.3
	paretoRange = 1000 // the highest over the lowest
)

// lognormalSigma is the standard deviation of the logarithm.
const lognormalSigma = 1.5

// work draws a request's work in nanoseconds. Its mean is exact.
type work func(*rand.Rand) float64

func newWork(s Service) (work, error) {
	m := float64(s.Mean)
	if m <= 0 {
		return nil, fmt.Errorf("the mean work is %v: say how long a request takes a backend of speed 1", s.Mean)
	}
	switch s.Law {
	case Exponential:
		return func(r *rand.Rand) float64 { return m * r.ExpFloat64() }, nil
	case Fixed:
		return func(*rand.Rand) float64 { return m }, nil
	case Lognormal:
		low := m * math.Exp(-lognormalSigma*lognormalSigma/2)
		return func(r *rand.Rand) float64 { return low * math.Exp(lognormalSigma*r.NormFloat64()) }, nil
	case Bimodal:
		unit := m / (.9*10 + .1*200)
		return func(r *rand.Rand) float64 {
			if r.Float64() < .1 {
				return 200 * unit
			}
			return 10 * unit
		}, nil
	case Pareto:
		low := m / paretoMean(paretoAlpha, paretoRange)
		tail := 1 - math.Pow(paretoRange, -paretoAlpha) // the share that the bound leaves
		return func(r *rand.Rand) float64 {
			return low * math.Pow(1-r.Float64()*tail, -1/paretoAlpha)
		}, nil
	}
	return nil, fmt.Errorf("there is no service law %q: it is %s, %s, %s, %s or %s",
		s.Law, Exponential, Pareto, Bimodal, Lognormal, Fixed)
}

// paretoMean returns the mean of the Pareto law from 1 to high.
func paretoMean(alpha, high float64) float64 {
	return alpha / (alpha - 1) * (1 - math.Pow(high, 1-alpha)) / (1 - math.Pow(high, -alpha))
}
