package sim

import (
	"github.com/fairlead/fairlead/internal/fleet"
)

// central is what the others are measured by: one queue for all, no network, and the
// backend that is the fastest right now of those with a free server. Classes go strictly
// one before the other; it honours nothing else of what requests wish for but their labels.
// Nothing that must ask, wait for answers or guess can be expected to beat it, though it is
// no bound in the strict sense, as it does not know the future.
type central struct {
	silent
	e      *engine
	queues [fleet.Classes]ring
	mixed  bool // requests differ in what backends they may use
}

func newCentral(e *engine) *central {
	e.hop = 0
	return &central{e: e, mixed: len(e.plan.sets) > 1}
}

func (c *central) arrive(i int32) {
	r := &c.e.requests[i]
	class := max(c.e.plan.mixes[r.mix].Class, fleet.Critical)
	q := &c.queues[class]
	if q.len == 0 || c.mixed {
		if v := c.fastest(r); v >= 0 {
			c.e.send(i, v)
			return
		}
	}
	r.queued = true
	q.push(i)
}

// fastest returns the fastest backend that has a free server; -1: none has.
func (c *central) fastest(r *request) int32 {
	best, speed := int32(-1), 0.0
	for _, v := range c.e.candidates(r) {
		b := &c.e.backends[v]
		if b.rate > speed && b.inHand < b.servers && !b.dead {
			best, speed = v, b.rate
		}
	}
	return best
}

func (c *central) ended(int32, fleet.Outcome, int64) {}

// cancel takes a request out of its queue.
func (c *central) cancel(i int32) {
	for q := range c.queues {
		c.queues[q].remove(i)
	}
}

func (c *central) departed(int32) { c.drain() }

func (c *central) changed(int32) { c.drain() }

// drain gives free servers to those that wait. A request with labels may have to wait while
// others do not.
func (c *central) drain() {
	for q := range c.queues {
		for n := c.queues[q].len; n > 0; n-- {
			i := c.queues[q].all[c.queues[q].first]
			r := &c.e.requests[i]
			v := c.fastest(r)
			if v < 0 && !c.mixed {
				break
			}
			c.queues[q].pop()
			if v < 0 {
				c.queues[q].push(i) // all of them turn once, so their order stays
				continue
			}
			r.queued = false
			c.e.send(i, v)
		}
	}
}
