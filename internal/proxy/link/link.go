// Package link is the seam between a proxy's conversation with its controller and the
// code that carries bytes: a carrier asks for a grant, links the client to the granted
// backend, and says how it went.
package link

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

// Pool is what a carrier needs to know of a pool.
type Pool struct {
	Number         uint32 // in the session's table
	Name           fleet.PoolName
	Retries        int           // asks again after a backend that cannot be reached
	ConnectTimeout time.Duration // for one connection to a backend
	Direct         bool          // clients are sent on to the backend
	About          bool          // an ask says what its request is
	Tickets        bool          // grants carry tickets, for the backend to see
	Alone          bool          // it can be served without a controller
	QueueLimit     int           // how many may wait here without a controller
	QueueTimeout   time.Duration // and how long
	// SendProxy is the version of the PROXY protocol header with which a connection to a
	// backend begins, 1 or 2; 0: none. Package proxyproto writes it.
	SendProxy int

	// Classify tells what a request is, where About is set; nil: of class normal, and its
	// client's.
	Classify *classify.Rules

	// HTTP2 is spoken to backends.
	HTTP2 bool
	// TLS is spoken to backends; nil: plain text.
	TLS *originate.TLS
}

// Request says what a grant is wanted for.
type Request struct {
	Pool    *Pool
	Exclude []fleet.BackendName // those that this request could not reach
	Waited  time.Duration       // how long it has waited for earlier grants
	About   *fleet.About        // where the pool wants it; nobody changes it any more
}

// Granter hands out grants. It is safe for concurrent use.
type Granter interface {
	// Ask waits for a grant. It returns a *Refused, ErrNoController, or the context's
	// cause; in the last case the ask was withdrawn and the caller owes nothing.
	Ask(ctx context.Context, r Request) (*Grant, error)
}

// ErrNoController means that no controller answered in the time that the pool's
// requests may wait.
var ErrNoController = errors.New("no controller could be reached")

// CutError ends a link that its controller revoked, or that ran too long.
type CutError struct{ Reason fleet.Reason }

// Error implements error.
func (e *CutError) Error() string { return "the link was cut: " + e.Reason.Text() }

// CutFor tells whether an error is of a link that was cut for this reason.
func CutFor(err error, why fleet.Reason) bool {
	var cut *CutError
	return errors.As(err, &cut) && cut.Reason == why
}

// Refused is a controller's no.
type Refused struct {
	Pool       fleet.PoolName
	Reason     fleet.Reason
	RetryAfter time.Duration // when trying again is likely to succeed; 0: not known
}

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("pool %q: %s", r.Pool, r.Reason.Text())
}

// Result says how a link went.
type Result struct {
	Outcome fleet.Outcome
	// Latency is from the link's start to its end. 0 says nothing about the backend's
	// speed: a TCP connection lasts as long as its client likes.
	Latency time.Duration
}

// Grant is the right to have one request in flight on one backend. Its holder calls
// Done exactly once. In a pool with direct links the right is the client's; the holder
// then only says whether it was handed on, and Unused if it was not.
type Grant struct {
	ID      fleet.GrantID
	Pool    *Pool
	Backend fleet.BackendName
	Ticket  string        // empty: the pool has none
	Public  string        // where clients reach the backend: host:port, or scheme://host:port
	Life    time.Duration // of the ticket
	Moved   bool          // the backend that the request's affinity names was not free

	finish func(*Grant, Result)
	head   func(*Grant, fleet.LoadReport)

	mu    sync.Mutex // guards what is below
	cut   func(*Grant, error)
	cause error
	done  bool
}

// NewGrant makes a grant whose Done calls finish once.
func NewGrant(id fleet.GrantID, pool *Pool, b fleet.BackendName, finish func(*Grant, Result)) *Grant {
	return &Grant{ID: id, Pool: pool, Backend: b, finish: finish}
}

// WithHead has f called with each load report that Head gets, and returns g. It is
// called before the grant is handed out.
func (g *Grant) WithHead(f func(*Grant, fleet.LoadReport)) *Grant {
	g.head = f
	return g
}

// Head tells of a load report that came in an answer's head, without waiting for the
// answer's end.
func (g *Grant) Head(r fleet.LoadReport) {
	if g.head != nil {
		g.head(g, r)
	}
}

// OnCut has f called, at most once, when the link must end before its time, with
// a *CutError. f must not block;
// it may still be called while Done runs.
func (g *Grant) OnCut(f func(error)) {
	g.OnCutOf(func(_ *Grant, why error) { f(why) })
}

// OnCutOf is OnCut with an f that can be the same for many grants.
func (g *Grant) OnCutOf(f func(*Grant, error)) {
	g.mu.Lock()
	cause := g.cause
	if cause == nil {
		g.cut = f
	}
	g.mu.Unlock()
	if cause != nil {
		f(g, cause)
	}
}

// Cut ends the link before its time. Only the first call counts.
func (g *Grant) Cut(why fleet.Reason) {
	g.mu.Lock()
	if g.done || g.cause != nil {
		g.mu.Unlock()
		return
	}
	g.cause = &CutError{why}
	f, cause := g.cut, g.cause
	g.mu.Unlock()
	if f != nil {
		f(g, cause)
	}
}

// WasCut tells whether Cut was called before Done.
func (g *Grant) WasCut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cause != nil
}

// Done ends the grant. Only the first call counts.
func (g *Grant) Done(r Result) {
	g.mu.Lock()
	if g.done {
		g.mu.Unlock()
		return
	}
	g.done = true
	g.cut = nil
	if g.cause != nil {
		r.Outcome = fleet.Revoked
	}
	g.mu.Unlock()
	g.finish(g, r)
}
