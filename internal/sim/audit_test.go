package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// faulty is a mind that does one thing wrong.
type faulty struct {
	*dispatch.Pool
	steps int
	wrong func(f *faulty, effects []dispatch.Effect) []dispatch.Effect
	drop  func(f *faulty, in dispatch.Input) bool
}

// Step implements brain.
func (f *faulty) Step(now fleet.Time, in dispatch.Input) []dispatch.Effect {
	f.steps++
	if f.drop != nil && f.drop(f, in) {
		return nil
	}
	effects := f.Pool.Step(now, in)
	if f.wrong != nil {
		effects = f.wrong(f, effects)
	}
	return effects
}

func granted(effects []dispatch.Effect) int {
	for i := range effects {
		if effects[i].Kind == dispatch.Granted {
			return i
		}
	}
	return -1
}

// wrongs are minds that break a promise, by what the audit should say of them.
func wrongs() map[string]faulty {
	isDone := func(in dispatch.Input) bool { _, ok := in.(*dispatch.Done); return ok }
	return map[string]faulty{
		"and 2 slots": {drop: func(_ *faulty, in dispatch.Input) bool {
			if j, ok := in.(*dispatch.Join); ok {
				j.Spec.Slots++
			}
			return false
		}},
		"was not open": {wrong: func(f *faulty, effects []dispatch.Effect) []dispatch.Effect {
			if i := granted(effects); i >= 0 && f.steps > 1000 {
				again := effects[i]
				again.Grant.Number += 1 << 40
				return append(effects, again)
			}
			return effects
		}},
		"given twice": {wrong: func(_ *faulty, effects []dispatch.Effect) []dispatch.Effect {
			if i := granted(effects); i >= 0 {
				effects[i].Grant.Number = 7
			}
			return effects
		}},
		"mind's account": {drop: func(f *faulty, in dispatch.Input) bool { return isDone(in) && f.steps > 2000 && f.steps%100 == 0 }},
		"wait, while":    {},
		"and 3 may":      {},
	}
}

// TestAuditSees has minds break each promise, which must be told with seed and time.
func TestAuditSees(t *testing.T) {
	for want, mind := range wrongs() {
		s := small(Fairlead, 4, 2, .97, 10_000)
		s.Pool.QueueLimit, s.Pool.QueueTimeout = 1000, time.Minute
		p, err := newPlan(s)
		if err != nil {
			t.Fatal(err)
		}
		e, err := newEngine(p, Random, 42, true)
		if err != nil {
			t.Fatal(err)
		}
		e.decider = newRemote(e, func(e *engine, epoch uint64) brain {
			m := mind
			m.Pool = dispatch.New(e.plan.spec, epoch)
			switch want {
			case "and 3 may":
				return &forgetful{&m, 3}
			case "wait, while":
				return &blind{&m}
			}
			return &m
		})
		if err := e.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := e.meter.violation; !strings.Contains(got, want) || !strings.HasPrefix(got, "seed 42, ") {
			t.Errorf("%q should say %q", got, want)
		}
	}
}

// TestAuditSeesLeak: what is left when all is over is told.
func TestAuditSeesLeak(t *testing.T) {
	p, err := newPlan(small(Fairlead, 2, 2, .5, 100))
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(p, Fairlead, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	c := e.decider.(*remote)
	if idle, why := c.over(); !idle || why != "" {
		t.Errorf("a fresh mind is not at rest: %v, %q", idle, why)
	}
	c.step(&dispatch.Ask{Proxy: c.proxies[0].id, ID: 1})
	c.tickAt, c.flying = 0, 0
	if _, why := c.over(); !strings.Contains(why, "1 grants and 0 asks are left") {
		t.Errorf("%q", why)
	}
}

// forgetful lets more wait than it may, by its own word.
type forgetful struct {
	*faulty
	limit int
}

// State implements accountable.
func (f *forgetful) State(now fleet.Time) dispatch.State {
	s := f.Pool.State(now)
	s.Spec.QueueLimit = f.limit
	return s
}

// blind has a slot more than it uses.
type blind struct{ *faulty }

// State implements accountable.
func (b *blind) State(now fleet.Time) dispatch.State {
	s := b.Pool.State(now)
	for i := range s.Backends {
		s.Backends[i].Slots++
		s.Backends[i].Eligible = true
	}
	return s
}
