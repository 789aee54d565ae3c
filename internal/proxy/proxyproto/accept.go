package proxyproto

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/internal/proxy/peek"
)

// Wait is how long a header may take. Its sender has it ready when it connects.
const Wait = 5 * time.Second

// Metrics count headers that could not be taken:
//
//	fairlead_proxy_header_errors_total{listener,reason}
//
// with reason "missing", "bad", "late" or "gone". Their connections are reset.
type Metrics struct{ errors *prometheus.CounterVec }

// NewMetrics makes the metrics and registers them; with nil they are not registered.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fairlead_proxy_header_errors_total",
		Help: "Connections that were reset because their PROXY protocol header could not be taken, by reason.",
	}, []string{"listener", "reason"})}
	if r == nil {
		return m, nil
	}
	if err := r.Register(m.errors); err != nil {
		return nil, fmt.Errorf("register the PROXY protocol's metrics: %w", err)
	}
	return m, nil
}

// Acceptor takes headers on one listener. It is safe for concurrent use. A nil Acceptor
// expects none.
type Acceptor struct {
	listener string
	from     atomic.Pointer[[]netip.Prefix]
	metrics  *Metrics
}

// Acceptor makes one for a listener, that expects headers from nobody.
func (m *Metrics) Acceptor(listener string) *Acceptor {
	return &Acceptor{listener: listener, metrics: m}
}

// Subnets reads subnets as the wire has them.
func Subnets(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, s := range texts {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("accept_proxy: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

// Expect has each connection from these subnets, from now on, begin with a header.
func (a *Acceptor) Expect(from []netip.Prefix) { a.from.Store(&from) }

// expects tells whether a peer has to send a header.
func (a *Acceptor) expects(peer net.Addr) bool {
	if a == nil {
		return false
	}
	from, tcp := a.from.Load(), (*net.TCPAddr)(nil)
	if tcp, _ = peer.(*net.TCPAddr); tcp == nil || from == nil {
		return false
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	for _, p := range *from {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// Receive returns the ends of a connection, by its header where its peer has to send one,
// and takes the header off; not one byte more. With an error the connection is of no use;
// it has been counted.
func (a *Acceptor) Receive(ctx context.Context, c *net.TCPConn) (Ends, error) {
	own := Ends{Client: c.RemoteAddr(), Proxy: c.LocalAddr()}
	if !a.expects(own.Client) {
		return own, nil
	}
	e, err := receive(ctx, c, own)
	if err != nil {
		a.metrics.errors.WithLabelValues(a.listener, reason(err)).Inc()
		return Ends{}, fmt.Errorf("from %s: %w", own.Client, err)
	}
	return e, nil
}

func receive(ctx context.Context, c *net.TCPConn, own Ends) (Ends, error) {
	n, bad := 0, error(nil)
	b, err := peek.Until(ctx, c, Wait, longest, func(b []byte) bool {
		n, bad = frame(b)
		return n > 0 || bad != nil
	})
	switch {
	case bad != nil:
		return Ends{}, bad
	case n == 0:
		return Ends{}, fmt.Errorf("waiting for a PROXY protocol header: %w", err)
	}
	e, err := read(b[:n], own)
	if err != nil {
		return Ends{}, err
	}
	if _, err := io.ReadFull(c, b[:n]); err != nil {
		return Ends{}, err
	}
	return e, nil
}

func reason(err error) string {
	switch {
	case errors.Is(err, errMissing):
		return "missing"
	case errors.Is(err, errBad), errors.Is(err, peek.ErrTooLong):
		return "bad"
	case peek.TimedOut(err):
		return "late"
	}
	return "gone"
}

// Listen returns a listener whose connections have the ends that their headers tell. The
// header is awaited when a connection is first read from, or asked for an address, and until
// ctx ends: not by Accept, which one slow peer must not hold up.
func (a *Acceptor) Listen(ctx context.Context, ln net.Listener) net.Listener {
	if a == nil {
		return ln
	}
	return listener{ln, a, ctx}
}

type listener struct {
	net.Listener
	acceptor *Acceptor
	ctx      context.Context
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok || !l.acceptor.expects(tcp.RemoteAddr()) {
		return c, nil
	}
	return &conn{TCPConn: tcp, receive: sync.OnceValues(func() (Ends, error) {
		e, err := l.acceptor.Receive(l.ctx, tcp)
		if err != nil {
			_ = tcp.SetLinger(0) // fails only when it is closed
			_ = tcp.Close()
		}
		return e, err
	})}, nil
}

// conn is a connection that begins with a header.
type conn struct {
	*net.TCPConn
	receive func() (Ends, error)
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	return c.TCPConn.Read(b)
}

// WriteTo implements io.WriterTo, so that bytes can still be spliced.
func (c *conn) WriteTo(w io.Writer) (int64, error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	return c.TCPConn.WriteTo(w)
}

// ready has the header read. Its error is one of reading, which servers do not answer.
func (c *conn) ready() error {
	if _, err := c.receive(); err != nil {
		return &net.OpError{Op: "read", Net: "tcp", Source: c.TCPConn.LocalAddr(), Addr: c.TCPConn.RemoteAddr(), Err: err}
	}
	return nil
}

// RemoteAddr is the client's address; the peer's, where the header cannot be taken.
func (c *conn) RemoteAddr() net.Addr {
	if e, err := c.receive(); err == nil {
		return e.Client
	}
	return c.TCPConn.RemoteAddr()
}

// LocalAddr is the address where the client went.
func (c *conn) LocalAddr() net.Addr {
	if e, err := c.receive(); err == nil {
		return e.Proxy
	}
	return c.TCPConn.LocalAddr()
}
