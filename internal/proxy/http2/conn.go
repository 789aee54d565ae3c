// Package http2 speaks HTTP/2 (RFC 9113) with clients. It has each stream look like a
// connection of its own, on which one HTTP/1.1 request comes and one answer goes, so that
// package http1 carries it with the engine that carries all the rest: the same checks, the
// same limits, one grant a request.
//
// A stream's request is a head as HTTP/1.1 has it, without framing fields, and the bytes of
// the body behind it. Its answer is written the same way. What HTTP/2 has and HTTP/1.1 has
// not ends here: frames, windows, header compression, resets.
//
// What is malformed by RFC 9113's own rules is reset, and not answered. Against clients that
// make work for nothing: a handler that still runs for a stream that was reset counts as a
// stream, header blocks are bounded in size and in frames, and who does not read what it has
// caused is closed.
package http2

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/net/http2/hpack"
)

// Preface is what a client's side of a connection begins with (RFC 9113, 3.4).
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Windows: how much clients may send that nobody has read yet, in bytes.
const (
	connWindow    = 1 << 20
	streamWindow  = 256 << 10
	defaultWindow = 64<<10 - 1 // what either side begins with
)

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// Input is where a connection's bytes come from. It belongs to Serve's goroutine.
type Input interface {
	Unused() []byte // that have come
	Use(n int)      // of them
	Fill() error    // reads more
	Wait() error    // the same, where it may take long
}

// Config is what a Conn needs.
type Config struct {
	MaxStreams int // at a time
	MaxHead    int // of a request, in bytes, as RFC 7541, 4.1 counts
	// Serve starts to serve a stream, on another goroutine, which closes it.
	Serve func(*Stream)
	// Malformed is told of requests that were reset for what they are.
	Malformed func()
	// Busy is told when the first stream begins to be served, and when the last has ended. It
	// must not call back.
	Busy func(bool)
	// Writing is told when bytes are about to be written, and when they were.
	Writing func(bool)
}

// call is one that is to be made without the mutex.
type call struct {
	f func(*Stream)
	s *Stream
}

// Conn is a client's connection. Its methods may be called by any goroutine.
type Conn struct {
	nc  net.Conn
	in  Input
	cfg Config

	dec   *hpack.Decoder // these belong to Serve's goroutine
	block block
	after []call

	mu        sync.Mutex // guards what is below
	written   sync.Cond  // nothing is being written any more
	out       output
	streams   map[uint32]*Stream
	running   int // streams that are being served
	blocked   int // streams that wait to write
	last      uint32
	given     []uint32               // streams that this side ended before the client did, the latest ones
	next      int                    // of given, to be replaced
	lingering map[uint32]*time.Timer // streams that were answered before their request was whole
	refused   int                    // streams in a row, because there were too many
	leaving   bool                   // no stream is to come
	send      int                    // what the client takes of all streams
	// sendEach is what it takes of a new one.
	sendEach int
	window   int // what this side takes of all streams
	used     int // what was read since that was last said
}

// New makes a Conn. in begins with the client's preface.
func New(nc net.Conn, in Input, cfg Config) *Conn {
	c := &Conn{
		nc: nc, in: in, cfg: cfg, streams: map[uint32]*Stream{},
		send: defaultWindow, sendEach: defaultWindow, window: connWindow,
	}
	c.written.L = &c.mu
	const table = 4 << 10
	c.dec = hpack.NewDecoder(table, func(f hpack.HeaderField) { c.block.add(f, cfg.MaxHead) })
	c.dec.SetMaxStringLength(2 * cfg.MaxHead) // what is a little too long is answered
	return c
}

// Serve returns when the connection has ended, as it does when the client closes it, does
// what it must not (an *Error), or when Drain was called. Streams that are still being served
// are reset. The caller closes the connection.
func (c *Conn) Serve() error {
	err := c.serve()
	c.end(err)
	return err
}

func (c *Conn) serve() error {
	c.cfg.Busy(false)
	c.mu.Lock()
	c.say(func(b []byte) []byte {
		b = appendFrame(b, 3*6, kindSettings, 0, 0)
		b = appendSetting(b, settingStreams, uint32(c.cfg.MaxStreams))
		b = appendSetting(b, settingWindow, streamWindow)
		b = appendSetting(b, settingHeaderList, uint32(c.cfg.MaxHead))
		return appendWindow(b, 0, connWindow-defaultWindow)
	})
	c.mu.Unlock()
	if err := c.greet(); err != nil {
		return err
	}
	for first := true; ; first = false {
		f, err := c.read()
		if err != nil {
			return err
		}
		if first && (f.kind != kindSettings || f.has(flagAck)) {
			return &Error{ProtocolError, "the first frame is not SETTINGS"}
		}
		if err := c.handle(f); err != nil {
			return err
		}
	}
}

