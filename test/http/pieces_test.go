package http_test

import (
	"fmt"
	"net"
	"sync/atomic"
)

// pieces say how the server gets a message.
type pieces struct {
	sizes []int         // of what it reads, wherever the network has cut it; then as it comes
	pause int           // bytes, after which the client waits until the server wants more; 0: none
	waits chan struct{} // closed when it does
}

func (p *pieces) String() string {
	switch {
	case p.pause > 0:
		return fmt.Sprintf("sent with a pause after %d bytes", p.pause)
	case len(p.sizes) > 1:
		return fmt.Sprintf("read %d bytes at a time", p.sizes[0])
	case len(p.sizes) == 1:
		return fmt.Sprintf("read in two pieces, %d bytes the first", p.sizes[0])
	}
	return "read as it comes"
}

// pieceListener accepts connections that give the server what the client sends in pieces.
type pieceListener struct {
	net.Listener
	site *site
}

func (l *pieceListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	way := l.site.pieces.Load()
	if way == nil || len(way.sizes) == 0 && way.waits == nil {
		return c, nil // as it comes, and as a server may read it that looks beneath net.Conn
	}
	return &pieceConn{stream: c.(*net.TCPConn), sizes: way.sizes, pause: way.pause, waits: way.waits}, nil
}

// stream is what a server may do with a connection but for looking beneath it.
type stream interface {
	net.Conn
	CloseWrite() error
	SetLinger(sec int) error
}

type pieceConn struct {
	stream
	sizes []int
	pause int
	waits chan struct{} // nil: nobody wants to know
	got   atomic.Int64  // bytes
	told  atomic.Bool
}

// Read returns no byte from behind the end of a piece.
func (c *pieceConn) Read(p []byte) (int, error) {
	c.wants()
	if len(c.sizes) == 0 {
		n, err := c.stream.Read(p)
		c.got.Add(int64(n))
		return n, err
	}
	n, err := c.stream.Read(p[:min(len(p), c.sizes[0])])
	c.got.Add(int64(n))
	left := c.sizes[0] - n
	c.sizes = c.sizes[1:]
	if left > 0 {
		c.sizes = append([]int{left}, c.sizes...)
	}
	return n, err
}

// wants tells the client that the server has taken everything before the pause, and waits.
func (c *pieceConn) wants() {
	if c.waits != nil && c.got.Load() >= int64(c.pause) && c.told.CompareAndSwap(false, true) {
		close(c.waits)
	}
}
