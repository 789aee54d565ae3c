// Package permit is the proxy's mind: what it asked for, what it holds, and what it saw
// of each backend.
//
// It has no goroutine, clock, random source or log, so that it can be simulated
// together with package dispatch. The proxy's session owns it and guards it.
package permit

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// latencyRate is the weight of the newest latency in a backend's moving average.
const latencyRate = 0.05

// maxSeen bounds the backends that one ask tells of. What does not fit goes with the
// next.
const maxSeen = 16

// Ledger keeps account of one proxy's grants and of what it saw of backends. It is not
// safe for concurrent use.
type Ledger struct {
	pools   map[fleet.PoolName]*pool
	held    map[fleet.GrantID]*holding
	order   uint64
	lastOwn uint64 // number of the latest grant that this proxy gave itself

	controllers map[int]*controller
	leaving     bool // this proxy ends
}

// pool is the account of one pool.
type pool struct {
	inFlight int
	backends map[fleet.BackendName]*sight
	untold   []*sight // what the next asks tell, oldest first
	local    *Local
	own      own

	leader   *controller // nil: none that this proxy knows of
	learning bool        // that one does not decide yet
	since    fleet.Time  // when it was told what this proxy has
	before   fleet.Time  // what earlier ones have heard of this proxy was sent by then
	counted  bool        // the lease is over, and what was in hand is counted

	shares bool                      // it may be served without a controller
	queues bool                      // its backends have queues of their own
	kept   []*holding                // slots in hand with no request, the latest used last
	hand   map[fleet.BackendName]int // slots in hand when the lease ended
}

// sight is what this proxy saw of one backend.
type sight struct {
	name     fleet.BackendName
	inFlight int
	logMean  float64 // moving average of log seconds
	samples  int
	errors   int // not told yet
	report   fleet.LoadReport
	reported bool // report was not told yet
	queued   bool // in untold
	used     fleet.Time
	own      ownSight
}

// holding is a grant that is held.
type holding struct {
	id    fleet.GrantID
	pool  fleet.PoolName
	on    fleet.BackendName
	since fleet.Time
	until fleet.Time // 0: any time
	order uint64
	limit time.Duration

	keep      time.Duration // how long its slot may be kept unused; 0: not at all
	kept      bool          // no request is on it
	reclaimed bool          // it may not be kept any more
	uses      uint32        // how often its slot was used again
	own       bool          // this proxy gave it itself
	lent      bool          // of its share, so that a controller has to know of it
}

// New makes an empty Ledger.
func New() *Ledger { return NewFrom(0) }

// NewFrom makes an empty Ledger of a proxy that numbers the grants it gives itself from a
// number on, which differs from any other proxy's.
func NewFrom(number uint64) *Ledger {
	return &Ledger{
		lastOwn: number, pools: map[fleet.PoolName]*pool{}, held: map[fleet.GrantID]*holding{},
		controllers: map[int]*controller{},
	}
}

func (l *Ledger) pool(name fleet.PoolName) *pool {
	p := l.pools[name]
	if p == nil {
		p = &pool{backends: map[fleet.BackendName]*sight{}, local: NewLocal()}
		l.pools[name] = p
	}
	return p
}

func (p *pool) sight(name fleet.BackendName) *sight {
	s := p.backends[name]
	if s == nil {
		s = &sight{name: name}
		p.backends[name] = s
	}
	return s
}

// tell has the next ask tell of s.
func (p *pool) tell(s *sight) {
	if !s.queued {
		s.queued = true
		p.untold = append(p.untold, s)
	}
}

// Granted notes a grant that was received. limit is how long it may live; 0: any time.
func (l *Ledger) Granted(now fleet.Time, name fleet.PoolName, id fleet.GrantID, b fleet.BackendName, limit time.Duration) {
	l.hold(now, name, id, b, limit)
	l.pool(name).local.Began(now, b)
}

// hold notes a grant, whoever gave it.
func (l *Ledger) hold(now fleet.Time, name fleet.PoolName, id fleet.GrantID, b fleet.BackendName, limit time.Duration) *sight {
	l.order++
	h := &holding{id: id, pool: name, on: b, since: now, order: l.order, limit: limit}
	if limit > 0 {
		h.until = now.Add(limit)
	}
	l.held[id] = h
	p := l.pool(name)
	p.inFlight++
	s := p.sight(b)
	s.inFlight++
	s.used = now
	return s
}

// Head notes a load report that came in the head of an answer, which may be long before
// the answer's end.
func (l *Ledger) Head(name fleet.PoolName, b fleet.BackendName, r fleet.LoadReport) {
	p := l.pool(name)
	s := p.sight(b)
	s.report, s.reported = r, true
	p.tell(s)
}

