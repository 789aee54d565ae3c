package http_test

import (
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// awaitDelivery waits until the other side's kernel has what was written, so that whoever
// looks there finds it.
func awaitDelivery(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	for left, until := 1, time.Now().Add(soon); left > 0 && time.Now().Before(until); runtime.Gosched() {
		// A closed connection ends it as well.
		if raw.Control(func(fd uintptr) { left, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }) != nil || err != nil {
			return
		}
	}
}
