//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Both ends of gRPC speak frames themselves, because a whole library at either would cost more
// than the proxies between them. Neither looks at the windows before it sends: all that is ever
// on its way takes a few KB, and the windows are 64.
const (
	streams   = 8
	refillAt  = 16 << 10
	fieldsMax = 4096
)

// grpcMessage is a message with its prefix of five bytes.
var grpcMessage = append([]byte{0, 0, 0, 0, byte(len(message))}, message...)

// framed is one end of an HTTP/2 connection.
type framed struct {
	*http2.Framer
	c     net.Conn
	r     *bufio.Reader
	w     *bufio.Writer
	enc   *hpack.Encoder
	block bytes.Buffer
	owed  uint32 // bytes heard, whose window is not given back yet
}

func newFramed(c net.Conn) *framed {
	f := &framed{c: c, r: bufio.NewReaderSize(c, 32<<10), w: bufio.NewWriterSize(c, 32<<10)}
	f.Framer = http2.NewFramer(f.w, f.r)
	f.SetReuseFrames()
	f.enc = hpack.NewEncoder(&f.block)
	return f
}

// fields encodes names and values.
func (f *framed) fields(pairs ...string) []byte {
	f.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		_ = f.enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return f.block.Bytes()
}

// next flushes what there is to say if nothing is left to hear, and returns the next frame.
func (f *framed) next() (http2.Frame, error) {
	if f.r.Buffered() == 0 {
		if err := f.w.Flush(); err != nil {
			return nil, err
		}
	}
	return f.ReadFrame()
}

// keep does what any end has to do about a frame.
func (f *framed) keep(frame http2.Frame) error {
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if frame.IsAck() {
			return nil
		}
		if size, ok := frame.Value(http2.SettingHeaderTableSize); ok {
			f.enc.SetMaxDynamicTableSizeLimit(size)
		}
		return f.WriteSettingsAck()
	case *http2.PingFrame:
		if !frame.IsAck() {
			return f.WritePing(true, frame.Data)
		}
	case *http2.DataFrame:
		if f.owed += frame.Length; f.owed >= refillAt {
			owed := f.owed
			f.owed = 0
			return f.WriteWindowUpdate(0, owed)
		}
	case *http2.GoAwayFrame:
		return fmt.Errorf("the other end says GOAWAY: %s", frame.ErrCode)
	}
	return nil
}

// caller is a client's connection.
type caller struct {
	*framed
	id    uint32
	calls map[uint32]*call
}

type call struct {
	since time.Time
	heard []byte
}

func newCaller(c net.Conn) (*caller, error) {
	f := newFramed(c)
	f.ReadMetaHeaders = hpack.NewDecoder(fieldsMax, nil)
	_, err1 := f.w.WriteString(http2.ClientPreface)
	err2 := f.WriteSettings()
	return &caller{framed: f, id: 1, calls: map[uint32]*call{}}, errors.Join(err1, err2, f.w.Flush())
}

func (c *caller) close() { _ = c.c.Close() }

func (c *caller) some(until time.Time, ops int, t *tally) error {
	_ = c.c.SetDeadline(until.Add(patience))
	begun := 0
	begin := func(now time.Time) error {
		if !now.Before(until) || ops > 0 && begun >= ops {
			return nil
		}
		begun++
		return c.begin(now)
	}
	for range streams {
		if err := begin(time.Now()); err != nil {
			return err
		}
	}
	for len(c.calls) > 0 {
		f, err := c.next()
		if err == nil {
			err = c.keep(f)
		}
		if err != nil {
			return err
		}
		ended, err := c.hear(f, t)
		if err != nil {
			t.fail(err)
		}
		if ended {
			if err := begin(time.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *caller) begin(now time.Time) error {
	id := c.id
	c.id += 2
	c.calls[id] = &call{since: now}
	block := c.fields(":method", "POST", ":scheme", "http", ":path", "/echo.Echo/Say", ":authority", "a",
		"content-type", "application/grpc", "te", "trailers")
	if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true}); err != nil {
		return err
	}
	return c.WriteData(id, true, grpcMessage)
}

// hear takes a frame of a call's, and says if the call has ended; the error is the call's alone.
func (c *caller) hear(f http2.Frame, t *tally) (ended bool, err error) {
	id := f.Header().StreamID
	one := c.calls[id]
	if one == nil {
		return false, nil
	}
	switch f := f.(type) {
	case *http2.DataFrame:
		one.heard = append(one.heard, f.Data()...)
		if !f.StreamEnded() {
			return false, nil
		}
		err = errors.New("a call ended without a status")
	case *http2.RSTStreamFrame:
		err = fmt.Errorf("a call was reset: %s", f.ErrCode)
	case *http2.MetaHeadersFrame:
		if !f.StreamEnded() {
			return false, nil
		}
		if status := value(f, "grpc-status"); status != "0" {
			err = fmt.Errorf("a call has grpc-status %q: %s", status, value(f, "grpc-message"))
		} else if !bytes.Equal(one.heard, grpcMessage) {
			err = errors.New("an answer is not what the backend sends")
		}
	default:
		return false, nil
	}
	delete(c.calls, id)
	if err == nil {
		t.took(time.Since(one.since))
	}
	return true, err
}

func value(f *http2.MetaHeadersFrame, name string) string {
	for _, field := range f.Fields {
		if field.Name == name {
			return field.Value
		}
	}
	return ""
}

// answerGRPC is the backend's end: each message comes back as it is.
func answerGRPC(c net.Conn) error {
	f := newFramed(c)
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(f.r, preface); err != nil || string(preface) != http2.ClientPreface {
		return errors.New("that is no HTTP/2")
	}
	if err := f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1000}); err != nil {
		return err
	}
	said := map[uint32][]byte{}
	for {
		frame, err := f.next()
		if err == nil {
			err = f.keep(frame)
		}
		if err != nil {
			return err
		}
		switch frame := frame.(type) {
		case *http2.RSTStreamFrame:
			delete(said, frame.StreamID)
		case *http2.DataFrame:
			all := append(said[frame.StreamID], frame.Data()...)
			if len(all) > megabyte {
				return errors.New("a message is too long")
			}
			said[frame.StreamID] = all
			if frame.StreamEnded() {
				delete(said, frame.StreamID)
				err = f.echo(frame.StreamID, all)
			}
		}
		if err != nil {
			return err
		}
	}
}

func (f *framed) echo(id uint32, said []byte) error {
	err1 := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true,
		BlockFragment: f.fields(":status", "200", "content-type", "application/grpc")})
	err2 := f.WriteData(id, false, said)
	err3 := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, EndStream: true,
		BlockFragment: f.fields("grpc-status", "0")})
	return errors.Join(err1, err2, err3)
}
