package backend

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pires/go-proxyproto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Conn is a connection that a GuardListener let in. Its methods are safe for concurrent
// use.
type Conn struct {
	net.Conn
	remote, local net.Addr // nil: those of the socket
	grant         fleet.GrantID
	end           func(failed bool)
	run           *running
	failed        atomic.Bool
	unused        atomic.Bool
	over          atomic.Bool

	mu    sync.Mutex // guards early
	early []byte     // what came with the header, and was not read yet
}

func (r *Reporter) newConn(raw net.Conn, header *proxyproto.Header, early []byte, id fleet.GrantID) *Conn {
	c := &Conn{Conn: raw, grant: id, early: early, end: r.Begin()}
	if !header.Command.IsLocal() {
		c.remote, c.local = header.SourceAddr, header.DestinationAddr
	}
	c.run = &running{of: r.grants, id: id, since: time.Now(), end: func() { _ = c.Close() }}
	c.run.enter()
	return c
}

// Grant returns the grant that the connection's ticket named, as "epoch.number".
func (c *Conn) Grant() string { return c.grant.String() }

// RemoteAddr returns the client's address, as the header says.
func (c *Conn) RemoteAddr() net.Addr {
	if c.remote != nil {
		return c.remote
	}
	return c.Conn.RemoteAddr()
}

// LocalAddr returns the address that the client went to, as the header says.
func (c *Conn) LocalAddr() net.Addr {
	if c.local != nil {
		return c.local
	}
	return c.Conn.LocalAddr()
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if early := c.takeEarly(len(p)); len(early) > 0 {
		return copy(p, early), nil
	}
	return c.Conn.Read(p)
}

func (c *Conn) takeEarly(most int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(most, len(c.early))
	first := c.early[:n]
	if c.early = c.early[n:]; len(c.early) == 0 {
		c.early = nil
	}
	return first
}

// WriteTo implements io.WriterTo, and lets the kernel copy where it can.
func (c *Conn) WriteTo(w io.Writer) (int64, error) {
	var n int64
	if early := c.takeEarly(headerMost); len(early) > 0 {
		m, err := w.Write(early)
		if n = int64(m); err != nil {
			return n, err
		}
	}
	m, err := io.Copy(w, c.Conn)
	return n + m, err
}

// ReadFrom implements io.ReaderFrom, and lets the kernel copy where it can.
func (c *Conn) ReadFrom(src io.Reader) (int64, error) { return io.Copy(c.Conn, src) }

// CloseWrite ends what is sent to the client, and leaves the other way open.
func (c *Conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.New("close one way: the connection's kind cannot do that; close it whole")
	}
	return half.CloseWrite()
}

// Fail has the controller told that the backend could not serve the connection, once it
// is closed.
func (c *Conn) Fail() { c.failed.Store(true) }

// giveBack closes a connection that nobody has got.
func (c *Conn) giveBack() {
	c.unused.Store(true)
	_ = c.Close()
}

// Close closes the connection and ends the grant.
func (c *Conn) Close() error {
	err := c.Conn.Close()
	if c.over.Swap(true) {
		return err
	}
	how := fairleadv1.Outcome_OUTCOME_OK
	switch {
	case c.unused.Load():
		how = fairleadv1.Outcome_OUTCOME_UNUSED
	case c.failed.Load():
		how = fairleadv1.Outcome_OUTCOME_FAILED
	}
	c.end(c.failed.Load())
	c.run.leave(how, 0) // how long a connection lasts says nothing about speed
	return err
}
