package http1

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// exchange is one request and its answer. A connection has one, and uses it again.
type exchange struct {
	c       *conn
	pool    *link.Pool
	metrics *web.PoolMetrics
	ask     link.Request
	grant   *link.Grant // nil: none that is not done
	started time.Time
	began   time.Time // of the grant

	body  source // of the request
	early []byte // what was there of it when the head had come, as it is sent
	mine  []byte // memory for that, if it is not as it came
	to    writer // what goes to the backend

	head      bool // the request is HEAD, so its answer has no body
	old       bool // the client speaks HTTP/1.0
	json      bool // the client likes JSON
	continues bool // the client waits for 100 (Continue)
	upgrade   bool // the client would like to switch protocols
	chunks    bool // its body goes to the backend in chunks
	touched   bool // a backend may have seen something of the request
	keep      bool // the connection may serve another request

	client  string         // its address
	from    netip.AddrPort // the same; zero: it has none
	vouched bool           // the other side is trusted to say who the client is

	cookie   string        // that the answer is to set; empty: none
	code     int           // of the answer; 0: none so far
	whole    bool          // the answer came to its end
	sent     int64         // bytes of the answer's body
	outcome  fleet.Outcome // of the last grant
	tunneled bool
	handed   bool // another carrier has it
	sendError
}

// errBody is a request's body that broke off or makes no sense.
var errBody = errors.New("the request's body broke off")

// run serves the request whose head was read. It tells whether the connection may serve
// another.
func (x *exchange) run() (again bool) {
	x.reset()
	defer func() {
		x.to.release()
		if !x.handed {
			x.metrics.Ended(x.code, x.started, x.tunneled)
			x.log()
		}
	}()
	return x.serve() && x.keep
}

func (x *exchange) reset() {
	r := &x.c.req
	c, body, mine := x.c, x.body, x.mine[:0]
	if cap(mine) > smallBuffer {
		mine = nil // an idle connection should not keep it
	}
	*x = exchange{
		c: c, body: body, mine: mine, started: time.Now(),
		head: r.Is(http.MethodHead), old: r.Minor == 0, continues: r.Expect, upgrade: r.Upgrade, keep: !r.Close,
	}
	x.body.begin(&c.in, &r.Head, c.unframed())
	x.body.stream, x.chunks = c.stream, r.Chunked || x.body.toEnd
	x.continues = x.continues || x.body.toEnd && r.Get(message.Expect) != nil
	x.identify()
	x.noting()
	if f := r.Find("accept"); f != nil {
		x.json = hasJSON(r.Value(f))
	}
	c.out.begin()
	c.mu.Lock()
	c.stop, c.sending, c.sent = nil, false, nil
	c.mu.Unlock()
}

// serve returns false when the connection is over.
func (x *exchange) serve() bool {
	c, cfg := x.c, &x.c.s.cfg
	if done, again := x.challenge(); done {
		return again
	}
	if cfg.Grants != nil {
		x.pool = cfg.Grants()
	} else {
		x.pool = cfg.Routes().Match(view(c.req.Host()), view(unescape(c.req.Path())))
	}
	if x.pool == nil {
		x.metrics = cfg.Metrics.Of("")
		return x.refuse(web.NoRoute)
	}
	if c.lastPool != x.pool {
		c.lastPool, c.lastMetrics = x.pool, cfg.Metrics.Of(x.pool.Name)
	}
	x.metrics = c.lastMetrics
	switch {
	case cfg.Grants != nil:
		return x.giveGrant()
	case x.pool.Direct:
		return x.sendOn()
	case x.wantsGrant():
		return x.noContent()
	}
	if x.pool.HTTP2 {
		x.handed = true
		if c.stream != nil {
			c.handOverStream()
			return false
		}
		c.in.from -= c.req.Size // it is read again
		c.handOver()
		x.keep = false
		return false
	}
	return x.carry()
}

// carry asks and sends until there is an answer.
func (x *exchange) carry() bool {
	if err := x.prefetch(); err != nil {
		return x.refuse(web.BadBody)
	}
	x.ask = x.request()
	for {
		asked := x.started
		if len(x.ask.Exclude) > 0 {
			asked = time.Now()
		}
		g, err := x.c.s.cfg.Granter.Ask(x.c.ctx, x.ask)
		x.began = time.Now()
		x.ask.Waited += x.began.Sub(asked)
		if err != nil {
			return x.notGranted(err)
		}
		if len(x.ask.Exclude) == 0 {
			x.metrics.Wait.Observe(x.ask.Waited.Seconds())
		}
		x.moved(g)
		x.take(g)
		if x.c.ctx.Err() != nil {
			x.finish(fleet.Unused)
			return false
		}
		b, err := x.send()
		if err == nil {
			return x.answer(b)
		}
		again, verdict := x.failed(err)
		if !again || len(x.ask.Exclude) >= x.pool.Retries {
			return verdict != nil && x.refuse(verdict)
		}
		x.metrics.Retries.Inc()
		x.ask.Exclude = append(x.ask.Exclude[:len(x.ask.Exclude):len(x.ask.Exclude)], g.Backend)
	}
}

