package session

import (
	"cmp"
	"slices"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

func wishOf(exclude []fleet.BackendName, about *fleet.About) permit.Wish {
	w := permit.Wish{Exclude: exclude}
	if about != nil {
		w.Labels, w.Affinity = about.Labels, about.Affinity
	}
	return w
}

// fromHand finds a request a slot that this proxy has: one that it keeps, or, without a
// controller, one of its share. s.mu is held.
func (s *Session) fromHand(pool *link.Pool, exclude []fleet.BackendName, about *fleet.About) (*link.Grant, bool) {
	if pool.Direct {
		return nil, false
	}
	w := wishOf(exclude, about)
	who, serve := byPermit, s.ledger.Take
	if s.ledger.Alone(pool.Name) {
		who = byShare
		limit := s.choices.limits[pool.Name]
		serve = func(now fleet.Time, name fleet.PoolName, w *permit.Wish) (fleet.GrantID, fleet.BackendName, bool) {
			return s.ledger.Serve(now, name, w, limit)
		}
	}
	id, b, ok := serve(s.now(), pool.Name, &w)
	if !ok {
		return nil, false
	}
	s.decided(pool.Name, who)
	g := link.NewGrant(id, pool, b, s.finish).WithHead(s.head)
	s.grants[id] = g
	if !s.ledger.IsLent(id) { // else the next leader is told
		s.leader(pool.Name).use(g, s.ledger.Uses(id), about)
	}
	return g, true
}

// serveWaiting serves those who wait and can be served without a controller, of a pool or of
// all, critical ones first and by who came first. s.mu is held.
func (s *Session) serveWaiting(pool fleet.PoolName) {
	var all []*waiter
	for _, w := range s.waiting {
		if (pool == "" || w.pool.Name == pool) && s.ledger.Alone(w.pool.Name) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *waiter) int {
		return cmp.Or(cmp.Compare(a.class(), b.class()), cmp.Compare(a.arrived, b.arrived), cmp.Compare(a.id, b.id))
	})
	full := map[fleet.PoolName]bool{} // for those who take anything
	for _, w := range all {
		picky := len(w.exclude) > 0 || w.about != nil && len(w.about.Labels) > 0
		if full[w.pool.Name] {
			continue
		}
		if g, ok := s.fromHand(w.pool, w.exclude, w.about); ok {
			s.leader(w.pool.Name).withdraw(w)
			s.resolve(w, answer{grant: g})
		} else if !picky {
			full[w.pool.Name] = true
		}
	}
}

func (w *waiter) class() fleet.Class {
	if w.about == nil || w.about.Class == fleet.NoClass {
		return fleet.Normal
	}
	return w.about.Class
}

// turnAway refuses those who have waited for too long without a controller. s.mu is held.
func (s *Session) turnAway(now fleet.Time) {
	for _, w := range s.waiting {
		waited := now.Sub(w.arrived)
		since := w.arrived
		if l := s.leaders[w.pool.Name]; l != nil {
			since = max(since, l.since)
			if l.peer != nil {
				continue // the controller does
			}
		}
		switch {
		case w.about != nil && w.about.Deadline > 0 && waited >= w.about.Deadline:
			s.resolve(w, s.no(w, fleet.TooLate))
		case w.pool.Alone && waited >= w.pool.QueueTimeout:
			s.resolve(w, s.no(w, fleet.QueueTimeout))
		case !w.pool.Alone && now.Sub(since) > s.cfg.Patience:
			s.resolve(w, answer{err: link.ErrNoController})
		}
	}
}

func (s *Session) no(w *waiter, why fleet.Reason) answer {
	return answer{err: &link.Refused{Pool: w.pool.Name, Reason: why, RetryAfter: retryAfter}}
}

// crowded tells whether no more may wait for a pool that no controller leads. s.mu is held.
func (s *Session) crowded(pool *link.Pool) bool {
	if !pool.Alone {
		return false
	}
	n := 0
	for _, w := range s.waiting {
		if w.pool.Name == pool.Name {
			n++
		}
	}
	return n > pool.QueueLimit
}

// runs tells whether a grant runs the request that it ran after so many uses of its slot.
func (s *Session) runs(id fleet.GrantID, uses uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.Uses(id) == uses && !s.ledger.IsKept(id)
}

// giveBackUnused gives back which slots are kept for no use. s.mu is held.
func (s *Session) giveBackUnused() {
	for _, h := range s.ledger.Unused(s.now()) {
		s.giveBack(h.Pool, h.ID)
	}
}

// giveBack gives a kept slot back. s.mu is held.
func (s *Session) giveBack(pool fleet.PoolName, id fleet.GrantID) {
	to := s.leader(pool)
	to.done(pool, id, link.Result{Outcome: fleet.Unused}, fleet.Seen{}, false, 0)
	to.rouse()
}

// reclaimed takes in which slots the controller wants back.
func (s *Session) reclaimed(ids []*fairleadv1.GrantID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range ids {
		id := fleet.GrantID{Epoch: m.GetEpoch(), Number: m.GetNumber()}
		if pool, kept := s.ledger.Reclaim(id); kept {
			s.giveBack(pool, id)
		}
	}
}
