package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// BenchmarkDecision measures one ask and one done, which is a decision and all that it
// costs later, on a pool in steady use: 90 % of its slots are taken.
func BenchmarkDecision(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("backends=%d", n), func(b *testing.B) {
			p, inFlight := benchPool(n, 4)
			now := fleet.Time(time.Second)
			var ask Ask
			var done Done
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				now += 1000
				slot := i % len(inFlight)
				done = Done{Proxy: 1, Grant: inFlight[slot], Outcome: fleet.OK, Latency: time.Duration(5+i%11) * time.Millisecond}
				p.Step(now, &done)
				ask = Ask{Proxy: 1, ID: fleet.AskID(i)}
				inFlight[slot] = p.Step(now, &ask)[0].Grant
			}
		})
	}
}

func benchPool(n, slots int) (*Pool, []fleet.GrantID) {
	p := New(fleet.PoolSpec{
		Name: "bench", Slots: slots, QueueLimit: 1000, QueueTimeout: time.Second, Grace: time.Second,
		GrantLimit: time.Hour,
	}, 1)
	for i := range n {
		name := fleet.BackendName(fmt.Sprintf("10.%d.%d.%d:80", i>>16, i>>8&255, i&255))
		p.Step(1, &Join{Spec: fleet.BackendSpec{Name: name}})
		p.Step(1, &Health{Backend: name, Up: true})
	}
	p.Step(1, &SessionUp{Proxy: 1})
	inFlight := make([]fleet.GrantID, n*slots*9/10)
	for i := range inFlight {
		inFlight[i] = p.Step(2, &Ask{Proxy: 1, ID: fleet.AskID(i)})[0].Grant
	}
	return p, inFlight
}
