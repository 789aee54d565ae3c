package dispatch

import (
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
)

// mayKeep grants a proxy a slot of the best backend, has it keep that, and returns whether it may.
func mayKeep(t *testing.T, p *Pool) bool {
	t.Helper()
	grants := p.Step(p.now, &Ask{Proxy: 1, ID: 1})
	if len(grants) != 1 || grants[0].Kind != Granted || grants[0].Backend != "b0" || grants[0].Keep == 0 {
		t.Fatalf("an ask came to %+v", grants)
	}
	effects := p.Step(p.now, &Done{Proxy: 1, Grant: grants[0].Grant, Outcome: fleet.OK, Kept: true})
	if err := checkInside(p); err != nil {
		t.Fatal(err)
	}
	return count(effects, Reclaimed) == 0
}

// TestPreciousSlotsAreNotKept: a slot stays with a proxy only while another that is about as
// good is free for others; where slots are many, it may be somewhat better.
func TestPreciousSlotsAreNotKept(t *testing.T) {
	for _, c := range []struct {
		name     string
		backends int
		weight   float64 // of the first backend; the others weigh 1
		want     bool
	}{
		{"as good as the others", 10, 1.001, true},
		{"a tenth better", 10, 1.1, true},
		{"half as fast again", 10, 1.5, false},
		{"half as fast again, of many slots", 100, 1.5, true},
		{"three times as fast, of many slots", 100, 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := hotPool(c.backends, fleet.PoolSpec{Slots: 1, Permits: true}, nil)
			p.Step(p.now, &Join{Spec: fleet.BackendSpec{Name: "b0", Weight: c.weight}})
			if got := mayKeep(t, p); got != c.want {
				t.Errorf("it is kept: %v, want %v", got, c.want)
			}
		})
	}
}

// TestLastFreeSlotIsNotKept: what nobody else could have is given back.
func TestLastFreeSlotIsNotKept(t *testing.T) {
	p := hotPool(1, fleet.PoolSpec{Slots: 1, Permits: true}, nil)
	g := p.Step(p.now, &Ask{Proxy: 1, ID: 1})[0]
	if effects := p.Step(p.now, &Done{Proxy: 1, Grant: g.Grant, Outcome: fleet.OK, Kept: true}); count(effects, Reclaimed) != 1 {
		t.Errorf("it came to %+v", effects)
	}
}
