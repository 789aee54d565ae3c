package http1

import (
	"io"
	"net"
	"sync"

	"github.com/fairlead/fairlead/internal/proxy/http2"
)

// Sizes of buffers, in bytes.
const (
	smallBuffer = 8 << 10  // for heads, and for bodies that came with them
	largeBuffer = 64 << 10 // for bodies that did not
)

// buffer is what is read into. An idle connection has none.
type buffer struct{ b []byte }

var (
	smallBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, smallBuffer)} }}
	largeBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, largeBuffer)} }}
)

func (b *buffer) release() {
	switch len(b.b) {
	case smallBuffer:
		smallBuffers.Put(b)
	case largeBuffer:
		largeBuffers.Put(b)
	}
}

// reader is a connection with what was read of it and not used. Its owner is one
// goroutine at a time.
type reader struct {
	nc       net.Conn
	buf      *buffer // nil: nothing is unused
	from, to int     // the unused bytes
}

// unused returns the bytes that are there.
func (r *reader) unused() []byte {
	if r.buf == nil {
		return nil
	}
	return r.buf.b[r.from:r.to]
}

func (r *reader) use(n int) { r.from += n }

// release gives the buffer back if nothing is in it.
func (r *reader) release() {
	if r.buf != nil && r.from == r.to {
		r.buf.release()
		r.buf, r.from, r.to = nil, 0, 0
	}
}

// drop gives the buffer back, whatever is in it.
func (r *reader) drop() {
	r.from, r.to = 0, 0
	r.release()
}

// room makes room for a read. The unused bytes may move to other memory, but not while
// they fit where they are.
func (r *reader) room() {
	switch {
	case r.buf == nil:
		r.buf = smallBuffers.Get().(*buffer)
		r.from, r.to = 0, 0
	case r.from == r.to:
		r.from, r.to = 0, 0
	case r.to < len(r.buf.b):
	case r.from > 0:
		r.to = copy(r.buf.b, r.buf.b[r.from:r.to])
		r.from = 0
	default:
		big := largeBuffers.Get().(*buffer)
		if len(r.buf.b) >= largeBuffer {
			big = &buffer{make([]byte, 2*len(r.buf.b))} // never pooled
		}
		r.to = copy(big.b, r.buf.b)
		r.buf.release()
		r.buf = big
	}
}

// fill reads once. Bytes that came with an error are kept, and the error comes again.
func (r *reader) fill() error {
	r.room()
	n, err := r.nc.Read(r.buf.b[r.to:])
	r.to += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// enlarge prepares for a long body, once nothing is unused.
func (r *reader) enlarge() {
	if r.from == r.to && (r.buf == nil || len(r.buf.b) < largeBuffer) {
		r.drop()
		r.buf = largeBuffers.Get().(*buffer)
	}
}

// writer gathers what is to be written, so that a head and what is there of its body go
// out in one call.
type writer struct {
	nc     net.Conn
	buf    *buffer // of b; nil: b is empty
	b      []byte  // what is gathered
	two    [2][]byte
	bufs   net.Buffers
	sent   int64 // bytes that were written
	broken error // of a write: nothing more is written

	stream   *http2.Stream // that nc is; nil: it is none
	last     bool          // the next flush is the last of an answer to it
	trailers []byte        // behind that
}

// begin takes a buffer, if w has none.
func (w *writer) begin() {
	if w.buf == nil {
		w.buf = smallBuffers.Get().(*buffer)
		w.b = w.buf.b[:0]
	}
}

// release gives the buffer back, with what is in it.
func (w *writer) release() {
	if w.buf != nil {
		w.buf.release()
		w.buf, w.b = nil, nil
	}
}

// add takes a piece, which may be used again when add returns.
func (w *writer) add(p []byte) {
	if len(w.b)+len(p) <= cap(w.b) {
		w.b = append(w.b, p...)
		return
	}
	if w.broken == nil {
		w.two = [2][]byte{w.b, p}
		w.bufs = w.two[:]
		var n int64
		n, w.broken = w.bufs.WriteTo(w.nc)
		w.sent += n
		w.two, w.bufs = [2][]byte{}, nil
	}
	w.b = w.b[:0]
}

// flush writes what is gathered.
func (w *writer) flush() error {
	if (len(w.b) > 0 || w.last) && w.broken == nil {
		var n int
		if w.last {
			n, w.broken = w.stream.Finish(w.b, w.trailers)
		} else {
			n, w.broken = w.nc.Write(w.b)
		}
		w.sent += int64(n)
		w.last = false
	}
	w.b = w.b[:0]
	return w.broken
}
