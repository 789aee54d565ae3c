//go:build !linux

package idle

import (
	"io"
	"net"
	"sync/atomic"
)

// Link is two joined connections. The bytes between them pass through Copy, and are counted.
type Link struct{ bytes atomic.Uint64 }

// NewLink makes the Link of two connections.
func NewLink(_, _ net.Conn) *Link { return &Link{} }

// moved returns how many bytes have moved; it never falls.
func (l *Link) moved() (uint64, error) { return l.bytes.Load(), nil }

// Copy moves all bytes of one direction.
func (l *Link) Copy(to io.Writer, from io.Reader) (int64, error) {
	return io.Copy(counted{to, &l.bytes}, from)
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
