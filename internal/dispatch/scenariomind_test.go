package dispatch

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// minded has dice say who goes first and where.
func minded(d dice, spec *fleet.PoolSpec) {
	pick := func(of ...int) int { return of[d.roll(len(of))] }
	ms := func(of ...int) time.Duration { return time.Duration(pick(of...)) * time.Millisecond }
	if d.roll(3) == 0 {
		spec.Workers = pick(1, 2, 4)
	}
	if spec.PreferZone && d.roll(2) == 0 {
		spec.SpillAfter = ms(1, 30, 1000)
	}
	if d.roll(4) == 0 {
		spec.SlowStart = ms(50, 1000, 5000)
	}
	for c := fleet.Critical; c < fleet.Classes; c++ {
		if d.roll(4) == 0 {
			spec.Classes[c] = fleet.ClassSpec{Limit: pick(0, 1, 2, 5), Timeout: ms(0, 10, 100, 3000)}
		}
	}
	if d.roll(2) == 0 {
		spec.FlowWeights = map[string]float64{"f": 2, "g": 0.5}
	}
}

// spec is what somebody says of a backend.
func (s *scenario) spec(name fleet.BackendName) fleet.BackendSpec {
	of := fleet.BackendSpec{Name: name, Slots: s.dice.roll(3), Zone: s.zone()}
	if soft(&s.pool.spec) {
		of.Workers = s.dice.roll(3)
	}
	switch s.dice.roll(4) {
	case 0:
		of.Labels = []string{"gpu=yes", "model=a"}
	case 1:
		of.Labels = []string{"model=a"}
	case 2:
		of.Weight = []float64{0.5, 1, 3}[s.dice.roll(3)]
	}
	return of
}

// about is what an ask says of its request.
func (s *scenario) about() *fleet.About {
	a := &fleet.About{Path: "/" + string(s.backend())}
	switch s.dice.roll(4) {
	case 0:
		a.Class = fleet.Class(s.dice.roll(int(fleet.Classes)))
	case 1:
		a.Flow = []string{"f", "g", "h"}[s.dice.roll(3)]
	case 2:
		a.Labels = [][]string{{"gpu=yes"}, {"model=a"}, {"gpu=yes", "model=a"}, {"gpu=no"}}[s.dice.roll(4)]
	}
	switch s.dice.roll(4) {
	case 0:
		a.Affinity = []string{"k", "l", "m"}[s.dice.roll(3)]
	case 1, 2:
		a.Flow = []string{"f", "g", "h"}[s.dice.roll(3)]
	}
	return a
}
