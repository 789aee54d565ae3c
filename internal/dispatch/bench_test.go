package dispatch

import (
	"fmt"
	"math/rand/v2"
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

// BenchmarkTakeover measures how long a new controller takes to hear of 40,000 grants
// from 16 proxies.
func BenchmarkTakeover(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	sessions := make([]SessionUp, 16)
	for i := range sessions {
		sessions[i].Proxy = fleet.ProxyID(i + 2)
		for j := range 2500 {
			sessions[i].Live = append(sessions[i].Live, fleet.LiveGrant{
				ID:      fleet.GrantID{Epoch: 0, Number: uint64(i*2500 + j)},
				Backend: "10.0.0.1:80", Held: time.Duration(r.IntN(1e10)),
			})
		}
	}
	for b.Loop() {
		p, _ := benchPool(1, 1)
		for i := range sessions {
			p.Step(fleet.Time(time.Second), &sessions[i])
		}
	}
}

// BenchmarkAssign measures an ask, the backend's answer and a done, on a pool with 90 % of
// its slots taken.
func BenchmarkAssign(b *testing.B) {
	p := ledPool(100, 4, fleet.AssignConfirm, false)
	p.spec.PreferZone = false
	var answer Answer
	benchLed(b, p, func(now fleet.Time, e Effect) {
		answer = Answer{Backend: e.Backend, Grant: e.Grant}
		p.Step(now, &answer)
	})
}

// BenchmarkZones measures an ask and a done where zones are preferred.
func BenchmarkZones(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("backends=%d", n), func(b *testing.B) {
			p := ledPool(n, 4, fleet.AssignNone, false)
			benchLed(b, p, func(fleet.Time, Effect) {})
		})
	}
}

func benchLed(b *testing.B, p *Pool, more func(fleet.Time, Effect)) {
	now := fleet.Time(time.Second)
	zones := []string{"0", "1", "2", "3", "4"}
	inFlight := make([]fleet.GrantID, len(p.order)*4*9/10)
	ask, done := Ask{Proxy: 1}, Done{}
	request := func(i int) {
		now += 1000
		ask.ID, ask.Zone = ask.ID+1, zones[i%5]
		e := p.Step(now, &ask)[0]
		more(now, e)
		inFlight[i%len(inFlight)] = e.Grant
	}
	for i := range inFlight {
		request(i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		done = Done{Proxy: 1, Grant: inFlight[i%len(inFlight)], Outcome: fleet.OK, Latency: time.Duration(5+i%11) * time.Millisecond}
		p.Step(now, &done)
		request(i)
	}
}

// BenchmarkQueueComesBack measures how long 100,000 asks of 16 proxies take to queue again
// after a session broke, each in its place by first arrival.
func BenchmarkQueueComesBack(b *testing.B) {
	for b.Loop() {
		p, _ := benchPool(1, 1)
		p.spec.QueueLimit, p.spec.QueueTimeout = 1<<20, time.Hour
		p.Step(2, &Ask{Proxy: 1, ID: 1e9}) // the only slot
		for x := range fleet.ProxyID(16) {
			p.Step(2, &SessionUp{Proxy: x + 10})
		}
		for i := range 100_000 {
			// A hundred of one proxy, and then of the next.
			proxy, nth := i/100%16, i/1600*100+i%100
			p.Step(fleet.Time(time.Minute), &Ask{
				Proxy: fleet.ProxyID(proxy + 10), ID: fleet.AskID(i), Waited: time.Minute - time.Duration(nth*16+proxy),
			})
		}
	}
}

// BenchmarkKinds measures a decision as BenchmarkDecision does, of asks that want more.
func BenchmarkKinds(b *testing.B) {
	gpu, sticky := &fleet.About{Labels: []string{"gpu=yes"}}, make([]*fleet.About, 1024)
	for i := range sticky {
		sticky[i] = &fleet.About{Affinity: fmt.Sprint(i)}
	}
	for _, kind := range []struct {
		name    string
		workers int
		about   func(i int) *fleet.About
	}{
		{"workers", 4, func(int) *fleet.About { return nil }},
		{"labels", 0, func(int) *fleet.About { return gpu }},
		{"affinity", 0, func(i int) *fleet.About { return sticky[i%len(sticky)] }},
	} {
		for _, n := range []int{100, 10_000} {
			b.Run(fmt.Sprintf("%s/backends=%d", kind.name, n), func(b *testing.B) {
				p := New(fleet.PoolSpec{
					Name: "bench", Slots: 4, Workers: kind.workers, QueueLimit: 1000, QueueTimeout: time.Second, Grace: time.Second,
				}, 1)
				for i := range n {
					name := fleet.BackendName(fmt.Sprintf("10.%d.%d.%d:80", i>>16, i>>8&255, i&255))
					spec := fleet.BackendSpec{Name: name}
					if i%2 == 0 {
						spec.Labels = []string{"gpu=yes", "model=a"}
					}
					p.Step(1, &Join{Spec: spec})
					p.Step(1, &Health{Backend: name, Up: true})
				}
				p.Step(1, &SessionUp{Proxy: 1})
				inFlight := make([]fleet.GrantID, n*4*4/10)
				if kind.workers > 0 {
					inFlight = make([]fleet.GrantID, n*4*9/10)
				}
				for i := range inFlight {
					inFlight[i] = p.Step(2, &Ask{Proxy: 1, ID: fleet.AskID(i), About: kind.about(i), RoundTrip: time.Millisecond})[0].Grant
				}
				now := fleet.Time(time.Second)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					now += 1000
					slot := i % len(inFlight)
					done := Done{Proxy: 1, Grant: inFlight[slot], Outcome: fleet.OK, Latency: time.Duration(5+i%11) * time.Millisecond}
					p.Step(now, &done)
					ask := Ask{Proxy: 1, ID: fleet.AskID(i), About: kind.about(i), RoundTrip: time.Millisecond}
					inFlight[slot] = p.Step(now, &ask)[0].Grant
				}
			})
		}
	}
}

// BenchmarkFlows measures a grant from a queue of 10,000 asks of 1,000 flows, and an ask that
// takes the place of the one granted.
func BenchmarkFlows(b *testing.B) {
	p, inFlight := benchPool(1, 1)
	_ = inFlight
	p.spec.QueueLimit, p.spec.QueueTimeout = 1<<20, time.Hour
	flows := make([]*fleet.About, 1000)
	for i := range flows {
		flows[i] = &fleet.About{Flow: fmt.Sprint("flow", i)}
	}
	now, id := fleet.Time(time.Second), fleet.AskID(1e6)
	ask := func() []Effect {
		id++
		return p.Step(now, &Ask{Proxy: 1, ID: id, About: flows[int(id)%len(flows)]})
	}
	live := ask()[0].Grant
	for range 10_000 {
		ask()
	}
	b.ReportAllocs()
	for b.Loop() {
		now += 1000
		live = p.Step(now, &Done{Proxy: 1, Grant: live, Outcome: fleet.OK, Latency: time.Millisecond})[0].Grant
		ask()
	}
}
