package http1

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/fairlead/fairlead/internal/proxy/acme"
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
	switch c.secure.ConnectionState().NegotiatedProtocol {
	case "h2":
		c.multiplex()
		return false
	case acme.Protocol:
		return false // the handshake was all
	}
	return true
}

// challenge answers a CA that has asked for what solves its challenge. done: it has.
func (x *exchange) challenge() (done, again bool) {
	c := x.c
	if c.s.cfg.Challenge == nil || !bytes.HasPrefix(c.req.Path(), []byte(acme.ChallengePath)) || !c.req.Is(http.MethodGet) {
		return false, false
	}
	text := c.s.cfg.Challenge(c.ctx, string(c.req.Host()), string(c.req.Path()))
	if text == nil {
		return false, false
	}
	x.metrics = c.s.cfg.Metrics.Of("")
	return true, x.endAnswer(append(x.beginAnswer(http.StatusOK), "Cache-Control: no-store\r\n"...), "text/plain", text)
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
