// Package session is a proxy's conversation with its controller: it sends asks and
// dones, hands out the grants that come back, and comes back itself when the
// controller was away. Of pools for which the proxy decides it chooses backends itself.
package session

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
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
	// Controllers are all that may lead pools; there is a session with each. Where their
	// tables differ, the first one's that answers goes.
	Controllers []Controller
	Name        string // of the proxy, stable over restarts
	Zone        string
	// Advertise is the host at which clients reach this proxy; empty: the one that its
	// listeners are bound to.
	Advertise string
	// Replaces is the instance of the run of this proxy that has handed its listeners over.
	Replaces string
	Software string
	Logger   *slog.Logger
	// Patience is how long a request waits for a controller that leads its pool.
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

// Controller is one of the controllers.
type Controller struct {
	Name string // for the log
	// Dial makes a connection. Each session has its own, which it closes: one that died
	// without a word would be used again and again.
	Dial func() (*grpc.ClientConn, error)
}

// Session keeps the conversations with all controllers. It implements link.Granter.
type Session struct {
	cfg      Config
	instance string
	start    time.Time
	peers    []*peer
	ever     atomic.Bool // there was a session
	tables   sync.Mutex  // held while one is handed on

	mu      sync.Mutex // guards what is below
	ledger  *permit.Ledger
	lastAsk uint64
	waiting map[uint64]*waiter
	grants  map[fleet.GrantID]*link.Grant
	leaders map[fleet.PoolName]*leader
	over    bool // Run has ended

	choices  choices
	counters map[fleet.PoolName]*[whos]prometheus.Counter // by by
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
		ledger:  permit.NewFrom(rand.Uint64() &^ (1<<32 - 1)),
		waiting: map[uint64]*waiter{},
		grants:  map[fleet.GrantID]*link.Grant{},
		leaders: map[fleet.PoolName]*leader{},
		choices: choices{
			last: map[string]*fairleadv1.PoolBackends{},
			here: map[fleet.PoolName]choice{}, told: map[fleet.PoolName]uint64{}, limits: map[fleet.PoolName]time.Duration{},
		},
		counters: map[fleet.PoolName]*[whos]prometheus.Counter{},
	}
	for i, c := range cfg.Controllers {
		s.peers = append(s.peers, newPeer(s, i, c))
	}
	return s
}

func (s *Session) now() fleet.Time { return fleet.Time(time.Since(s.start)) + 1 }

// Instance names this run of the proxy.
func (s *Session) Instance() string { return s.instance }

// Connected tells whether a controller answers.
func (s *Session) Connected() bool {
	return slices.ContainsFunc(s.peers, func(p *peer) bool { return p.connected.Load() })
}

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
	to := s.leader(r.Pool.Name)
	if g, ok := s.fromHand(r.Pool, r.Exclude, r.About); ok {
		s.mu.Unlock()
		to.rouse()
		return g, nil
	}
	w := waiters.Get().(*waiter)
	w.pool, w.exclude, w.about = r.Pool, r.Exclude, r.About
	s.lastAsk++
	w.id = s.lastAsk
	w.arrived = s.now().Add(-r.Waited)
	s.waiting[w.id] = w
	switch {
	case to == nil && s.crowded(r.Pool):
		s.resolve(w, s.no(w, fleet.QueueFull))
	case to != nil:
		s.put(to, w, r.Waited)
	case s.nobodys(r.Pool.Name):
		s.resolve(w, answer{err: &link.Refused{Pool: r.Pool.Name, Reason: fleet.UnknownPool}})
	}
	s.mu.Unlock()
	to.rouse()
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
	still := s.waiting[w.id] == w
	to := s.leader(w.pool.Name)
	if still {
		delete(s.waiting, w.id)
		to.withdraw(w)
	}
	s.mu.Unlock()
	if still {
		to.rouse()
	} else if a := <-w.answer; a.grant != nil {
		a.grant.Done(link.Result{Outcome: fleet.Unused})
	}
	w.release()
}

// put writes an ask into the next message to the pool's leader. s.mu is held.
func (s *Session) put(to *peer, w *waiter, waited time.Duration) {
	if to.limit > 0 && len(s.waiting) > to.limit {
		s.resolve(w, answer{err: &link.Refused{Pool: w.pool.Name, Reason: fleet.OverLimit, RetryAfter: time.Second}})
		return
	}
	var inFlight int
	inFlight, to.out.seen = s.ledger.Ask(w.pool.Name, to.out.seen[:0])
	to.out.ask(w, to.numbers[w.pool.Name], waited, inFlight, to.distance.roundTrip())
}

// resolve answers a waiter. s.mu is held.
func (s *Session) resolve(w *waiter, a answer) {
	delete(s.waiting, w.id)
	w.answer <- a
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
	to := s.leader(g.Pool.Name)
	seen, held := s.ledger.Done(s.now(), g.ID, r.Outcome, r.Latency, to != nil)
	delete(s.grants, g.ID)
	if held {
		to.done(g.Pool.Name, g.ID, r, seen, s.ledger.IsKept(g.ID), s.ledger.Uses(g.ID))
	}
	if s.ledger.Alone(g.Pool.Name) {
		s.serveWaiting(g.Pool.Name)
	}
	s.mu.Unlock()
	to.rouse()
}

// handedOn is what the Done of a direct grant does: only one that its client did not get
// is this proxy's to end.
func (s *Session) handedOn(g *link.Grant, r link.Result) {
	if r.Outcome != fleet.Unused {
		return
	}
	s.mu.Lock()
	to := s.leader(g.Pool.Name)
	to.done(g.Pool.Name, g.ID, r, fleet.Seen{}, false, 0)
	s.mu.Unlock()
	to.rouse()
}

// Tell has the proxy's state told now, and not only with the next second.
func (s *Session) Tell() {
	for _, p := range s.peers {
		p.statusDue.Store(true)
		p.rouse()
	}
}

// granted takes a grant in. s.mu is held.
func (s *Session) granted(from *peer, m *fairleadv1.Grant) {
	id := fleet.GrantID{Epoch: m.GetId().GetEpoch(), Number: m.GetId().GetNumber()}
	w := s.waiting[m.GetAsk()]
	if w == nil || s.leader(w.pool.Name) != from {
		// It crossed with the withdrawal, or with the news that another controller leads: give
		// it back.
		from.out.done(m.GetPool(), id, link.Result{Outcome: fleet.Unused}, fleet.Seen{}, false, 0)
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
	s.serveWaiting("")
	s.turnAway(now)
	s.giveBackUnused()
	s.mu.Unlock()
	s.cut(over, fleet.TimeLimit)
}

// Run keeps sessions up until ctx ends, and then returns nil. It returns an error when every
// controller said no for good. It joins what it starts. Requests that still wait then get
// ErrNoController.
func (s *Session) Run(ctx context.Context) error {
	defer s.abandon()
	g, ctx := errgroup.WithContext(ctx)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g.Go(func() error {
		s.keepHouse(ctx)
		return nil
	})
	ends := make(chan error, len(s.peers))
	for _, p := range s.peers {
		g.Go(func() error {
			ends <- p.run(ctx)
			return nil
		})
	}
	var first error
	for range s.peers {
		if err := <-ends; first == nil {
			first = err
		}
	}
	cancel()
	_ = g.Wait() // they return nil
	return first
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
	for _, p := range s.peers {
		p.alarm.Stop()
	}
	for _, w := range s.waiting {
		s.resolve(w, answer{err: link.ErrNoController})
	}
}

// errSilent ends a stream on which nothing was heard.
var errSilent = errors.New("the controller said nothing for " + silence.String())
