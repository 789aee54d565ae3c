package corpus

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxBytes is the longest that one line of a file may become.
const maxBytes = 1 << 20

// escapes are those of one letter.
var escapes = map[byte]byte{'r': '\r', 'n': '\n', 't': '\t', '0': 0, 's': ' ', '\\': '\\'}

// unescape returns the bytes that a line stands for.
func unescape(s string) ([]byte, error) {
	var out []byte
	for len(s) > 0 {
		c := s[0]
		switch {
		case c < ' ' || c > '~':
			return nil, fmt.Errorf("a byte %#02x; write it as \\x%02x", c, c)
		case c != '\\':
			out, s = append(out, c), s[1:]
			continue
		}
		piece, rest, err := escaped(s[1:])
		if err != nil {
			return nil, err
		}
		if len(out)+len(piece) > maxBytes {
			return nil, fmt.Errorf("a line that stands for more than %d bytes; make it shorter", maxBytes)
		}
		out, s = append(out, piece...), rest
	}
	return out, nil
}

// escaped reads what follows a backslash.
func escaped(s string) (piece []byte, rest string, err error) {
	if s == "" {
		return nil, "", errors.New(`a \ at the end; write \\ for one`)
	}
	if b, ok := escapes[s[0]]; ok {
		return []byte{b}, s[1:], nil
	}
	switch s[0] {
	case 'x':
		if len(s) < 3 {
			return nil, "", errors.New(`\x without two hexadecimal digits`)
		}
		n, err := strconv.ParseUint(s[1:3], 16, 8)
		if err != nil {
			return nil, "", fmt.Errorf(`\x%s: not two hexadecimal digits`, s[1:3])
		}
		return []byte{byte(n)}, s[3:], nil
	case '*':
		return repeated(s[1:])
	}
	return nil, "", fmt.Errorf(`\%c means nothing; known are \r \n \t \0 \s \\ \xHH \*N{BYTES}`, s[0])
}

// repeated reads N{BYTES}. The bytes have no repetition, and no brace, of their own.
func repeated(s string) (piece []byte, rest string, err error) {
	count, more, ok := strings.Cut(s, "{")
	inner, rest, closed := strings.Cut(more, "}")
	n, err := strconv.Atoi(count)
	if !ok || !closed || err != nil || n < 1 {
		return nil, "", errors.New(`a repetition that is not \*N{BYTES}`)
	}
	if strings.Contains(inner, `\*`) {
		return nil, "", errors.New(`a repetition inside another; write it as two`)
	}
	once, err := unescape(inner)
	if err != nil {
		return nil, "", err
	}
	if len(once) > 0 && n > maxBytes/len(once) {
		return nil, "", fmt.Errorf("a repetition of more than %d bytes; make it shorter", maxBytes)
	}
	return []byte(strings.Repeat(string(once), n)), rest, nil
}
