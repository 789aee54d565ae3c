package accesslog

import (
	"crypto/tls"
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fairlead/fairlead/internal/fleet"
)

// appendJSON appends an entry as one line of JSON.
func appendJSON(b []byte, e *Entry, dropQuery bool) []byte {
	b = append(b, `{"time":"`...)
	b = e.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
	b = append(b, '"')
	b = member(b, "listener", e.Listener)
	if e.Client.IsValid() {
		b = append(key(b, "client"), '"')
		b = append(addrPort(e).AppendTo(b), '"')
	}
	b = member(b, "method", e.Method)
	b = member(b, "host", e.Host)
	b = member(b, "target", shown(e.Target, dropQuery))
	b = member(b, "protocol", e.Protocol)
	if e.Status != 0 {
		b = strconv.AppendInt(key(b, "status"), int64(e.Status), 10)
	}
	b = strconv.AppendInt(key(b, "bytes_in"), e.BytesIn, 10)
	b = strconv.AppendInt(key(b, "bytes_out"), e.BytesOut, 10)
	b = member(b, "pool", string(e.Pool))
	b = member(b, "backend", string(e.Backend))
	if e.Grant != (fleet.GrantID{}) {
		b = append(appendGrant(append(key(b, "grant"), '"'), e.Grant), '"')
	}
	b = append(key(b, "end"), '"')
	b = append(b, e.End.String()...)
	if e.Reason != "" {
		b = appendText(append(b, ':'), e.Reason)
	}
	b = append(b, '"')
	b = jsonTimes(b, e)
	return append(jsonRest(b, e, dropQuery), "}\n"...)
}

func jsonTimes(b []byte, e *Entry) []byte {
	b = appendSeconds(key(b, "wait_seconds"), e.Wait)
	if e.Connect > 0 {
		b = appendSeconds(key(b, "connect_seconds"), e.Connect)
	}
	if e.FirstByte > 0 {
		b = appendSeconds(key(b, "first_byte_seconds"), e.FirstByte)
	}
	return appendSeconds(key(b, "total_seconds"), e.Total)
}

func jsonRest(b []byte, e *Entry, dropQuery bool) []byte {
	if e.Tries != 0 {
		b = strconv.AppendInt(key(b, "tries"), int64(e.Tries), 10)
	}
	b = member(b, "user_agent", e.UserAgent)
	b = member(b, "referer", shown(e.Referer, dropQuery))
	if e.TLSVersion != 0 {
		b = member(b, "tls", tls.VersionName(e.TLSVersion))
	}
	b = member(b, "tls_name", e.TLSName)
	if e.Moved {
		b = append(key(b, "moved"), "true"...)
	}
	return b
}

// key appends the name of a member that is not the first.
func key(b []byte, name string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	return append(b, `":`...)
}

// member appends a string, unless it is empty.
func member(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return append(appendText(append(key(b, name), '"'), value), '"')
}

// appendText appends what stands between the quotes of a JSON string.
func appendText(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r >= utf8.RuneSelf && (r != utf8.RuneError || n > 1) && unicode.IsPrint(r) {
			i += n
			continue
		}
		b = append(b, s[from:i]...)
		b = appendEscape(b, r, n, c)
		i += n
		from = i
	}
	return append(b, s[from:]...)
}

// appendEscape appends a rune that takes n bytes, of which c is the first.
func appendEscape(b []byte, r rune, n int, c byte) []byte {
	switch {
	case c == '"':
		return append(b, '\\', '"')
	case c == '\\' || r == utf8.RuneError && n == 1:
		return appendHex(append(b, '\\'), c)
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return appendUnicode(appendUnicode(b, high), low)
	}
	return appendUnicode(b, r)
}

const digits = "0123456789ABCDEF"

// appendHex appends a byte as \xHH.
func appendHex(b []byte, c byte) []byte {
	return append(b, '\\', 'x', digits[c>>4], digits[c&15])
}

func appendUnicode(b []byte, r rune) []byte {
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

func appendGrant(b []byte, g fleet.GrantID) []byte {
	b = strconv.AppendUint(b, g.Epoch, 10)
	return strconv.AppendUint(append(b, '.'), g.Number, 10)
}

// appendSeconds appends a duration in seconds, with six decimals. What took no time at all
// takes 0, what took less than a microsecond one.
func appendSeconds(b []byte, d time.Duration) []byte {
	us := uint64(max(d, 0) / time.Microsecond)
	if us == 0 && d > 0 {
		us = 1
	}
	b = strconv.AppendUint(b, us/1e6, 10)
	b = append(b, '.')
	for unit := uint64(1e5); unit > 0; unit /= 10 {
		b = append(b, digits[us/unit%10])
	}
	return b
}
