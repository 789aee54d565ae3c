package http1

import (
	"errors"
	"net"
	"net/netip"

	"github.com/fairlead/fairlead/internal/proxy/proxyproto"
)

// named is what the PROXY protocol header says with which a connection to a backend begins.
// Such a connection serves requests of that client alone: it is kept with the client's own
// connection, and with no other.
type named struct {
	version int // 0: there is no header
	client  netip.AddrPort
	to      net.Addr // where the client went, if it is to be told
}

// naming returns what a connection for the request has to say.
func (x *exchange) naming() named {
	if x.pool.SendProxy == 0 {
		return named{}
	}
	return named{version: x.pool.SendProxy, client: x.from}
}

// tell sends the header.
func (n named) tell(nc net.Conn) error {
	if err := proxyproto.Send(nc, n.version, proxyproto.Named(n.client, n.to)); err != nil {
		return errors.Join(err, nc.Close())
	}
	return nil
}

// kept returns an unused connection that seems alive, or nil.
func (c *conn) kept(at place, n named) *backendConn {
	if n.version == 0 {
		return c.s.backends.take(at)
	}
	return c.takeOwn(at, n)
}

// takeOwn returns the connection that was kept for this client, if it is to where the
// request goes and seems alive; else nil, and the connection is closed.
func (c *conn) takeOwn(at place, n named) *backendConn {
	b := c.own
	c.own = nil
	switch {
	case b == nil:
		return nil
	case b.at == at && b.named.version == n.version && b.named.client == n.client && b.alive():
		b.reused = true
		return b
	}
	b.close()
	return nil
}

// keep keeps a connection for the next request.
func (c *conn) keep(b *backendConn) {
	if b.named.version == 0 {
		c.s.backends.put(b)
		return
	}
	c.endOwn()
	b.in.release()
	c.own = b
}

func (c *conn) endOwn() {
	if c.own != nil {
		c.own.close()
		c.own = nil
	}
}
