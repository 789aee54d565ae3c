package probe

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// maxAtOnce bounds the checks under way, and with them the sockets. A backend that does
// not answer holds one for its timeout: with the default health, more than about 130 such
// backends make every check late.
const maxAtOnce = 64

// round is what Run owns: which checks there are, and which one is next.
type round struct {
	p        *Prober
	checks   map[key]*check
	seats    map[place]*check
	queue    queue
	running  int
	results  chan result // never full
	checking sync.WaitGroup
}

// key says what one check finds out. Targets with the same key share it: an address in
// several pools is checked once.
type key struct {
	backend fleet.BackendName
	health  config.Health // as far as it bears on the check
}

type result struct {
	check *check
	err   error // nil: alive
}

func newRound(p *Prober) *round {
	return &round{
		p: p, checks: map[key]*check{}, seats: map[place]*check{},
		results: make(chan result, maxAtOnce),
	}
}

// keyOf fills in what the config would have, and clears what does not matter.
func keyOf(t Target) key {
	h := t.Health
	h.LostAfter = 0 // a matter of grants
	if h.Type == config.HealthNone {
		return key{t.Backend, config.Health{Type: h.Type}}
	}
	if h.Type != config.HealthHTTP {
		h.Path, h.Host, h.TLS, h.ServerName = "", "", false, ""
	}
	if h.Interval <= 0 {
		h.Interval = config.DefaultHealthInterval
	}
	if h.Timeout <= 0 {
		h.Timeout = config.DefaultHealthTimeout
	}
	if h.Fall <= 0 {
		h.Fall = config.DefaultHealthFall
	}
	if h.Rise <= 0 {
		h.Rise = config.DefaultHealthRise
	}
	return key{t.Backend, h}
}

// set goes over to other targets.
func (r *round) set(targets []Target, now time.Time) {
	before := r.seats
	r.seats = make(map[place]*check, len(targets))
	for _, c := range r.checks {
		c.targets = c.targets[:0]
	}
	type news struct {
		target  Target
		verdict Verdict
	}
	var told []news
	for _, t := range targets {
		c := r.enlist(keyOf(t), now)
		c.targets = append(c.targets, t)
		r.seats[t.place()] = c
		if before[t.place()] != c && c.decided {
			told = append(told, news{t, c.verdict})
		}
	}
	for k, c := range r.checks {
		if len(c.targets) == 0 {
			r.dismiss(k, c)
		}
	}
	for _, n := range told {
		r.p.report(n.target, n.verdict)
	}
}

// enlist returns the check of a key, a new one if there is none.
func (r *round) enlist(k key, now time.Time) *check {
	c := r.checks[k]
	if c == nil {
		c = newCheck(k, now)
		r.checks[k] = c
		if !c.decided {
			heap.Push(&r.queue, c)
		}
	}
	return c
}

// dismiss forgets a check; what is under way of it will count for nothing.
func (r *round) dismiss(k key, c *check) {
	delete(r.checks, k)
	if c.index >= 0 {
		heap.Remove(&r.queue, c.index)
	}
}

func (r *round) suspect(suspects map[place]struct{}, now time.Time) {
	for at := range suspects {
		if c := r.seats[at]; c != nil && c.suspect(now) && c.index >= 0 {
			heap.Fix(&r.queue, c.index)
		}
	}
}

// start starts what is due, as far as there is room, and returns when the next is due,
// or false if nothing can start before a result or a change comes.
func (r *round) start(ctx context.Context, now time.Time) (next time.Time, ok bool) {
	for r.running < maxAtOnce && len(r.queue) > 0 {
		if next = r.queue[0].due; next.After(now) {
			return next, true
		}
		c := heap.Pop(&r.queue).(*check)
		c.begin(now)
		r.running++
		r.checking.Go(func() {
			limited, cancel := context.WithTimeout(ctx, c.health.Timeout)
			defer cancel()
			r.results <- result{c, r.p.check(limited, string(c.backend), c.health)}
		})
	}
	return next, false
}

// take takes in how a check went.
func (r *round) take(result result, now time.Time) {
	r.running--
	c := result.check
	if r.checks[c.key] != c {
		return // dismissed meanwhile
	}
	changed := c.judge(result.err, now)
	heap.Push(&r.queue, c)
	if !changed {
		return
	}
	for _, t := range slices.Clone(c.targets) {
		r.p.logger.Debug("health", "pool", t.Pool, "backend", t.Backend,
			"up", c.verdict.Up, "why", c.verdict.Why)
		r.p.report(t, c.verdict)
	}
}

// queue is a heap of checks, the one that is due first on top.
type queue []*check

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	c := x.(*check)
	c.index = len(*q)
	*q = append(*q, c)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	c.index = -1
	return c
}
