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

// TestFewLooksWhenAllAreFull checks that no more than the first few backends are looked at
// to find that the own queues of all are too long.
func TestFewLooksWhenAllAreFull(t *testing.T) {
	p := hotPool(1000, fleet.PoolSpec{Workers: 1}, nil)
	now := fleet.Time(time.Second)
	for id := range fleet.AskID(2010) {
		p.Step(now, &Ask{Proxy: 1, ID: id})
	}
	if p.queue.len == 0 || p.all.over.len() < 500 {
		t.Fatalf("%d wait, %d of 1000 overflow", p.queue.len, p.all.over.len())
	}
	looks := 0
	none := p.all.over.bestOf(maxBear, func(*backend) bool { looks++; return false })
	if none != nil || looks != maxBear {
		t.Errorf("%d backends are looked at, of which %d may be", looks, maxBear)
	}
	if b := p.bearable(p.all, p.all.over.top(), nil); b != nil {
		t.Errorf("the own queue of %s is bearable", b.name)
	}
}
