//go:build unix

package http1

import (
	"errors"
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// quiet tells whether a socket has neither bytes nor an end to read.
func quiet(fd uintptr) bool {
	var b [1]byte
	for {
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if !errors.Is(err, unix.EINTR) {
			return errors.Is(err, unix.EAGAIN)
		}
	}
}

// ready reads into a buffer once there is something to read, so that who waits holds none.
// It is what syscall.RawConn.Read calls until it returns true.
func (c *conn) ready(fd uintptr) bool {
	b := smallBuffers.Get().(*buffer)
	for {
		n, err := syscall.Read(int(fd), b.b)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			b.release()
			return false
		case err != nil || n == 0:
			b.release()
			if c.awaited = err; err == nil {
				c.awaited = io.EOF
			}
			return true
		}
		c.in.buf, c.in.from, c.in.to, c.awaited = b, 0, n, nil
		return true
	}
}
