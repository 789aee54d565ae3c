package http2

import (
	"slices"
	"sync"
	"time"
)

// mostGiven is how many streams are remembered that this side ended first.
const mostGiven = 256

// find returns the stream of a frame. Without one, it says whether that is an error: of a
// stream that nobody has opened it is. The caller holds mu.
func (c *Conn) find(f frame) (*Stream, *Error) {
	if s := c.streams[f.stream]; s != nil {
		return s, nil
	}
	if f.stream == 0 || f.stream > c.last || f.stream%2 == 0 {
		return nil, &Error{ProtocolError, "a frame of a stream that was not opened"}
	}
	return nil, nil
}

// late says what comes of a frame of a stream that has ended: nothing, if this side ended it,
// which the client may not know yet. The caller holds mu.
func (c *Conn) late(stream uint32) *Error {
	if slices.Contains(c.given, stream) {
		return nil
	}
	return &Error{StreamClosed, "a frame of a stream that has ended"}
}

// give notes that this side ended a stream first. The caller holds mu.
func (c *Conn) give(stream uint32) {
	if len(c.given) < mostGiven {
		c.given = append(c.given, stream)
		return
	}
	c.given[c.next] = stream
	c.next = (c.next + 1) % mostGiven
}

// lingerTime is how long a client may go on with a request that was answered.
const lingerTime = time.Second

// linger resets a stream whose answer is whole and whose request is not, but not at once: some
// clients take a reset that comes with the answer for its loss. The caller holds mu.
func (c *Conn) linger(stream uint32) {
	if len(c.lingering) >= c.cfg.MaxStreams {
		c.sayReset(stream, NoError)
		return
	}
	if c.lingering == nil {
		c.lingering = map[uint32]*time.Timer{}
	}
	c.lingering[stream] = time.AfterFunc(lingerTime, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.lingering[stream] != nil {
			c.ended(stream)
			c.sayReset(stream, NoError)
		}
	})
}

// ended notes that a client has ended a stream, where that was waited for. The caller holds mu.
func (c *Conn) ended(stream uint32) {
	if t := c.lingering[stream]; t != nil {
		t.Stop()
		delete(c.lingering, stream)
	}
}

// headers begins a header block.
func (c *Conn) headers(f frame) *Error {
	if f.stream == 0 {
		return &Error{ProtocolError, "HEADERS on no stream"}
	}
	p, err := f.content()
	if err != nil {
		return err
	}
	if err := c.mayBegin(f.stream); err != nil {
		return err
	}
	c.block.begin(f.stream, f.has(flagEnd))
	c.block.self = f.dependsOnItself()
	return c.fragment(p, f.has(flagEndHeaders))
}

// mayBegin tells whether a header block may come on a stream.
func (c *Conn) mayBegin(stream uint32) *Error {
	c.mu.Lock()
	defer c.unlock()
	switch {
	case c.streams[stream] != nil:
		return nil
	case stream%2 == 0:
		return &Error{ProtocolError, "a client's stream has an even number"}
	case stream > c.last:
		return nil
	}
	return c.late(stream)
}

// continuation goes on with one.
func (c *Conn) continuation(f frame) *Error {
	if c.block.stream == 0 {
		return &Error{ProtocolError, "CONTINUATION without HEADERS"}
	}
	return c.fragment(f.payload, f.has(flagEndHeaders))
}

// fragment reads a piece of a header block.
func (c *Conn) fragment(p []byte, last bool) *Error {
	b := &c.block
	b.fragments++
	b.coded += len(p)
	if b.fragments > maxFragments || b.coded > 2*c.cfg.MaxHead {
		return &Error{EnhanceYourCalm, "a header block without end"}
	}
	if _, err := c.dec.Write(p); err != nil {
		return &Error{CompressionError, "a header block cannot be decoded: " + err.Error()}
	}
	if !last {
		return nil
	}
	if err := c.dec.Close(); err != nil {
		return &Error{CompressionError, "a header block ends in the middle of a field"}
	}
	stream := b.stream
	b.stream = 0
	c.mu.Lock()
	defer c.unlock()
	s := c.streams[stream]
	if b.end {
		c.ended(stream)
	}
	switch {
	case s != nil:
		c.trailers(s)
	case stream > c.last:
		return c.open(stream)
	}
	return nil // it has ended meanwhile
}

