package http1

import (
	"bytes"
	"context"
	"errors"

	"github.com/fairlead/fairlead/internal/proxy/h2"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/http2"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// maxStreams is how many requests may come at a time on one HTTP/2 connection.
const maxStreams = 250

// feed is how package http2 reads what a client sends.
type feed struct{ *conn }

// Unused implements http2.Input.
func (f feed) Unused() []byte { return f.in.unused() }

// Use implements http2.Input.
func (f feed) Use(n int) { f.in.use(n) }

// Fill implements http2.Input.
func (f feed) Fill() error { return f.in.fill() }

// Wait implements http2.Input, without holding a buffer.
func (f feed) Wait() error {
	f.in.release()
	return f.await()
}

// multiplex serves a connection on which HTTP/2 is spoken, from the bytes on that were read
// and not used, until it ends.
func (c *conn) multiplex() {
	c.main.stop()
	m := http2.New(c.in.nc, feed{c}, http2.Config{
		MaxStreams: maxStreams, MaxHead: c.s.cfg.Limits.Head,
		Serve: c.startStream, Malformed: c.countMalformed, Busy: c.busy, Writing: c.writing,
	})
	c.many.Store(m)
	if c.s.leaving.Load() {
		m.Drain()
	}
	err := m.Serve()
	c.many.Store(nil)
	c.main.stop()
	if wrong := (*http2.Error)(nil); errors.As(err, &wrong) {
		c.s.cfg.Logger.Debug("HTTP/2 connection ended", "client", c.client, "error", err)
		c.linger()
	}
	c.in.drop()
}

// busy minds how long there is no stream.
func (c *conn) busy(is bool) {
	if is {
		c.main.stop()
		return
	}
	c.main.set(inIdle, c.limits.Idle)
}

// writing minds how long the client takes nothing of what all its streams are answered.
func (c *conn) writing(is bool) {
	if is {
		c.upload.set(inAnswer, c.limits.Answer)
		return
	}
	c.upload.stop()
}

func (c *conn) countMalformed() { c.s.cfg.Metrics.Of("").Refuse("bad_request") }

// startStream begins to serve one request of many, with a goroutine that waits for one, if
// there is any: its stack has grown, and its memory is there.
func (c *conn) startStream(s *http2.Stream) {
	one := c.s.staff.take()
	if one == nil {
		one = newConn(c.s, nil)
		one.next = make(chan *http2.Stream, 1)
		one.losing = one.lost
		c.s.goros.Go(one.runStreams)
	}
	one.client, one.peer, one.secure, one.scheme = c.client, c.peer, c.secure, c.scheme
	one.next <- s
}

// runStreams serves one stream after the other, until there is no need.
func (c *conn) runStreams() {
	for {
		s, ok := <-c.next
		if !ok {
			break
		}
		c.put(s)
		c.s.add(c)
		c.runStream()
		c.s.remove(c)
		c.put(nil)
		if !c.s.staff.give(c) {
			break
		}
	}
	c.cancel(nil)
}

// put has the connection be a stream.
func (c *conn) put(s *http2.Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		c.ctx, c.cancel = context.WithCancelCause(c.s.base)
	}
	c.stream = s
	c.late, c.stop = noPhase, nil
	if s == nil {
		c.nc, c.in.nc, c.out = nil, nil, writer{trailers: c.out.trailers[:0]}
		return
	}
	c.nc, c.in.nc, c.out.nc, c.out.stream = s, s, s, s
}

// lost is called when a client gives a stream up.
func (c *conn) lost(s *http2.Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream == s {
		c.giveUp(errClientGone)
	}
}

// runStream serves the request.
func (c *conn) runStream() {
	defer c.endOwn()
	defer func() { _ = c.nc.Close() }()
	c.renew()
	c.stream.OnReset(c.losing)
	switch {
	case c.stream.TooLong():
		c.req.Reset()
		c.x.refuseHead(message.ErrHead)
	case c.in.fill() == nil && c.readHead():
		c.x.run()
	}
	c.main.stop()
	c.in.drop()
	c.out.release()
}

// handOverStream has a request of many be served by who speaks HTTP/2 to backends.
func (c *conn) handOverStream() {
	c.out.release()
	r := h2.StreamRequest{
		Stream: c.stream, Head: &c.req, Body: c.in.unused(), Client: c.client, Secure: c.scheme == "https",
		Taken: c.in.drop,
	}
	if c.peer.IsValid() {
		r.Client = c.peer.String()
	}
	if c.secure != nil {
		state := c.secure.ConnectionState()
		r.TLS = &state
	}
	c.s.beyond(true).ServeStream(c.ctx, r)
}

// unframed tells whether the request's body ends with its stream, and nothing else says so.
func (c *conn) unframed() bool {
	return c.stream != nil && c.stream.HasBody() && c.req.Get(message.ContentLength) == nil
}

// finish has the next flush be the last of an answer, where a stream is to know.
func (w *writer) finish(trailers []byte) {
	if w.stream != nil {
		w.last, w.trailers = true, append(w.trailers[:0], trailers...)
	}
}

// trailersOf returns the fields behind a stream's body that may be passed on.
func trailersOf(s *http2.Stream, into []byte) []byte {
	for lines := s.Trailers(); len(lines) > 0; {
		var line []byte
		line, lines, _ = bytes.Cut(lines, []byte("\r\n"))
		if name, _, ok := bytes.Cut(line, []byte(":")); ok && message.Announces(name) {
			into = append(append(into, line...), "\r\n"...)
		}
	}
	return into
}

// refuseGRPC answers a gRPC client as its protocol has it.
func (x *exchange) refuseGRPC(r *web.Refusal) bool {
	b := append(append(append(x.beginAnswer(200), web.ReasonHeader+": "...), r.Reason...), "\r\n"...)
	status, text := r.GRPC()
	b = append(append(append(b, "Grpc-Status: "...), status...), "\r\nGrpc-Message: "...)
	b = append(append(b, text...), "\r\n"...)
	again := x.endAnswer(b, "application/grpc", nil)
	x.code = r.Status // which says more, to who counts
	return again
}

// speaksGRPC tells whether the request is a gRPC call.
func (x *exchange) speaksGRPC() bool {
	if x.c.stream == nil {
		return false
	}
	f := x.c.req.Find("content-type")
	return f != nil && bytes.HasPrefix(x.c.req.Value(f), []byte("application/grpc"))
}
