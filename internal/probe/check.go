package probe

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/internal/config"
)

const (
	jitter   = 0.1                    // of the interval, either way
	earlyGap = 100 * time.Millisecond // between checks on suspicion

	// A backend is often made known while it starts, so until it was up for the first time
	// it is checked more often, for a while.
	startGap = 250 * time.Millisecond
	startFor = 10 * time.Second
)

// check is one check, repeated, and what it has found. Run's goroutine owns it.
type check struct {
	key
	targets []Target // for which it is done
	index   int      // in the queue; -1: under way, or never due
	due     time.Time
	begun   time.Time  // the last one
	random  *rand.Rand // for the jitter

	born    time.Time
	wasUp   bool // ever
	decided bool
	verdict Verdict
	streak  int // results in a row against the verdict

	early     bool      // the next one is on suspicion
	lastEarly time.Time // when one was begun
	underWay  bool
	suspected bool // the one under way is on suspicion
	again     bool // suspected since it began: what it finds may be out of date
}

// newCheck makes a check that is due now, or decided for ever where none is wanted. The
// jitter is seeded by what is checked: it is the same in each run, and another for each.
func newCheck(k key, now time.Time) *check {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %v", k.backend, k.health)
	c := &check{key: k, index: -1, due: now, born: now, random: rand.New(rand.NewPCG(h.Sum64(), 0))}
	if k.health.Type == config.HealthNone {
		c.decide(true, "it is not checked", now)
	}
	return c
}

func (c *check) begin(now time.Time) {
	c.underWay, c.suspected, c.early = true, c.early, false
	c.begun = now
	if c.suspected {
		c.lastEarly = now
	}
}

// suspect hastens the next check, and tells whether it is to be moved in the queue.
func (c *check) suspect(now time.Time) bool {
	if !c.decided || !c.verdict.Up || c.health.Type == config.HealthNone || c.early {
		return false
	}
	if c.underWay {
		c.again = true
		return false
	}
	c.hasten(now)
	return true
}

// hasten makes the next check an early one. What may start now goes before everything
// else that is due.
func (c *check) hasten(now time.Time) {
	c.early = true
	if c.due = c.lastEarly.Add(earlyGap); !c.due.After(now) {
		c.due = time.Time{}
	}
}

// judge takes in a result and sets when the next check is due. It tells whether the
// verdict is new.
func (c *check) judge(err error, now time.Time) (changed bool) {
	alive, suspected, again := err == nil, c.suspected, c.again
	c.underWay, c.suspected, c.again = false, false, false
	switch {
	case !c.decided:
		changed = true
	case alive == c.verdict.Up:
		c.streak = 0
	default:
		c.streak++
		changed = c.streak >= c.threshold() || suspected && errors.Is(err, syscall.ECONNREFUSED)
	}
	if changed {
		c.decide(alive, c.why(err), now)
	}
	c.due = c.begun.Add(c.interval(now))
	if c.due.Before(now) {
		c.due = now
	}
	if c.verdict.Up && (again || suspected && !alive) {
		c.hasten(now)
	}
	return changed
}

// threshold is how many results in a row turn the verdict.
func (c *check) threshold() int {
	switch {
	case c.verdict.Up:
		return c.health.Fall
	case !c.wasUp:
		return 1 // there is no flapping yet to be wary of
	}
	return c.health.Rise
}

func (c *check) decide(up bool, why string, now time.Time) {
	c.decided, c.streak = true, 0
	c.wasUp = c.wasUp || up
	c.verdict = Verdict{Up: up, Why: why, Since: now}
}

func (c *check) why(err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("its %s check succeeds", c.health.Type)
}

func (c *check) interval(now time.Time) time.Duration {
	every := c.health.Interval
	if !c.wasUp && now.Sub(c.born) < startFor {
		every = min(every, startGap)
	}
	return time.Duration(float64(every) * (1 - jitter + 2*jitter*c.random.Float64()))
}
