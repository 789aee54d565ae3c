package h2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

const (
	// connectTimeout is for pools that do not say.
	connectTimeout = 5 * time.Second
	// idlePerBackend is how many unused connections are kept to a backend.
	idlePerBackend = 128
	// idleBackend is how long an unused connection to a backend is kept.
	idleBackend = 60 * time.Second
	// continueWait is how long a backend may think about Expect: 100-continue.
	continueWait = time.Second
	// maxAnswerHead is the longest head of an answer, in bytes.
	maxAnswerHead = 128 << 10
)

// transports are what speaks to backends. They are safe for concurrent use.
type transports struct {
	mu sync.Mutex // guards what is below
	of map[manner]*http.Transport
}

// manner is how backends are spoken to. Requests that differ in it share no connection.
type manner struct {
	two bool           // HTTP/2, else HTTP/1.1
	tls *originate.TLS // nil: plain text
	// proxy is the version of the PROXY protocol header that names the client. Each request has
	// a connection of its own then.
	proxy int
}

// get returns what speaks to a pool's backends.
func (t *transports) get(pool *link.Pool) *http.Transport {
	m := manner{pool.HTTP2, pool.TLS, pool.SendProxy}
	t.mu.Lock()
	defer t.mu.Unlock()
	tr := t.of[m]
	if tr == nil {
		tr = newTransport(m.two)
		tr.DisableKeepAlives = m.proxy > 0
		if t.of == nil {
			t.of = map[manner]*http.Transport{}
		}
		t.of[m] = tr
	}
	return tr
}

// close closes the connections that nobody uses.
func (t *transports) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tr := range t.of {
		tr.CloseIdleConnections()
	}
}

// newTransport speaks HTTP/1.1 or else HTTP/2, over TLS or not as the scheme says.
func newTransport(two bool) *http.Transport {
	t := &http.Transport{
		DialContext:            dial,
		DialTLSContext:         dialTLS,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    idlePerBackend,
		IdleConnTimeout:        idleBackend,
		ExpectContinueTimeout:  continueWait,
		MaxResponseHeaderBytes: maxAnswerHead,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(!two)
	t.Protocols.SetHTTP2(two)
	t.Protocols.SetUnencryptedHTTP2(two)
	return t
}

// dialError tells a failure to connect from all others.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// dial connects to a backend. The transport may use the connection for another request
// than the one that ctx comes from, unless it is to begin with a header that names a client.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := connect(ctx, network, address)
	if err != nil {
		return nil, &dialError{err}
	}
	return &backendConn{Conn: c}, nil
}

// dialTLS is dial over TLS.
func dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	pool := exchangeOf(ctx).pool
	ctx, cancel := context.WithTimeout(ctx, connectTime(pool))
	defer cancel()
	nc, err := connect(ctx, network, address)
	if err != nil {
		return nil, &dialError{err}
	}
	protocol := originate.HTTP1
	if pool.HTTP2 {
		protocol = originate.HTTP2
	}
	c, err := pool.TLS.Client(ctx, nc, fleet.BackendName(address), protocol)
	switch {
	case err != nil:
		return nil, &dialError{err}
	case pool.HTTP2:
		return c.Conn, nil // the transport speaks HTTP/2 over nothing else
	}
	return &backendConn{Conn: c}, nil
}

func connect(ctx context.Context, network, address string) (net.Conn, error) {
	x := exchangeOf(ctx)
	d := net.Dialer{Timeout: connectTime(x.pool)}
	c, err := d.DialContext(ctx, network, address)
	if err != nil || x.pool.SendProxy == 0 {
		return c, err
	}
	client, _ := x.client()
	to, _ := x.req.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if err := proxyproto.Send(c, x.pool.SendProxy, proxyproto.Named(client, to)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func connectTime(pool *link.Pool) time.Duration {
	if pool.ConnectTimeout <= 0 {
		return connectTimeout
	}
	return pool.ConnectTimeout
}

// backendConn is a connection to a backend. It counts what was written, since only a
// request of which nothing was may be sent to another backend; and tells the try that
// uses it when the transport gives it up.
type backendConn struct {
	net.Conn
	written atomic.Int64 // bytes
	user    atomic.Pointer[try]
}

func (c *backendConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom, which the transport looks for.
func (c *backendConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(c.Conn, r)
	c.written.Add(n)
	return n, err
}

// CloseWrite passes a half-close on.
func (c *backendConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}

func (c *backendConn) Close() error {
	if t := c.user.Swap(nil); t != nil {
		t.lostConn()
	}
	return c.Conn.Close()
}

// asker is the RoundTripper that asks for a grant for each request.
type asker struct{ *Server }

// RoundTrip asks and sends until there is an answer. Its errors are *web.Refusal, or wrap
// errClientGone when nobody is left to answer.
func (s asker) RoundTrip(out *http.Request) (*http.Response, error) {
	x := exchangeOf(out.Context())
	r := x.request()
	for {
		asked := time.Now()
		g, err := s.cfg.Granter.Ask(x.ctx, r)
		r.Waited += time.Since(asked)
		if err != nil {
			return nil, x.notGranted(err)
		}
		if len(r.Exclude) == 0 {
			x.metrics.Wait.Observe(r.Waited.Seconds())
		}
		x.moved(g)
		t := &try{x: x, grant: g, began: time.Now()}
		x.current = t
		x.tries, x.waited = x.tries+1, r.Waited
		if x.ctx.Err() != nil {
			t.finish(fleet.Unused)
			return nil, errClientGone
		}
		res, err := t.send(s.backends.get(x.pool), out)
		if err == nil {
			return res, nil
		}
		again, err := t.failed(err)
		if !again || len(r.Exclude) >= x.pool.Retries {
			return nil, err
		}
		x.metrics.Retries.Inc()
		r.Exclude = append(r.Exclude[:len(r.Exclude):len(r.Exclude)], g.Backend)
	}
}

// notGranted says what the client is told when an ask fails.
func (x *exchange) notGranted(err error) error {
	if x.ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errClientGone, context.Cause(x.ctx))
	}
	var no *link.Refused
	switch {
	case errors.As(err, &no):
		return web.Refused(no)
	case errors.Is(err, link.ErrNoController):
		return web.NoController(err)
	}
	x.serving.cfg.Logger.Error("asking for a grant failed", "pool", x.pool.Name, "error", err)
	return web.Internal
}
