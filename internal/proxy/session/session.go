// Package session is a proxy's conversation with its controller: it sends asks and
// dones, hands out the grants that come back, and comes back itself when the
// controller was away. Of pools for which the proxy decides it chooses backends itself.
package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// Config is what a Session needs.
type Config struct {
	// Dial makes a connection to the controller. Each session has its own, which it
	// closes: one that died without a word would be used again and again.
	Dial func() (*grpc.ClientConn, error)
	Name string // of the proxy, stable over restarts
	Zone string
	// Advertise is the host at which clients reach this proxy; empty: the one that its
	// listeners are bound to.
	Advertise string
	Software  string
	Logger    *slog.Logger
	// Patience is how long a request waits for a controller that is away.
	Patience time.Duration
	// StartTimeout is how long Run waits for its first session; 0: for ever.
	StartTimeout time.Duration
	// OnTable is called with each table, from one goroutine.
	OnTable func(*fairleadv1.Table, map[uint32]*link.Pool)
	// Status is called each second for the proxy's own state; asks waiting and grants
	// held are filled in by the session.
	Status func() *fairleadv1.ProxyStatus
	// Metrics count decisions; nil: they are not counted.
	Metrics *Metrics
}

// Session keeps the conversation. It implements link.Granter.
type Session struct {
	cfg      Config
	instance string
	start    time.Time
	wake     chan struct{} // something is to be sent

	connected atomic.Bool
	statusDue atomic.Bool
	ever      atomic.Bool // connected
	distance  distance    // to the controller

	mu      sync.Mutex // guards what is below
	ledger  *permit.Ledger
	lastAsk uint64
	waiting map[uint64]*waiter
	grants  map[fleet.GrantID]*link.Grant
	numbers map[fleet.PoolName]uint32 // of the table in force; nil: no session
	out     outbox
	since   fleet.Time             // when the session was lost
	listed  map[fleet.GrantID]bool // in a hello that was not answered yet
	late    []lateWord             // of those
	limit   int                    // asks outstanding
	over    bool                   // Run has ended

	number   uint64      // of the latest message with asks
	unheard  []unheard   // oldest first
	alarm    *time.Timer // for the oldest
	unlisted bool        // the latest hello does not list all that is held now
	helloAt  fleet.Time  // when that was sent

	choices  choices
	counters map[fleet.PoolName]*[whos]prometheus.Counter // by by
}

// lateWord is the end or a use of a grant that the hello under way lists.
type lateWord struct {
	pool   fleet.PoolName
	id     fleet.GrantID
	result link.Result
	kept   bool
	use    bool
	uses   uint32
}

// waiter is one request that waits for an answer.
type waiter struct {
	id      uint64
	pool    *link.Pool
	exclude []fleet.BackendName
	about   *fleet.About
	arrived fleet.Time
	answer  chan answer // holds one
}

type answer struct {
	grant *link.Grant
	err   error
}

// New makes a Session. Run has to be called for it to do anything.
func New(cfg Config) *Session {
	s := &Session{
		cfg: cfg, instance: newInstance(), start: time.Now(),
		wake:    make(chan struct{}, 1),
		ledger:  permit.NewFrom(rand.Uint64() &^ (1<<32 - 1)),
		waiting: map[uint64]*waiter{},
		grants:  map[fleet.GrantID]*link.Grant{},

		choices: choices{
			here: map[fleet.PoolName]choice{}, told: map[fleet.PoolName]uint64{}, limits: map[fleet.PoolName]time.Duration{},
		},
		counters: map[fleet.PoolName]*[whos]prometheus.Counter{},
	}
	s.alarm = time.AfterFunc(time.Hour, s.overdue)
	s.alarm.Stop()
	return s
}

func (s *Session) now() fleet.Time { return fleet.Time(time.Since(s.start)) + 1 }

// Connected tells whether a controller answers.
func (s *Session) Connected() bool { return s.connected.Load() }

var waiters = sync.Pool{New: func() any { return &waiter{answer: make(chan answer, 1)} }}

