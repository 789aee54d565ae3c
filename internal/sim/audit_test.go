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
	wrong func(f *faulty, now fleet.Time, in dispatch.Input, effects []dispatch.Effect) []dispatch.Effect
	drop  func(f *faulty, in dispatch.Input) bool
	hears func(in dispatch.Input) dispatch.Input // instead
	kept  dispatch.Effect
}

// Step implements brain.
func (f *faulty) Step(now fleet.Time, in dispatch.Input) []dispatch.Effect {
	f.steps++
	if f.drop != nil && f.drop(f, in) {
		return nil
	}
	if f.hears != nil {
		in = f.hears(in)
	}
	effects := f.Pool.Step(now, in)
	if f.wrong != nil {
		effects = f.wrong(f, now, in, effects)
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

// TestAuditSees has minds break each promise, which must be told with seed and time.
func TestAuditSees(t *testing.T) {
	isDone := func(in dispatch.Input) bool { _, ok := in.(*dispatch.Done); return ok }
	for want, mind := range map[string]faulty{
		"and 2 slots": {drop: func(_ *faulty, in dispatch.Input) bool {
			if j, ok := in.(*dispatch.Join); ok {
				j.Spec.Slots++
			}
			return false
		}},
		"was not open": {wrong: func(f *faulty, _ fleet.Time, _ dispatch.Input, effects []dispatch.Effect) []dispatch.Effect {
			if i := granted(effects); i >= 0 && f.steps > 1000 {
				f.kept = effects[i]
				f.kept.Grant.Number += 1 << 40
				return append(effects, f.kept)
			}
			return effects
		}},
		"given twice": {wrong: func(f *faulty, _ fleet.Time, _ dispatch.Input, effects []dispatch.Effect) []dispatch.Effect {
			if i := granted(effects); i >= 0 {
				effects[i].Grant.Number = 7
			}
			return effects
		}},
		"wait, while": {drop: func(_ *faulty, in dispatch.Input) bool {
			if j, ok := in.(*dispatch.Join); ok {
				j.Spec.Slots--
			}
			return false
		}},
		"and 3 may":      {},
		"mind's account": {drop: func(f *faulty, in dispatch.Input) bool { return isDone(in) && f.steps > 2000 && f.steps%100 == 0 }},
	} {
		s := small(Fairlead, 4, 2, .97, 10_000)
		s.Pool.QueueLimit, s.Pool.QueueTimeout = 1000, time.Minute
		if want == "and 3 may" {
			s.Pool.QueueLimit = 3
		}
		p, err := newPlan(s)
		if err != nil {
			t.Fatal(err)
		}
		p.mind = func(e *engine, epoch uint64) brain {
			m, spec := mind, e.plan.spec
			spec.QueueLimit = 1000
			m.Pool = dispatch.New(spec, epoch)
			return &m
		}
		meter, err := play(t.Context(), p, Fairlead, 42, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := meter.violation; !strings.Contains(got, want) || !strings.HasPrefix(got, "seed 42, ") {
			t.Errorf("%q should say %q", got, want)
		}
	}
}
