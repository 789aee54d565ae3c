package sim

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// TestChaosFindsBrokenMinds has minds that each break one promise play random scenarios,
// and wants each found out. It logs the first seed that does.
func TestChaosFindsBrokenMinds(t *testing.T) {
	t.Parallel()
	asks := func(change func(*dispatch.Ask)) *faulty {
		return &faulty{hears: func(in dispatch.Input) dispatch.Input {
			a, ok := in.(*dispatch.Ask)
			if !ok {
				return in
			}
			ask, about := *a, *a.About
			ask.About = &about
			change(&ask)
			return &ask
		}}
	}
	drops := func(which func(dispatch.Input) bool) *faulty {
		return &faulty{drop: func(_ *faulty, in dispatch.Input) bool { return which(in) }}
	}
	for name, c := range map[string]struct {
		spec func(*fleet.PoolSpec)
		mind *faulty
	}{
		"takes one slot too many": {mind: &faulty{hears: func(in dispatch.Input) dispatch.Input {
			if j, ok := in.(*dispatch.Join); ok {
				more := *j
				more.Spec.Slots++
				return &more
			}
			return in
		}}},
		"loses a grant on the way out": {mind: &faulty{wrong: func(f *faulty, _ fleet.Time, _ dispatch.Input, effects []dispatch.Effect) []dispatch.Effect {
			if i := granted(effects); i >= 0 && f.steps%10 == 0 {
				return append(effects[:i:i], effects[i+1:]...)
			}
			return effects
		}}},
		"misses an end now and then": {mind: &faulty{drop: func(f *faulty, in dispatch.Input) bool {
			_, ok := in.(*dispatch.Done)
			return ok && f.steps%10 == 0
		}}},
		"does not hear of lost sessions": {mind: drops(func(in dispatch.Input) bool { _, ok := in.(*dispatch.SessionLost); return ok })},
		"does not hear of withdrawals":   {mind: drops(func(in dispatch.Input) bool { _, ok := in.(*dispatch.Withdraw); return ok })},
		"does not hear of drains":        {mind: drops(func(in dispatch.Input) bool { _, ok := in.(*dispatch.Override); return ok })},
		"does not heed classes":          {mind: asks(func(a *dispatch.Ask) { a.About.Class = fleet.NoClass })},
		"does not tell flows apart":      {mind: asks(func(a *dispatch.Ask) { a.About.Flow = "" })},
		"does not heed labels":           {mind: asks(func(a *dispatch.Ask) { a.About.Labels = nil })},
		"does not heed exclusions":       {mind: asks(func(a *dispatch.Ask) { a.Exclude = nil })},
		"does not heed weights of flows": {spec: func(s *fleet.PoolSpec) { s.FlowWeights = nil }},
		"lets wait for too long":         {spec: func(s *fleet.PoolSpec) { s.QueueTimeout += time.Hour }},
		"lets too many wait":             {spec: func(s *fleet.PoolSpec) { s.QueueLimit += 2 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3000) {
				if why := playBroken(t, seed, c.spec, c.mind); why != "" {
					t.Log(why)
					return
				}
			}
			t.Error("no seed finds it")
		})
	}
}

// playBroken plays a random scenario with minds that are broken, and returns what was
// violated.
func playBroken(t *testing.T, seed uint64, spec func(*fleet.PoolSpec), mind *faulty) string {
	p, err := newPlan(Chaos(seed))
	if err != nil {
		t.Fatal(err)
	}
	p.mind = func(e *engine, epoch uint64) brain {
		m, s := faulty{}, e.plan.spec
		if mind != nil {
			m = *mind
		}
		if spec != nil {
			spec(&s)
		}
		m.Pool = dispatch.New(s, epoch)
		return &m
	}
	meter, err := play(t.Context(), p, Fairlead, seed, true)
	if err != nil {
		t.Fatal(err)
	}
	return meter.violation
}
