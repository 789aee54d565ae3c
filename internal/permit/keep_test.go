package permit

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

const me = 0 // the controller's index

// led returns a ledger whose pool is led, and whose leader has heard of all at the start.
func led() *Ledger {
	l := New()
	l.SetAlone(work, true, false)
	l.Led(start, work, me, false)
	l.Heard(me, start)
	return l
}

// keep has a grant's slot be kept after a request.
func keep(t *testing.T, l *Ledger, n uint64, on fleet.BackendName) {
	t.Helper()
	l.Granted(start, work, id(n), on, 0)
	l.MayKeep(id(n), time.Second)
	l.Done(start, id(n), fleet.OK, time.Millisecond, true)
	if !l.IsKept(id(n)) {
		t.Fatalf("the slot of grant %d is not kept", n)
	}
}

// TestTake: a kept slot is used again on the backend that is fastest, by who may use it, as
// long as the lease lasts.
func TestTake(t *testing.T) {
	l := led()
	l.Backends(work).SetBackends([]Choosable{choosable(one), choosable(two)})
	keep(t, l, 1, one)
	keep(t, l, 2, two)
	for range 20 {
		l.Granted(start, work, id(3), one, 0) // which is slow here
		l.Done(start, id(3), fleet.OK, time.Second, true)
	}
	if _, _, ok := l.Take(start, work, &Wish{Exclude: []fleet.BackendName{one, two}}); ok {
		t.Error("a backend that is excluded was used")
	}
	if _, _, ok := l.Take(start, work, &Wish{Affinity: "k"}); ok {
		t.Error("a request with affinity went where only the controller knows whether it leads")
	}
	if _, _, ok := l.Take(start.Add(Lease), work, &Wish{}); ok {
		t.Error("a kept slot was used when the lease was over")
	}
	if got, on, ok := l.Take(start, work, &Wish{}); !ok || got != id(2) || on != two || l.Uses(got) != 1 || l.IsKept(got) {
		t.Errorf("Take = %v on %s, %v; want the fast backend's", got, on, ok)
	}
	if got, _, ok := l.Take(start, work, &Wish{}); !ok || got != id(1) {
		t.Errorf("Take = %v, %v; want the other one", got, ok)
	}
	if _, _, ok := l.Take(start, work, &Wish{}); ok {
		t.Error("a slot that is in use was used")
	}
}

// TestGivesBack shows which kept slots go back, and when.
func TestGivesBack(t *testing.T) {
	l := led()
	for n := range uint64(4) {
		keep(t, l, n+1, one)
	}
	if pool, kept := l.Reclaim(id(1)); !kept || pool != work {
		t.Error("a kept slot that is reclaimed is not given back")
	}
	used, _, _ := l.Take(start, work, &Wish{})
	if _, kept := l.Reclaim(used); kept {
		t.Error("a slot in use was given back")
	}
	if l.Done(start, used, fleet.OK, 0, true); l.IsKept(used) {
		t.Error("a slot that was reclaimed was kept again")
	}
	if all := l.Unused(start.Add(time.Second - 1)); len(all) > 0 {
		t.Errorf("%v are given back before their time", all)
	}
	l.Unled(work)
	if all := l.Unused(start.Add(time.Second)); len(all) > 0 {
		t.Errorf("%v are given back to nobody", all)
	}
	l.Led(start, work, me, true)
	if all := l.Unused(start.Add(time.Second)); len(all) > 0 {
		t.Errorf("%v are given back to a leader that learns", all)
	}
	l.Learnt(work)
	if all := l.Unused(start.Add(time.Second)); len(all) != 2 {
		t.Errorf("%v are given back after their time, want both", all)
	}
	keep(t, l, 9, one)
	l.Leave()
	if all := l.Unused(start); len(all) != 1 {
		t.Errorf("%v are given back by a proxy that leaves", all)
	}
	l.Granted(start, work, id(10), one, 0)
	l.MayKeep(id(10), time.Second)
	if l.Done(start, id(10), fleet.OK, 0, true); l.IsKept(id(10)) {
		t.Error("a proxy that leaves keeps a slot")
	}
}

// TestHeard: what a leader has heard counts from when it was told what this proxy has.
func TestHeard(t *testing.T) {
	l := led()
	l.Heard(1, start.Add(time.Second)) // another controller, that does not lead
	if !l.LeaseOver(start.Add(Lease), work) {
		t.Error("a controller that does not lead the pool makes its lease longer")
	}
	l.Heard(me, start.Add(-1)) // an answer that was overtaken
	if l.LeaseOver(start.Add(Lease-1), work) {
		t.Error("an older answer makes the lease shorter")
	}
	l.Led(start.Add(2*time.Second), work, 1, false)
	if l.LeaseOver(start.Add(Lease-1), work) {
		t.Error("a new leader ends the lease of before")
	}
	if !l.LeaseOver(start.Add(Lease), work) {
		t.Error("what the new leader has heard before it was told what is held makes the lease longer")
	}
	l.Heard(1, start.Add(2*time.Second))
	if l.LeaseOver(start.Add(2*time.Second+Lease-1), work) || !l.LeaseOver(start.Add(2*time.Second+Lease), work) {
		t.Error("the lease does not count from what the leader has heard")
	}
	l.Unled(work)
	l.Heard(1, start.Add(9*time.Second))
	if !l.LeaseOver(start.Add(2*time.Second+Lease), work) {
		t.Error("a controller that leads no more makes the lease longer")
	}
}

