package http2

import "encoding/binary"

// Kinds of frames (RFC 9113, 6).
const (
	kindData uint8 = iota
	kindHeaders
	kindPriority
	kindReset
	kindSettings
	kindPush
	kindPing
	kindGoAway
	kindWindow
	kindContinuation
)

// Flags of frames. What a bit means is its kind's to say.
const (
	flagEnd        = 0x1 // of DATA and HEADERS: the stream's last
	flagAck        = 0x1 // of SETTINGS and PING
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// Sizes, in bytes.
const (
	frameHeader = 9
	maxFrame    = 16 << 10 // of a payload, both ways: nobody is told of another
)

// Code says why a stream or a connection ends (RFC 9113, 7).
type Code uint32

// The codes that are used here.
const (
	NoError          Code = 0x0
	ProtocolError    Code = 0x1
	InternalError    Code = 0x2
	FlowControlError Code = 0x3
	StreamClosed     Code = 0x5
	FrameSizeError   Code = 0x6
	RefusedStream    Code = 0x7
	CompressionError Code = 0x9
	EnhanceYourCalm  Code = 0xb
)

// Error is why a connection was ended: what the client did wrong.
type Error struct {
	Code Code
	Text string
}

// Error implements error.
func (e *Error) Error() string { return "HTTP/2: " + e.Text }

// frame is one frame. Its payload is good until the next is read.
type frame struct {
	kind    uint8
	flags   uint8
	stream  uint32
	payload []byte
}

func (f *frame) has(flag uint8) bool { return f.flags&flag != 0 }

// parseFrame reads the frame that b begins with. size is 0 as long as it is not whole.
func parseFrame(b []byte) (f frame, size int, err *Error) {
	if len(b) < frameHeader {
		return f, 0, nil
	}
	n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	if n > maxFrame {
		return f, 0, &Error{FrameSizeError, "a frame is longer than this side allows"}
	}
	if len(b) < frameHeader+n {
		return f, 0, nil
	}
	f = frame{kind: b[3], flags: b[4], stream: binary.BigEndian.Uint32(b[5:]) & maxInt31}
	f.payload = b[frameHeader : frameHeader+n : frameHeader+n]
	return f, frameHeader + n, nil
}

const maxInt31 = 1<<31 - 1

// content returns a payload without its padding and its priority.
func (f *frame) content() ([]byte, *Error) {
	p, pad := f.payload, 0
	if f.has(flagPadded) {
		if len(p) == 0 {
			return nil, &Error{FrameSizeError, "a padded frame without a length of its padding"}
		}
		pad, p = int(p[0]), p[1:]
	}
	if f.kind == kindHeaders && f.has(flagPriority) {
		if len(p) < 5 {
			return nil, &Error{FrameSizeError, "a HEADERS frame is too short for its priority"}
		}
		p = p[5:]
	}
	if pad > len(p) {
		return nil, &Error{ProtocolError, "a frame's padding is longer than the frame"}
	}
	return p[:len(p)-pad], nil
}

// dependsOnItself tells whether a frame's priority names its own stream.
func (f *frame) dependsOnItself() bool {
	p := f.payload
	switch {
	case f.kind == kindPriority:
	case !f.has(flagPriority):
		return false
	case f.has(flagPadded):
		p = p[1:]
	}
	return binary.BigEndian.Uint32(p)&maxInt31 == f.stream
}

func appendFrame(b []byte, length int, kind, flags uint8, stream uint32) []byte {
	b = append(b, byte(length>>16), byte(length>>8), byte(length), kind, flags)
	return binary.BigEndian.AppendUint32(b, stream)
}

func appendReset(b []byte, stream uint32, code Code) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, 4, kindReset, 0, stream), uint32(code))
}

func appendWindow(b []byte, stream uint32, n int) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, 4, kindWindow, 0, stream), uint32(n))
}

func appendGoAway(b []byte, last uint32, code Code) []byte {
	b = binary.BigEndian.AppendUint32(appendFrame(b, 8, kindGoAway, 0, 0), last)
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

// Settings (RFC 9113, 6.5.2).
const (
	settingPush       = 0x2
	settingStreams    = 0x3
	settingWindow     = 0x4
	settingFrame      = 0x5
	settingHeaderList = 0x6
)

func appendSetting(b []byte, id uint16, v uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, id), v)
}