// Ask implements link.Granter.
func (s *Session) Ask(ctx context.Context, r link.Request) (*link.Grant, error) {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return nil, link.ErrNoController
	}
	if c, here := s.choices.here[r.Pool.Name]; here {
		a := s.decide(c, &r)
		s.mu.Unlock()
		return a.grant, a.err
	}
	if g, ok := s.fromHand(r.Pool, r.Exclude, r.About); ok {
		s.mu.Unlock()
		s.rouse()
		return g, nil
	}
	w := waiters.Get().(*waiter)
	w.pool, w.exclude, w.about = r.Pool, r.Exclude, r.About
	s.lastAsk++
	w.id = s.lastAsk
	w.arrived = s.now().Add(-r.Waited)
	s.waiting[w.id] = w
	switch {
	case s.limit > 0 && len(s.waiting) > s.limit:
		s.resolve(w, s.tooMany(w))
	case s.crowded(r.Pool):
		s.resolve(w, s.no(w, fleet.QueueFull))
	case s.numbers != nil:
		s.put(w, r.Waited)
	}
	s.mu.Unlock()
	s.rouse()
	select {
	case a := <-w.answer:
		w.release()
		return a.grant, a.err
	case <-ctx.Done():
		s.withdraw(w)
		return nil, context.Cause(ctx)
	}
}

func (w *waiter) release() {
	w.pool, w.exclude, w.about = nil, nil, nil
	waiters.Put(w)
}

// withdraw takes an ask back, or the grant that came meanwhile.
func (s *Session) withdraw(w *waiter) {
	s.mu.Lock()
	_, still := s.waiting[w.id]
	delete(s.waiting, w.id)
	if still && s.numbers != nil {
		s.out.withdraw(s.numbers[w.pool.Name], w.id)
	}
	s.mu.Unlock()
	if still {
		s.rouse()
	} else if a := <-w.answer; a.grant != nil {
		a.grant.Done(link.Result{Outcome: fleet.Unused})
	}
	w.release()
}

// put writes an ask into the next message. s.mu is held.
func (s *Session) put(w *waiter, waited time.Duration) {
	number, ok := s.numbers[w.pool.Name]
	if !ok {
		s.resolve(w, answer{err: &link.Refused{Pool: w.pool.Name, Reason: fleet.UnknownPool}})
		return
	}
	var inFlight int
	inFlight, s.out.seen = s.ledger.Ask(w.pool.Name, s.out.seen[:0])
	s.out.ask(w, number, waited, inFlight, s.distance.roundTrip())
}

// tooMany refuses an ask beyond what the controller's welcome allows.
func (s *Session) tooMany(w *waiter) answer {
	return answer{err: &link.Refused{Pool: w.pool.Name, Reason: fleet.OverLimit, RetryAfter: time.Second}}
}

// resolve answers a waiter. s.mu is held.
func (s *Session) resolve(w *waiter, a answer) {
	delete(s.waiting, w.id)
	w.answer <- a
}

// rouse has the sender look.
func (s *Session) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// head notes a load report that came in the head of an answer; the next ask tells it.
func (s *Session) head(g *link.Grant, r fleet.LoadReport) {
	s.mu.Lock()
	s.ledger.Head(g.Pool.Name, g.Backend, r)
	s.mu.Unlock()
}

// finish is what a grant's Done does.
func (s *Session) finish(g *link.Grant, r link.Result) {
	s.mu.Lock()
	number, known := s.numbers[g.Pool.Name]
	seen, held := s.ledger.Done(s.now(), g.ID, r.Outcome, r.Latency, known || s.listed[g.ID])
	delete(s.grants, g.ID)
	switch {
	case held && known:
		s.out.done(number, g.ID, r, seen, s.ledger.IsKept(g.ID), s.ledger.Uses(g.ID))
	case held && s.listed[g.ID]:
		s.late = append(s.late, lateWord{pool: g.Pool.Name, id: g.ID, result: r, kept: s.ledger.IsKept(g.ID), uses: s.ledger.Uses(g.ID)})
	}
	if s.ledger.Alone() {
		s.serveWaiting(g.Pool.Name)
	}
	s.mu.Unlock()
	s.rouse()
}

// handedOn is what the Done of a direct grant does: only one that its client did not get
// is this proxy's to end.
func (s *Session) handedOn(g *link.Grant, r link.Result) {
	if r.Outcome != fleet.Unused {
		return
	}
	s.mu.Lock()
	if number, known := s.numbers[g.Pool.Name]; known {
		s.out.done(number, g.ID, r, fleet.Seen{}, false, 0)
	}
	s.mu.Unlock()
	s.rouse()
}

// Tell has the proxy's state told now, and not only with the next second.
func (s *Session) Tell() {
	s.statusDue.Store(true)
	s.rouse()
}