// TestAlone: who answers is asked, and who does not answer, does not lead or learns is not.
func TestAlone(t *testing.T) {
	l := led()
	for _, c := range []struct {
		what  string
		do    func()
		alone bool
	}{
		{"a leader", func() {}, false},
		{"a quiet one", func() { l.Quiet(me, true) }, true},
		{"one that answers again", func() { l.Quiet(me, false) }, false},
		{"one that learns anew", func() { l.Relearn(work) }, true},
		{"one that has learnt", func() { l.Learnt(work) }, false},
		{"none", func() { l.Unled(work) }, true},
	} {
		if c.do(); l.Alone(work) != c.alone {
			t.Errorf("with %s Alone = %v", c.what, !c.alone)
		}
	}
}

// TestServe goes through the steps of serving without a controller.
func TestServe(t *testing.T) {
	l := led()
	backend := choosable(one)
	backend.Share = 2
	l.Backends(work).SetBackends([]Choosable{backend})
	keep(t, l, 1, one)
	l.Granted(start, work, id(2), one, 0)
	l.Granted(start, work, id(3), one, 0)
	serve := func(after time.Duration) (fleet.GrantID, bool) {
		got, _, ok := l.Serve(start.Add(after), work, &Wish{}, 0)
		return got, ok
	}
	if _, ok := serve(0); ok {
		t.Error("served alone while a leader answers")
	}
	l.Unled(work)
	if got, ok := serve(0); !ok || got != id(1) {
		t.Errorf("during the lease it serves on %v, %v; want the slot in hand", got, ok)
	}
	if _, ok := serve(0); ok {
		t.Error("during the lease it serves on a slot that it has not")
	}
	if _, ok := serve(Lease); ok {
		t.Error("after the lease it uses more than its share while it had more in hand")
	}
	for n := range uint64(3) {
		l.Done(start.Add(Lease), id(n+1), fleet.OK, 0, false)
	}
	lent, ok := serve(Lease)
	if !ok || lent.Epoch != 0 || !l.IsLent(lent) {
		t.Errorf("after the lease it serves on %v, %v; want one of its share", lent, ok)
	}
	if _, ok := serve(Lease); !ok {
		t.Error("its share is two")
	}
	if _, ok := serve(Lease); ok {
		t.Error("three were in hand, its share is two, and it uses three")
	}
	if _, ok := serve(Lease + settling); ok {
		t.Error("it uses more than its share")
	}
	if live := l.Live(start, work); len(live) != 2 || live[0].ID != lent {
		t.Errorf("the next leader is told of %v", live)
	}
	l.Done(start, lent, fleet.OK, 0, true)
	l.Led(start.Add(Lease), work, me, true)
	if _, ok := serve(Lease + settling); ok {
		t.Error("a slot of the share is used while a leader, who gives them away, has been told what is held")
	}
}

// TestHandCounts: between the lease's end and settling, what was in hand bounds too.
func TestHandCounts(t *testing.T) {
	l := led()
	backend := choosable(one)
	backend.Share = 2
	l.Backends(work).SetBackends([]Choosable{backend})
	keep(t, l, 1, one)
	l.Unled(work)
	if _, _, ok := l.Serve(start.Add(Lease), work, &Wish{}, 0); !ok {
		t.Error("one was in hand, and none is used")
	}
	if _, _, ok := l.Serve(start.Add(Lease+settling-1), work, &Wish{}, 0); ok {
		t.Error("one was in hand, and two are used before others have settled")
	}
	if _, _, ok := l.Serve(start.Add(Lease+settling), work, &Wish{}, 0); !ok {
		t.Error("the whole share is not used after that")
	}
}

// TestSharesSum: however slots and proxies fall, the shares of a backend sum to its slots.
func TestSharesSum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		slots, proxies, backend := rnd.IntN(50), 1+rnd.IntN(60), rnd.IntN(100)
		sum := 0
		for k := range proxies {
			sum += fleet.ShareOf(slots, backend, k, proxies)
		}
		if sum != slots {
			t.Fatalf("%d slots of backend %d among %d proxies are %d", slots, backend, proxies, sum)
		}
	}
}

// TestQueuesServeAtOnce: backends with queues of their own need no slots in hand.
func TestQueuesServeAtOnce(t *testing.T) {
	l := New()
	l.SetAlone(work, true, true)
	l.Backends(work).SetBackends([]Choosable{choosable(one)})
	for range 100 {
		if _, _, ok := l.Serve(start, work, &Wish{}, 0); !ok {
			t.Fatal("a backend with a queue of its own was refused a request")
		}
	}
}
