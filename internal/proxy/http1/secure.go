package http1

import (
	"bytes"
	"crypto/tls"
	"net"
)

// shakeHands has the connection speak TLS, where it should. False: it is over, or another
// protocol's.
func (c *conn) shakeHands() bool {
	if c.s.cfg.TLS == nil {
		return true
	}
	conf := c.s.cfg.TLS()
	if conf == nil {
		return false
	}
	c.raw, c.waits, c.scheme = nil, nil, "https"
	c.secure = tls.Server(c.nc, conf)
	c.main.set(inHead, c.limits.Head)
	err := c.secure.HandshakeContext(c.ctx)
	c.main.stop()
	if err != nil {
		c.s.cfg.Logger.Debug("TLS handshake failed", "client", c.client, "error", err)
		return false
	}
	c.in.nc, c.out.nc = c.secure, c.secure
	if c.secure.ConnectionState().NegotiatedProtocol == "h2" {
		c.multiplex()
		return false
	}
	return true
}

// handOver has the connection served by who speaks HTTP/2 to backends, from the bytes on that were read
// and not used, and returns when it has ended.
func (c *conn) handOver() {
	c.main.stop()
	r := &replayed{Conn: c.in.nc, first: bytes.Clone(c.in.unused())}
	c.in.drop()
	c.out.release()
	c.s.beyond(true).Serve(r, c.secure != nil)
}

// replayed is a connection of which something was read already.
type replayed struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (r *replayed) Read(p []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(p, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}

// CloseWrite passes a half-close on.
func (r *replayed) CloseWrite() error {
	if w, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
