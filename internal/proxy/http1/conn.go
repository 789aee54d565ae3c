package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/http2"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// conn is a client's connection. What is not said to be guarded belongs to the goroutine
// that runs it.
type conn struct {
	s      *serving
	nc     net.Conn        // what was accepted; TLS is above it
	raw    syscall.RawConn // nil: it is encrypted, or no socket
	waits  func(fd uintptr) bool
	client string         // its address, or that of who is in front of it
	peer   netip.AddrPort // the same; zero: it has none
	secure *tls.Conn      // nil: plain text
	in     reader
	out    writer
	req    message.Request
	x      exchange

	stream *http2.Stream // one request of many; nil: the connection is the client's own
	many   atomic.Pointer[http2.Conn]
	next   chan *http2.Stream  // to be served; closed: there will be none
	losing func(*http2.Stream) // is lost, made once

	own *backendConn // kept for this client alone; nil: none

	lastPool    *link.Pool // of the request before
	lastMetrics *web.PoolMetrics

	limits Timeouts // of the request, and until the next one

	entry accesslog.Entry // of the request, where there is an access log

	awaited error // what waiting for the next request came to

	ctx    context.Context // of the connection; ends when the client goes away
	cancel context.CancelCauseFunc

	main   alarm       // of the phase that the connection is in
	upload alarm       // of a body that is sent meanwhile
	idle   atomic.Bool // between requests
	gone   atomic.Bool // it was interrupted: nothing more is read or answered on it

	mu      sync.Mutex    // guards what is below
	backend *backendConn  // that the request uses; nil: none
	dialing func()        // stops a dial; nil: none
	sending bool          // a body is sent by a goroutine of its own
	stop    error         // why the request was interrupted; nil: it was not
	late    phase         // the phase that lasted too long
	sent    chan struct{} // closed when the sending goroutine ends; set by the one that runs c

	grant     *link.Grant // of the request; nil: none
	answering bool        // the client is being answered
	tunneling bool        // the connection is another protocol's

	cutting func(*link.Grant, error) // is cut, made once
	scheme  string                   // http or https
}

func newConn(v *serving, nc net.Conn) *conn {
	c := &conn{s: v, nc: nc, in: reader{nc: nc}, out: writer{nc: nc}}
	c.x.c = c
	if s, ok := nc.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw, c.waits = raw, c.ready
		}
	}
	c.cutting, c.scheme = c.cut, "http"
	c.ctx, c.cancel = context.WithCancelCause(v.base)
	return c
}

// learn takes in who the other side is.
func (c *conn) learn(a net.Addr) {
	if a == nil {
		return
	}
	if tcp, ok := a.(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		c.peer = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		host = a.String()
	}
	c.client = host
}

// run serves requests until the connection ends.
func (c *conn) run() {
	defer c.s.ended(c)
	c.renew()
	c.learn(c.nc.RemoteAddr()) // which may be told in a header that has to come first
	defer c.cancel(nil)
	defer c.endOwn()
	defer func() { _ = c.out.nc.Close() }()
	if !c.shakeHands() {
		return
	}
	if s, ok := c.nc.(syscall.Conn); ok && c.s.cfg.Hangup != nil {
		defer c.s.cfg.Hangup.Watch(s, hangup.HTTP, c.left)()
	}
	again := true
	for ; again && c.readHead(); c.renew() {
		again = c.x.run()
		c.out.release()
	}
	c.main.stop()
	c.in.drop()
	c.out.release()
}

// renew takes in the timeouts that hold from now on.
func (c *conn) renew() {
	c.limits = c.s.cfg.Timeouts()
	c.limits.fill()
}

// readHead reads the next request's head. False: there will be none, or it was refused.
func (c *conn) readHead() bool {
	c.req.Reset()
	begun := false
	for {
		if b := c.in.unused(); len(b) > 0 {
			is, could := false, false
			if c.secure == nil && c.stream == nil {
				is, could = http2.Prefaced(b)
			}
			if is {
				c.out.release()
				c.multiplex()
				return false
			}
			done, err := false, (*message.Error)(nil)
			if !could {
				done, err = c.req.Parse(b, &c.s.cfg.Limits)
			}
			if err != nil {
				c.x.refuseHead(err)
				return false
			}
			if done {
				c.in.use(c.req.Size)
				c.main.stop()
				return true
			}
			if !begun {
				begun = true
				c.main.set(inHead, c.limits.Head)
			}
		}
		if err := c.more(begun); err != nil {
			if begun && errors.Is(err, os.ErrDeadlineExceeded) && c.lateIn() == inHead {
				c.x.refuseHead(web.HeadTimeout)
			}
			return false
		}
	}
}