// open begins a stream. The caller holds mu.
func (c *Conn) open(stream uint32) *Error {
	b := &c.block
	c.last = stream
	b.request()
	switch {
	case c.running >= c.cfg.MaxStreams:
		c.give(stream)
		c.sayReset(stream, RefusedStream)
		if c.refused++; c.refused > 4*c.cfg.MaxStreams || c.out.control > mostControl {
			return &Error{EnhanceYourCalm, "streams are opened that are refused"}
		}
		return nil
	case b.wrong != "":
		return c.turnAway(stream)
	}
	c.refused = 0
	s := &Stream{c: c, id: stream, length: b.length, ended: b.end, body: !b.end, send: c.sendEach, window: streamWindow, tooLong: b.tooLong}
	s.readable, s.writable = sync.Cond{L: &c.mu}, sync.Cond{L: &c.mu}
	if !b.tooLong {
		s.head = b.head(nil)
	}
	c.streams[stream] = s
	if c.running++; c.running == 1 {
		c.cfg.Busy(true)
	}
	c.after = append(c.after, call{c.cfg.Serve, s})
	return nil
}

// turnAway resets a stream whose request is malformed. The caller holds mu.
func (c *Conn) turnAway(stream uint32) *Error {
	c.give(stream)
	c.sayReset(stream, ProtocolError)
	if c.out.control > mostControl {
		return &Error{EnhanceYourCalm, "malformed requests are sent, and answers not read"}
	}
	c.after = append(c.after, call{func(*Stream) { c.cfg.Malformed() }, nil})
	return nil
}

// trailers takes a header block behind a body. The caller holds mu.
func (c *Conn) trailers(s *Stream) {
	b := &c.block
	if b.seen != 0 {
		b.malformed("a pseudo-field in a trailer section")
	}
	switch {
	case s.ended:
		c.fail(s, StreamClosed)
	case !b.end, b.wrong != "", b.tooLong, b.self:
		c.fail(s, ProtocolError)
	default:
		s.trailers = append([]byte(nil), b.lines...)
		c.finish(s)
	}
}

// finish takes the end of a stream's request. The caller holds mu.
func (c *Conn) finish(s *Stream) {
	if s.length >= 0 && s.came != s.length {
		c.fail(s, ProtocolError)
		return
	}
	s.ended = true
	s.readable.Signal()
}

// data takes a piece of a body.
func (c *Conn) data(f frame) *Error {
	p, err := f.content()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.unlock()
	n := len(f.payload)
	s, err := c.find(f)
	if err != nil {
		return err
	}
	if c.window -= n; c.window < 0 {
		return &Error{FlowControlError, "more was sent than the connection's window allows"}
	}
	if s == nil {
		c.credit(n)
		if f.has(flagEnd) {
			c.ended(f.stream)
		}
		return c.late(f.stream)
	}
	c.receive(s, p, n, f.has(flagEnd))
	return nil
}

// receive takes a piece that took n bytes of the windows. The caller holds mu.
func (c *Conn) receive(s *Stream, p []byte, n int, end bool) {
	c.credit(n - len(p)) // the padding
	s.window -= n
	s.came += int64(len(p))
	switch {
	case s.ended:
		c.credit(len(p))
		c.fail(s, StreamClosed)
		return
	case s.window < 0:
		c.credit(len(p))
		c.fail(s, FlowControlError)
		return
	case s.length >= 0 && s.came > s.length:
		c.credit(len(p))
		c.fail(s, ProtocolError)
		return
	}
	s.used += n - len(p)
	s.put(p)
	s.readable.Signal()
	if end {
		c.finish(s)
	}
}

// priority is read, and not heeded (RFC 9113, 5.3.2).
func (c *Conn) priority(f frame) *Error {
	switch {
	case f.stream == 0:
		return &Error{ProtocolError, "PRIORITY on no stream"}
	case len(f.payload) != 5:
		return &Error{FrameSizeError, "PRIORITY is not of 5 bytes"}
	case !f.dependsOnItself():
		return nil
	}
	c.mu.Lock()
	defer c.unlock()
	if s := c.streams[f.stream]; s != nil {
		c.fail(s, ProtocolError)
		return nil
	}
	return &Error{ProtocolError, "a stream depends on itself"}
}

// reset takes a client's RST_STREAM.
func (c *Conn) reset(f frame) *Error {
	if len(f.payload) != 4 {
		return &Error{FrameSizeError, "RST_STREAM is not of 4 bytes"}
	}
	c.mu.Lock()
	defer c.unlock()
	s, err := c.find(f)
	if s == nil {
		c.ended(f.stream)
		return err
	}
	delete(c.streams, s.id)
	if lost := c.lose(s, errReset); lost != nil {
		c.after = append(c.after, call{lost, s})
	}
	return nil
}

// fail ends a stream for what the client did on it. The caller holds mu.
func (c *Conn) fail(s *Stream, code Code) {
	delete(c.streams, s.id)
	c.give(s.id)
	c.sayReset(s.id, code)
	if lost := c.lose(s, errReset); lost != nil {
		c.after = append(c.after, call{lost, s})
	}
}
