package http1

import (
	"errors"
	"io"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/http2"
)

// source reads a message's body.
type source struct {
	in       *reader
	left     int64 // of a body with a length
	chunked  bool
	total    int64         // bytes that were read of it
	toEnd    bool          // the body ends with the connection, or with the stream
	stream   *http2.Stream // nil: it is a connection
	done     bool
	chunks   message.Chunks
	trailers []byte // fields behind the body, as lines
}

// begin prepares for the body behind a head.
func (s *source) begin(in *reader, h *message.Head, toEnd bool) {
	s.total = 0
	s.in, s.chunked, s.toEnd, s.left = in, h.Chunked, toEnd, max(h.Length, 0)
	s.done = !s.chunked && !toEnd && s.left == 0
	s.trailers = s.trailers[:0]
	if s.chunked {
		s.chunks.Reset()
	}
}

// next returns a piece that is there already, which is good until the next call of next or
// of read; nil: none is.
func (s *source) next() ([]byte, error) {
	if s.done {
		return nil, nil
	}
	b := s.in.unused()
	if s.chunked {
		return s.nextChunk(b)
	}
	if !s.toEnd {
		b = b[:min(int64(len(b)), s.left)]
		s.left -= int64(len(b))
		s.done = s.left == 0
	}
	s.in.use(len(b))
	s.total += int64(len(b))
	if s.toEnd && s.stream != nil && s.stream.AtEnd() {
		s.end()
	}
	if len(b) == 0 {
		return nil, nil
	}
	return b, nil
}

// end takes the end of what is read from.
func (s *source) end() {
	s.done = true
	if s.stream != nil {
		s.trailers = trailersOf(s.stream, s.trailers)
	}
}

func (s *source) nextChunk(b []byte) ([]byte, error) {
	data, used, err := s.chunks.Next(b)
	if err != nil {
		return nil, err
	}
	if s.chunks.Done() {
		s.done = true
		t := s.chunks.Trailers()
		for i := range t.Fields {
			if f := &t.Fields[i]; f.InTrailer() {
				s.trailers = appendField(s.trailers, t.Name(f), t.Value(f))
			}
		}
	}
	s.in.use(used)
	s.total += int64(len(data))
	return data, nil
}

// read waits for more.
func (s *source) read() error {
	if s.left > smallBuffer || s.toEnd {
		s.in.enlarge()
	}
	err := s.in.fill()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF) && s.toEnd:
		s.end()
		return nil
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// sink writes a body with the framing that its receiver reads.
type sink struct {
	w       *writer
	chunked bool
}

// maxChunkFrame is how long what stands around a chunk may be, in bytes.
const maxChunkFrame = 24

const hexDigits = "0123456789abcdef"

func appendHex(b []byte, n int) []byte {
	shift := 0
	for n>>shift > 15 {
		shift += 4
	}
	for ; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[n>>shift&15])
	}
	return b
}

// add takes a piece that is not empty.
func (s *sink) add(p []byte) {
	if !s.chunked {
		s.w.add(p)
		return
	}
	if cap(s.w.b)-len(s.w.b) < maxChunkFrame {
		_ = s.w.flush()
	}
	s.w.b = append(appendHex(s.w.b, len(p)), '\r', '\n')
	s.w.add(p)
	s.w.b = append(s.w.b, '\r', '\n')
}

// end takes the end of the body.
func (s *sink) end(trailers []byte) {
	s.w.finish(trailers)
	if s.chunked {
		s.w.b = append(s.w.b, '0', '\r', '\n')
		s.w.add(trailers)
		s.w.b = append(s.w.b, '\r', '\n')
	}
}

func appendField(b, name, value []byte) []byte {
	b = append(append(b, name...), ':', ' ')
	return append(append(b, value...), '\r', '\n')
}
