// Package http1 carries HTTP/1.1 requests: it asks for a grant for each request, links
// the request to the granted backend, and says how it went. It is made of net/http and
// its ReverseProxy; what it exports is small, so that another engine can stand in.
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
// Its latency is from the grant to the answer's end, and 0 when that did not come. A
// client that reads slowly makes it longer, for which the backend cannot help: a limit
// of this version. It is 0 for an upgraded connection (a WebSocket), which lasts as long
// as its ends like.
package http1

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/gate"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
	"github.com/fairlead/fairlead/internal/proxy/route"
)

// Limits towards clients.
const (
	maxHeaderBytes    = 64 << 10
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 90 * time.Second
)

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
	// Hangup notices clients that leave while their request has a body that nobody
	// reads. Without it (nil) they are noticed when somebody does.
	Hangup *hangup.Watcher
	// Metrics may be shared between servers. With nil none are kept.
	Metrics *Metrics
	// Classified counts what requests did not say of themselves, and may be shared as well;
	// nil: nothing does.
	Classified *classify.Metrics
	// DrainTimeout is how long requests may go on after Serve's context has ended; 0:
	// not at all.
	DrainTimeout time.Duration
	// IdlePerBackend is how many unused connections are kept to a backend; 0: 128.
	IdlePerBackend int
}

// Server carries HTTP requests. It is safe for concurrent use.
type Server struct {
	cfg       Config
	transport *http.Transport
	proxy     *httputil.ReverseProxy
	open      atomic.Int64
}

// New makes a Server.
func New(cfg Config) *Server {
	if cfg.Metrics == nil {
		cfg.Metrics = newMetrics()
	}
	if cfg.IdlePerBackend <= 0 {
		cfg.IdlePerBackend = 128
	}
	s := &Server{cfg: cfg, transport: newTransport(cfg.IdlePerBackend)}
	s.proxy = &httputil.ReverseProxy{
		Rewrite:      rewrite,
		Transport:    asker{s},
		ErrorHandler: handleError,
		// An answer of unknown length is flushed at once anyway. One whose length is
		// known, and that comes in drops, must not wait for a full buffer.
		FlushInterval: 5 * time.Millisecond,
		BufferPool:    &buffers{},
		ErrorLog:      slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
	}
	return s
}

// Connections returns how many client connections are open.
func (s *Server) Connections() int { return int(s.open.Load()) }

// serving is one run of Serve.
type serving struct {
	*Server
	conns   sync.WaitGroup // those open, upgraded ones included
	leaving atomic.Bool    // each answer is the last one on its connection
}

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
	v := &serving{Server: s}
	srv := v.server(requests)
	failed := make(chan error, 1)
	accepting := s.cfg.Headers.Listen(requests, s.cfg.Gate.Listen(ctx, l))
	go func() { failed <- srv.Serve(accepting) }()
	var err error
	select {
	case <-ctx.Done():
		v.leaving.Store(true)
		_ = l.Close() // who comes now goes elsewhere
		<-failed      // so that nobody more is counted while those who are here are waited for
	case err = <-failed:
		err = fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
	}
	v.drain(srv, cut)
	s.transport.CloseIdleConnections()
	return err
}

func (v *serving) server(requests context.Context) *http.Server {
	srv := &http.Server{
		Handler:           v,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ConnContext:       withConn,
		ConnState:         v.track,
		ErrorLog:          slog.NewLogLogger(v.cfg.Logger.Handler(), slog.LevelDebug),
		Protocols:         new(http.Protocols),
		// OPTIONS * is the backend's to answer.
		DisableGeneralOptionsHandler: true,
	}
	srv.Protocols.SetHTTP1(true)
	return srv
}

// drain returns when no connection is open.
func (v *serving) drain(srv *http.Server, cut context.CancelCauseFunc) {
	limit, cancel := context.WithTimeout(context.Background(), v.cfg.DrainTimeout)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		v.conns.Wait()
		close(closed)
	}()
	idle := time.NewTimer(min(idleTime, v.cfg.DrainTimeout/2))
	defer idle.Stop()
	select {
	case <-closed:
	case <-idle.C:
	}
	_ = srv.Shutdown(limit) // does not wait for upgraded connections
	select {
	case <-closed:
	case <-limit.Done():
		cut(errStopped)
		_ = srv.Close()
		<-closed
	}
}

// track counts connections. net/http calls it with StateNew before it starts a
// connection's goroutine, and with StateClosed as that goroutine's last deed; the end of
// a hijacked one is told by its handler.
func (v *serving) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		v.conns.Add(1)
		v.open.Add(1)
	case http.StateClosed:
		v.closed()
	}
}

func (v *serving) closed() {
	v.open.Add(-1)
	v.cfg.Gate.Leave()
	v.conns.Done()
}

type connKey struct{}

// withConn lets a request find its connection, for the hangup watcher.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if s, ok := c.(syscall.Conn); ok {
		return context.WithValue(ctx, connKey{}, s)
	}
	return ctx
}

// buffers are what answers are copied through.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if v := b.pool.Get(); v != nil {
		return v.(*[bufferSize]byte)[:]
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }
