//go:build !linux

package l4

import (
	"io"
	"net"
	"sync/atomic"
)

// progress tells whether bytes still move on a link. They pass through here, and are counted.
type progress struct{ bytes atomic.Uint64 }

func newProgress(_, _ *net.TCPConn) *progress { return &progress{} }

// moved returns how many bytes have moved; it never falls.
func (p *progress) moved() (uint64, error) { return p.bytes.Load(), nil }

// copy moves all bytes of one direction.
func (p *progress) copy(to io.Writer, from io.Reader) (int64, error) {
	return io.Copy(counted{to, &p.bytes}, from)
}

type counted struct {
	io.Writer
	bytes *atomic.Uint64
}

// Write implements io.Writer.
func (c counted) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.bytes.Add(uint64(n))
	return n, err
}
