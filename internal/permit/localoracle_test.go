package permit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// localOracle says whom a Local has to choose. It keeps no scores and no places: it counts
// and multiplies anew each time, by the words of Local's comment.
type localOracle struct {
	all     []Choosable // that may be chosen
	seen    map[fleet.BackendName]*oracleBackend
	speed   float64
	samples int
	count   int
}

type oracleBackend struct {
	running int
	speed   float64
	samples int
	hint    float64 // log of seconds; 0: none
	row     int     // errors
	rests   fleet.Time
	last    int // the choice that was the last one of it
}

func (o *localOracle) of(name fleet.BackendName) *oracleBackend {
	if o.seen[name] == nil {
		o.seen[name] = &oracleBackend{}
	}
	return o.seen[name]
}

func (o *localOracle) set(all []Choosable) {
	o.all = all
	for _, c := range all {
		if c.Latency > 0 && o.of(c.Name).samples == 0 {
			o.of(c.Name).hint = math.Log(c.Latency.Seconds())
		}
	}
}

func (o *localOracle) average() float64 {
	sum, n := 0.0, 0.0
	for _, c := range o.all {
		if c.Latency > 0 {
			sum, n = sum+math.Log(c.Latency.Seconds()), n+1
		}
	}
	switch {
	case o.samples > 0:
		return o.speed
	case n > 0:
		return sum / n
	}
	return 0
}

func (o *localOracle) score(c *Choosable) float64 {
	b := o.of(c.Name)
	speed := o.average() - 0.2
	if b.samples > 0 {
		speed = b.speed
	} else if b.hint != 0 {
		speed = b.hint
	}
	weight := c.Weight
	if weight == 0 {
		weight = 1
	}
	return float64(b.running+1) * math.Exp(speed) / weight
}

// allowed returns who may be chosen, by one who rests or not.
func (o *localOracle) allowed(now fleet.Time, exclude []fleet.BackendName, labels []string, resting bool) []*Choosable {
	var some []*Choosable
	for i := range o.all {
		c := &o.all[i]
		fits := !slices.Contains(exclude, c.Name) && (o.of(c.Name).rests > now) == resting
		for _, l := range labels {
			fits = fits && slices.Contains(c.Labels, l)
		}
		if fits {
			some = append(some, c)
		}
	}
	return some
}

// agrees tells whether a choice is right: nobody allowed is better, but for rounding.
func (o *localOracle) agrees(now fleet.Time, exclude []fleet.BackendName, labels []string, got fleet.BackendName) error {
	some := o.allowed(now, exclude, labels, false)
	if some == nil {
		some = o.allowed(now, exclude, labels, true)
	}
	if some == nil {
		if got != "" {
			return fmt.Errorf("%s was chosen, and nobody may be", got)
		}
		return nil
	}
	i := slices.IndexFunc(some, func(c *Choosable) bool { return c.Name == got })
	if i < 0 {
		return fmt.Errorf("%q was chosen, which may not be", got)
	}
	for _, c := range some {
		a, b := o.score(c), o.score(some[i])
		if a < b*(1-1e-9) {
			return fmt.Errorf("%s with %g was chosen, and %s has %g", got, b, c.Name, a)
		}
		if a == b && o.of(c.Name).last < o.of(got).last {
			return fmt.Errorf("%s and %s have %g, and the first was chosen later", got, c.Name, a)
		}
	}
	return nil
}

func (o *localOracle) began(name fleet.BackendName) {
	o.count++
	o.of(name).running++
	o.of(name).last = o.count
}

func (o *localOracle) done(now fleet.Time, name fleet.BackendName, how fleet.Outcome, took time.Duration) {
	b := o.of(name)
	if b.running == 0 {
		return
	}
	b.running--
	switch {
	case how == fleet.OK:
		b.row = 0
		if took > 0 {
			b.samples++
			o.samples++
			x := math.Log(took.Seconds())
			b.speed += max(0.05, 1/float64(b.samples)) * (x - b.speed)
			o.speed += max(0.01, 1/float64(o.samples)) * (x - o.speed)
		}
	case (how == fleet.Failed || how == fleet.Unreachable) && b.rests <= now:
		b.row++
		b.rests = now.Add(time.Duration(50*math.Pow(2, math.Min(float64(b.row), 8))) * time.Millisecond)
	}
}

// TestLocalOracle plays a few seconds of a pool's life, in which nobody idles for so long
// that its average drifts: that has a test of its own.
func TestLocalOracle(t *testing.T) {
	for seed := range uint64(50) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 5))
			l, o := NewLocal(), &localOracle{seen: map[fleet.BackendName]*oracleBackend{}}
			now := start
			pick := func() fleet.BackendName { return fleet.BackendName(fmt.Sprintf("b%d:80", random.IntN(12))) }
			for range 2000 {
				now = now.Add(time.Duration(random.IntN(400)) * time.Microsecond)
				switch random.IntN(20) {
				case 0:
					all := someBackends(random)
					l.SetBackends(all)
					o.set(all)
				case 1:
					name := pick()
					l.Began(now, name)
					o.began(name)
				case 2, 3, 4, 5, 6, 7, 8, 9:
					name, how := pick(), fleet.Outcome(1+random.IntN(int(fleet.Revoked)))
					took := time.Duration(random.IntN(3)) * time.Duration(1+random.IntN(1e6)) * time.Microsecond
					l.Done(now, name, how, took)
					o.done(now, name, how, took)
				default:
					var exclude []fleet.BackendName
					for range random.IntN(4) {
						exclude = append(exclude, pick())
					}
					labels := someLabels(random)
					got, ok := l.Choose(now, exclude, labels)
					if err := o.agrees(now, exclude, labels, got); err != nil || ok != (got != "") {
						t.Fatalf("without %v, with %v: %v", exclude, labels, err)
					}
					if ok {
						o.began(got)
					} else if why := l.Refusal(exclude, labels); why != o.refusal(now, labels) {
						t.Fatalf("without %v, with %v: %v", exclude, labels, why)
					}
				}
			}
		})
	}
}

func (o *localOracle) refusal(now fleet.Time, labels []string) fleet.Reason {
	switch {
	case len(o.all) == 0:
		return fleet.NoBackend
	case o.allowed(now, nil, labels, false) == nil && o.allowed(now, nil, labels, true) == nil:
		return fleet.NoMatch
	}
	return fleet.AllExcluded
}

func someLabels(random *rand.Rand) []string {
	var labels []string
	for _, l := range []string{"a=1", "b=1", "c=1"} {
		if random.IntN(4) == 0 {
			labels = append(labels, l)
		}
	}
	return labels
}

func someBackends(random *rand.Rand) []Choosable {
	var all []Choosable
	for _, i := range random.Perm(12)[:random.IntN(12)] {
		c := choosable(fleet.BackendName(fmt.Sprintf("b%d:80", i)), someLabels(random)...)
		c.Weight = float64(random.IntN(3))
		c.Latency = time.Duration(random.IntN(2)*random.IntN(1000)) * time.Millisecond
		all = append(all, c)
	}
	return all
}
