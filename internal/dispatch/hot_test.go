package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// hotPool has n backends, which are up, and a proxy.
func hotPool(n int, spec fleet.PoolSpec, of func(int) fleet.BackendSpec) *Pool {
	spec.Name, spec.QueueLimit, spec.QueueTimeout, spec.Grace = "hot", 1<<20, time.Hour, time.Second
	p := New(spec, 1)
	for i := range n {
		b := fleet.BackendSpec{}
		if of != nil {
			b = of(i)
		}
		b.Name = fleet.BackendName(fmt.Sprintf("b%d", i))
		p.Step(1, &Join{Spec: b})
		p.Step(1, &Health{Backend: b.Name, Up: true})
	}
	p.Step(1, &SessionUp{Proxy: 1})
	return p
}

// quickest returns how long f takes at best, of a few times that it runs.
func quickest(f func()) time.Duration {
	best := time.Hour
	for range 20 {
		begun := time.Now()
		f()
		best = min(best, time.Since(begun))
	}
	return best
}

// TestFewLooksWhenAllAreFull checks that what it costs to find out that the own queues of
// all backends are too long does not grow with their number.
func TestFewLooksWhenAllAreFull(t *testing.T) {
	cost := func(n int) time.Duration {
		p := hotPool(n, fleet.PoolSpec{Workers: 1}, nil)
		now := fleet.Time(time.Second)
		for id := range fleet.AskID(2*n + 10) {
			p.Step(now, &Ask{Proxy: 1, ID: id})
		}
		if p.queue.len == 0 || p.all.over.len() < n/2 {
			t.Fatalf("%d wait, %d of %d overflow", p.queue.len, p.all.over.len(), n)
		}
		return quickest(func() {
			for range 20 {
				p.Step(now, &Tick{})
			}
		})
	}
	if few, many := cost(100), cost(10_000); many > 20*few {
		t.Errorf("20 looks take %v with 100 backends, and %v with 10,000", few, many)
	}
}
