package http2

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

var errReset = errors.New("the HTTP/2 stream was reset")

// Stream is one request and its answer, as a connection. One goroutine reads from it, and one
// writes; the rest may be called by any. Close ends it, and must be called.
type Stream struct {
	c       *Conn
	id      uint32
	length  int64 // that the request's body is to have; -1: not said
	body    bool  // there is one
	tooLong bool

	// The connection's mutex guards what is below.
	readable, writable sync.Cond
	head               []byte // of the request, what was not read of it
	buf                []byte // of its body, from the first byte that was not read
	from               int
	came               int64 // bytes of it
	trailers           []byte
	ended              bool  // the whole request has come
	failed             error // it will not
	window, used       int   // what the client may send, and what was read since that was last said
	send               int   // what it takes
	answered           bool  // the answer's head was written
	whole              bool  // all of it was
	blocked            bool  // a write waits
	lateRead, lateWrt  bool  // its deadline has passed
	closed             bool
	lost               func(*Stream) // see OnReset
}

// HasBody tells whether the request has one, which may be empty.
func (s *Stream) HasBody() bool { return s.body }

// TooLong tells that the request's head is longer than allowed. It cannot be read.
func (s *Stream) TooLong() bool { return s.tooLong }

// AtEnd tells whether the whole request has been read.
func (s *Stream) AtEnd() bool {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.ended && len(s.head) == 0 && s.unread() == 0
}

// Trailers returns the fields behind the request's body, as lines, once that was read.
func (s *Stream) Trailers() []byte {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.trailers
}

// OnReset has f be called when the client gives the stream up, or the connection ends; at
// once, if that has happened. f must be quick.
func (s *Stream) OnReset(f func(*Stream)) {
	s.c.mu.Lock()
	failed := s.failed != nil
	if !failed {
		s.lost = f
	}
	s.c.mu.Unlock()
	if failed {
		f(s)
	}
}

func (s *Stream) unread() int { return len(s.buf) - s.from }

// put takes bytes in. The caller holds the connection's mutex.
func (s *Stream) put(p []byte) {
	if s.from > 0 && cap(s.buf)-len(s.buf) < len(p) {
		s.buf = s.buf[:copy(s.buf, s.buf[s.from:])]
		s.from = 0
	}
	s.buf = append(s.buf, p...)
}

// Read implements net.Conn.
func (s *Stream) Read(p []byte) (int, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for {
		switch {
		case s.lateRead:
			return 0, os.ErrDeadlineExceeded
		case s.closed:
			return 0, net.ErrClosed
		case s.failed != nil:
			return 0, s.failed
		case len(s.head) > 0 || s.unread() > 0:
			n := copy(p, s.head)
			s.head = s.head[n:]
			return n + s.take(p[n:]), nil
		case s.ended:
			return 0, io.EOF
		}
		s.readable.Wait()
	}
}

// take reads of the body, and has the client send more. The caller holds the connection's
// mutex.
func (s *Stream) take(p []byte) int {
	n := copy(p, s.buf[s.from:])
	if s.from += n; s.from == len(s.buf) {
		s.buf, s.from = s.buf[:0], 0
	}
	s.c.credit(n)
	if s.used += n; s.used >= streamWindow/2 && !s.ended {
		by := s.used
		s.window, s.used = s.window+by, 0
		s.c.say(func(b []byte) []byte { return appendWindow(b, s.id, by) })
	}
	return n
}

// Write implements net.Conn. What is written begins with the heads of an answer, each of
// which comes whole.
func (s *Stream) Write(p []byte) (int, error) { return s.write(p, false, nil) }

// Continue has the client send the request's body, by an answer of status 100, unless another
// answer has begun. Any goroutine may call it.
func (s *Stream) Continue() {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.answered || s.broken() != nil {
		return
	}
	c.headersOf(s.id, func(b []byte) []byte {
		b, _ = appendHead(b, []byte("HTTP/1.1 100 Continue\r\n"))
		return b
	}, false)
	c.flush()
}

// Finish writes the last of an answer, which may be nothing, and the fields behind it, as
// lines.
func (s *Stream) Finish(p, trailers []byte) (int, error) { return s.write(p, true, trailers) }

var errHead = errors.New("HTTP/2: the head of an answer is not whole")

