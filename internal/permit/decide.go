package permit

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// maxWords bounds the backends that one Word tells of. What does not fit goes with the
// next.
const maxWords = 1000

// ownEpoch is the epoch of grants that this proxy gave itself. No controller has it.
const ownEpoch = 0

// Word is what the controller is told of requests that this proxy gave a backend by
// itself, so that it still knows the load.
type Word struct {
	Decided  uint64 // since last told
	Refused  uint64 // for want of a backend, since last told
	InFlight int
	Served   uint64        // ended well with a latency, since last told
	Service  time.Duration // these latencies, summed
	Backends []BackendWord // of which there is something new
}

// BackendWord is the part of one backend. Its InFlight are of requests that this proxy gave
// it by itself.
type BackendWord struct {
	fleet.Seen
	Decided uint64 // since last told
}

// own is what a pool's account has of requests that this proxy gave a backend by itself.
type own struct {
	decided, refused uint64 // not told yet
	inFlight         int
	served           uint64 // not told yet, as is service
	service          time.Duration
	news             []*sight // backends to tell of, oldest first
}

// ownSight is the part of one backend.
type ownSight struct {
	inFlight int
	decided  uint64 // not told yet
	queued   bool   // in news
}

// Backends returns who chooses for a pool without a controller. It learns from every
// grant, whoever gave it, so that it is warm when it is needed.
func (l *Ledger) Backends(name fleet.PoolName) *Local { return l.pool(name).local }

// Decide gives one request of a pool a backend without asking anyone, as a grant that may
// live for limit; 0: any time. Its ID is of epoch 0. Any reason but NoReason: there is
// none.
func (l *Ledger) Decide(now fleet.Time, name fleet.PoolName, exclude []fleet.BackendName, labels []string, limit time.Duration) (fleet.GrantID, fleet.BackendName, fleet.Reason) {
	p := l.pool(name)
	b, ok := p.local.Choose(now, exclude, labels)
	if !ok {
		p.own.refused++
		return fleet.GrantID{}, "", p.local.Refusal(exclude, labels)
	}
	l.lastOwn++
	id := fleet.GrantID{Epoch: ownEpoch, Number: l.lastOwn}
	s := l.hold(now, name, id, b, limit)
	l.held[id].own = true
	p.own.decided++
	p.own.inFlight++
	s.own.decided++
	s.own.inFlight++
	p.news(s)
	return id, b, fleet.NoReason
}

// ended counts the end of a request that this proxy gave a backend by itself.
func (p *pool) ended(s *sight, how fleet.Outcome, latency time.Duration) {
	p.own.inFlight--
	s.own.inFlight--
	if how == fleet.OK && latency > 0 {
		p.own.served++
		p.own.service += latency
	}
	if how.Error() {
		s.errors++
	}
	p.news(s)
}

// news has the next Word tell of s.
func (p *pool) news(s *sight) {
	if !s.own.queued {
		s.own.queued = true
		p.own.news = append(p.own.news, s)
	}
}

// Word returns what there is to tell of a pool, and counts it as told. deciding tells
// whether this proxy decides for the pool now: asks then tell nothing of backends, so that
// it does that too. more: there are more backends to tell of.
func (l *Ledger) Word(name fleet.PoolName, deciding bool) (w Word, more bool) {
	p := l.pools[name]
	if p == nil {
		return Word{}, false
	}
	if deciding {
		for _, s := range p.untold {
			s.queued = false
			p.news(s)
		}
		p.untold = nil
	}
	o := &p.own
	w = Word{Decided: o.decided, Refused: o.refused, InFlight: o.inFlight, Served: o.served, Service: o.service}
	o.decided, o.refused, o.served, o.service = 0, 0, 0, 0
	n := min(len(o.news), maxWords)
	for _, s := range o.news[:n] {
		b := BackendWord{Seen: s.take(), Decided: s.own.decided}
		b.InFlight = s.own.inFlight
		s.own.decided, s.own.queued = 0, false
		w.Backends = append(w.Backends, b)
	}
	if o.news = o.news[n:]; len(o.news) == 0 {
		o.news = nil
	}
	return w, o.news != nil
}

// retell has Words tell what is in flight anew, to a controller that may know nothing.
func (p *pool) retell(s *sight) {
	if s.own.inFlight > 0 {
		p.news(s)
	}
}

// HandBack has the next asks for a pool tell what was seen of its backends while this
// proxy decided, as the controller does from now on.
func (l *Ledger) HandBack(name fleet.PoolName) {
	p := l.pool(name)
	for _, b := range p.local.order {
		if s := p.backends[b.name]; s != nil && s.samples > 0 {
			p.tell(s)
		}
	}
}
