package http1

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

const (
	// connectTimeout is for pools that do not say.
	connectTimeout = 5 * time.Second
	// idleBackend is how long an unused connection to a backend is kept.
	idleBackend = 60 * time.Second
	// idlePerBackend is how many unused connections are kept to a backend, unless Config says.
	idlePerBackend = 128
)

// Backends keeps connections to backends that no request uses, for all the servers of a
// proxy. It is safe for concurrent use. Close ends it.
type Backends struct {
	most  int // unused connections to one backend
	ended chan struct{}
	stop  context.CancelFunc

	mu     sync.RWMutex
	idle   map[place]*idleConns
	closed bool
}

// place is what connections are made to: requests of pools with other TLS have others.
type place struct {
	backend fleet.BackendName
	tls     *originate.TLS // nil: plain text
}

func placeOf(g *link.Grant, pool *link.Pool) place { return place{g.Backend, pool.TLS} }

// idleConns are one place's, the one that was used last at the end.
type idleConns struct {
	mu    sync.Mutex
	conns []*backendConn
}

// NewBackends keeps at most so many unused connections to each backend; 0: 128.
func NewBackends(most int) *Backends {
	if most <= 0 {
		most = idlePerBackend
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Backends{most: most, stop: stop, ended: make(chan struct{}), idle: map[place]*idleConns{}}
	go b.sweep(ctx)
	return b
}

// Close closes the connections that are unused; those in use are closed when their
// requests have ended.
func (b *Backends) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.stop()
	<-b.ended
	b.closeIdle(math.MaxInt64)
}

// sweep closes connections that nobody has used for long.
func (b *Backends) sweep(ctx context.Context) {
	defer close(b.ended)
	tick := time.NewTicker(idleBackend / 10)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.closeIdle(clock() - int64(idleBackend))
		}
	}
}

// closeIdle closes those that were last used before since, and forgets backends that have
// none: the addresses of a fleet change.
func (b *Backends) closeIdle(since int64) {
	var old []*backendConn
	b.mu.Lock()
	for at, p := range b.idle {
		p.mu.Lock()
		n := 0
		for n < len(p.conns) && p.conns[n].used < since {
			n++
		}
		old = append(old, p.conns[:n]...)
		p.conns = append(p.conns[:0], p.conns[n:]...)
		if len(p.conns) == 0 {
			delete(b.idle, at)
		}
		p.mu.Unlock()
	}
	b.mu.Unlock()
	for _, c := range old {
		c.close()
	}
}

// take returns an unused connection that seems alive, or nil.
func (b *Backends) take(at place) *backendConn {
	b.mu.RLock()
	p := b.idle[at]
	b.mu.RUnlock()
	if p == nil {
		return nil
	}
	for {
		p.mu.Lock()
		n := len(p.conns)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.conns[n-1]
		p.conns[n-1] = nil
		p.conns = p.conns[:n-1]
		p.mu.Unlock()
		if c.alive() {
			c.reused = true
			return c
		}
		c.close()
	}
}

// put keeps a connection for the next request.
func (b *Backends) put(c *backendConn) {
	c.in.release()
	c.used = clock()
	b.mu.RLock()
	p, closed := b.idle[c.at], b.closed
	kept := false
	if p != nil && !closed {
		kept = p.push(c, b.most)
	}
	b.mu.RUnlock()
	if p == nil && !closed {
		b.mu.Lock()
		if p = b.idle[c.at]; p == nil {
			p = &idleConns{}
			b.idle[c.at] = p
		}
		kept = !b.closed && p.push(c, b.most)
		b.mu.Unlock()
	}
	if !kept {
		c.close()
	}
}

func (p *idleConns) push(c *backendConn, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.conns) >= most {
		return false
	}
	p.conns = append(p.conns, c)
	return true
}

// dial makes a new connection, which begins with a PROXY protocol header where n says so.
// timeout bounds all of it, the handshake of TLS too.
func (b *Backends) dial(ctx context.Context, at place, n named, timeout time.Duration) (*backendConn, error) {
	if timeout <= 0 {
		timeout = connectTimeout
	}
	d := net.Dialer{Timeout: timeout}
	if at.tls != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	nc, err := d.DialContext(ctx, "tcp", string(at.backend))
	if err == nil && n.version > 0 {
		err = n.tell(nc)
	}
	if err == nil && at.tls != nil {
		nc, err = over(ctx, nc, at)
	}
	if err != nil {
		return nil, err
	}
	c := newBackendConn(at, nc)
	c.named = n
	return c, nil
}

// over speaks TLS on a new connection.
func over(ctx context.Context, nc net.Conn, at place) (net.Conn, error) {
	c, err := at.tls.Client(ctx, nc, at.backend, originate.HTTP1)
	if err != nil {
		return nil, err // not c, which is nil and would be no nil net.Conn
	}
	return c, nil
}

// backendConn is a connection to a backend. One request uses it at a time.
type backendConn struct {
	at     place
	nc     net.Conn
	raw    syscall.RawConn // nil: it cannot be looked at without reading
	secure *originate.Conn // nil: plain text
	in     reader
	res    message.Response
	body   source
	used   int64 // when a request ended on it, by the clock
	reused bool  // a request before this one did
	named  named

	look  func(fd uintptr) // see alive
	quiet bool
	poll  pollFd
}

func newBackendConn(at place, nc net.Conn) *backendConn {
	c := &backendConn{at: at, nc: nc, in: reader{nc: nc}}
	c.secure, _ = nc.(*originate.Conn)
	if s, ok := nc.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw = raw
			c.look = func(fd uintptr) { c.quiet = quiet(fd, &c.poll) }
		}
	}
	return c
}

// alive tells whether a backend neither closed an unused connection nor said anything that
// nobody had asked for.
func (c *backendConn) alive() bool {
	switch {
	case c.secure != nil:
		return c.secure.Alive()
	case c.raw == nil:
		return true
	}
	c.quiet = false
	return c.raw.Control(c.look) == nil && c.quiet
}

// tcp returns the connection below TLS.
func (c *backendConn) tcp() net.Conn {
	if c.secure != nil {
		return c.secure.Under()
	}
	return c.nc
}

func (c *backendConn) close() {
	c.in.drop()
	_ = c.nc.Close()
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// interrupt frees whoever reads from it or writes to it.
func (c *backendConn) interrupt() { _ = c.nc.SetDeadline(past) }

// errEarly is a connection that ended before it said anything.
var errEarly = errors.New("the backend closed the connection before it answered")

// readHead reads an answer's head. head: it is for HEAD.
func (c *backendConn) readHead(lim *message.Limits, head bool) error {
	c.res.Reset()
	for {
		if b := c.in.unused(); len(b) > 0 {
			done, err := c.res.Parse(b, lim, head)
			if err != nil {
				return err
			}
			if done {
				c.in.use(c.res.Size)
				return nil
			}
		}
		if err := c.in.fill(); err != nil {
			if gone(err) {
				if len(c.in.unused()) == 0 {
					return errEarly
				}
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
}
