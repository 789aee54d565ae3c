//go:build !unix

package http1

// quiet cannot be told on this system.
func quiet(uintptr, *pollFd) bool { return true }

type pollFd struct{}

// ready is only called where sockets are descriptors.
func (c *conn) ready(uintptr) bool { panic("http1: not on this system") }
