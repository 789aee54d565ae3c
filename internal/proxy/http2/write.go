package http2

import (
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
)

const (
	// mostPending is how much of answers may wait to be written, in bytes.
	mostPending = 128 << 10
	// mostControl is how much of what a client makes this side say may: acknowledgements and
	// resets that it does not read.
	mostControl = 64 << 10
	// pooled is how large a buffer may be that is kept.
	pooled = 256 << 10
)

type buffer struct{ b []byte }

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 4<<10)} }}

var errClosed = errors.New("the HTTP/2 connection is closed")

// output is what waits to be written to a connection. The connection's mutex guards it.
type output struct {
	buf     *buffer // nil: nothing waits
	control int     // bytes of it that are no answers
	writing bool    // by a goroutine
	broken  error   // nothing more is written
	begun   bool    // a header block was written
	scratch []byte  // for header blocks
}

// pending returns what waits, for more to be appended. The caller puts it back.
func (o *output) pending() []byte {
	if o.buf == nil {
		o.buf = buffers.Get().(*buffer)
	}
	return o.buf.b
}

func (o *output) waiting() int {
	if o.buf == nil {
		return 0
	}
	return len(o.buf.b)
}

func (b *buffer) release() {
	if b != nil && cap(b.b) <= pooled {
		b.b = b.b[:0]
		buffers.Put(b)
	}
}

// say appends a frame that is no answer. The caller holds mu.
func (c *Conn) say(appended func(b []byte) []byte) {
	if c.out.broken != nil {
		return
	}
	was := c.out.waiting()
	c.out.buf = c.bufferOf(appended(c.out.pending()))
	c.out.control += len(c.out.buf.b) - was
	c.flush()
}

func (c *Conn) bufferOf(b []byte) *buffer {
	c.out.buf.b = b
	return c.out.buf
}

// sayReset resets a stream from this side. The caller holds mu.
func (c *Conn) sayReset(stream uint32, code Code) {
	c.say(func(b []byte) []byte { return appendReset(b, stream, code) })
}

// headersOf appends a header block, in as many frames as it takes. The caller holds mu.
func (c *Conn) headersOf(stream uint32, encode func(b []byte) []byte, end bool) {
	block := c.out.scratch[:0]
	if !c.out.begun {
		c.out.begun = true
		block = append(block, emptyTable)
	}
	block = encode(block)
	c.out.scratch = block[:0]
	if cap(block) > maxFrame {
		c.out.scratch = nil // one long head is no reason to keep as much
	}
	b, kind, flags := c.out.pending(), kindHeaders, uint8(0)
	if end {
		flags = flagEnd
	}
	for {
		n := min(len(block), maxFrame)
		if n == len(block) {
			flags |= flagEndHeaders
		}
		b = append(appendFrame(b, n, kind, flags, stream), block[:n]...)
		if block = block[n:]; len(block) == 0 {
			break
		}
		kind, flags = kindContinuation, 0
	}
	c.out.buf.b = b
}

// flush has what waits be written. The caller holds mu.
func (c *Conn) flush() {
	if !c.out.writing && c.out.waiting() > 0 && c.out.broken == nil {
		c.out.writing = true
		go c.write()
	}
}

// write writes until nothing waits.
func (c *Conn) write() {
	// Those that have an answer ready go first, so that many go out in one call.
	runtime.Gosched()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out.waiting() > 0 && c.out.broken == nil {
		buf := c.out.buf
		c.out.buf, c.out.control = nil, 0
		c.mu.Unlock()
		c.cfg.Writing(true)
		_, err := c.nc.Write(buf.b)
		c.cfg.Writing(false)
		buf.release()
		c.mu.Lock()
		if err != nil {
			c.breakOff(err)
		}
		c.unblock()
	}
	c.out.writing = false
	c.written.Broadcast()
}

// breakOff has nothing more be written, and whoever reads stop. The caller holds mu.
func (c *Conn) breakOff(err error) {
	if c.out.broken == nil {
		c.out.broken = err
		_ = c.nc.SetReadDeadline(past)
	}
	c.out.buf.release()
	c.out.buf = nil
}

// unblock frees streams that waited to write. The caller holds mu.
func (c *Conn) unblock() {
	if c.blocked == 0 {
		return
	}
	for _, s := range c.streams {
		if s.blocked {
			s.writable.Signal()
		}
	}
}

// credit gives the client n bytes back of what all its streams may send. The caller holds mu.
func (c *Conn) credit(n int) {
	if c.used += n; c.used >= connWindow/2 {
		n, c.used = c.used, 0
		c.window += n
		c.say(func(b []byte) []byte { return appendWindow(b, 0, n) })
	}
}

// ping answers a PING.
func (c *Conn) ping(f frame) *Error {
	switch {
	case f.stream != 0:
		return &Error{ProtocolError, "PING on a stream"}
	case len(f.payload) != 8:
		return &Error{FrameSizeError, "PING is not of 8 bytes"}
	case f.has(flagAck):
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.say(func(b []byte) []byte { return append(appendFrame(b, 8, kindPing, flagAck, 0), f.payload...) })
	return nil
}

// setting takes the client's settings.
func (c *Conn) settings(f frame) *Error {
	switch {
	case f.stream != 0:
		return &Error{ProtocolError, "SETTINGS on a stream"}
	case f.has(flagAck) && len(f.payload) > 0, len(f.payload)%6 != 0:
		return &Error{FrameSizeError, "SETTINGS of a wrong length"}
	case f.has(flagAck):
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := f.payload; len(p) > 0; p = p[6:] {
		if err := c.setting(binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:])); err != nil {
			return err
		}
	}
	c.say(func(b []byte) []byte { return appendFrame(b, 0, kindSettings, flagAck, 0) })
	return nil
}

// setting takes one. The caller holds mu.
func (c *Conn) setting(id uint16, v uint32) *Error {
	switch {
	case id == settingPush && v > 1:
		return &Error{ProtocolError, "ENABLE_PUSH is neither 0 nor 1"}
	case id == settingFrame && (v < maxFrame || v >= 1<<24):
		return &Error{ProtocolError, "MAX_FRAME_SIZE is out of range"}
	case id != settingWindow:
		return nil
	case v > maxInt31:
		return &Error{FlowControlError, "INITIAL_WINDOW_SIZE is out of range"}
	}
	by := int(v) - c.sendEach
	c.sendEach = int(v)
	for _, s := range c.streams {
		if s.send += by; s.send > maxInt31 {
			return &Error{FlowControlError, "a stream's window is out of range"}
		}
	}
	c.unblock()
	return nil
}

// widen takes a WINDOW_UPDATE.
func (c *Conn) widen(f frame) *Error {
	if len(f.payload) != 4 {
		return &Error{FrameSizeError, "WINDOW_UPDATE is not of 4 bytes"}
	}
	by := int(binary.BigEndian.Uint32(f.payload) & maxInt31)
	c.mu.Lock()
	defer c.unlock()
	if f.stream == 0 {
		switch {
		case by == 0:
			return &Error{ProtocolError, "WINDOW_UPDATE by nothing"}
		case c.send+by > maxInt31:
			return &Error{FlowControlError, "the connection's window is out of range"}
		}
		c.send += by
		c.unblock()
		return nil
	}
	s, err := c.find(f)
	switch {
	case s == nil:
		return err
	case by == 0:
		c.fail(s, ProtocolError)
	case s.send+by > maxInt31:
		c.fail(s, FlowControlError)
	default:
		s.send += by
		if s.blocked {
			s.writable.Signal()
		}
	}
	return nil
}