// granted takes a grant in. s.mu is held.
func (s *Session) granted(m *fairleadv1.Grant) {
	id := fleet.GrantID{Epoch: m.GetId().GetEpoch(), Number: m.GetId().GetNumber()}
	w := s.waiting[m.GetAsk()]
	if w == nil {
		// It crossed with the withdrawal: give it back.
		s.out.done(m.GetPool(), id, link.Result{Outcome: fleet.Unused}, fleet.Seen{}, false, 0)
		return
	}
	s.decided(w.pool.Name, byController)
	b := fleet.BackendName(m.GetBackend())
	if w.pool.Direct {
		g := link.NewGrant(id, w.pool, b, s.handedOn)
		g.Ticket, g.Public, g.Life = m.GetTicket(), m.GetPublic(), time.Duration(m.GetTicketMs())*time.Millisecond
		g.Moved = m.GetMoved()
		s.resolve(w, answer{grant: g})
		return
	}
	s.ledger.Granted(s.now(), w.pool.Name, id, b, time.Duration(m.GetLimitMs())*time.Millisecond)
	s.ledger.MayKeep(id, time.Duration(m.GetKeepMs())*time.Millisecond)
	g := link.NewGrant(id, w.pool, b, s.finish).WithHead(s.head)
	g.Ticket, g.Moved = m.GetTicket(), m.GetMoved()
	s.grants[id] = g
	s.resolve(w, answer{grant: g})
}

// refused takes a refusal in. s.mu is held.
func (s *Session) refused(m *fairleadv1.Refusal) {
	w := s.waiting[m.GetAsk()]
	if w == nil {
		return
	}
	s.decided(w.pool.Name, byController)
	s.resolve(w, answer{err: &link.Refused{
		Pool: w.pool.Name, Reason: fleet.Reason(m.GetReason()),
		RetryAfter: time.Duration(m.GetRetryAfterMs()) * time.Millisecond,
	}})
}

// cut ends links whose grants were revoked or have run too long. s.mu is not held.
func (s *Session) cut(ids []fleet.GrantID, why fleet.Reason) {
	for _, id := range ids {
		s.mu.Lock()
		g := s.grants[id]
		s.mu.Unlock()
		if g != nil {
			g.Cut(why)
		}
	}
}

// housekeep does, each second or so, what time alone brings.
func (s *Session) housekeep() {
	s.mu.Lock()
	now := s.now()
	over := s.ledger.Expired(now)
	if s.ledger.Alone() {
		s.serveWaiting("")
	}
	if s.numbers == nil {
		s.turnAway(now)
	}
	if s.giveBackUnused() {
		s.rouse()
	}
	s.mu.Unlock()
	s.cut(over, fleet.TimeLimit)
}

// Run keeps a session up until ctx ends, and then returns nil. It returns an error when
// the controller said no for good. It joins what it starts. Requests that still wait
// then get ErrNoController.
func (s *Session) Run(ctx context.Context) error {
	defer s.abandon()
	done := make(chan struct{})
	defer func() { <-done }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(done)
		s.keepHouse(ctx)
	}()
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := s.converse(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if fatal := permanent(err); fatal != nil && !s.ever.Load() {
			return fatal // later it may be a controller of another release, on its way
		}
		if limit := s.cfg.StartTimeout; limit > 0 && !s.ever.Load() && time.Since(s.start) > limit {
			return fmt.Errorf("no session with a controller in the first %s: %s", limit, advice(err))
		}
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		s.cfg.Logger.Warn("no session with the controller; trying again",
			"in", pause.Round(time.Millisecond), "error", plain(err))
		if !sleep(ctx, pause) {
			return nil
		}
		pause = nextPause(pause)
	}
	return nil
}

// plain returns what went wrong without what gRPC puts around it.
func plain(err error) string {
	said := status.Convert(err).Message()
	if _, inner, ok := strings.Cut(said, `desc = "`); ok {
		said = strings.TrimPrefix(strings.TrimSuffix(inner, `"`), "transport: ")
	}
	return said
}

// advice words why no session came about.
func advice(err error) string {
	said := plain(err)
	if code := status.Code(err); code == codes.Unavailable || code == codes.DeadlineExceeded || errors.Is(err, errSilent) {
		return said + "; is it running, and is that its gRPC address?"
	}
	return said
}

func (s *Session) keepHouse(ctx context.Context) {
	second := time.NewTicker(250 * time.Millisecond)
	defer second.Stop()
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	for {
		select {
		case <-second.C:
			s.housekeep()
		case <-minute.C:
			s.mu.Lock()
			s.ledger.Sweep(s.now())
			s.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// abandon answers whoever still waits.
func (s *Session) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.alarm.Stop()
	for _, w := range s.waiting {
		s.resolve(w, answer{err: link.ErrNoController})
	}
}

// errSilent ends a stream on which nothing was heard.
var errSilent = errors.New("the controller said nothing for " + silence.String())
