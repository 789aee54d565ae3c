// Package peek looks at a connection's first bytes and leaves them where they are: what
// carries the connection, the kernel included, still finds every one of them.
package peek

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// Errors. ErrTooLong: enough wanted more than there may be. ErrEnded: the peer has closed
// before its first byte.
var (
	ErrTooLong = errors.New("the first bytes are too many")
	ErrEnded   = errors.New("the peer said nothing")
)

// least is what is looked at first; hardly anything needs more.
const least = 2 << 10

// Until waits until enough says that the first bytes of c are enough, and returns them, most
// of them at most. It stops after wait with os.ErrDeadlineExceeded, and when ctx ends with
// its cause; it then returns what has come. It changes c's read deadline, and leaves none
// unless ctx has ended.
// Where the system cannot peek it returns errors.ErrUnsupported.
func Until(ctx context.Context, c *net.TCPConn, wait time.Duration, most int, enough func([]byte) bool) ([]byte, error) {
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) }) // fails only when it is closed
	defer func() {
		if stop() {
			_ = c.SetReadDeadline(time.Time{})
		}
	}()
	b, err := until(c, most, enough)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return b, err
}

// TimedOut tells whether an error of Until means that the peer took too long.
func TimedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
