package http1

import (
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/idle"
	"github.com/fairlead/fairlead/internal/report"
)

// answer passes an answer on. It returns false when the connection is over.
func (x *exchange) answer(b *backendConn) bool {
	c, res := x.c, &b.res
	x.report(b)
	x.code = res.Status
	if c.s.cfg.Access != nil {
		c.entry.FirstByte = time.Since(x.started)
	}
	c.mu.Lock()
	c.answering = true
	stop := c.stop != nil
	c.mu.Unlock()
	if stop {
		_ = c.nc.SetDeadline(past) // the interrupt may not have known
	}
	if res.Status == http.StatusSwitchingProtocols {
		return x.tunnel(b)
	}
	if !x.read.Load() || c.s.leaving.Load() {
		x.keep = false
	}
	b.body.begin(&b.in, &res.Head, res.ToEnd())
	chunked := res.Length < 0 && !x.old && c.stream == nil
	if res.Length < 0 && x.old {
		x.keep = false
	}
	framed := chunked || res.Length >= 0 // asked for now, as b may be another's by then
	x.writeHead(b, chunked)
	outcome, err := x.passOn(b, &sink{w: &c.out, chunked: chunked})
	c.main.stop()
	if err != nil {
		c.s.cfg.Logger.Debug("answer broke off", "pool", x.pool.Name, "error", err)
		if x.grant != nil {
			c.detach()
			x.endUpload(b)
			b.close()
			x.finish(outcome)
		}
		x.truncate(framed)
		return false
	}
	if !x.keep && !x.read.Load() {
		c.linger()
	}
	return true
}

