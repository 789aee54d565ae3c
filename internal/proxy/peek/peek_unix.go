//go:build unix

package peek

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// until looks at all that has come each time that something comes. Nothing tells the end of
// a peer's bytes from a pause while some of them are unread; the deadline bounds both.
func until(c *net.TCPConn, most int, enough func([]byte) bool) ([]byte, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	l := look{most: most, enough: enough, buf: make([]byte, min(least, most))}
	if err := raw.Read(l.once); err != nil {
		return l.buf[:l.n], err
	}
	return l.buf[:l.n], l.err
}

type look struct {
	most   int
	enough func([]byte) bool
	buf    []byte
	n      int // of buf that has come
	err    error
}

// once tells whether nothing more is to be waited for.
func (l *look) once(fd uintptr) bool {
	for {
		n, _, err := unix.Recvfrom(int(fd), l.buf, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return false
		case err != nil:
			l.err = os.NewSyscallError("recvfrom", err)
			return true
		case n == 0:
			l.err = ErrEnded
			return true
		}
		grown := n > l.n
		l.n = n
		if grown && l.enough(l.buf[:n]) {
			return true
		}
		if n < len(l.buf) {
			return false
		}
		if n >= l.most {
			l.err = ErrTooLong
			return true
		}
		l.buf = append(l.buf, make([]byte, min(2*n, l.most)-n)...)
	}
}
