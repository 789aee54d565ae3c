package session

import (
	"cmp"
	"errors"
	"slices"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// answerBy is how soon the controller answers a message with asks, if only by saying that it
// was heard. If it does not, the requests are served as if there were no controller.
const answerBy = 20 * time.Millisecond

// greeting is for how long after a hello nothing is begun that it does not list.
const greeting = 100 * time.Millisecond

// errMore ends a session that begins with a hello which does not list all that is held: the
// controller took long, and requests were served meanwhile. The next hello does.
var errMore = errors.New("the controller took so long to answer that more is held now than it was told")

// hasMore tells whether that is so.
func (s *Session) hasMore() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unlisted
}

// unheard is a message with asks of which the controller has not said that it heard it.
type unheard struct {
	number uint64
	sent   fleet.Time
}

// sent notes that a message is about to be sent. s.mu is held.
func (s *Session) sent(m *fairleadv1.ProxyMessage) {
	if len(m.GetAsks()) == 0 {
		return
	}
	s.number++
	m.Number = s.number
	s.unheard = append(s.unheard, unheard{s.number, s.now()})
	if len(s.unheard) == 1 {
		s.alarm.Reset(answerBy)
	}
}

// heard takes in up to which message the controller has heard. s.mu is held.
func (s *Session) heard(number uint64) {
	n := 0
	for n < len(s.unheard) && s.unheard[n].number <= number {
		s.ledger.Heard(s.unheard[n].sent)
		n++
	}
	if n == 0 {
		return
	}
	if s.unheard = s.unheard[n:]; len(s.unheard) == 0 {
		s.unheard = nil
		s.alarm.Stop()
	}
	s.listen()
}

// listen finds out whether the controller leaves something unanswered, and does what
// follows. s.mu is held.
func (s *Session) listen() {
	quiet := false
	if len(s.unheard) > 0 {
		waits := s.now().Sub(s.unheard[0].sent)
		if quiet = waits >= answerBy; !quiet {
			s.alarm.Reset(answerBy - waits)
		}
	}
	if s.ledger.Quiet(quiet) && quiet {
		s.serveWaiting("")
	}
}

// overdue is what the alarm does.
func (s *Session) overdue() {
	s.mu.Lock()
	s.listen()
	s.mu.Unlock()
	s.rouse()
}

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
	if s.listed != nil && s.numbers == nil && s.now().Sub(s.helloAt) < greeting {
		// A controller is about to answer, and would not know of it.
		return nil, false
	}
	who, serve := byPermit, s.ledger.Take
	if s.ledger.Alone() {
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
	s.tellUse(g, about)
	return g, true
}

// tellUse tells the controller of a request on a slot that it gave. s.mu is held.
func (s *Session) tellUse(g *link.Grant, about *fleet.About) {
	if s.ledger.IsLent(g.ID) {
		s.unlisted = s.unlisted || s.listed != nil
		return // the next hello lists it
	}
	if number, known := s.numbers[g.Pool.Name]; known {
		if !g.Pool.About {
			about = nil
		}
		s.out.use(number, g.ID, s.ledger.Uses(g.ID), about)
	} else if s.listed[g.ID] {
		s.late = append(s.late, lateWord{pool: g.Pool.Name, id: g.ID, use: true, uses: s.ledger.Uses(g.ID)})
	}
}

// serveWaiting serves those who wait and can be served without a controller, of a pool or of
// all, critical ones first and by who came first. s.mu is held.
func (s *Session) serveWaiting(pool fleet.PoolName) {
	var all []*waiter
	for _, w := range s.waiting {
		if pool == "" || w.pool.Name == pool {
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
			if number, known := s.numbers[w.pool.Name]; known {
				s.out.withdraw(number, w.id)
			}
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
		switch {
		case w.about != nil && w.about.Deadline > 0 && waited >= w.about.Deadline:
			s.resolve(w, s.no(w, fleet.TooLate))
		case w.pool.Alone && waited >= w.pool.QueueTimeout:
			s.resolve(w, s.no(w, fleet.QueueTimeout))
		case !w.pool.Alone && now.Sub(max(w.arrived, s.since)) > s.cfg.Patience:
			s.resolve(w, answer{err: link.ErrNoController})
		}
	}
}

func (s *Session) no(w *waiter, why fleet.Reason) answer {
	return answer{err: &link.Refused{Pool: w.pool.Name, Reason: why, RetryAfter: retryAfter}}
}

// crowded tells whether no more may wait for a pool without a controller. s.mu is held.
func (s *Session) crowded(pool *link.Pool) bool {
	if s.numbers != nil || !pool.Alone {
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

// giveBackUnused gives back which slots are kept for no use, and tells whether there are any.
// s.mu is held.
func (s *Session) giveBackUnused() bool {
	unused := s.ledger.Unused(s.now())
	for _, h := range unused {
		s.giveBack(h.Pool, h.ID)
	}
	return len(unused) > 0
}

// giveBack gives a kept slot back. s.mu is held.
func (s *Session) giveBack(pool fleet.PoolName, id fleet.GrantID) {
	if number, known := s.numbers[pool]; known {
		s.out.done(number, id, link.Result{Outcome: fleet.Unused}, fleet.Seen{}, false, 0)
	}
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