// writeHead gathers the answer's head.
func (x *exchange) writeHead(b *backendConn, chunked bool) {
	c, res := x.c, &b.res
	out := appendFields(appendStatusLine(c.out.b, res), &res.Head)
	out = append(out, "Via: "...)
	for i := range res.Fields {
		if f := &res.Fields[i]; f.Known == message.Via {
			out = appendVia(out, res.Value(f))
		}
	}
	out = append(out, via+"\r\n"...)
	if res.Get(message.Date) == nil {
		out = append(append(append(out, "Date: "...), *c.s.date.Load()...), '\r', '\n')
	}
	if chunked {
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	out = x.stick(out, res, x.grant.Moved)
	out = x.connection(out)
	c.out.b = append(out, '\r', '\n')
}

// connection says whether the connection goes on, where it must be said.
func (x *exchange) connection(out []byte) []byte {
	switch {
	case x.c.stream != nil:
	case !x.keep:
		return append(out, "Connection: close\r\n"...)
	case x.old:
		return append(out, "Connection: keep-alive\r\n"...)
	}
	return out
}

// passOn moves the answer's body. With its last byte the backend is free.
func (x *exchange) passOn(b *backendConn, s *sink) (fleet.Outcome, error) {
	c, limit := x.c, x.c.limits.Answer
	c.main.set(inAnswer, limit)
	for !b.body.done {
		p, err := b.body.next()
		if err != nil {
			return fleet.Failed, err
		}
		if p != nil {
			s.add(p)
			x.sent += int64(len(p))
			if c.out.broken != nil {
				return x.broke(fleet.Cancelled), c.out.broken
			}
			continue
		}
		if b.body.done {
			break
		}
		if err := c.out.flush(); err != nil {
			return x.broke(fleet.Cancelled), err
		}
		c.main.set(inAnswer, limit)
		if spliced, err := x.splice(b); spliced && err == nil {
			continue
		} else if err != nil {
			return x.broke(fleet.Failed), err
		}
		if err := b.body.read(); err != nil {
			return x.broke(fleet.Failed), err
		}
	}
	s.end(b.body.trailers)
	x.settle(b) // from here on b is another's
	err := c.out.flush()
	x.whole = err == nil
	return fleet.OK, err
}

// broke says how an answer ended that did not come to its end.
func (x *exchange) broke(o fleet.Outcome) fleet.Outcome {
	switch {
	case x.c.ctx.Err() != nil:
		return fleet.Cancelled
	case x.bodyError() != nil:
		return fleet.Cancelled
	}
	return o
}

// settle ends what the exchange has with its backend, once the answer is here.
func (x *exchange) settle(b *backendConn) {
	latency := time.Since(x.began)
	sent := x.endUpload(b)
	whole := x.c.detach()
	if sent && whole && !b.res.Close && len(b.in.unused()) == 0 {
		x.c.keep(b)
	} else {
		b.close()
	}
	o := fleet.OK
	switch x.code {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		o = fleet.Failed
	}
	x.finishIn(o, latency)
}

const (
	leastSplice = 64 << 10 // what is worth a pipe, in bytes
	mostSplice  = 1 << 20  // between two looks at whether it still moves
)

// splice has the kernel move what is left of a body whose length is known.
func (x *exchange) splice(b *backendConn) (bool, error) {
	s := &b.body
	if s.chunked || s.toEnd || s.left < leastSplice || len(b.in.unused()) > 0 {
		return false, nil
	}
	client, ok := x.c.out.nc.(*net.TCPConn)
	backend, ok2 := b.nc.(*net.TCPConn)
	if !ok || !ok2 {
		return false, nil
	}
	part := io.LimitedReader{R: backend, N: min(s.left, mostSplice)}
	want := part.N
	n, err := client.ReadFrom(&part)
	s.left -= n
	x.sent += n
	s.done = s.left == 0
	switch {
	case err != nil && x.c.ctx.Err() == nil && hangup.Broken(client):
		x.c.left()
	case err == nil && n < want:
		err = io.ErrUnexpectedEOF
	}
	return true, err
}

// truncate ends a connection in the middle of an answer, so that the client sees that it
// is not whole. framed: it would see without help.
func (x *exchange) truncate(framed bool) {
	if l, ok := x.c.nc.(interface{ SetLinger(int) error }); ok && !framed {
		_ = l.SetLinger(0)
	}
}

// report takes a load report from the answer's head.
func (x *exchange) report(b *backendConn) {
	h := http.Header{}
	for i := range b.res.Fields {
		switch f := &b.res.Fields[i]; f.Known {
		case message.LoadMetrics:
			h.Add(report.Header, string(b.res.Value(f)))
		case message.LoadMetricsBin:
			h.Add(report.HeaderBin, string(b.res.Value(f)))
		}
	}
	if len(h) == 0 {
		return
	}
	r, reported, err := report.FromHeader(h)
	if err != nil {
		x.c.s.cfg.Logger.Debug("unusable load report", "backend", x.grant.Backend, "error", err)
	}
	if reported {
		x.grant.Head(r)
	}
}

// tunnel joins the two sides of an upgraded connection until both have ended, or one has
// broken, or it is cut.
func (x *exchange) tunnel(b *backendConn) bool {
	c := x.c
	x.tunneled, x.keep = true, false
	c.mu.Lock()
	c.tunneling = true
	if c.stop != nil {
		_ = c.nc.SetDeadline(past)
	}
	c.mu.Unlock()
	c.main.stop()
	out := appendFields(appendStatusLine(c.out.b, &b.res), &b.res.Head)
	out = append(out, "Connection: Upgrade\r\n"...)
	if f := b.res.Get(message.Upgrade); f != nil {
		out = appendField(out, b.res.Name(f), b.res.Value(f))
	}
	c.out.b = append(out, "Via: "+via+"\r\n\r\n"...)
	c.out.add(b.in.unused())
	if c.out.flush() == nil {
		x.join(b)
	}
	c.detach()
	b.close()
	o := fleet.OK
	if c.ctx.Err() != nil || c.stopped() == errIdle {
		o = fleet.Cancelled // no backend is to blame
	}
	x.whole = o == fleet.OK
	x.finish(o)
	return false
}

// errIdle ends a tunnel on which nothing moves.
var errIdle = errors.New("nothing moved in the tunnel for too long")

// join moves bytes both ways.
func (x *exchange) join(b *backendConn) {
	c := x.c
	l := idle.NewLink(c.nc, b.tcp())
	defer l.Watch(c.limits.Tunnel, func() { c.interrupt(errIdle) })()
	up := make(chan struct{})
	go func() {
		defer close(up)
		_, err := b.nc.Write(c.in.unused())
		if err == nil {
			_, err = l.Copy(b.nc, c.in.nc) // splice, on Linux
		}
		c.halfEnd(b.nc, err, b)
	}()
	_, err := l.Copy(c.out.nc, b.nc)
	c.halfEnd(c.out.nc, err, b)
	<-up
}

// halfEnd passes the end of one direction on; if it broke, both end.
func (c *conn) halfEnd(to net.Conn, err error, b *backendConn) {
	if w, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		if err = w.CloseWrite(); err == nil || errors.Is(err, syscall.ENOTCONN) {
			return
		}
	}
	_ = c.nc.SetDeadline(past)
	b.interrupt()
}