// more reads more of a head, or waits for the next one without holding a buffer.
func (c *conn) more(begun bool) error {
	if begun {
		return c.in.fill()
	}
	c.in.release()
	c.main.set(inIdle, c.limits.Idle)
	c.idle.Store(true)
	err := c.await()
	c.idle.Store(false)
	if err == nil && c.lateIn() == inIdle {
		return os.ErrDeadlineExceeded // it came as the connection was being closed
	}
	return err
}

// await waits for the first bytes of a request.
func (c *conn) await() error {
	if c.raw == nil {
		return c.in.fill()
	}
	// Those who have something to do go first. When this one's turn comes the next request
	// may be there, and there is no need to sleep for it; when all is quiet it costs nothing.
	runtime.Gosched()
	if err := c.raw.Read(c.waits); err != nil {
		return err
	}
	return c.awaited
}

// left is what the hangup watcher calls.
func (c *conn) left() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.tunneling { // whoever reads from it sees
		c.giveUp(errClientGone)
	}
}

// giveUp ends the request. The caller holds mu.
func (c *conn) giveUp(why error) {
	c.cancel(why)
	c.free(why)
}

// abort ends the connection and the request on it.
func (c *conn) abort(why error) {
	c.cancel(why)
	c.interrupt(why)
	c.gone.Store(true)
	_ = c.nc.SetDeadline(past)
}

// endIdle ends the connection if it has no request.
func (c *conn) endIdle() {
	if m := c.many.Load(); m != nil {
		m.EndIdle()
	} else if c.idle.Load() {
		_ = c.nc.SetReadDeadline(past)
	}
}

// leaveStreams asks the client to open no more streams.
func (c *conn) leaveStreams() {
	if m := c.many.Load(); m != nil {
		m.Drain()
	}
}

// sweep ends a phase that lasts too long.
func (c *conn) sweep(now int64) {
	if p := c.upload.rings(now); p != noPhase {
		c.expire(p)
	}
	if p := c.main.rings(now); p != noPhase {
		c.expire(p)
	}
	if c.s.leaving.Load() && c.s.idleEnds.Load() {
		c.endIdle()
	}
}

func (c *conn) expire(p phase) {
	c.mu.Lock()
	c.late = p
	c.mu.Unlock()
	switch p {
	case inIdle, inHead:
		_ = c.nc.SetReadDeadline(past)
	case inAnswer:
		c.interrupt(errTimeout)
		_ = c.nc.SetWriteDeadline(past)
	default:
		c.interrupt(errTimeout)
	}
}

// lateIn returns the phase that lasted too long.
func (c *conn) lateIn() phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.late
}

var errTimeout = errors.New("it took too long")

// interrupt frees whoever waits for the request's backend, or for its body. The first
// reason counts.
func (c *conn) interrupt(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free(why)
}

// free is interrupt for callers that hold mu.
func (c *conn) free(why error) {
	if c.stop == nil {
		c.stop = why
	}
	if c.backend != nil {
		c.backend.interrupt()
	}
	if c.dialing != nil {
		c.dialing()
	}
	if c.sending {
		_ = c.nc.SetReadDeadline(past)
	}
	if c.tunneling {
		_ = c.nc.SetDeadline(past)
	}
}

// linger closes a connection on which the client may still be sending: were it closed with
// bytes unread, the reset could overtake the answer. It waits for the client to have read,
// but not for long.
func (c *conn) linger() {
	w, ok := c.out.nc.(interface{ CloseWrite() error })
	if !ok || w.CloseWrite() != nil {
		return
	}
	const most, long = 256 << 10, time.Second
	if c.nc.SetReadDeadline(time.Now().Add(long)) != nil {
		return
	}
	if c.gone.Load() {
		return // aborted meanwhile
	}
	c.in.drop()
	_, _ = io.CopyN(io.Discard, c.in.nc, most)
}

// view lends bytes as a string, for a call that keeps nothing of it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// unescape decodes a path, of which every escape is known to be good. It allocates only
// where there is one.
func unescape(path []byte) []byte {
	if bytes.IndexByte(path, '%') < 0 {
		return path
	}
	plain := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		if path[i] == '%' {
			plain = append(plain, unhex(path[i+1])<<4|unhex(path[i+2]))
			i += 2
			continue
		}
		plain = append(plain, path[i])
	}
	return plain
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
