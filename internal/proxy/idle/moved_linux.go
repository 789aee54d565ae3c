package idle

import (
	"errors"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Link is two joined connections. The kernel counts the bytes on each: received, and
// acknowledged by the peer. So bytes that a slow peer takes from a full buffer count, and those
// that are sent again to one that is gone do not; nor do TCP keep-alives.
type Link struct{ ends [2]net.Conn }

// NewLink makes the Link of two TCP connections. Another kind of connection is never idle.
func NewLink(one, other net.Conn) *Link { return &Link{[2]net.Conn{one, other}} }

// moved returns how many bytes have moved; it never falls. An error: a connection is closed.
func (l *Link) moved() (uint64, error) {
	sum := uint64(0)
	for _, c := range l.ends {
		s, ok := c.(syscall.Conn)
		if !ok {
			return 0, errors.ErrUnsupported
		}
		raw, err := s.SyscallConn()
		if err != nil {
			return 0, err
		}
		var info *unix.TCPInfo
		var failed error
		if err := raw.Control(func(fd uintptr) {
			info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		}); err != nil {
			return 0, err
		}
		if failed != nil {
			return 0, failed
		}
		sum += info.Bytes_received + info.Bytes_acked
	}
	return sum, nil
}

// Copy moves all bytes of one direction: with splice, where both ends are TCP.
func (*Link) Copy(to io.Writer, from io.Reader) (int64, error) { return io.Copy(to, from) }
