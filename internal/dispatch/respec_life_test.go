package dispatch

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// TestRespec: what runs goes on when a pool's spec changes, and the new one holds for what
// comes: fewer slots wait until they fit, more are used at once.
func TestRespec(t *testing.T) {
	spec := fleet.PoolSpec{Name: "p", Slots: 2, QueueLimit: 10, QueueTimeout: time.Minute, Grace: time.Second, FirstGrant: 100}
	p := New(spec, 7)
	now := fleet.Time(1)
	step := func(in Input) []Effect { now++; return append([]Effect(nil), p.Step(now, in)...) }
	step(&Join{Spec: fleet.BackendSpec{Name: "b"}})
	step(&Health{Backend: "b", Up: true})
	step(&SessionUp{Proxy: 1})
	granted := func(effects []Effect) (ids []fleet.GrantID) {
		for _, e := range effects {
			if e.Kind == Granted {
				ids = append(ids, e.Grant)
			}
		}
		return ids
	}
	var held []fleet.GrantID
	for i := range 4 {
		held = append(held, granted(step(&Ask{Proxy: 1, ID: fleet.AskID(i + 1)}))...)
	}
	if len(held) != 2 {
		t.Fatalf("%d grants on 2 slots", len(held))
	}
	spec.Slots = 1
	if got := granted(step(&Respec{Spec: spec})); len(got) > 0 {
		t.Fatalf("fewer slots granted %v", got)
	}
	if s := p.State(now); s.InFlight != 2 || s.Waiting != 2 {
		t.Fatalf("%d in flight and %d wait after the change; want 2 and 2", s.InFlight, s.Waiting)
	}
	if got := granted(step(&Done{Proxy: 1, Grant: held[0], Outcome: fleet.OK})); len(got) > 0 {
		t.Errorf("a slot that is no more was granted: %v", got)
	}
	got := granted(step(&Done{Proxy: 1, Grant: held[1], Outcome: fleet.OK}))
	if len(got) != 1 || got[0].Epoch != 7 || got[0].Number != 103 {
		t.Fatalf("when what runs fits, %v is granted; want 7.103", got)
	}
	spec.Slots, spec.QueueLimit = 3, 1
	if got := granted(step(&Respec{Spec: spec})); len(got) != 1 {
		t.Errorf("more slots granted %v, want who waited", got)
	}
	step(&Ask{Proxy: 1, ID: 11})
	step(&Ask{Proxy: 1, ID: 12})
	refused := step(&Ask{Proxy: 1, ID: 13})
	if len(refused) != 1 || refused[0].Kind != Refused || refused[0].Reason != fleet.QueueFull {
		t.Errorf("the queue's new limit is 1, and a second one who waits gets %v", refused)
	}
	spec.Workers, spec.Assign, spec.Direct = 9, fleet.AssignConfirm, true
	step(&Respec{Spec: spec})
	if p.spec.Workers != 0 || p.spec.Assign != fleet.AssignNone || p.spec.Direct || p.spec.FirstGrant != 100 {
		t.Errorf("what cannot change has changed: %+v", p.spec)
	}
}
