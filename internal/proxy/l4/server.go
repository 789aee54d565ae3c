// Package l4 carries TCP connections: one grant a connection, one link a grant. Not one
// byte of the client's is read before the link is up, so a backend that cannot be
// reached costs a try and nothing else; once it is up, the kernel moves the bytes. (A PROXY
// protocol header is the front's, not the client's; TLS server names are only peeked at.)
package l4

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/gate"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
)

// Config is what a Server needs.
type Config struct {
	Granter link.Granter
	Logger  *slog.Logger
	// Name is the listener's, for metrics.
	Name string
	// Headers takes PROXY protocol headers; nil: nobody sends them.
	Headers *proxyproto.Acceptor
	// Gate bounds connections; nil: nothing does.
	Gate *gate.Gate
	// Hangup notices clients that leave while they wait for a grant. Without it (nil)
	// they are noticed once they are linked.
	Hangup *hangup.Watcher
	// Metrics may be shared between servers. With nil none are kept.
	Metrics *Metrics
	// Classified counts what requests did not say of themselves, and may be shared as well;
	// nil: nothing does.
	Classified *classify.Metrics
	// Access is told of every connection; nil: nothing is logged.
	Access *accesslog.Log
	// DrainTimeout is how long links may go on after Serve's context has ended; 0: not
	// at all.
	DrainTimeout time.Duration
}

// Server carries TCP connections. It is safe for concurrent use.
type Server struct {
	cfg  Config
	open atomic.Int64
}

// New makes a Server.
func New(cfg Config) *Server {
	if cfg.Metrics == nil {
		cfg.Metrics = newMetrics()
	}
	return &Server{cfg: cfg}
}

// Connections returns how many client connections are open, those that wait included.
func (s *Server) Connections() int { return int(s.open.Load()) }

// errStopped ends what is left when the drain timeout is over.
var errStopped = errors.New("the proxy is stopping")

// Serve accepts from l, which must listen for TCP, until ctx ends or l fails. It asks for
// the rules anew for each connection. Then it closes l, lets links finish for DrainTimeout,
// cuts the rest, and returns when every goroutine that it started has ended: nil if ctx
// ended, else why l failed.
func (s *Server) Serve(ctx context.Context, l net.Listener, rules func() Rules) error {
	// Links outlive ctx, by the drain timeout at most.
	links, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	closed := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = l.Close()
	})
	var running sync.WaitGroup
	err := s.accept(ctx, s.cfg.Gate.Listen(ctx, l), func(c *net.TCPConn) {
		s.open.Add(1)
		running.Go(func() {
			defer s.cfg.Gate.Leave()
			defer s.open.Add(-1)
			s.carry(links, c, rules())
		})
	})
	if unhook() {
		_ = l.Close()
	} else {
		<-closed
	}
	s.drain(&running, cut)
	return err
}

// accept returns nil when ctx has ended. Errors that pass, such as a want of file
// descriptors, make it pause: the listener's backlog is the queue meanwhile.
func (s *Server) accept(ctx context.Context, l net.Listener, carry func(*net.TCPConn)) error {
	const longest = time.Second
	pause := 5 * time.Millisecond
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = 5 * time.Millisecond
			tcp, ok := c.(*net.TCPConn)
			if !ok {
				_ = c.Close()
				s.cfg.Gate.Leave()
				return fmt.Errorf("accept on %s: a %T is not a TCP connection", l.Addr(), c)
			}
			carry(tcp)
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		s.cfg.Logger.Warn("cannot accept a connection; trying again", "listener", l.Addr(), "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longest)
	}
}

// drain waits for the links, and cuts those that take too long.
func (s *Server) drain(running *sync.WaitGroup, cut context.CancelCauseFunc) {
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	limit := time.NewTimer(s.cfg.DrainTimeout)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		cut(errStopped)
		<-done
	}
}

// carry serves one connection, from its first byte to its end.
func (s *Server) carry(ctx context.Context, conn *net.TCPConn, rules Rules) {
	came := time.Now()
	ends, err := s.cfg.Headers.Receive(ctx, conn)
	if err != nil { // it is counted
		s.cfg.Logger.Debug("connection without its PROXY protocol header", "listener", s.cfg.Name, "error", err)
		reset(conn)
		return
	}
	client := &caller{TCPConn: conn, ends: ends, visit: visit{came: came}}
	pool, lost := rules.pool(ctx, client)
	if lost != nil {
		s.cfg.Metrics.unrouted.WithLabelValues(s.cfg.Name, lost.reason).Inc()
		s.cfg.Logger.Debug("connection to no pool", "listener", s.cfg.Name, "client", ends.Client, "error", lost.error)
		end, why := unlinked(lost.reason)
		s.log(client, "", nil, end, why)
		reset(conn)
		return
	}
	s.link(ctx, client, pool, rules.IdleTimeout)
}

// link asks for a backend, and joins a client with it.
func (s *Server) link(ctx context.Context, client *caller, pool *link.Pool, idle time.Duration) {
	m := s.cfg.Metrics.of(pool.Name)
	m.open.Inc()
	defer m.open.Dec()
	backend, grant, err := s.connect(ctx, client, pool)
	if err != nil {
		m.refuse(err)
		end, why := unlinked(reason(err))
		s.log(client, pool.Name, nil, end, why)
		s.cfg.Logger.Debug("connection refused", "pool", pool.Name, "client", client.ends.Client, "error", err)
		reset(client.TCPConn)
		return
	}
	p := &pair{client: &end{tcp: client.TCPConn}, backend: backend, metrics: m}
	outcome, idled := p.run(ctx, grant, idle)
	switch {
	case grant.WasCut():
		outcome = fleet.Revoked
		m.outcomes[outcome].Inc()
	case idled:
		m.idle.Inc()
	default:
		m.outcomes[outcome].Inc()
	}
	end, why := ending(ctx, grant, outcome, idled)
	s.log(client, pool.Name, p, end, why)
	// How long a connection lasts is the client's choice, so it says nothing about speed.
	grant.Done(link.Result{Outcome: outcome})
}

// reset ends a connection so that the client sees an error, not an empty answer.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // only fails when the connection is gone
	_ = c.Close()
}
