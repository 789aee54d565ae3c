//go:build unix

package http1

import (
	"errors"
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

// quiet tells whether a socket has neither bytes nor an end to read. p is memory for the
// call.
func quiet(fd uintptr, p *[1]unix.PollFd) bool {
	p[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	for {
		n, err := unix.Poll(p[:], 0)
		if !errors.Is(err, unix.EINTR) {
			return n == 0 && err == nil
		}
	}
}

type pollFd = [1]unix.PollFd

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
