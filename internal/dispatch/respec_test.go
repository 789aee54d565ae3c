package dispatch

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// respecced steps a pool through a change of its spec.
func respecced(t *testing.T, p *Pool, change func(*fleet.PoolSpec)) []Effect {
	t.Helper()
	spec := p.spec
	change(&spec)
	effects := p.Step(p.now, &Respec{Spec: spec})
	if err := checkInside(p); err != nil {
		t.Fatal(err)
	}
	return effects
}

// count returns how many effects are of a kind.
func count(effects []Effect, kind Kind) (n int) {
	for _, e := range effects {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// TestFewerSlotsCutNothing checks that grants outlive the slots that they are on, and that
// nothing is granted until what runs fits.
func TestFewerSlotsCutNothing(t *testing.T) {
	p := hotPool(1, fleet.PoolSpec{Slots: 4}, nil)
	for id := range fleet.AskID(5) {
		p.Step(2, &Ask{Proxy: 1, ID: id})
	}
	if effects := respecced(t, p, func(s *fleet.PoolSpec) { s.Slots = 2 }); len(effects) != 0 {
		t.Errorf("fewer slots bring %+v", effects)
	}
	for n, want := range []int{0, 0, 1} {
		if got := count(p.Step(3, &Done{Proxy: 1, Grant: p.running.head().id, Outcome: fleet.OK}), Granted); got != want {
			t.Errorf("after %d of 4 ended with 2 slots, %d are granted, want %d", n+1, got, want)
		}
	}
	if p.grants.len != 2 || p.counts.Granted != 5 {
		t.Errorf("%d run and %d were granted, want 2 and 5", p.grants.len, p.counts.Granted)
	}
}

// TestMoreSlotsServeTheQueue checks that who waits gets a slot that a change brings.
func TestMoreSlotsServeTheQueue(t *testing.T) {
	p := hotPool(1, fleet.PoolSpec{Slots: 1}, nil)
	for id := range fleet.AskID(4) {
		p.Step(2, &Ask{Proxy: 1, ID: id})
	}
	if got := count(respecced(t, p, func(s *fleet.PoolSpec) { s.Slots = 3 }), Granted); got != 2 {
		t.Errorf("two more slots bring %d grants", got)
	}
}

// TestRespecOfLimits checks the bounds of the queue and of grants.
func TestRespecOfLimits(t *testing.T) {
	p := hotPool(1, fleet.PoolSpec{Slots: 1}, nil)
	for id := range fleet.AskID(3) {
		p.Step(2, &Ask{Proxy: 1, ID: id})
	}
	if effects := respecced(t, p, func(s *fleet.PoolSpec) { s.QueueLimit = 1 }); len(effects) != 0 || p.queue.len != 2 {
		t.Errorf("a smaller queue brings %+v, and %d wait", effects, p.queue.len)
	}
	if got := count(p.Step(2, &Ask{Proxy: 1, ID: 3}), Refused); got != 1 {
		t.Errorf("beyond the queue's limit, %d are refused", got)
	}
	respecced(t, p, func(s *fleet.PoolSpec) { s.GrantLimit = time.Second })
	if at, ok := p.Next(); !ok || at != fleet.Time(2).Add(time.Second) {
		t.Errorf("with a limit of grants the next tick is at %v, %v", at, ok)
	}
	if got := count(p.Step(fleet.Time(2).Add(time.Second), &Tick{}), Revoked); got != 1 {
		t.Errorf("at the new limit %d are revoked", got)
	}
}

// TestRespecKeepsWhatItMust checks what no change may touch.
func TestRespecKeepsWhatItMust(t *testing.T) {
	p := hotPool(1, fleet.PoolSpec{Slots: 1, FirstGrant: 1 << 40, TicketLife: time.Minute}, nil)
	was := p.spec
	p.Step(2, &Respec{Spec: fleet.PoolSpec{
		Name: "other", Workers: 3, Learn: true, FirstGrant: 7, Assign: fleet.AssignConfirm, Direct: true, PreferZone: true,
		QueueTimeout: time.Second,
	}})
	is := p.spec
	if is.QueueTimeout != time.Second {
		t.Error("the time to wait did not change")
	}
	if is.Name != was.Name || is.FirstGrant != was.FirstGrant || is.Slots != 1 || soft(&is) || is.Assign != was.Assign ||
		is.Direct || is.PreferZone || is.TicketLife != was.TicketLife {
		t.Errorf("%+v became %+v", was, is)
	}
}

// TestRespecOfBackendLost checks that a backend that is down gets the new time, from the
// change on.
func TestRespecOfBackendLost(t *testing.T) {
	p := hotPool(1, fleet.PoolSpec{Slots: 1}, nil)
	p.Step(2, &Ask{Proxy: 1, ID: 1})
	p.Step(2, &Health{Backend: "b0"})
	respecced(t, p, func(s *fleet.PoolSpec) { s.LostAfter = time.Second })
	respecced(t, p, func(s *fleet.PoolSpec) { s.LostAfter = time.Minute })
	if got := count(p.Step(fleet.Time(time.Second+2), &Tick{}), Revoked); got != 0 {
		t.Errorf("%d are revoked at a time that does not hold any more", got)
	}
	if got := count(p.Step(fleet.Time(time.Minute+2), &Tick{}), Revoked); got != 1 {
		t.Errorf("%d are revoked when the backend is lost", got)
	}
}

// TestRandomRespecs changes the spec all the time under load, and checks after each step
// that nothing inside is at odds, and that no grant is made beyond the slots in force.
func TestRandomRespecs(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		spec := fleet.PoolSpec{Slots: 2, PreferZone: seed%2 == 0, Permits: seed%3 == 0, SlowStart: time.Second}
		if seed%4 == 1 {
			spec = fleet.PoolSpec{Workers: 2, Learn: seed%8 == 1}
		}
		p := hotPool(4, spec, func(i int) fleet.BackendSpec { return fleet.BackendSpec{Zone: string("ab"[i%2])} })
		now := fleet.Time(1)
		for id := range fleet.AskID(600) {
			now = now.Add(time.Duration(rnd.IntN(50)) * time.Millisecond)
			effects := p.Step(now, randomStep(p, rnd, id))
			if err := checkInside(p); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, id, err)
			}
			for _, e := range effects {
				b := p.byName[e.Backend]
				if e.Kind == Granted && !soft(&p.spec) && b.live.len > p.size(b) {
					t.Fatalf("seed %d, step %d: %s has %d grants, and %d slots", seed, id, b.name, b.live.len, p.size(b))
				}
			}
		}
	}
}

