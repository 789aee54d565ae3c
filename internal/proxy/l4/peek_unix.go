//go:build unix

package l4

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// peek returns the bytes that have come, without taking them.
func peek(ctx context.Context, client *net.TCPConn) []byte {
	if ctx.Err() != nil || client.SetReadDeadline(time.Now().Add(helloWait)) != nil {
		return nil
	}
	defer func() { _ = client.SetReadDeadline(time.Time{}) }() // fails only when it is closed
	raw, err := client.SyscallConn()
	if err != nil {
		return nil
	}
	buf := make([]byte, maxHello)
	n := 0
	_ = raw.Read(func(fd uintptr) bool { // at the deadline n is 0
		var err error
		n, _, err = unix.Recvfrom(int(fd), buf, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		n = max(n, 0)
		return !errors.Is(err, unix.EAGAIN)
	})
	return buf[:n]
}
