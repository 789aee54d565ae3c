package http1

import (
	"bytes"
	"crypto/tls"
	"net"
)

// preface is how a client that speaks HTTP/2 without asking begins (RFC 9113, 3.4).
var preface = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

// prefaced tells whether what has come so far is that, or could become it.
func prefaced(b []byte) (is, could bool) {
	n := min(len(b), len(preface))
	could = bytes.Equal(b[:n], preface[:n])
	return could && n == len(preface), could
}

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
		c.s.beyond(true).Serve(c.secure, true)
		return false
	}
	return true
}

// handOver has the connection served by who speaks HTTP/2, from the bytes on that were read
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