// greet reads the preface.
func (c *Conn) greet() error {
	for {
		b := c.in.Unused()
		n := min(len(b), len(Preface))
		if string(b[:n]) != Preface[:n] {
			return &Error{ProtocolError, "the connection does not begin with the preface"}
		}
		if n == len(Preface) {
			c.in.Use(n)
			return nil
		}
		if err := c.in.Fill(); err != nil {
			return err
		}
	}
}

// read returns the next frame.
func (c *Conn) read() (frame, error) {
	for {
		b := c.in.Unused()
		f, size, bad := parseFrame(b)
		switch {
		case bad != nil:
			return f, bad
		case size > 0:
			c.in.Use(size)
			return f, nil
		}
		var err error
		if len(b) == 0 {
			err = c.in.Wait()
		} else {
			err = c.in.Fill()
		}
		if err != nil && !c.goesOn(err) {
			return f, err
		}
	}
}

// goesOn tells whether the connection does, when it was found idle, or was told to leave, at
// the moment in which a stream began.
func (c *Conn) goesOn(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == 0 || c.out.broken != nil {
		return false
	}
	_ = c.nc.SetReadDeadline(time.Time{})
	c.leave()
	return true
}

// handle takes a frame.
func (c *Conn) handle(f frame) error {
	err := c.take(f)
	for i, a := range c.after {
		a.f(a.s)
		c.after[i] = call{}
	}
	c.after = c.after[:0]
	if err != nil { // not a *Error of nil
		return err
	}
	return nil
}

func (c *Conn) take(f frame) *Error {
	if c.block.stream != 0 && (f.kind != kindContinuation || f.stream != c.block.stream) {
		return &Error{ProtocolError, "another frame inside a header block"}
	}
	switch f.kind {
	case kindData:
		return c.data(f)
	case kindHeaders:
		return c.headers(f)
	case kindContinuation:
		return c.continuation(f)
	case kindPriority:
		return c.priority(f)
	case kindReset:
		return c.reset(f)
	case kindSettings:
		return c.bounded(c.settings(f))
	case kindPing:
		return c.bounded(c.ping(f))
	case kindWindow:
		return c.widen(f)
	case kindPush:
		return &Error{ProtocolError, "a client does not push"}
	case kindGoAway:
		if f.stream != 0 {
			return &Error{ProtocolError, "GOAWAY on a stream"}
		}
	}
	return nil // what is not known is to be ignored
}

// bounded ends a connection whose client does not read what it causes.
func (c *Conn) bounded(err *Error) *Error {
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.control > mostControl {
		return &Error{EnhanceYourCalm, "what was asked for is not read"}
	}
	return nil
}

// unlock gives mu back. It is a name of its own for callers whose *Error is their result.
func (c *Conn) unlock() { c.mu.Unlock() }

// Drain asks the client to open no more streams here. The connection ends with the last one.
func (c *Conn) Drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave()
}

func (c *Conn) leave() {
	if !c.leaving {
		c.leaving = true
		c.say(func(b []byte) []byte { return appendGoAway(b, maxInt31, NoError) })
	}
}

// EndIdle ends the connection if it has no stream.
func (c *Conn) EndIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == 0 {
		_ = c.nc.SetReadDeadline(past)
	}
}

// end says why the connection ends, and resets the streams that are left.
func (c *Conn) end(why error) {
	const long = time.Second // for the client to read why
	code, calls := NoError, []call{}
	var wrong *Error
	if errors.As(why, &wrong) {
		code = wrong.Code
	}
	c.mu.Lock()
	for _, s := range c.streams {
		if lost := c.lose(s, errClosed); lost != nil {
			calls = append(calls, call{lost, s})
		}
	}
	clear(c.streams)
	for stream := range c.lingering {
		c.ended(stream)
	}
	c.say(func(b []byte) []byte { return appendGoAway(b, c.last, code) })
	_ = c.nc.SetWriteDeadline(time.Now().Add(long))
	for c.out.writing {
		c.written.Wait()
	}
	c.breakOff(errClosed)
	c.mu.Unlock()
	for _, a := range calls {
		a.f(a.s)
	}
}

// Prefaced tells whether b, what has come so far, is the preface, or could become it.
func Prefaced(b []byte) (is, could bool) {
	could = len(b) > 0 && bytes.HasPrefix([]byte(Preface), b[:min(len(b), len(Preface))])
	return could && len(b) >= len(Preface), could
}
