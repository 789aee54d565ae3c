package tap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// wire remembers messages in the order in which their last bytes were on the connection
// to the controller. Heard is noted by a goroutine for each stream, which may be late;
// this is noted by whoever reads or writes the connection's bytes.
type wire struct {
	mu    sync.Mutex // guards what is below, and all that the connections know
	heard []Heard
	err   error // what could not be read first
}

// Wire returns all that was on the connection to the controller from a place on. Places
// there are not those of Heard. All streams share that connection, so their messages have
// an order: of two that came down, the first was written first by the controller. What
// goes up is noted just before it is written.
func (t *Tap) Wire(from int) []Heard {
	t.wire.mu.Lock()
	defer t.wire.mu.Unlock()
	return append([]Heard(nil), t.wire.heard[min(from, len(t.wire.heard)):]...)
}

// WireMark returns the place that the next message on the wire will have.
func (t *Tap) WireMark() int {
	t.wire.mu.Lock()
	defer t.wire.mu.Unlock()
	return len(t.wire.heard)
}

func (w *wire) problem() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *wire) listen(conn net.Conn) net.Conn {
	c := &listened{Conn: conn, wire: w, streams: map[uint32]*stream{}, heads: hpack.NewDecoder(4096, nil)}
	c.up.skip = len(http2.ClientPreface)
	return c
}

// listened is a connection to the controller.
type listened struct {
	net.Conn
	wire *wire

	up, down frames
	heads    *hpack.Decoder // of what is written
	block    []byte         // of a head under way
	streams  map[uint32]*stream
}

// stream is one stream of a connection.
type stream struct {
	path     string
	who      string
	up, down []byte // of a message under way
}

// Write implements net.Conn.
func (c *listened) Write(p []byte) (int, error) {
	c.wire.mu.Lock()
	c.up.feed(p, func(f frame) { c.note(c.frame(f, true)) })
	c.wire.mu.Unlock()
	return c.Conn.Write(p)
}

// Read implements net.Conn.
func (c *listened) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.down.feed(p[:n], func(f frame) { c.note(c.frame(f, false)) })
	return n, err
}

func (c *listened) note(err error) {
	if c.wire.err == nil {
		c.wire.err = err
	}
}

// frame takes a frame in. Of the heads only those that go up matter: they name the call.
func (c *listened) frame(f frame, up bool) error {
	switch {
	case f.kind == http2.FrameData:
		body, err := unpadded(f)
		if err != nil {
			return err
		}
		return c.data(f.stream, body, up)
	case up && f.kind == http2.FrameHeaders:
		body, err := unpadded(f)
		if err != nil {
			return err
		}
		if f.flags.Has(http2.FlagHeadersPriority) {
			body = body[min(5, len(body)):]
		}
		c.block = append(c.block[:0], body...)
	case up && f.kind == http2.FrameContinuation:
		c.block = append(c.block, f.payload...)
	default:
		return nil
	}
	if !f.flags.Has(http2.FlagHeadersEndHeaders) {
		return nil
	}
	return c.begin(f.stream)
}

// begin learns from its head what a stream is.
func (c *listened) begin(id uint32) error {
	fields, err := c.heads.DecodeFull(c.block)
	if err != nil {
		return fmt.Errorf("the head of stream %d: %w", id, err)
	}
	for _, f := range fields {
		if f.Name == ":path" {
			c.streams[id] = &stream{path: f.Value}
		}
	}
	return nil
}

// data takes a part of a stream's bytes in, and notes each message that it completes.
func (c *listened) data(id uint32, body []byte, up bool) error {
	s := c.streams[id]
	if s == nil {
		return fmt.Errorf("stream %d has bytes, but had no head", id)
	}
	left := &s.down
	if up {
		left = &s.up
	}
	*left = append(*left, body...)
	const prefix = 5 // a flag and the length
	for len(*left) >= prefix {
		if (*left)[0] != 0 {
			return fmt.Errorf("a message of %s is compressed", s.path)
		}
		end := prefix + int(binary.BigEndian.Uint32((*left)[1:prefix]))
		if len(*left) < end {
			break
		}
		if err := c.message(s, (*left)[prefix:end], up); err != nil {
			return err
		}
		*left = append([]byte(nil), (*left)[end:]...)
	}
	return nil
}

func (c *listened) message(s *stream, body []byte, up bool) error {
	m := messageOf(s.path, up)
	if m == nil {
		return nil // another call
	}
	if err := proto.Unmarshal(body, m); err != nil {
		return fmt.Errorf("a message of %s: %w", s.path, err)
	}
	switch m := m.(type) {
	case *fairleadv1.ProxyMessage:
		if h := m.GetHello(); h != nil {
			s.who = h.GetName()
		}
	case *fairleadv1.AgentMessage:
		if h := m.GetHello(); h != nil {
			s.who = h.GetAddress()
		}
	}
	w := c.wire
	w.heard = append(w.heard, Heard{Place: len(w.heard), Who: s.who, Up: up, Message: m})
	return nil
}

func messageOf(path string, up bool) proto.Message {
	switch {
	case path == fairleadv1.Proxies_Session_FullMethodName && up:
		return &fairleadv1.ProxyMessage{}
	case path == fairleadv1.Proxies_Session_FullMethodName:
		return &fairleadv1.ControllerMessage{}
	case path == fairleadv1.Agents_Session_FullMethodName && up:
		return &fairleadv1.AgentMessage{}
	case path == fairleadv1.Agents_Session_FullMethodName:
		return &fairleadv1.BackendMessage{}
	}
	return nil
}

// frame is a frame of HTTP/2 (RFC 9113, section 4.1).
type frame struct {
	kind    http2.FrameType
	flags   http2.Flags
	stream  uint32
	payload []byte
}

// frames cuts what goes in one direction into frames.
type frames struct {
	skip int    // bytes that come before the first
	rest []byte // of a frame under way
}

func (f *frames) feed(p []byte, each func(frame)) {
	skipped := min(f.skip, len(p))
	f.skip -= skipped
	b := append(f.rest, p[skipped:]...)
	const head = 9
	for len(b) >= head {
		end := head + int(binary.BigEndian.Uint32(b)>>8)
		if len(b) < end {
			break
		}
		each(frame{
			kind: http2.FrameType(b[3]), flags: http2.Flags(b[4]),
			stream: binary.BigEndian.Uint32(b[5:]) &^ (1 << 31), payload: b[head:end],
		})
		b = b[end:]
	}
	f.rest = append([]byte(nil), b...)
}

// unpadded returns a frame's payload without padding. DATA and HEADERS have the same flag
// for it.
func unpadded(f frame) ([]byte, error) {
	if !f.flags.Has(http2.FlagDataPadded) {
		return f.payload, nil
	}
	if len(f.payload) == 0 || int(f.payload[0]) >= len(f.payload) {
		return nil, errors.New("a frame has more padding than bytes")
	}
	return f.payload[1 : len(f.payload)-int(f.payload[0])], nil
}
