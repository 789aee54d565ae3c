package h2

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// exchange is one request and its answer. It is the http.ResponseWriter that the
// answer goes through, so that it knows what was answered.
type exchange struct {
	http.ResponseWriter
	serving *Server
	req     *http.Request // the client's
	pool    *link.Pool
	metrics *web.PoolMetrics
	ctx     context.Context // ends when the client goes away or the proxy stops
	cancel  context.CancelCauseFunc
	started time.Time
	body    *clientBody // nil: none
	current *try        // the latest

	cookie   string // that the answer is to set; empty: none
	code     int    // of the answer; 0: none so far
	hijacked bool   // upgraded
	sent     int64  // bytes of the answer's body
	refused  *web.Refusal
	tries    int           // grants that were used
	waited   time.Duration // for them
	duplex   bool          // see enableDuplex
	closing  bool          // the answer's head says that the connection will be closed

	mu   sync.Mutex // guards what is below
	over bool       // the connection is net/http's again
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// ServeHTTP carries one request.
func (v *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, serving: v, req: r, started: time.Now()}
	defer x.end()
	if r.Method == "PRI" { // net/http takes what is almost a preface for a request
		x.metrics = v.cfg.Metrics.Of("")
		panic(http.ErrAbortHandler)
	}
	if v.leaving.Load() {
		w.Header().Set("Connection", "close")
	}
	if r.Method == http.MethodConnect {
		x.metrics = v.cfg.Metrics.Of("")
		x.refuse(noConnect)
		return
	}
	if v.cfg.Grants != nil {
		x.pool = v.cfg.Grants()
	} else {
		x.pool = v.cfg.Routes().Match(r.Host, r.URL.Path)
	}
	if x.pool == nil {
		x.metrics = v.cfg.Metrics.Of("")
		x.refuse(web.NoRoute)
		return
	}
	x.metrics = v.cfg.Metrics.Of(x.pool.Name)
	x.ctx, x.cancel = context.WithCancelCause(context.WithValue(r.Context(), exchangeKey{}, x))
	r = r.WithContext(x.ctx)
	switch {
	case v.cfg.Grants != nil:
		x.giveGrant()
		return
	case x.pool.Direct:
		x.sendOn()
		return
	case x.wantsGrant():
		return
	}
	if r.ContentLength != 0 && r.Body != http.NoBody {
		x.body = &clientBody{ReadCloser: r.Body}
	}
	v.proxy.ServeHTTP(x, r)
}

// end settles what the ways out of ServeHTTP, a panic among them, have left open.
func (x *exchange) end() {
	x.mu.Lock()
	x.over = true
	x.mu.Unlock()
	if x.body != nil {
		x.body.over.Store(true)
	}
	if x.current != nil {
		x.current.abandon()
	}
	if x.cancel != nil {
		x.cancel(nil)
	}
	x.metrics.Ended(x.code, x.started, x.hijacked)
	x.log()
	if x.hijacked {
		if w, ok := x.req.Context().Value(waiterKey{}).(*waiter); ok {
			w.over()
		}
		return
	}
	if x.mustClose() && !x.closing {
		panic(http.ErrAbortHandler)
	}
}

// enableDuplex lets the head of an early answer go out while the request's body is
// still being read; else net/http would first read the body itself, in competition with
// the transport. The price: net/http then does not clean up after a body that was not
// read to its end, so such a connection cannot be used again.
func (x *exchange) enableDuplex() {
	if x.body != nil && !x.duplex && x.req.ProtoMajor == 1 {
		x.duplex = http.NewResponseController(x.ResponseWriter).EnableFullDuplex() == nil
	}
}

// mustClose tells whether the rest of the request's body is lost, or could be taken for
// a request. Without duplex, net/http sees to it.
func (x *exchange) mustClose() bool {
	return x.duplex && !x.body.ended.Load()
}

// closeIfNeeded says so in the head of an answer.
func (x *exchange) closeIfNeeded() {
	if x.mustClose() {
		x.closing = true
		x.Header().Set("Connection", "close")
	}
}

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(code int) {
	if code >= 200 && x.code == 0 {
		x.code = code
	}
	x.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController flush.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// Hijack implements http.Hijacker, for upgrades.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	x.hijacked, x.code = true, http.StatusSwitchingProtocols
	// Whoever ends the exchange must not wait for the client.
	context.AfterFunc(x.ctx, func() { _ = conn.SetDeadline(past) })
	if n := rw.Reader.Buffered(); n > 0 {
		return &earlyConn{Conn: conn, early: io.LimitReader(rw.Reader, int64(n))}, rw, nil
	}
	return conn, rw, nil
}

// earlyConn is an upgraded connection whose client did not wait for the answer.
type earlyConn struct {
	net.Conn
	early io.Reader
}

func (c *earlyConn) Read(p []byte) (int, error) {
	if n, err := c.early.Read(p); n > 0 || err != io.EOF {
		return n, err
	}
	return c.Conn.Read(p)
}

// CloseWrite passes a half-close on.
func (c *earlyConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// interruptRead frees a read of the request's body: the transport does not give up on a
// request while it reads, which could hold a slot for as long as the client is silent.
func (x *exchange) interruptRead() {
	x.mu.Lock()
	defer x.mu.Unlock()
	b := x.body
	if x.over || b == nil || !b.began.Load() || b.ended.Load() || b.broke.Load() {
		return
	}
	_ = http.NewResponseController(x.ResponseWriter).SetReadDeadline(past)
}

// interruptWrite frees a write of the answer to a client that does not read.
func (x *exchange) interruptWrite() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.over {
		_ = http.NewResponseController(x.ResponseWriter).SetWriteDeadline(past)
	}
}
