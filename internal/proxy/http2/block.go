package http2

import (
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
)

// maxFragments is how many frames a header block may come in.
const maxFragments = 32

// block is a header block that is being read: what its fields come to, as text, and what is
// wrong with them (RFC 9113, 8.2 and 8.3).
type block struct {
	stream    uint32 // whose it is; 0: none is being read
	end       bool   // the stream's last frame
	self      bool   // it depends on itself
	fragments int
	coded     int // bytes that came

	lines   []byte // fields, as lines
	cookies []byte
	length  int64  // that the body is to have; -1: not said
	host    string // of the field of that name
	hosts   int

	method, scheme, authority, path string
	seen                            uint8 // pseudo-fields
	regular                         bool  // a field that is none has come
	size                            int   // as RFC 7541, 4.1 counts it
	tooLong                         bool
	wrong                           string // what is; empty: nothing
}

// Pseudo-fields.
const (
	seenMethod = 1 << iota
	seenScheme
	seenAuthority
	seenPath
)

func (b *block) begin(stream uint32, end bool) {
	*b = block{stream: stream, end: end, lines: b.lines[:0], cookies: b.cookies[:0], length: -1}
}

func (b *block) malformed(what string) {
	if b.wrong == "" {
		b.wrong = what
	}
}

// add takes a field. most bounds them all together, in bytes.
func (b *block) add(f hpack.HeaderField, most int) {
	const overhead = 32
	if b.size += len(f.Name) + len(f.Value) + overhead; b.size > most {
		b.tooLong = true
	}
	switch {
	case b.tooLong || b.wrong != "":
	case strings.HasPrefix(f.Name, ":"):
		b.pseudo(f.Name, f.Value)
	default:
		b.regular = true
		b.field(f.Name, f.Value)
	}
}

func (b *block) pseudo(name, value string) {
	var into *string
	var bit uint8
	switch name {
	case ":method":
		into, bit = &b.method, seenMethod
	case ":scheme":
		into, bit = &b.scheme, seenScheme
	case ":authority":
		into, bit = &b.authority, seenAuthority
	case ":path":
		into, bit = &b.path, seenPath
	default:
		b.malformed("a pseudo-field that no request has")
		return
	}
	switch {
	case b.regular:
		b.malformed("a pseudo-field behind a field")
	case b.seen&bit != 0:
		b.malformed("a pseudo-field comes twice")
	case value == "" && bit != seenAuthority:
		b.malformed("a pseudo-field is empty")
	case !message.Visible(value):
		b.malformed("a pseudo-field has a blank or a control character")
	}
	b.seen |= bit
	*into = value
}

// field takes one that is no pseudo-field.
func (b *block) field(name, value string) {
	if !message.LowerToken(name) {
		b.malformed("a field's name is not one, or not in lower case")
		return
	}
	if !message.FieldValue(value) || value != strings.Trim(value, " \t") {
		b.malformed("a field's value has a control character, or a blank around it")
		return
	}
	switch name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "http2-settings":
		b.malformed("a field that is for HTTP/1.1 connections")
		return
	case "te":
		if value != "trailers" {
			b.malformed("TE says something else than trailers")
			return
		}
	case "host":
		b.host = value
		b.hosts++
		return
	case "content-length":
		n, ok := message.Length(value)
		if !ok || b.length >= 0 && b.length != n {
			b.malformed("Content-Length is malformed, or said twice")
			return
		}
		if b.length >= 0 {
			return // it says the same again
		}
		b.length = n
	case "cookie": // which may come in pieces (RFC 9113, 8.2.3)
		if len(b.cookies) > 0 {
			b.cookies = append(b.cookies, "; "...)
		}
		b.cookies = append(b.cookies, value...)
		return
	}
	b.lines = append(append(b.lines, name...), ": "...)
	b.lines = append(append(b.lines, value...), "\r\n"...)
}

// request checks a block that begins a request.
func (b *block) request() {
	if b.self {
		b.malformed("a stream depends on itself")
	}
	if b.tooLong || b.wrong != "" {
		return
	}
	const most = seenMethod | seenScheme | seenPath
	connect := b.method == "CONNECT"
	switch {
	case connect && b.seen != seenMethod|seenAuthority:
		b.malformed("CONNECT with other pseudo-fields than its own")
	case !connect && b.seen&most != most:
		b.malformed("a pseudo-field is missing")
	case !message.Token(b.method):
		b.malformed("the method is malformed")
	case !connect && !strings.EqualFold(b.scheme, "http") && !strings.EqualFold(b.scheme, "https"):
		b.malformed("the scheme is neither http nor https")
	case !connect && b.path[0] != '/' && (b.path != "*" || b.method != "OPTIONS"):
		b.malformed("the path does not begin with a slash")
	case b.hosts > 1 || b.hosts == 1 && b.authority != "" && !strings.EqualFold(b.host, b.authority):
		b.malformed("several hosts")
	case b.end && b.length > 0:
		b.malformed("no body, where Content-Length promises one")
	}
	if b.authority == "" {
		b.authority = b.host
	}
}

// head writes the request's head as HTTP/1.1 has it. Its body has no framing.
func (b *block) head(into []byte) []byte {
	into = append(append(into, b.method...), ' ')
	if b.method == "CONNECT" {
		into = append(into, b.authority...)
	} else {
		into = append(into, b.path...)
	}
	into = append(into, " HTTP/1.1\r\n"...)
	if b.authority != "" {
		into = append(append(append(into, "host: "...), b.authority...), "\r\n"...)
	}
	into = append(into, b.lines...)
	if len(b.cookies) > 0 {
		into = append(append(append(into, "cookie: "...), b.cookies...), "\r\n"...)
	}
	if b.end && b.length < 0 {
		switch b.method {
		case "POST", "PUT", "PATCH":
			into = append(into, "content-length: 0\r\n"...)
		}
	}
	return append(into, "\r\n"...)
}
