package dispatch

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// TestNothingIsLeftOfAssignments runs many requests through pools that assign, link
// directly and prefer zones, with everything going wrong now and then, and checks that
// nothing stays behind: no offer, no grant on its way, no ask, no zone.
func TestNothingIsLeftOfAssignments(t *testing.T) {
	for _, direct := range []bool{false, true} {
		p := ledPool(10, 4, fleet.AssignConfirm, direct)
		r := rand.New(rand.NewPCG(1, 7))
		now := fleet.Time(time.Second)
		most := 0
		for id := fleet.AskID(1); id < 60_000; id++ {
			now += fleet.Time(time.Millisecond)
			for _, e := range p.Step(now, &Ask{Proxy: 1 + fleet.ProxyID(id%3), ID: id, Zone: fmt.Sprint(id % 5), About: &fleet.About{}}) {
				if e.Kind == Assigned && r.IntN(20) == 0 {
					p.Step(now, &Withdraw{Proxy: e.Proxy, Ask: e.Ask})
				}
			}
			mishap(p, now, r)
			most = max(most, len(p.wakes)+len(p.zones)+p.offers.len+p.coming.len)
		}
		if p.counts.Granted < 20_000 || p.counts.Rejected < 1000 || p.counts.Unanswered < 10 || direct && p.counts.Expired < 10 {
			t.Errorf("little happened: %+v", p.counts)
		}
		if most > 1500 {
			t.Errorf("%d things at once, with 40 slots", most)
		}
		for x := range fleet.ProxyID(3) {
			p.Step(now, &SessionLost{Proxy: 1 + x})
		}
		for i := range 10 {
			p.Step(now, &Leave{Backend: ledName(i)})
			p.Step(now, &Leave{Backend: ledName(i), Source: FromAgent})
		}
		checkEmpty(t, p)
	}
}

// mishap answers what is open, and now and then does not, or worse.
func mishap(p *Pool, now fleet.Time, r *rand.Rand) {
	i := r.IntN(10)
	if r.IntN(500) == 0 {
		p.Step(now, &AgentLost{Backend: ledName(i)})
		p.Step(now, ledJoin(i, fmt.Sprint(r.IntN(1000)))) // in another zone
	}
	hear(p, now, r)
	for _, g := range allOf(&p.running) {
		if p.grants.get(g.id) != g {
			continue // it has ended meanwhile
		}
		id, how := g.id, fleet.OK
		if r.IntN(500) == 0 {
			how = fleet.Outcome(1 + r.IntN(6))
		}
		switch {
		case r.IntN(3) == 0:
		case p.spec.Direct:
			p.Step(now, &Ended{Backend: g.on.name, Grant: id, Outcome: how})
		default:
			p.Step(now, &Done{Proxy: g.proxy.id, Grant: id, Outcome: how})
		}
	}
}

// hear has backends answer, and clients come to them.
func hear(p *Pool, now fleet.Time, r *rand.Rand) {
	for _, g := range allOf(&p.offers) {
		if p.grants.get(g.id) != g {
			continue // it has ended meanwhile
		}
		in := &Answer{Backend: g.on.name, Grant: g.id}
		if r.IntN(10) == 0 {
			in.Rejection = fleet.Rejection(1 + r.IntN(4))
		}
		if g.id.Number%100 > 0 { // else nobody ever answers
			p.Step(now, in)
		}
	}
	for _, g := range allOf(&p.coming) {
		if p.grants.get(g.id) != g {
			continue // it has ended meanwhile
		}
		if g.id.Number%100 > 1 { // else nobody ever comes
			p.Step(now, &Arrival{Backend: g.on.name, Grant: g.id})
		}
	}
}

func allOf(l *list[grant]) (all []*grant) {
	for g := l.head(); g != nil; g = g.inTime.after() {
		all = append(all, g)
	}
	return all
}

// checkEmpty lets time pass, and checks that nobody is left.
func checkEmpty(t *testing.T, p *Pool) {
	t.Helper()
	for {
		at, any := p.Next()
		if !any {
			break
		}
		p.Step(at, &Tick{})
	}
	if err := checkInside(p); err != nil {
		t.Error(err)
	}
	lists := p.queue.len + p.running.len + p.offers.len + p.coming.len + p.cutting.len + p.lost.len
	if n := lists + p.grants.len + len(p.proxies) + len(p.wakes) + len(p.zones) + len(p.order) + p.all.free.len(); n != 0 {
		t.Errorf("%d things are left, %d of them zones", n, len(p.zones))
	}
	if p.spareAsks.len == 0 || p.spareGrants.len == 0 || p.spareAsks.len > maxSpare {
		t.Errorf("%d asks and %d grants to spare", p.spareAsks.len, p.spareGrants.len)
	}
}

func ledName(i int) fleet.BackendName { return fleet.BackendName(fmt.Sprintf("10.1.0.%d:80", i)) }

func ledJoin(i int, zone string) *Join {
	return &Join{
		Spec: fleet.BackendSpec{Name: ledName(i), Zone: zone}, Source: FromAgent,
		Agent: firstAgent + fleet.ProxyID(i), Assigns: true, Directs: true,
	}
}

// ledPool has backends in five zones whose agents do everything, and three proxies.
func ledPool(n, slots int, assign fleet.Assign, direct bool) *Pool {
	p := New(fleet.PoolSpec{
		Name: "led", Slots: slots, QueueLimit: 1000, QueueTimeout: time.Second, Grace: time.Second,
		GrantLimit: time.Hour, Assign: assign, AssignTimeout: 50 * time.Millisecond,
		Direct: direct, TicketLife: 50 * time.Millisecond, PreferZone: true,
	}, 1)
	for i := range n {
		p.Step(1, &Join{Spec: fleet.BackendSpec{Name: ledName(i)}})
		p.Step(1, ledJoin(i, fmt.Sprint(i%5)))
		p.Step(1, &Health{Backend: ledName(i), Up: true})
	}
	for x := range fleet.ProxyID(3) {
		p.Step(1, &SessionUp{Proxy: 1 + x})
	}
	return p
}

// TestNoAllocationOfAssignments checks that an assignment, its answer, an arrival and an
// end cost no memory in steady use.
func TestNoAllocationOfAssignments(t *testing.T) {
	for _, direct := range []bool{false, true} {
		p := ledPool(10, 4, fleet.AssignConfirm, direct)
		now := fleet.Time(time.Second)
		ask, about := &Ask{Proxy: 1, Zone: "3"}, &fleet.About{}
		var answer Answer
		var arrival Arrival
		var ended Ended
		var done Done
		if got := testing.AllocsPerRun(20_000, func() {
			now += 1000
			ask.ID, ask.About = ask.ID+1, about
			e := p.Step(now, ask)[0]
			answer = Answer{Backend: e.Backend, Grant: e.Grant}
			p.Step(now, &answer)
			if direct {
				arrival = Arrival{Backend: e.Backend, Grant: e.Grant}
				p.Step(now, &arrival)
				ended = Ended{Backend: e.Backend, Grant: e.Grant, Outcome: fleet.OK, Latency: time.Millisecond}
				p.Step(now, &ended)
				return
			}
			done = Done{Proxy: 1, Grant: e.Grant, Outcome: fleet.OK, Latency: time.Millisecond}
			p.Step(now, &done)
		}); got != 0 {
			t.Errorf("%v allocations for a request, direct: %v", got, direct)
		}
		if p.counts.Granted < 20_000 || p.grants.len != 0 {
			t.Errorf("%d grants were made, %d are left", p.counts.Granted, p.grants.len)
		}
	}
}