func randomStep(p *Pool, rnd *rand.Rand, id fleet.AskID) Input {
	name := fleet.BackendName("b" + string("0123"[rnd.IntN(4)]))
	switch rnd.IntN(10) {
	case 0:
		return &Health{Backend: name, Up: rnd.IntN(3) > 0}
	case 1:
		return randomRespec(p, rnd)
	case 2, 3, 4, 5:
		if g := p.running.head(); g != nil {
			return &Done{Proxy: 1, Grant: g.id, Outcome: fleet.OK, Latency: time.Millisecond, Kept: rnd.IntN(2) == 0, Uses: g.uses}
		}
	}
	about := &fleet.About{Class: fleet.Class(rnd.IntN(int(fleet.Classes))), Flow: string("xyz"[rnd.IntN(3)])}
	return &Ask{Proxy: 1, ID: id, About: about, Zone: string("abc"[rnd.IntN(3)])}
}

func randomRespec(p *Pool, rnd *rand.Rand) Input {
	ms := func(most int) time.Duration { return time.Duration(rnd.IntN(most)) * time.Millisecond }
	spec := p.spec
	if spec.Workers > 0 {
		spec.Workers = 1 + rnd.IntN(4)
	} else {
		spec.Slots = 1 + rnd.IntN(4)
	}
	spec.QueueLimit, spec.QueueTimeout = rnd.IntN(20), 1+ms(2000)
	spec.GrantLimit, spec.LostAfter, spec.SlowStart, spec.SpillAfter = ms(1000), ms(200), ms(500)*time.Duration(rnd.IntN(2)), ms(500)
	spec.FlowWeights = map[string]float64{"x": 0.5 + rnd.Float64(), "y": 3}
	spec.Classes[fleet.Sheddable] = fleet.ClassSpec{Limit: rnd.IntN(3), Timeout: ms(300)}
	spec.Eject = fleet.EjectSpec{Errors: rnd.IntN(3), For: time.Second, Most: 0.5}
	spec.Permits = rnd.IntN(2) == 0
	return &Respec{Spec: spec}
}
