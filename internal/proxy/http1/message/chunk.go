package message

import "bytes"

// Limits of a chunked body, in bytes.
const (
	maxChunkLine = 256 // a chunk's size with its extensions
	maxTrailers  = 8 << 10
	// maxExtensions bounds all of a body's extensions together, which are read for nothing.
	maxExtensions = 4 << 10
)

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkData
	chunkEnd // the CRLF behind a chunk's data
	chunkTrailers
	chunkDone
)

// Chunks reads a chunked body (RFC 9112, 7.1) as it comes. The zero Chunks begins one.
type Chunks struct {
	state chunkState
	left  int64 // of the chunk
	extra int   // bytes of extensions so far
	bad   *Error
	// trailers are read with the means of a head, behind a line that it has not.
	trailers Head
}

// Reset begins another body.
func (c *Chunks) Reset() {
	c.state, c.left, c.extra, c.bad = chunkSize, 0, 0, nil
	c.trailers.reset()
}

// Done tells whether the body has ended.
func (c *Chunks) Done() bool { return c.state == chunkDone }

// Trailers returns the fields behind the body, once it is done. They are offsets into the
// bytes that the last Next was given.
func (c *Chunks) Trailers() *Head { return &c.trailers }

// Next reads on in the bytes that have come and were not used yet. It returns the piece of
// the body that they begin with, if it is not empty, and how many bytes are used up, piece
// included. Nothing used and no error means: bring more, with these before it. Behind the
// end it uses nothing.
//
// An error is the body's end: it comes again from then on.
func (c *Chunks) Next(b []byte) (data []byte, used int, err *Error) {
	if c.bad != nil {
		return nil, 0, c.bad
	}
	data, used, c.bad = c.next(b)
	return data, used, c.bad
}

func (c *Chunks) next(b []byte) (data []byte, used int, err *Error) {
	for {
		switch c.state {
		case chunkDone:
			return nil, used, nil
		case chunkData:
			n := int(min(int64(len(b)-used), c.left))
			if n == 0 {
				return nil, used, nil
			}
			if c.left -= int64(n); c.left == 0 {
				c.state = chunkEnd
			}
			return b[used : used+n : used+n], used + n, nil
		}
		n, err := c.line(b[used:])
		if err != nil || n == 0 {
			return nil, used, err
		}
		used += n
	}
}

// line reads what stands between the pieces. 0: it is not there yet.
func (c *Chunks) line(b []byte) (used int, err *Error) {
	switch c.state {
	case chunkEnd:
		switch {
		case len(b) == 0, len(b) == 1 && b[0] == '\r':
			return 0, nil
		case b[0] != '\r' || b[1] != '\n':
			return 0, ErrChunk
		}
		c.state = chunkSize
		return 2, nil
	case chunkTrailers:
		return c.readTrailers(b)
	}
	end := bytes.IndexByte(b, '\n')
	if end < 0 && len(b) <= maxChunkLine {
		return 0, prefix(b)
	}
	if end < 0 || end > maxChunkLine {
		return 0, ErrChunkLine
	}
	if end == 0 || b[end-1] != '\r' {
		return 0, ErrChunk
	}
	extension := 0
	if c.left, extension, err = size(b[:end-1]); err != nil {
		return 0, err
	}
	if c.extra += extension; c.extra > maxExtensions {
		return 0, ErrChunkLine
	}
	c.state = chunkData
	if c.left == 0 {
		c.state = chunkTrailers
		c.trailers.reset()
		c.trailers.lines = 1 // there is no first line
	}
	return end + 1, nil
}

// prefix refuses early what can be no size: who waits for the line's end would wait long.
func prefix(b []byte) *Error {
	if len(b) > 0 {
		if _, ok := hexDigit(b[0]); !ok {
			return ErrChunk
		}
	}
	return nil
}

// size reads a chunk's size, and reads over its extensions, whose length it returns.
func size(b []byte) (n int64, extensions int, err *Error) {
	i := 0
	for ; i < len(b); i++ {
		d, ok := hexDigit(b[i])
		if !ok {
			break
		}
		if i == 15 {
			return 0, 0, ErrChunk
		}
		n = n<<4 | int64(d)
	}
	if i == 0 {
		return 0, 0, ErrChunk
	}
	if rest := b[i:]; len(rest) > 0 {
		if rest[0] != ';' || !all(rest, isValue) { // RFC 9112 lets blanks come first, and few readers do
			return 0, 0, ErrChunk
		}
	}
	return n, len(b) - i, nil
}

var trailerLimits = Limits{Line: maxTrailers, Field: maxTrailers, Fields: 32, Head: maxTrailers}

func (c *Chunks) readTrailers(b []byte) (used int, err *Error) {
	done, err := c.trailers.scan(b, &trailerLimits)
	if err != nil || !done {
		return 0, err
	}
	for i := range c.trailers.Fields {
		if c.trailers.Fields[i].Known.framing() {
			return 0, ErrTrailer
		}
	}
	c.state = chunkDone
	return c.trailers.Size, nil
}