func (s *Stream) write(p []byte, last bool, trailers []byte) (n int, err error) {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for !s.answered {
		if err := s.broken(); err != nil {
			return n, err
		}
		i := bytes.Index(p[n:], []byte("\r\n\r\n"))
		if i < 0 {
			return n, errHead
		}
		head := p[n : n+i+2]
		n += i + 4
		s.whole = last && n == len(p) && len(trailers) == 0 && head[9] != '1'
		c.headersOf(s.id, func(b []byte) []byte {
			b, more := appendHead(b, head)
			s.answered = !more
			return b
		}, s.whole)
		if !s.answered && n == len(p) {
			break
		}
	}
	for n < len(p) {
		if err := s.await(); err != nil {
			return n, err
		}
		n += s.piece(p[n:], last && len(trailers) == 0)
	}
	if last && !s.whole {
		if err := s.broken(); err != nil {
			return n, err
		}
		s.endAnswer(trailers)
	}
	c.flush()
	return n, nil
}

// piece writes as much of an answer's body as there is room for.
func (s *Stream) piece(p []byte, last bool) int {
	c := s.c
	n := min(len(p), s.send, c.send, maxFrame)
	s.send -= n
	c.send -= n
	s.whole = last && n == len(p)
	flags := uint8(0)
	if s.whole {
		flags = flagEnd
	}
	b := appendFrame(c.out.pending(), n, kindData, flags, s.id)
	c.out.buf.b = append(b, p[:n]...)
	return n
}

// endAnswer ends one whose last byte was written before it was known to be the last.
func (s *Stream) endAnswer(trailers []byte) {
	s.whole = true
	if len(trailers) > 0 {
		s.c.headersOf(s.id, func(b []byte) []byte { return appendLines(b, trailers) }, true)
		return
	}
	s.c.out.buf = s.c.bufferOf(appendFrame(s.c.out.pending(), 0, kindData, flagEnd, s.id))
}

// broken tells why nothing can be written.
func (s *Stream) broken() error {
	switch {
	case s.failed != nil:
		return s.failed
	case s.lateWrt:
		return os.ErrDeadlineExceeded
	case s.c.out.broken != nil:
		return s.c.out.broken
	case s.closed || s.whole:
		return net.ErrClosed
	}
	return nil
}

// await waits until there is room for a piece of a body.
func (s *Stream) await() error {
	c := s.c
	for {
		if err := s.broken(); err != nil {
			return err
		}
		if s.send > 0 && c.send > 0 && c.out.waiting() < mostPending {
			return nil
		}
		c.flush()
		s.blocked = true
		c.blocked++
		s.writable.Wait()
		s.blocked = false
		c.blocked--
	}
}

// lose has a stream that was taken off come to its end, and returns what is to be called
// then, without the mutex. The caller holds it.
func (c *Conn) lose(s *Stream, why error) func(*Stream) {
	s.failed = why
	c.credit(s.unread())
	s.buf, s.from, s.head = nil, 0, nil
	s.readable.Broadcast()
	s.writable.Broadcast()
	call := s.lost
	s.lost = nil
	return call
}

// Close implements net.Conn. An answer that is not whole is reset, so that the client sees
// that it is not.
func (s *Stream) Close() error {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	s.lost = nil
	if s.failed == nil {
		s.leave()
	}
	if c.running--; c.running == 0 {
		c.cfg.Busy(false)
		if c.leaving {
			_ = c.nc.SetReadDeadline(past) // Serve sees that there is nothing left to do
		}
	}
	return nil
}

// leave ends a stream that nobody has ended yet.
func (s *Stream) leave() {
	c := s.c
	delete(c.streams, s.id)
	c.credit(s.unread())
	switch {
	case !s.whole:
		c.give(s.id)
		c.sayReset(s.id, InternalError)
	case s.ended:
	case s.length >= 0 && s.came == s.length: // all that is missing is a word
		c.give(s.id)
	default: // the client need not send the rest
		c.give(s.id)
		c.linger(s.id)
	}
	s.readable.Broadcast()
	s.writable.Broadcast()
}

// LocalAddr implements net.Conn.
func (s *Stream) LocalAddr() net.Addr { return s.c.nc.LocalAddr() }

// RemoteAddr implements net.Conn.
func (s *Stream) RemoteAddr() net.Addr { return s.c.nc.RemoteAddr() }

// SetDeadline implements net.Conn.
func (s *Stream) SetDeadline(t time.Time) error {
	s.set(t, true, true)
	return nil
}

// SetReadDeadline implements net.Conn.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.set(t, true, false)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.set(t, false, true)
	return nil
}

// set takes a deadline. One that is to come is none: who uses a stream ends it with one that
// has passed.
func (s *Stream) set(t time.Time, read, write bool) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	late := !t.IsZero() && !t.After(time.Now())
	if read {
		s.lateRead = late
		s.readable.Broadcast()
	}
	if write {
		s.lateWrt = late
		s.writable.Broadcast()
	}
}
