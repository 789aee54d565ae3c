// Package http1 carries HTTP/1.1 requests: it asks for a grant for each request, links
// the request to the granted backend, and says how it went.
//
// A client's connection has one goroutine, which reads a head, asks, forwards and answers.
// A second one runs only while a body is sent that did not come with its head. An idle
// connection holds no buffer. Heads and chunks are read by package message; what it
// refuses goes to no backend.
//
// What a grant's Done says of a request:
//
//	OK           the answer came to its end, whatever its status but those of Failed
//	Failed       the backend broke off, or answered 502, 503 or 504: its way to say
//	             that it, or what it needs, cannot serve now
//	Unreachable  no connection, or nothing was sent on it; the request is asked again
//	Cancelled    the client went away, or broke its own request's body
//	Unused       the client was gone by the time that the grant came
//	Revoked      it was cut
//
// Its latency is from the grant to the last byte of the answer, and 0 when that did not
// come. A client that reads a long answer slowly makes it longer, for which the backend
// cannot help. It is 0 for an upgraded connection (a WebSocket), which lasts as long as
// its ends like.
package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/forwarded"
	"github.com/fairlead/fairlead/internal/proxy/gate"
	"github.com/fairlead/fairlead/internal/proxy/h2"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
	"github.com/fairlead/fairlead/internal/proxy/route"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// Timeouts bound how long a connection waits, each for one thing. 0 stands for the default.
type Timeouts struct {
	Idle   time.Duration // for the next request: 90 s
	Head   time.Duration // from a head's first byte to its last: 10 s
	Body   time.Duration // for more of a request's body, or for the backend to take it: 60 s
	Answer time.Duration // for more of an answer, or for the client to take it: 60 s
	// FirstByte is from a request's end to its answer's head. Negative: any time, which is
	// the default, as work that is worth a slot may be long. GrantLimit bounds it as well.
	FirstByte time.Duration
	// Tunnel is for a byte either way, once a connection is upgraded: 1 h. Negative: any time.
	Tunnel time.Duration
}

func (t *Timeouts) fill() {
	for _, d := range []struct {
		at  *time.Duration
		def time.Duration
	}{{&t.Idle, 90 * time.Second}, {&t.Head, 10 * time.Second}, {&t.Body, time.Minute}, {&t.Answer, time.Minute}, {&t.FirstByte, -1}, {&t.Tunnel, time.Hour}} {
		if *d.at == 0 {
			*d.at = d.def
		}
	}
}

// Config is what a Server needs.
type Config struct {
	Granter link.Granter
	// Routes returns the table to use for the next request. It must not return nil.
	Routes func() *route.Table
	// Grants makes the server give grants for a pool's direct links, and nothing else. It
	// may return nil. Routes is not used then.
	Grants func() *link.Pool
	// Headers takes PROXY protocol headers; nil: nobody sends them.
	Headers *proxyproto.Acceptor
	// Gate bounds connections; nil: nothing does.
	Gate   *gate.Gate
	Logger *slog.Logger
	// Hangup notices clients that leave while their request waits or is served. Without it
	// (nil) they are noticed when they are written to.
	Hangup *hangup.Watcher
	// Name is the listener's, for the access log.
	Name string
	// Access is told of each request; nil: nobody is.
	Access *accesslog.Log
	// Metrics may be shared between servers. With nil none are kept.
	Metrics *web.Metrics
	// Classified counts what requests did not say of themselves, and may be shared as well;
	// nil: nothing does.
	Classified *classify.Metrics
	// Backends keeps unused connections, and may be shared as well; nil: the server has its
	// own while it serves.
	Backends *Backends
	// DrainTimeout is how long requests may go on after Serve's context has ended; 0:
	// not at all.
	DrainTimeout time.Duration
	// TLS returns what to speak TLS with; nil: clients speak plain text. It may return nil
	// only where no connection should be served.
	TLS func() *tls.Config
	// Challenge returns what to answer a CA with that asks a host for a path below
	// acme.ChallengePath; nil: the request is like any other. It may be nil itself.
	Challenge func(ctx context.Context, host, path string) []byte
	// Trusted returns the networks whose word of who the client is (X-Forwarded-For and the
	// like) is taken from now on; nil: nobody's is.
	Trusted func() forwarded.Trusted
	// Timeouts returns those that hold from now on; nil: the defaults do.
	Timeouts func() Timeouts
	Limits   message.Limits // of heads; zero: message.Defaults
}

// Server carries HTTP requests. It is safe for concurrent use.
type Server struct {
	cfg  Config
	open atomic.Int64
}

// New makes a Server.
func New(cfg Config) *Server {
	if cfg.Metrics == nil {
		cfg.Metrics = web.Unregistered()
	}
	if cfg.Limits == (message.Limits{}) {
		cfg.Limits = message.Defaults
	}
	if cfg.Trusted == nil {
		cfg.Trusted = func() forwarded.Trusted { return nil }
	}
	if cfg.Timeouts == nil {
		cfg.Timeouts = func() Timeouts { return Timeouts{} }
	}
	return &Server{cfg: cfg}
}

// Connections returns how many client connections are open.
func (s *Server) Connections() int { return int(s.open.Load()) }