// Done notes that a grant is over, and returns what the word to the controller carries.
// told says whether that word can be sent now; if not, an error is kept, to be told
// with a later ask. Of a grant that this proxy gave itself there is no such word: see Word.
// False: the grant is not held.
func (l *Ledger) Done(now fleet.Time, id fleet.GrantID, how fleet.Outcome, latency time.Duration, told bool) (fleet.Seen, bool) {
	h := l.held[id]
	if h == nil || h.kept {
		return fleet.Seen{}, false
	}
	p := l.pool(h.pool)
	if p.keeps(now, h, how) && !l.leaving {
		p.park(now, h)
	} else {
		delete(l.held, id)
	}
	p.inFlight--
	s := p.sight(h.on)
	s.inFlight--
	s.used = now
	p.local.Done(now, h.on, how, latency)
	if how == fleet.OK && latency > 0 {
		s.samples++
		x := math.Log(max(latency.Seconds(), 1e-6))
		s.logMean += max(latencyRate, 1/float64(s.samples)) * (x - s.logMean)
	}
	if h.own && !h.lent {
		p.ended(s, how, latency)
		return fleet.Seen{}, true
	}
	if told {
		return s.take(), true
	}
	// What is not told now stays for a later ask, what was kept before included.
	if how.Error() {
		s.errors++
		p.tell(s)
	}
	return fleet.Seen{}, true
}

// take returns what is to be told of s, and counts it as told.
func (s *sight) take() fleet.Seen {
	seen := fleet.Seen{
		Backend: s.name, InFlight: s.inFlight, Latency: s.latency(),
		Errors: s.errors, Report: s.report, Reported: s.reported,
	}
	s.errors, s.reported = 0, false
	return seen
}

func (s *sight) latency() time.Duration {
	if s.samples == 0 {
		return 0
	}
	return time.Duration(math.Exp(s.logMean) * float64(time.Second))
}

// Ask returns the load metrics that an ask for the pool carries: links in flight here,
// and what was seen of backends and not told yet, added to seen.
func (l *Ledger) Ask(name fleet.PoolName, seen []fleet.Seen) (int, []fleet.Seen) {
	p := l.pool(name)
	for len(p.untold) > 0 && len(seen) < maxSeen {
		s := p.untold[0]
		p.untold = p.untold[1:]
		s.queued = false
		seen = append(seen, s.take())
	}
	if len(p.untold) == 0 {
		p.untold = nil
	}
	return p.inFlight, seen
}

// Reconnected has the next asks tell all that was ever seen of a pool, because a controller
// that may know nothing listens now.
func (l *Ledger) Reconnected(name fleet.PoolName) {
	p := l.pool(name)
	for _, b := range slices.Sorted(maps.Keys(p.backends)) {
		s := p.backends[b]
		if s.samples > 0 {
			p.tell(s)
		}
		p.retell(s)
	}
}

// Live returns the grants of a pool that controllers made or have to know of, in the order
// in which they came.
func (l *Ledger) Live(now fleet.Time, name fleet.PoolName) []Held {
	all := make([]Held, 0, len(l.held))
	for _, h := range inOrder(l.held) {
		if h.pool != name || h.own && !h.lent {
			continue // no controller has a slot taken for it
		}
		all = append(all, Held{
			Pool:      h.pool,
			LiveGrant: fleet.LiveGrant{ID: h.id, Backend: h.on, Held: now.Sub(h.since), Kept: h.kept, Uses: h.uses},
		})
	}
	return all
}

// unusedAfter is how long what was seen of a backend is remembered without use.
const unusedAfter = 10 * time.Minute

// Sweep forgets backends that were not used for long, so that the ledger does not grow
// with all that ever came and went. It is due every minute or so.
func (l *Ledger) Sweep(now fleet.Time) {
	for _, name := range slices.Sorted(maps.Keys(l.pools)) {
		p := l.pools[name]
		maps.DeleteFunc(p.backends, func(_ fleet.BackendName, s *sight) bool {
			return s.inFlight == 0 && !s.queued && !s.own.queued && now.Sub(s.used) > unusedAfter
		})
		if p.local.Sweep(now) && p.inFlight+len(p.kept) == 0 && len(p.backends) == 0 && p.leader == nil {
			delete(l.pools, name)
		}
	}
}

// Held is a grant that is held, and of which pool.
type Held struct {
	Pool fleet.PoolName
	fleet.LiveGrant
}

// Expired returns the grants whose time is up, in the order in which they came.
func (l *Ledger) Expired(now fleet.Time) []fleet.GrantID {
	over := maps.Clone(l.held)
	maps.DeleteFunc(over, func(_ fleet.GrantID, h *holding) bool { return h.kept || h.until == 0 || h.until > now })
	var ids []fleet.GrantID
	for _, h := range inOrder(over) {
		ids = append(ids, h.id)
	}
	return ids
}

// inOrder returns grants in the order in which they came.
func inOrder(held map[fleet.GrantID]*holding) []*holding {
	return slices.SortedFunc(maps.Values(held), func(a, b *holding) int { return cmp.Compare(a.order, b.order) })
}

// InFlight returns how many grants are held that have a request.
func (l *Ledger) InFlight() int { return len(l.held) - l.Kept() }

// Kept returns how many slots are kept with no request.
func (l *Ledger) Kept() (n int) {
	for _, p := range l.all() {
		n += len(p.kept)
	}
	return n
}
