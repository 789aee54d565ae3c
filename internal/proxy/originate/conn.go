package originate

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrTruncated is a connection that was closed without a word (close_notify): whoever can
// forge the end of a TCP connection may have done so.
var ErrTruncated = fmt.Errorf("the backend closed the connection without ending TLS: %w", io.ErrUnexpectedEOF)

// Conn is a connection to a backend that speaks TLS. It is read from by one goroutine at a
// time, which is the one that calls Alive.
type Conn struct {
	*tls.Conn
	under  *under
	one    [1]byte
	broken atomic.Bool // a deadline that had passed was set
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if !t.IsZero() && !t.After(time.Now()) {
		c.broken.Store(true)
	}
	return c.Conn.SetDeadline(t)
}

// Close implements net.Conn. The backend is told, unless that could take time: what was
// interrupted may be full of bytes that nobody takes.
func (c *Conn) Close() error {
	if c.broken.Load() {
		return c.under.Close()
	}
	return c.Conn.Close()
}

// Read implements net.Conn. An end that TLS did not tell is ErrTruncated.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == io.EOF && c.under.ended {
		err = ErrTruncated
	}
	return n, err
}

// Under returns the TCP connection.
func (c *Conn) Under() net.Conn { return c.under.Conn }

// Alive tells whether the backend has neither closed the connection nor sent data that
// nobody has asked for. Something to read does not tell, as it does without TLS: that may be a
// session ticket; nor does nothing, as the end may have come with the last answer, and wait
// in memory. So TLS takes in what is there, and does not wait for more.
func (c *Conn) Alive() bool {
	c.under.glance = true
	n, err := c.Conn.Read(c.one[:])
	c.under.glance = false
	return n == 0 && errors.Is(err, errNothing)
}

// under is what TLS reads from and writes to.
type under struct {
	net.Conn
	raw    syscall.RawConn // nil: it cannot be read without waiting
	glance bool            // Read does not wait
	ended  bool            // the backend has closed the connection
}

func newUnder(nc net.Conn) *under {
	u := &under{Conn: nc}
	if s, ok := nc.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			u.raw = raw
		}
	}
	return u
}

// Read implements net.Conn.
func (u *under) Read(p []byte) (n int, err error) {
	switch {
	case !u.glance:
		n, err = u.Conn.Read(p)
	case u.raw == nil:
		err = errNothing
	default:
		n, err = readNow(u.raw, p)
	}
	u.ended = u.ended || err == io.EOF
	return n, err
}

// errNothing says that there is nothing to read. It is one of those after which TLS can be
// read from again.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing is there to be read" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }
