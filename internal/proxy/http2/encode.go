package http2

import (
	"bytes"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
)

// Answers are written as literals: with names and statuses from the static table (RFC 7541,
// appendix A) and without a dynamic one, which would have to be kept for each connection.

const (
	indexStatus = 8
	// emptyTable is an update of the dynamic table's size to 0, which comes first of all: a
	// client that allows less than the default waits for one.
	emptyTable = 0x20
	literal    = 0x00 // not indexed
	never      = 0x10 // not by anybody behind this hop either
)

// statuses are those in the static table, by their digits.
func statusIndex(digits []byte) byte {
	switch string(digits) {
	case "200":
		return 8
	case "204":
		return 9
	case "206":
		return 10
	case "304":
		return 11
	case "400":
		return 12
	case "404":
		return 13
	case "500":
		return 14
	}
	return 0
}

// nameIndex holds the static table's other names.
var nameIndex = func() map[string]uint8 {
	names := []string{
		"accept-charset", "accept-encoding", "accept-language", "accept-ranges", "accept", "access-control-allow-origin",
		"age", "allow", "authorization", "cache-control", "content-disposition", "content-encoding", "content-language",
		"content-length", "content-location", "content-range", "content-type", "cookie", "date", "etag", "expect", "expires",
		"from", "host", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified",
		"link", "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh",
		"retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via",
		"www-authenticate",
	}
	const first = 15
	m := make(map[string]uint8, len(names))
	for i, n := range names {
		m[n] = uint8(first + i)
	}
	return m
}()

// appendInt writes an integer behind the bits of kind (RFC 7541, 5.1).
func appendInt(b []byte, kind byte, prefix uint, n int) []byte {
	most := 1<<prefix - 1
	if n < most {
		return append(b, kind|byte(n))
	}
	b = append(b, kind|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func appendText(b, s []byte) []byte { return append(appendInt(b, 0, 7, len(s)), s...) }

// appendStatus writes the field :status.
func appendStatus(b, digits []byte) []byte {
	if i := statusIndex(digits); i > 0 {
		return append(b, 0x80|i)
	}
	return appendText(appendInt(b, literal, 4, indexStatus), digits)
}

// appendFieldLine writes a field, of whose name the case does not matter.
func appendFieldLine(b, name, value []byte) []byte {
	var small [64]byte
	low := small[:0]
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		low = append(low, c)
	}
	kind := byte(literal)
	if string(low) == "set-cookie" || string(low) == "authorization" {
		kind = never
	}
	if i, ok := nameIndex[string(low)]; ok {
		b = appendInt(b, kind, 4, int(i))
	} else {
		b = appendText(append(b, kind), low)
	}
	return appendText(b, value)
}

// appendLines writes the fields of lines as HTTP/1.1 has them, but those that say how a
// message is framed there.
func appendLines(b, lines []byte) []byte {
	for len(lines) > 0 {
		var line []byte
		line, lines, _ = bytes.Cut(lines, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || message.EqualFold(name, "connection") || message.EqualFold(name, "transfer-encoding") {
			continue
		}
		b = appendFieldLine(b, name, bytes.Trim(value, " \t"))
	}
	return b
}

// appendHead writes the head of an answer, and tells whether another one follows it.
func appendHead(b, head []byte) (out []byte, informational bool) {
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	const version = len("HTTP/1.1 ")
	status := line[version : version+3]
	return appendLines(appendStatus(b, status), fields), status[0] == '1'
}
