package dispatch

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// TestBrokenMinds lives through random scenarios with minds that each break one promise, and
// wants each found out. It logs the first seed that does, which -seed N -seeds 1 lives through
// again.
func TestBrokenMinds(t *testing.T) {
	every := func(n int) func() bool {
		count := 0
		return func() bool { count++; return count%n == 0 }
	}
	for _, c := range []struct {
		name   string
		within int // seeds
		brk    func(*scenario)
	}{
		{"one slot too many", 200, func(s *scenario) { s.pool.spec.Slots++ }},
		{"a slot leaks now and then", 200, func(s *scenario) {
			now := every(20)
			s.distort = func(in Input) Input {
				if d, ok := in.(*Done); ok && now() {
					return &Done{Proxy: d.Proxy + 1000, Grant: d.Grant, Outcome: d.Outcome}
				}
				return in
			}
		}},
		{"a grant is lost on the way out", 200, func(s *scenario) {
			now := every(10)
			s.twist = func(effects []Effect) []Effect {
				if len(effects) > 0 && effects[0].Kind == Granted && now() {
					return effects[1:]
				}
				return effects
			}
		}},
		{"an ask is answered twice", 200, func(s *scenario) {
			now := every(10)
			s.twist = func(effects []Effect) []Effect {
				if len(effects) > 0 && effects[0].Kind == Refused && now() {
					return append(effects, effects[0])
				}
				return effects
			}
		}},
		{"who waits is kept beyond its time", 200, func(s *scenario) { s.pool.spec.QueueTimeout += time.Second }},
		{"the queue is longer than allowed", 500, func(s *scenario) { s.pool.spec.QueueLimit += 2 }},
		{"classes are not heeded", 2000, ofRequests(func(a *fleet.About) { a.Class = fleet.NoClass })},
		{"flows are not told apart", 2000, ofRequests(func(a *fleet.About) { a.Flow = "" })},
		{"weights of flows are not heeded", 5000, func(s *scenario) { s.pool.spec.FlowWeights = nil }},
		{"labels are not heeded", 500, ofRequests(func(a *fleet.About) { a.Labels = nil })},
		{"zones are not waited for", 2000, func(s *scenario) { s.pool.spec.SpillAfter = 0 }},
		{"exclusions are not heeded", 500, func(s *scenario) {
			s.distort = func(in Input) Input {
				if a, ok := in.(*Ask); ok {
					b := *a
					b.Exclude = nil
					return &b
				}
				return in
			}
		}},
		{"a session's end is not noticed", 200, func(s *scenario) {
			s.distort = func(in Input) Input {
				if _, ok := in.(*SessionLost); ok {
					return &Tick{}
				}
				return in
			}
		}},
		{"grants outlive their limit", 500, func(s *scenario) { s.pool.spec.GrantLimit *= 3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(c.within) {
				s := newScenario(newDice(seed, 300))
				c.brk(s)
				if err := s.run(); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("not found out in %d scenarios", c.within)
		})
	}
}

// ofRequests has the mind be told something else of each request.
func ofRequests(change func(*fleet.About)) func(*scenario) {
	return func(s *scenario) {
		s.distort = func(in Input) Input {
			a, ok := in.(*Ask)
			if !ok || a.About == nil || s.pool.spec.Assign != fleet.AssignNone { // else an assignment would tell
				return in
			}
			b, about := *a, *a.About
			change(&about)
			b.About = &about
			return &b
		}
	}
}
