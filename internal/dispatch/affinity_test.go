package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// TestKeysStayWhileWorkersAreLearnt checks that keys keep their backends while nothing is
// learnt, though the halves of the pool change places.
func TestKeysStayWhileWorkersAreLearnt(t *testing.T) {
	p := hotPool(10, fleet.PoolSpec{Workers: 4, Learn: true}, nil)
	at, seen := fleet.Time(time.Second), map[bool]bool{}
	homes := map[string]fleet.BackendName{}
	for range 10 {
		for i := range 100 {
			key := fmt.Sprint("key", i)
			home := p.home(p.all, key, nil).name
			if was := homes[key]; was != "" && was != home {
				t.Fatalf("%s moves from %s to %s", key, was, home)
			}
			homes[key] = home
		}
		seen[p.learner.odd] = true
		at = at.Add(beat)
		p.stir()
		p.Step(at, &Tick{})
	}
	if len(seen) != 2 {
		t.Error("the halves did not change places")
	}
}

// TestWeightMovesKeysOfLabels checks that a weight that comes later counts for requests
// with labels too.
func TestWeightMovesKeysOfLabels(t *testing.T) {
	p := hotPool(2, fleet.PoolSpec{Slots: 1000}, func(int) fleet.BackendSpec {
		return fleet.BackendSpec{Labels: []string{"gpu=a"}}
	})
	about := fleet.About{Labels: []string{"gpu=a"}}
	granted := func() (heavy int) {
		for i := range 200 {
			about := about
			about.Affinity = fmt.Sprint("key", i)
			for _, e := range p.Step(2, &Ask{Proxy: 1, ID: fleet.AskID(i), About: &about}) {
				if e.Backend == "b0" {
					heavy++
				}
				p.Step(2, &Done{Proxy: 1, Grant: e.Grant, Outcome: fleet.OK})
			}
		}
		return heavy
	}
	granted()
	p.Step(2, &Join{Spec: fleet.BackendSpec{Name: "b0", Labels: about.Labels, Weight: 100}})
	if got := granted(); got < 180 {
		t.Errorf("one that weighs 100 has %d of 200 keys, beside one that weighs 1", got)
	}
}
