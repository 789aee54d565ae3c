package permit

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// decide has the ledger give a request a backend, which must be this one.
func decide(t *testing.T, l *Ledger, want fleet.BackendName, limit time.Duration) fleet.GrantID {
	t.Helper()
	id, b, why := l.Decide(start, work, nil, nil, limit)
	if why != fleet.NoReason || b != want || id.Epoch != 0 {
		t.Fatalf("Decide = %v, %q, %v; want one of its own on %s", id, b, why, want)
	}
	return id
}

// TestWarmFromGrants: what the controller grants teaches the choice here, so that changing
// over costs nothing.
func TestWarmFromGrants(t *testing.T) {
	l := New()
	for n := range uint64(3) {
		l.Granted(start, work, id(n), one, 0)
	}
	l.Done(start, id(0), fleet.OK, 30*time.Millisecond, true)
	l.Granted(start, work, id(10), two, 0)
	l.Done(start, id(10), fleet.OK, 40*time.Millisecond, false)
	l.Backends(work).SetBackends([]Choosable{choosable(one), choosable(two)})
	decide(t, l, two, 0) // 40 against 3*30, though nothing was chosen here before
	decide(t, l, two, 0) // 80
	decide(t, l, one, 0) // 90 against 120
}

// TestWord shows what the controller is told of requests that a proxy decided: everything
// once, and what is in flight as it is.
func TestWord(t *testing.T) {
	l := New()
	if w, more := l.Word(work, true); w.Decided != 0 || w.Backends != nil || more {
		t.Errorf("of a pool that nobody used: %+v", w)
	}
	l.Backends(work).SetBackends([]Choosable{choosable(one), choosable(two)})
	a, b, c := decide(t, l, one, 0), decide(t, l, two, 0), decide(t, l, one, time.Second)
	l.Granted(start, work, id(1), two, 0) // the controller knows of that one
	if _, _, why := l.Decide(start, work, []fleet.BackendName{one, two}, nil, 0); why != fleet.AllExcluded {
		t.Errorf("Decide = %v with everyone excluded", why)
	}
	if live := l.Live(start, work); len(live) != 1 || live[0].ID != id(1) {
		t.Errorf("%v are named in a hello, want the controller's grant", live)
	}
	if over := l.Expired(start.Add(time.Second)); len(over) != 1 || over[0] != c {
		t.Errorf("%v are over, want %v", over, c)
	}
	l.Head(work, one, fleet.LoadReport{CPU: 0.5})
	if seen, held := l.Done(start, a, fleet.OK, 20*time.Millisecond, false); !held || seen != (fleet.Seen{}) {
		t.Errorf("Done = %+v, %v; there is nobody to tell it", seen, held)
	}
	l.Done(start, b, fleet.Unreachable, 0, false)
	w, more := l.Word(work, true)
	if w.Decided != 3 || w.Refused != 1 || w.InFlight != 1 || w.Served != 1 || w.Service != 20*time.Millisecond || more || len(w.Backends) != 2 {
		t.Fatalf("Word = %+v, %v", w, more)
	}
	x, y := w.Backends[0], w.Backends[1]
	if x.Backend != one || x.Decided != 2 || x.InFlight != 1 || x.Report.CPU != 0.5 || x.Latency == 0 ||
		y.Backend != two || y.Decided != 1 || y.InFlight != 0 || y.Errors != 1 {
		t.Errorf("of backends it tells %+v", w.Backends)
	}
	if w, _ := l.Word(work, true); w.Decided+w.Refused+w.Served != 0 || w.InFlight != 1 || w.Backends != nil {
		t.Errorf("the next Word tells %+v again", w)
	}
	l.Reconnected(work)
	if w, _ := l.Word(work, false); len(w.Backends) != 1 || w.Backends[0].Backend != one || w.Backends[0].InFlight != 1 {
		t.Errorf("a controller that knows nothing is told %+v, want what is in flight", w)
	}
	l.Done(start, c, fleet.Cancelled, time.Hour, false)
	if w, _ := l.Word(work, true); w.InFlight != 0 || w.Served != 0 || len(w.Backends) != 1 {
		t.Errorf("Word = %+v, want the end of one", w)
	}
	if l.InFlight() != 1 {
		t.Errorf("%d in flight, want the controller's", l.InFlight())
	}
}

func TestHandBack(t *testing.T) {
	l := New()
	l.Backends(work).SetBackends([]Choosable{choosable(one), choosable(two)})
	l.Done(start, decide(t, l, one, 0), fleet.OK, time.Second, false)
	l.Word(work, true)
	if _, seen := l.Ask(work, nil); len(seen) != 0 {
		t.Errorf("an ask tells %v", seen)
	}
	l.HandBack(work)
	if _, seen := l.Ask(work, nil); len(seen) != 1 || seen[0].Backend != one || seen[0].Latency == 0 {
		t.Errorf("an ask tells %v, want what the proxy learnt", seen)
	}
}

func TestWordTellsABoundedNumber(t *testing.T) {
	l := New()
	var all []Choosable
	for i := range maxWords + 5 {
		all = append(all, choosable(fleet.BackendName(fmt.Sprintf("b%d:80", i))))
	}
	l.Backends(work).SetBackends(all)
	for _, c := range all {
		decide(t, l, c.Name, 0)
	}
	first, more := l.Word(work, true)
	rest, end := l.Word(work, true)
	if len(first.Backends) != maxWords || !more || len(rest.Backends) != 5 || end || rest.Decided != 0 {
		t.Errorf("%d backends, then %d; %v, %v", len(first.Backends), len(rest.Backends), more, end)
	}
}

// TestSweepKeepsWhoMayBeChosen: the backends that a controller named once stay, however
// long nobody comes.
func TestSweepKeepsWhoMayBeChosen(t *testing.T) {
	l := New()
	l.Backends(work).SetBackends([]Choosable{choosable(one)})
	l.Sweep(start.Add(24 * time.Hour))
	decide(t, l, one, 0)
}
