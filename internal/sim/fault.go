package sim

import (
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// fault begins or ends one. Those of proxies, links and the controller are for the decider
// too, whose sessions they break.
func (e *engine) fault(f *Fault, begins bool) {
	if !e.turns(f, begins) {
		return
	}
	v := int32(f.On)
	switch f.Kind {
	case KillProxy:
		e.killProxy(v, begins)
	case KillBackend:
		e.killBackend(v, begins)
	case FreezeBackend:
		e.backends[v].frozen = begins
		e.pace(v)
	case DrainBackend:
		e.backends[v].drains = begins
		e.gather()
		e.decider.changed(v)
	case LoseAgent:
		e.backends[v].silent = begins
	}
	e.decider.fault(f, begins)
}

// turns tells whether a fault changes anything: where one overlaps with another of its kind,
// on the same, the first one begins it and the last one ends it.
func (e *engine) turns(f *Fault, begins bool) bool {
	at := slices.IndexFunc(e.s.Faults, func(o Fault) bool {
		return o.Kind == f.Kind && (o.On == f.On || f.Kind == KillController)
	})
	if begins {
		e.depth[at]++
		return e.depth[at] == 1
	}
	e.depth[at]--
	return e.depth[at] == 0
}

// killProxy has a proxy die: its clients see their connections break, and so do the
// backends.
func (e *engine) killProxy(p int32, dies bool) {
	e.proxies[p] = !dies
	if !dies {
		return
	}
	for i := range e.requests {
		r := &e.requests[i]
		if r.proxy != p || r.foreign || r.closed || r.at == nowhere || r.at == toProxy {
			continue
		}
		if r.at == waiting {
			e.decider.cancel(int32(i))
		} else {
			e.decider.ended(int32(i), fleet.NoOutcome, 0)
		}
		e.leave(int32(i), fleet.Failed)
	}
}

// killBackend has a backend die: what it had in hand breaks off, and nobody gets through.
func (e *engine) killBackend(v int32, dies bool) {
	b := &e.backends[v]
	b.dead = dies
	up := int32(1)
	if dies {
		up = 0
		for i := range e.requests {
			if r := &e.requests[i]; r.at == atBackend && r.backend == v {
				e.breakOff(int32(i))
			}
		}
	}
	e.events.push(e.now+int64(noticed), evHealth, v, up)
	e.decider.changed(v)
}

// breakOff ends a request in hand with an error.
func (e *engine) breakOff(i int32) {
	r := &e.requests[i]
	b := &e.backends[r.backend]
	if r.drop {
		b.queue.remove(i) // it is out of all accounts
		e.release(i)
		return
	}
	b.account(e.now)
	b.inHand--
	if !r.foreign {
		b.own--
	}
	if r.queued {
		b.queue.remove(i)
		r.queued = false
	} else if b.group.Sharing {
		e.unshare(i, b)
	} else {
		for at, other := range b.running {
			if other == i {
				b.running = append(b.running[:at], b.running[at+1:]...)
				break
			}
		}
	}
	if r.foreign {
		e.release(i)
		return
	}
	e.answer(i, fleet.Failed)
}

// remove takes a record out of the queue, wherever it is.
func (q *ring) remove(i int32) {
	for range q.len {
		if other := q.pop(); other != i {
			q.push(other)
		}
	}
}

// health has those who choose notice that a backend is down, or up.
func (e *engine) health(v int32, up bool) {
	b := &e.backends[v]
	if b.dead == up {
		return // it has changed again since
	}
	b.down = !up
	e.gather()
	e.decider.changed(v)
}
