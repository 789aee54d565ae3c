package config

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

const (
	leastWeight, mostWeight = 0.001, 1000
	weightFix               = "write 2 for twice as much as a weight of 1; to give it nothing, leave it out, or drain it with 'fairlead drain'"
	maxLeast                = 1_000_000
)

// steadyDraft is what keeps a pool steady when backends come, fail and come back.
type steadyDraft struct {
	spillAfter value[time.Duration]
	slowStart  value[time.Duration]
	eject      ejectDraft
	budget     budgetDraft
}

type ejectDraft struct {
	section value[struct{}]
	errors  value[int]
	length  value[time.Duration]
	most    value[float64]
}

type budgetDraft struct{ ratio, least value[float64] }

// steady returns the keys of a pool that fill s.
func (d *decoder) steady(s *steadyDraft) keys {
	return keys{
		"spill_after": scalar(d, &s.spillAfter, duration(span{
			least: time.Millisecond, most: time.Hour, zero: true,
			purpose: "say how long a request waits for a backend in its zone before one elsewhere will do"})),
		"slow_start": scalar(d, &s.slowStart, duration(span{
			least: time.Millisecond, most: time.Hour, zero: true,
			purpose: "say how long a backend that comes takes to get its full share, or 0 for no time"})),
		"eject": d.noted(&s.eject.section, keys{
			"errors": scalar(d, &s.eject.errors, whole(1, 1000,
				"say after how many errors in a row a backend gets no requests for a while; to eject none, leave eject out")),
			"for": scalar(d, &s.eject.length, duration(span{
				least: 10 * time.Millisecond, most: time.Hour, purpose: "say for how long it gets none, the first time"})),
			"most": scalar(d, &s.eject.most, percent(1, 100, "say how many of the pool's backends may be out at once, such as 10%")),
		}),
		"retry_budget": d.inner(keys{
			"ratio": scalar(d, &s.budget.ratio, percent(0, 1000, "say how many requests may be tried again, of those that come, such as 20%")),
			"least": scalar(d, &s.budget.least, number(0, maxLeast, "say how many may be tried again each second, however few come")),
		}),
	}
}

// checkSteady holds what is said of steadiness against the rest of the pool.
func (d *decoder) checkSteady(p *poolDraft) {
	if p.spillAfter.good() && !p.prefer.broken && p.prefer.or(PreferNone) != PreferZone {
		d.report(p.spillAfter.at, complaint{"has no meaning for a pool that prefers no zone", "set prefer to zone, or remove the key"})
	}
	b := p.budget
	if b.ratio.good() && b.least.good() && b.ratio.got == 0 && b.least.got == 0 {
		d.report(b.ratio.at, complaint{"no request could ever be tried again, as least is 0 too", "set retries to 0 if that is meant, or raise one of the two"})
	}
}

// fill completes the pool of a good draft.
func (s *steadyDraft) fill(p *Pool) {
	p.SpillAfter, p.SlowStart = s.spillAfter.or(0), s.slowStart.or(0)
	if s.eject.section.good() {
		p.Eject = fleet.EjectSpec{
			Errors: s.eject.errors.or(DefaultEjectErrors), For: s.eject.length.or(DefaultEjectFor),
			Most: s.eject.most.or(DefaultEjectMost),
		}
	}
	p.RetryBudget = fleet.BudgetSpec{Ratio: s.budget.ratio.or(DefaultRetryRatio), Least: s.budget.least.or(DefaultRetryLeast)}
}
