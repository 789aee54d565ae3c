// Package h2 carries requests to backends that are spoken to over HTTP/2. It is made of
// net/http's server and transport and its ReverseProxy. Connections, and single requests that
// came over HTTP/2, are handed to it by package http1, whose engine carries all the rest; what
// it says of requests, in grants' Dones, is what http1 says.
package h2

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/classify"
	"github.com/fairlead/fairlead/internal/proxy/forwarded"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/route"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// Limits towards clients.
const (
	maxHeaderBytes    = 64 << 10
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 90 * time.Second
)

// Config is what a Server needs. All of it is as in http1.Config.
type Config struct {
	Granter    link.Granter
	Routes     func() *route.Table
	Grants     func() *link.Pool
	Logger     *slog.Logger
	Metrics    *web.Metrics
	Name       string
	Access     *accesslog.Log
	Classified *classify.Metrics
	Trusted    func() forwarded.Trusted
	// FirstByte returns how long a backend may take from a request's end to its answer's head;
	// 0 or less: any time.
	FirstByte func() time.Duration
}

// Server carries requests. It is safe for concurrent use.
type Server struct {
	cfg      Config
	srv      *http.Server
	conns    handedOver
	backends transports
	proxy    *httputil.ReverseProxy
	leaving  atomic.Bool
	cut      context.CancelCauseFunc
	ended    chan struct{}
	waits    sync.Map // of *waiter, by net.Conn
}

// waiter waits for a connection's end.
type waiter struct {
	secure bool // the client speaks TLS
	once   sync.Once
	done   chan struct{}
}

func (w *waiter) over() { w.once.Do(func() { close(w.done) }) }

type waiterKey struct{}

// Start makes a Server, whose goroutines Close ends.
func Start(cfg Config) *Server {
	requests, cut := context.WithCancelCause(context.Background())
	s := &Server{
		cfg: cfg, cut: cut, ended: make(chan struct{}),
		conns: handedOver{conns: make(chan net.Conn), closed: make(chan struct{})},
	}
	quiet := slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug)
	s.proxy = &httputil.ReverseProxy{
		Rewrite: rewrite, Transport: asker{s}, ErrorHandler: handleError, BufferPool: &buffers{}, ErrorLog: quiet,
		// An answer of unknown length is flushed at once anyway. One whose length is
		// known, and that comes in drops, must not wait for a full buffer.
		FlushInterval: 5 * time.Millisecond,
	}
	s.srv = &http.Server{
		Handler: s, MaxHeaderBytes: maxHeaderBytes, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout,
		BaseContext: func(net.Listener) context.Context { return requests },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			w, _ := s.waits.Load(c)
			return context.WithValue(ctx, waiterKey{}, w)
		},
		ConnState: s.track, ErrorLog: quiet, Protocols: new(http.Protocols),
		// OPTIONS * is the backend's to answer.
		DisableGeneralOptionsHandler: true,
	}
	s.srv.Protocols.SetHTTP1(true)
	go func() {
		defer close(s.ended)
		_ = s.srv.Serve(&s.conns)
	}()
	return s
}

// Serve serves a connection on which HTTP/1.1 is spoken, and returns when it is closed.
// secure: the client speaks TLS.
func (s *Server) Serve(c net.Conn, secure bool) {
	w := &waiter{done: make(chan struct{}), secure: secure}
	s.waits.Store(c, w)
	defer s.waits.Delete(c)
	select {
	case s.conns.conns <- c:
		<-w.done
	case <-s.conns.closed:
		_ = c.Close()
	}
}

// Drain has connections end when their requests have.
func (s *Server) Drain() {
	s.leaving.Store(true)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.srv.Shutdown(over) // says so on every connection, and waits for none
}

// Close cuts what is left, and returns when all goroutines have ended. Nobody calls Serve
// any more.
func (s *Server) Close() {
	s.cut(errStopped)
	_ = s.srv.Close()
	<-s.ended
	s.backends.close()
}

// track hears how connections are. That an upgraded one has ended its handler says.
func (s *Server) track(c net.Conn, state http.ConnState) {
	if w, ok := s.waits.Load(c); ok && state == http.StateClosed {
		w.(*waiter).over()
	}
}

var (
	errClientGone = errors.New("the client went away")
	errStopped    = errors.New("the proxy is stopping")
)

// handedOver is a listener for connections that somebody else has accepted.
type handedOver struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// Accept implements net.Listener.
func (h *handedOver) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handedOver) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handedOver) Addr() net.Addr { return &net.TCPAddr{} }

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
