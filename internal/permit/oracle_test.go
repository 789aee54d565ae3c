package permit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// oracle is a Ledger that keeps all grants in one list and counts anew each time.
type oracle struct {
	held   []oracleGrant
	errors map[place]int // not told
	report map[place]float64
	due    []place // to be told, oldest first
}

type place struct {
	pool fleet.PoolName
	on   fleet.BackendName
}

type oracleGrant struct {
	place
	id    fleet.GrantID
	since fleet.Time
	limit time.Duration
}

func (o *oracle) inFlight(match func(place) bool) int {
	n := 0
	for _, g := range o.held {
		if match(g.place) {
			n++
		}
	}
	return n
}

func (o *oracle) tell(p place) {
	if !slices.Contains(o.due, p) {
		o.due = append(o.due, p)
	}
}

func (o *oracle) take(p place) fleet.Seen {
	cpu, reported := o.report[p]
	s := fleet.Seen{
		Backend: p.on, InFlight: o.inFlight(func(q place) bool { return q == p }),
		Errors: o.errors[p], Reported: reported,
	}
	s.Report.CPU = cpu
	delete(o.report, p)
	delete(o.errors, p)
	return s
}

func (o *oracle) ask(pool fleet.PoolName) (int, []fleet.Seen) {
	var seen []fleet.Seen
	for i := 0; i < len(o.due) && len(seen) < maxSeen; {
		if p := o.due[i]; p.pool == pool {
			o.due = slices.Delete(o.due, i, i+1)
			seen = append(seen, o.take(p))
			continue
		}
		i++
	}
	return o.inFlight(func(p place) bool { return p.pool == pool }), seen
}

func (o *oracle) done(id fleet.GrantID, how fleet.Outcome, told bool) (fleet.Seen, bool) {
	i := slices.IndexFunc(o.held, func(g oracleGrant) bool { return g.id == id })
	if i < 0 {
		return fleet.Seen{}, false
	}
	p := o.held[i].place
	o.held = slices.Delete(o.held, i, i+1)
	if told {
		return o.take(p), true
	}
	if how.Error() {
		o.errors[p]++
		o.tell(p)
	}
	return fleet.Seen{}, true
}

// same tells whether two words on a backend agree, but for its latency and for a report
// that was told before.
func same(a, b fleet.Seen) bool {
	if !a.Reported && !b.Reported {
		a.Report, b.Report = fleet.LoadReport{}, fleet.LoadReport{}
	}
	a.Latency, b.Latency = 0, 0
	return a == b
}

// TestOracle does what comes to mind to a Ledger and to the oracle, and compares what
// they say.
func TestOracle(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			w := &world{t: t, random: random, l: New(), now: 1,
				o: &oracle{errors: map[place]int{}, report: map[place]float64{}}}
			for range 1000 {
				w.step()
				w.compare()
			}
		})
	}
}

// world is a Ledger and its oracle, with the same history.
type world struct {
	t      *testing.T
	random *rand.Rand
	l      *Ledger
	o      *oracle
	now    fleet.Time
	last   uint64
}

func (w *world) place() place {
	return place{
		fleet.PoolName(fmt.Sprintf("p%d", w.random.IntN(3))),
		fleet.BackendName(fmt.Sprintf("b%d", w.random.IntN(30))),
	}
}

// step does one thing, a few seconds after the one before. Nothing is unused for long
// enough to be forgotten, so sweeping must change nothing that is told.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(w.random.IntN(100)) * time.Millisecond)
	p := w.place()
	switch w.random.IntN(8) {
	case 0, 1:
		w.last++
		limit := time.Duration(w.random.IntN(3)) * time.Second
		w.l.Granted(w.now, p.pool, id(w.last), p.on, limit)
		w.o.held = append(w.o.held, oracleGrant{p, id(w.last), w.now, limit})
	case 2, 3, 4:
		w.done()
	case 5:
		cpu := w.random.Float64()
		w.l.Head(p.pool, p.on, fleet.LoadReport{CPU: cpu})
		w.o.report[p] = cpu
		w.o.tell(p)
	case 6:
		n, seen := w.l.Ask(p.pool, nil)
		wantN, want := w.o.ask(p.pool)
		if n != wantN || !slices.EqualFunc(seen, want, same) {
			w.t.Fatalf("Ask(%s) = %d, %+v; want %d, %+v", p.pool, n, seen, wantN, want)
		}
	case 7:
		w.l.Sweep(w.now)
	}
}

// done ends a grant that lives, that is over, or that never was.
func (w *world) done() {
	which := id(1 + w.random.Uint64N(w.last+2))
	if len(w.o.held) > 0 && w.random.IntN(3) > 0 {
		which = w.o.held[w.random.IntN(len(w.o.held))].id
	}
	how := fleet.Outcome(1 + w.random.IntN(int(fleet.Revoked)))
	told := w.random.IntN(2) == 0
	seen, held := w.l.Done(w.now, which, how, time.Millisecond, told)
	want, wantHeld := w.o.done(which, how, told)
	if held != wantHeld || !same(seen, want) {
		w.t.Fatalf("Done(%v, %v, %v) = %+v, %v; want %+v, %v", which, how, told, seen, held, want, wantHeld)
	}
}

func (w *world) compare() {
	if n := w.l.InFlight(); n != len(w.o.held) {
		w.t.Fatalf("%d in flight, want %d", n, len(w.o.held))
	}
	var over []fleet.GrantID
	live := map[fleet.PoolName][]Held{}
	for i, g := range w.o.held {
		if live[g.pool] == nil {
			live[g.pool] = w.l.Live(w.now, g.pool)
		}
		want := Held{g.pool, fleet.LiveGrant{ID: g.id, Backend: g.on, Held: w.now.Sub(g.since)}}
		if got := live[g.pool][0]; got != want {
			w.t.Fatalf("live grant %d is %+v, want %+v: in the order in which they came", i, got, want)
		}
		live[g.pool] = live[g.pool][1:]
		if g.limit > 0 && w.now.Sub(g.since) >= g.limit {
			over = append(over, g.id)
		}
	}
	if got := w.l.Expired(w.now); !slices.Equal(got, over) {
		w.t.Fatalf("expired are %v, want %v", got, over)
	}
}

// BenchmarkRequest is what one request costs in the ledger: an ask, its grant, a report
// in the answer's head, its done.
func BenchmarkRequest(b *testing.B) {
	l := New()
	for n := range uint64(256) { // in flight beside it
		l.Granted(1, work, fleet.GrantID{Epoch: 1, Number: n}, one, time.Hour)
	}
	seen := make([]fleet.Seen, 0, maxSeen)
	n := uint64(0)
	for b.Loop() {
		n++
		now := fleet.Time(n)
		l.Ask(work, seen)
		l.Granted(now, work, id(n), two, time.Hour)
		l.Head(work, two, fleet.LoadReport{CPU: 0.5})
		l.Done(now, id(n), fleet.OK, time.Millisecond, true)
	}
}