// take makes a grant the exchange's.
func (x *exchange) take(g *link.Grant) {
	c := x.c
	x.grant, x.touched = g, false
	c.entry.Backend, c.entry.Grant, c.entry.Moved = g.Backend, g.ID, g.Moved
	c.entry.Tries++
	c.mu.Lock()
	c.grant = g
	if c.stop != nil && c.ctx.Err() == nil {
		c.stop = nil // it was the last grant's
	}
	c.mu.Unlock()
	g.OnCutOf(c.cutting)
}

// cut is what a grant calls when the link must end.
func (c *conn) cut(g *link.Grant, why error) {
	c.mu.Lock()
	mine := c.grant == g
	answering := c.answering
	c.mu.Unlock()
	if !mine {
		return // its request has ended
	}
	c.interrupt(why)
	if answering {
		_ = c.nc.SetDeadline(past)
	}
}

// finish calls the grant's Done.
func (x *exchange) finish(o fleet.Outcome) { x.finishIn(o, 0) }

func (x *exchange) finishIn(o fleet.Outcome, latency time.Duration) {
	g := x.grant
	if g == nil {
		return
	}
	x.grant, x.outcome = nil, o
	if g.WasCut() {
		x.outcome = fleet.Revoked
	}
	x.c.mu.Lock()
	x.c.grant = nil
	x.c.mu.Unlock()
	g.Done(link.Result{Outcome: o, Latency: latency})
}

// notGranted answers when an ask fails.
func (x *exchange) notGranted(err error) bool {
	if x.c.ctx.Err() != nil {
		return false
	}
	var no *link.Refused
	switch {
	case errors.As(err, &no):
		return x.refuse(web.Refused(no))
	case errors.Is(err, link.ErrNoController):
		return x.refuse(web.NoController(err))
	}
	x.c.s.cfg.Logger.Error("asking for a grant failed", "pool", x.pool.Name, "error", err)
	return x.refuse(web.Internal)
}

// unreached is a backend that could not be connected to.
type unreached struct{ error }

func (u *unreached) Unwrap() error { return u.error }

// failed ends a try that brought no answer. It tells whether another backend may be
// tried, and what the client is told otherwise; nil: nobody listens.
func (x *exchange) failed(err error) (again bool, verdict *web.Refusal) {
	c := x.c
	c.s.cfg.Logger.Debug("no answer", "pool", x.pool.Name, "backend", x.grant.Backend, "error", err)
	why := c.stopped()
	switch {
	case x.grant.WasCut():
		x.finish(fleet.Revoked)
		if link.CutFor(why, fleet.TimeLimit) {
			return false, web.TimeLimit
		}
		return !x.touched && c.ctx.Err() == nil, web.BackendLost
	case c.ctx.Err() != nil:
		x.finish(fleet.Cancelled)
		return false, nil
	case errors.Is(err, errBody):
		x.finish(fleet.Cancelled)
		return false, web.BadBody
	case errors.Is(why, errTimeout) && c.lateIn() == inBody:
		x.finish(fleet.Cancelled)
		return false, web.BodyTimeout
	case errors.Is(why, errTimeout):
		x.finish(fleet.Failed)
		return false, web.AnswerTimeout
	case !x.touched:
		x.finish(fleet.Unreachable)
		return true, web.Unreachable
	}
	x.finish(fleet.Failed)
	var strange *message.Error
	if errors.As(err, &strange) {
		return false, web.BadAnswer
	}
	return false, web.BrokeOff
}

// stopped returns why the request was interrupted; nil: it was not.
func (c *conn) stopped() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stop
}

// connect gets a connection to the granted backend. fresh: a new one.
func (x *exchange) connect(fresh bool) (*backendConn, error) {
	c := x.c
	at, n := placeOf(x.grant, x.pool), x.naming()
	if !fresh {
		if b := c.kept(at, n); b != nil {
			c.attach(b)
			return b, nil
		}
	}
	if n.version > 0 {
		n.to = c.nc.LocalAddr()
	}
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	c.mu.Lock()
	c.dialing = cancel
	stopped := c.stop != nil
	c.mu.Unlock()
	if stopped {
		cancel()
	}
	began := time.Now()
	b, err := c.s.backends.dial(ctx, at, n, x.pool.ConnectTimeout)
	if err != nil {
		c.mu.Lock()
		c.dialing = nil
		c.mu.Unlock()
		return nil, &unreached{fmt.Errorf("connect to backend %q: %w", x.grant.Backend, err)}
	}
	c.entry.Connect = time.Since(began)
	c.attach(b)
	return b, nil
}

// attach makes b the connection that is freed when the request is interrupted.
func (c *conn) attach(b *backendConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backend, c.dialing = b, nil
	if c.stop != nil {
		b.interrupt()
	}
}

// detach ends that, and tells whether b was left alone.
func (c *conn) detach() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backend, c.answering = nil, false
	return c.stop == nil
}
