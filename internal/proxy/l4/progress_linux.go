package l4

import (
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// progress tells whether bytes still move on a link. The kernel moves them, and counts them
// on each connection: received, and acknowledged by the peer. So bytes that a slow peer
// takes from a full buffer count, and those that are sent again to one that is gone do not.
type progress struct{ client, backend *net.TCPConn }

func newProgress(client, backend *net.TCPConn) *progress { return &progress{client, backend} }

// moved returns how many bytes have moved; it never falls. An error: a connection is closed.
func (p *progress) moved() (uint64, error) {
	sum := uint64(0)
	for _, c := range []*net.TCPConn{p.client, p.backend} {
		raw, err := c.SyscallConn()
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

// copy moves all bytes of one direction: with splice, where both ends are TCP.
func (*progress) copy(to io.Writer, from io.Reader) (int64, error) { return io.Copy(to, from) }
