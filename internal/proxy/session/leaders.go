package session

import (
	"cmp"
	"maps"
	"slices"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// leader is who leads a pool, or led it last.
type leader struct {
	peer *peer // nil: nobody, as far as this proxy knows
	lead
	since fleet.Time // when that began
}

// forgetTerms is how long a term that is over keeps lower ones out. They may only come from a
// controller that does not know yet that its term is over, unless the store was made anew on
// a host whose clock is behind.
const forgetTerms = 10 * time.Second

// leader returns the controller that leads a pool, or nil. s.mu is held.
func (s *Session) leader(pool fleet.PoolName) *peer {
	if l := s.leaders[pool]; l != nil {
		return l.peer
	}
	return nil
}

// nobodys tells whether controllers answer, and none knows a pool. s.mu is held.
func (s *Session) nobodys(pool fleet.PoolName) bool {
	session := false
	for _, p := range s.peers {
		if _, known := p.numbers[pool]; known {
			return false
		}
		session = session || p.numbers != nil
	}
	return session
}

// takeLeads takes in which pools a controller leads. The session's mutex is held.
func (p *peer) takeLeads(m *fairleadv1.ControllerMessage) {
	if m.GetWelcome() != nil {
		p.implicit = 0
		if m.GetLeads() == nil {
			p.implicit = max(m.GetWelcome().GetEpoch(), 1)
		}
	}
	leads := map[fleet.PoolName]lead{}
	told := map[uint32]lead{}
	for _, l := range m.GetLeads().GetLeads() {
		told[l.GetPool()] = lead{l.GetEpoch(), l.GetLearning()}
	}
	for name, number := range p.numbers {
		l, leads1 := told[number]
		switch {
		case p.implicit > 0:
			l, leads1 = lead{epoch: p.implicit}, true
		case m.GetLeads() == nil:
			l, leads1 = p.leads[name], p.leads[name] != lead{}
		}
		if leads1 {
			leads[name] = l
		}
	}
	p.leads = leads
}

// settle finds out who leads each pool, and does what follows of what has changed. s.mu is
// held.
func (s *Session) settle() {
	names := maps.Clone(s.leaders)
	for _, p := range s.peers {
		for name := range p.leads {
			names[name] = nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		to, l := s.best(name)
		now := s.leaders[name]
		switch {
		case to == nil && now != nil && now.peer != nil:
			s.unled(name)
		case to == nil:
		case now != nil && now.peer == to && now.epoch == l.epoch:
			if now.learning && !l.learning {
				s.ledger.Learnt(name)
				s.giveBackUnused()
			}
			if !now.learning && l.learning {
				s.ledger.Relearn(name)
			}
			now.learning = l.learning
		default:
			s.led(name, to, l)
		}
	}
}

// best returns who leads a pool by the highest epoch.
func (s *Session) best(name fleet.PoolName) (to *peer, l lead) {
	for _, p := range s.peers {
		if x, ok := p.leads[name]; ok && (to == nil || x.epoch > l.epoch) {
			to, l = p, x
		}
	}
	last := s.leaders[name]
	if to != nil && last != nil && l.epoch < last.epoch && (last.peer != nil || s.now().Sub(last.since) < forgetTerms) {
		return nil, lead{} // its term is over, and it does not know yet
	}
	return to, l
}

// led has a controller lead a pool: it is told what this proxy has of it, and who waits is
// asked for. s.mu is held.
func (s *Session) led(name fleet.PoolName, to *peer, l lead) {
	if last := s.leader(name); last != nil && last != to {
		for _, w := range s.waitingFor(name) {
			last.withdraw(w) // should its word still count
		}
	}
	now := s.now()
	s.leaders[name] = &leader{peer: to, lead: l, since: now}
	s.ledger.Reconnected(name)
	s.ledger.Led(now, name, to.index, l.learning)
	delete(s.choices.told, name)
	to.greet(name, l.epoch)
	for _, w := range s.waitingFor(name) {
		// By a number that no controller has heard of: answers of others are not for it.
		delete(s.waiting, w.id)
		s.lastAsk++
		w.id = s.lastAsk
		s.waiting[w.id] = w
		s.put(to, w, now.Sub(w.arrived))
	}
	s.serveWaiting(name)
	to.statusDue.Store(true) // its answer says that the list was heard
	to.rouse()
}

// unled has a pool be without a controller. s.mu is held.
func (s *Session) unled(name fleet.PoolName) {
	l := s.leaders[name]
	l.peer, l.since = nil, s.now()
	s.ledger.Unled(name)
	delete(s.choices.told, name)
	s.decideWaiting(name)
	s.serveWaiting(name)
	if !s.nobodys(name) {
		return
	}
	for _, w := range s.waitingFor(name) { // the pool is gone
		s.resolve(w, answer{err: &link.Refused{Pool: name, Reason: fleet.UnknownPool}})
	}
}

// waitingFor returns those who wait for a pool, by who came first. s.mu is held.
func (s *Session) waitingFor(name fleet.PoolName) []*waiter {
	var all []*waiter
	for _, w := range s.waiting {
		if w.pool.Name == name {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *waiter) int { return cmp.Or(cmp.Compare(a.arrived, b.arrived), cmp.Compare(a.id, b.id)) })
	return all
}

// greet lists what this proxy has of a pool. The session's mutex is held.
func (p *peer) greet(name fleet.PoolName, epoch uint64) {
	s := p.s
	live := s.ledger.Live(s.now(), name)
	for more := true; more; {
		part := live[:min(len(live), maxEntries)]
		live = live[len(part):]
		more = len(live) > 0
		h := &fairleadv1.PoolHello{Pool: p.numbers[name], Epoch: epoch, More: more}
		for _, g := range part {
			h.Live = append(h.Live, &fairleadv1.LiveGrant{
				Id: grantID(g.ID), Backend: string(g.Backend),
				HeldMs: uint64(max(g.Held, 0) / time.Millisecond), Kept: g.Kept, Uses: g.Uses,
			})
		}
		p.out.hello(h)
	}
}
