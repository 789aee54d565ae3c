package classify

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"unicode/utf8"
)

// maxKey bounds a key, in bytes, as the wire does.
const maxKey = 255

// Text returns a key as the wire takes it: as it is, or if it is too long or no plain text,
// a digest of it, so that two keys with the same beginning remain two.
func Text(s string) string {
	if len(s) <= maxKey && utf8.ValidString(s) && plain(s) {
		return s
	}
	return digest(s)
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:16])
}

// cookie returns the value of a request's cookie; empty: there is none. Of several with one
// name the first counts, which by RFC 6265 is of the most exact path. Unlike net/http it
// reads no other, so it allocates nothing.
func cookie(h http.Header, name string) string {
	for _, line := range h["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			got, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if got != name {
				continue
			}
			if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			if value != "" {
				return value
			}
		}
	}
	return ""
}

// newCookie makes a cookie that names a client and says nothing of it. secure keeps it from
// being sent in plain text: whether it came encrypted only the connection can tell, and not
// what a header says.
func newCookie(name string, secure bool) (key, field string) {
	key = rand.Text() // at least 128 bits
	field = name + "=" + key + "; Path=/; HttpOnly; SameSite=Lax"
	if secure {
		field += "; Secure"
	}
	return key, field
}

// SetsCookie tells whether an answer sets the same cookie as a Set-Cookie field: then it is
// the application's, which knows better.
func SetsCookie(h http.Header, field string) bool {
	name, _, _ := strings.Cut(field, "=")
	for _, line := range h["Set-Cookie"] {
		got, _, found := strings.Cut(line, "=")
		if found && strings.TrimSpace(got) == name {
			return true
		}
	}
	return false
}