// serving is one run of Serve.
type serving struct {
	*Server
	backends *Backends
	base     context.Context // ends when requests are cut
	goros    sync.WaitGroup  // of connections
	leaving  atomic.Bool     // each answer is the last one on its connection
	idleEnds atomic.Bool     // connections without a request end
	staff    staff
	date     atomic.Pointer[string]

	mu     sync.Mutex // guards what is below
	conns  map[*conn]struct{}
	second *h2.Server // nil: no backend was to be spoken to over HTTP/2 yet
}

var (
	errClientGone = errors.New("the client went away")
	errStopped    = errors.New("the proxy is stopping")
)

// idleTime is how long, at the end, connections without a request stay open for one more: a
// client may be sending it at the moment that the connection would be closed.
const idleTime = time.Second

// Serve accepts from l until ctx ends or l fails. Then it closes l, lets requests (and
// upgraded connections) finish for DrainTimeout, cuts the rest, and returns when every
// connection is closed and its goroutine done: nil if ctx ended, else why l failed.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	// Requests outlive ctx, by the drain timeout at most.
	requests, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	v := &serving{Server: s, backends: s.cfg.Backends, base: requests, conns: map[*conn]struct{}{}}
	if v.backends == nil {
		v.backends = NewBackends(0)
		defer v.backends.Close()
	}
	stopSweep := v.sweep()
	defer stopSweep()
	closed := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(closed)
		v.leaving.Store(true)
		_ = l.Close() // who comes now goes elsewhere
	})
	err := v.accept(ctx, s.cfg.Headers.Listen(requests, s.cfg.Gate.Listen(ctx, l)))
	if unhook() {
		v.leaving.Store(true)
		_ = l.Close()
	} else {
		<-closed
	}
	v.drain(cut)
	if s := v.beyond(false); s != nil {
		s.Close()
	}
	return err
}

// beyond returns what carries requests to backends that speak HTTP/2; nil: none has come, and
// it is not to be made.
func (v *serving) beyond(start bool) *h2.Server {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.second == nil && start {
		c := &v.cfg
		v.second = h2.Start(h2.Config{
			Granter: c.Granter, Routes: c.Routes, Grants: c.Grants, Logger: c.Logger, Metrics: c.Metrics, Classified: c.Classified, Name: c.Name, Access: c.Access,
			Trusted: c.Trusted, FirstByte: func() time.Duration { return c.Timeouts().FirstByte },
		})
		if v.leaving.Load() {
			v.second.Drain()
		}
	}
	return v.second
}

// accept returns nil when ctx has ended. Errors that pass, such as a want of file
// descriptors, make it pause: the listener's backlog is the queue meanwhile.
func (v *serving) accept(ctx context.Context, l net.Listener) error {
	const first, longest = 5 * time.Millisecond, time.Second
	pause := first
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = first
			v.start(nc)
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
		}
		v.cfg.Logger.Warn("cannot accept a connection; trying again", "listener", l.Addr(), "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longest)
	}
}

// start begins to serve a connection.
func (v *serving) start(nc net.Conn) {
	c := newConn(v, nc)
	v.open.Add(1)
	v.add(c)
	v.goros.Go(c.run)
}

// add has a connection be seen to by the sweep, and by who ends them all.
func (v *serving) add(c *conn) {
	v.mu.Lock()
	v.conns[c] = struct{}{}
	v.mu.Unlock()
}

func (v *serving) remove(c *conn) {
	v.mu.Lock()
	delete(v.conns, c)
	v.mu.Unlock()
}

// ended is a connection's last deed.
func (v *serving) ended(c *conn) {
	v.remove(c)
	v.open.Add(-1)
	v.cfg.Gate.Leave()
}

// each calls f for every connection.
func (v *serving) each(f func(*conn)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for c := range v.conns {
		f(c)
	}
}

// sweepEvery is how exact timeouts are.
const sweepEvery = 100 * time.Millisecond

// sweep looks for phases that have lasted too long, until it is stopped.
func (v *serving) sweep() (stop func()) {
	v.tellDate(time.Now())
	tick()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(sweepEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-ticker.C:
				v.tellDate(now)
				at := tick()
				v.each(func(c *conn) { c.sweep(at) })
				v.staff.trim()
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// tellDate renews the Date of answers that have none.
func (v *serving) tellDate(now time.Time) {
	s := now.UTC().Format(http.TimeFormat)
	if old := v.date.Load(); old == nil || *old != s {
		v.date.Store(&s)
	}
}

// drain returns when no connection is open.
func (v *serving) drain(cut context.CancelCauseFunc) {
	v.staff.close()
	closed := make(chan struct{})
	go func() {
		v.goros.Wait()
		close(closed)
	}()
	if s := v.beyond(false); s != nil {
		s.Drain()
	}
	v.each((*conn).leaveStreams)
	idle := time.NewTimer(min(idleTime, v.cfg.DrainTimeout/2))
	defer idle.Stop()
	limit := time.NewTimer(v.cfg.DrainTimeout)
	defer limit.Stop()
	select {
	case <-closed:
		return
	case <-idle.C:
		v.idleEnds.Store(true) // the sweep sees to those that come to be idle
		v.each((*conn).endIdle)
	}
	select {
	case <-closed:
	case <-limit.C:
		cut(errStopped)
		if s := v.beyond(false); s != nil {
			s.Close()
		}
		v.each(func(c *conn) { c.abort(errStopped) })
		<-closed
	}
}
