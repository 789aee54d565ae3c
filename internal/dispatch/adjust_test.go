package dispatch

import (
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
)

// TestSlotsByHand: more slots are granted at once, fewer cut nothing, and what an operator
// says goes before what the config and an agent say, until it is taken back.
func TestSlotsByHand(t *testing.T) {
	p := hotPool(1, fleet.PoolSpec{Slots: 2}, nil)
	for id := range fleet.AskID(9) {
		p.Step(2, &Ask{Proxy: 1, ID: id})
	}
	step := func(in Input, grants int) {
		t.Helper()
		if n := count(p.Step(p.now, in), Granted); n != grants {
			t.Errorf("%T: %d grants, want %d", in, n, grants)
		}
		if err := checkInside(p); err != nil {
			t.Fatal(err)
		}
	}
	step(&Adjust{Backend: "b0", Slots: 4}, 2)
	step(&Join{Spec: fleet.BackendSpec{Name: "b0", Slots: 8}, Source: FromAgent}, 0)
	step(&Adjust{Backend: "b0", Slots: 1}, 0)
	for g := p.grants.len; g > 1; g-- {
		step(&Done{Proxy: 1, Grant: p.byName["b0"].live.head().id, Outcome: fleet.OK}, 0)
	}
	step(&Done{Proxy: 1, Grant: p.byName["b0"].live.head().id, Outcome: fleet.OK}, 1)
	step(&Adjust{Backend: "b0"}, 4) // all that still wait, as the agent has 8
	before := p.counts.Stray
	step(&Adjust{Backend: "nobody", Slots: 3}, 0)
	if p.counts.Stray != before+1 {
		t.Error("a backend that is not there was adjusted")
	}
}

// TestWeightByHand: it goes before what is said by others, whenever they say it.
func TestWeightByHand(t *testing.T) {
	p := hotPool(2, fleet.PoolSpec{Slots: 2}, nil)
	b := p.byName["b0"]
	for _, c := range []struct {
		in   Input
		want float64
	}{
		{&Join{Spec: fleet.BackendSpec{Name: "b0", Weight: 3}}, 3},
		{&Adjust{Backend: "b0", Weight: 0.5}, 0.5},
		{&Join{Spec: fleet.BackendSpec{Name: "b0", Weight: 2}}, 0.5},
		{&Adjust{Backend: "b0"}, 2},
	} {
		p.Step(p.now, c.in)
		if b.weight != c.want {
			t.Errorf("after %+v the weight is %g, want %g", c.in, b.weight, c.want)
		}
		if err := checkInside(p); err != nil {
			t.Fatal(err)
		}
	}
}
