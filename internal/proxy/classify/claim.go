package classify

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// maxToken bounds the payload of a token that is looked at, in bytes.
const maxToken = 16 << 10

// bearer returns a request's token (RFC 6750, section 2.1); empty: it has none.
func bearer(h http.Header) string {
	const scheme = "Bearer "
	s := first(h, "Authorization")
	if len(s) <= len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return ""
	}
	return strings.TrimSpace(s[len(scheme):])
}

// claim returns a claim of a JWT (RFC 7519) that is a text, a number, true or false. Its
// signature is NOT checked: whoever made the token up can say anything. So a claim tells
// who waits behind whom, and never who may do what; the backend checks the token.
func claim(token, name string) (string, bool) {
	_, rest, _ := strings.Cut(token, ".")
	payload, signature, found := strings.Cut(rest, ".")
	if !found || strings.Contains(signature, ".") || len(payload) > maxToken {
		return "", false
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(payload, "="))
	if err != nil {
		return "", false
	}
	var claims map[string]json.RawMessage
	if json.Unmarshal(text, &claims) != nil {
		return "", false
	}
	raw := claims[name]
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil && s != ""
	case '{', '[', 'n': // null
		return "", false
	}
	return string(raw), true
}
