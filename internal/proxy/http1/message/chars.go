package message

// What a byte may be part of.
const (
	isToken  = 1 << iota // RFC 9110, 5.6.2
	isValue              // of a field: RFC 9110, 5.5, with obs-text
	isTarget             // visible ASCII but the delimiters that no URI has
	isHost               // reg-name, IPv4, IPv6 and port
)

var chars = func() (t [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		t[c] |= isToken | isHost
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] |= isToken | isHost
		t[c-'a'+'A'] |= isToken | isHost
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] |= isToken
	}
	for _, c := range "-._~%!$&'()*+,;=:[]" {
		t[c] |= isHost
	}
	for c := 0x21; c <= 0x7e; c++ {
		t[c] |= isTarget | isValue
	}
	for _, c := range "#\\\"<>" {
		t[c] &^= isTarget
	}
	for c := 0x80; c <= 0xff; c++ {
		t[c] |= isValue
	}
	t[' '] |= isValue
	t['\t'] |= isValue
	return t
}()

// all tells whether every byte of b is of a kind.
func all(b []byte, kind uint8) bool {
	for _, c := range b {
		if chars[c]&kind == 0 {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// EqualFold compares with a word in lower case, as ASCII.
func EqualFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if lower(c) != word[i] {
			return false
		}
	}
	return true
}

// equalFold compares two strings, as ASCII.
func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// trim takes spaces and tabs off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// next cuts the first item off a list whose items stand between commas.
func next(list []byte) (item, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return trim(list[:i]), list[i+1:]
		}
	}
	return trim(list), nil
}

// Lists tells whether one of a list's items is the word, case aside.
func Lists(list, word []byte) bool {
	for rest := list; rest != nil; {
		var item []byte
		if item, rest = next(rest); equalFold(item, trim(word)) && len(item) > 0 {
			return true
		}
	}
	return false
}

// decimal reads digits, and nothing else; not with zeros before them, which some take for
// octal.
func decimal(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 || len(b) > 1 && b[0] == '0' {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// Token tells whether s is one (RFC 9110, 5.6.2).
func Token(s string) bool { return s != "" && made(s, isToken) }

// LowerToken tells whether s is a token without upper-case letters.
func LowerToken(s string) bool {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return false
		}
	}
	return Token(s)
}

// Visible tells whether s has neither blanks nor control characters, nor any that is not
// ASCII.
func Visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// FieldValue tells whether s may be a field's value.
func FieldValue(s string) bool { return made(s, isValue) }

// Length reads a Content-Length.
func Length(s string) (n int64, ok bool) { return decimal([]byte(s)) }

// made tells whether every byte of s is of a kind.
func made(s string, kind uint8) bool {
	for i := range len(s) {
		if chars[s[i]]&kind == 0 {
			return false
		}
	}
	return true
}
