package strict

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// TextOf returns the text of a node that is text.
func TextOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value != nil {
			return n.Value.Value, true
		}
	}
	return "", false
}

// Cut shortens a text that is told back.
func Cut(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// Quote returns a text that is told back, shortened, in quotes.
func Quote(s string) string { return strconv.Quote(Cut(s)) }

// Text returns a converter of text that check accepts. check may return it in a
// normal form.
func Text[T any](check func(string) (T, *Complaint)) func(ast.Node) (T, *Complaint) {
	return func(n ast.Node) (T, *Complaint) {
		s, ok := TextOf(n)
		if !ok {
			bad := Complaint{Problem: fmt.Sprintf("must be text, got %s", Describe(n))}
			if _, scalar := n.(ast.ScalarNode); scalar {
				bad.Fix = "put quotes around it"
			} else {
				bad.Fix = "write one value on the line of its key"
			}
			return *new(T), &bad
		}
		return check(s)
	}
}

// OneOf returns a converter of a word out of known. Those in planned are words of a
// later version.
func OneOf[T ~string](key string, known []T, planned ...T) func(ast.Node) (T, *Complaint) {
	return Text(func(s string) (T, *Complaint) {
		words := make([]string, len(known))
		for i, w := range known {
			if words[i] = string(w); words[i] == s {
				return w, nil
			}
		}
		for _, w := range planned {
			if string(w) == s {
				return "", NotYet(key, s, "write "+either(words)+", or leave the key out")
			}
		}
		return "", &Complaint{fmt.Sprintf("must be %s, got %s", either(words), Quote(s)), "write " + either(words)}
	})
}

// either lists words as a choice: "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// NotYet is what is said of a word of a later version.
func NotYet(key, word, instead string) *Complaint {
	return &Complaint{fmt.Sprintf("this version does not have %s: %s yet", key, word), instead}
}

// decimal is how a whole number is written. The parser would also take octal,
// hexadecimal and 1_000, of which 010 meaning eight is a trap.
var decimal = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// Whole returns a converter of a whole number. purpose completes the sentence of an
// error by what to do.
func Whole(least, most int, purpose string) func(ast.Node) (int, *Complaint) {
	return func(n ast.Node) (int, *Complaint) {
		var digits string
		switch n := n.(type) {
		case *ast.IntegerNode:
			digits = n.GetToken().Value
		case *ast.StringNode: // the parser's form for what does not fit 64 bits
			if tk := n.GetToken(); tk.Type != token.SingleQuoteType && tk.Type != token.DoubleQuoteType {
				digits = n.Value
			}
		}
		if !decimal.MatchString(digits) {
			return 0, &Complaint{fmt.Sprintf("must be a whole number, got %s", Describe(n)),
				"write it in plain decimal digits, without quotes"}
		}
		i, err := strconv.Atoi(digits)
		switch negative := digits[0] == '-'; {
		case i < least, err != nil && negative:
			return 0, &Complaint{fmt.Sprintf("must be at least %d, got %s", least, Cut(digits)), purpose}
		case i > most, err != nil:
			return 0, &Complaint{fmt.Sprintf("must be at most %d, got %s", most, Cut(digits)), purpose}
		}
		return i, nil
	}
}

// YesOrNo converts true and false.
func YesOrNo(n ast.Node) (bool, *Complaint) {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return false, &Complaint{fmt.Sprintf("must be true or false, got %s", Describe(n)),
			"write true or false, without quotes"}
	}
	return b.Value, nil
}

// Span bounds a duration.
type Span struct {
	Least, Most time.Duration
	Zero        bool   // 0 is allowed, and has a meaning
	Purpose     string // what to do, for errors
}

const durationFix = "write a number with a unit, such as 500ms, 30s, 5m or 1h"

// Duration returns a converter of durations as Go writes them, and of a plain 0.
func Duration(s Span) func(ast.Node) (time.Duration, *Complaint) {
	return func(n ast.Node) (time.Duration, *Complaint) {
		written, ok := TextOf(n)
		if number, is := n.(*ast.IntegerNode); is && number.GetToken().Value == "0" {
			written, ok = "0", true
		}
		got, err := time.ParseDuration(written)
		switch {
		case !ok || err != nil:
			return 0, &Complaint{fmt.Sprintf("must be a duration, got %s", Describe(n)), durationFix}
		case got == 0 && s.Zero:
			return 0, nil
		case got < s.Least:
			return 0, &Complaint{fmt.Sprintf("must be at least %s%s, got %s", Brief(s.Least), s.orZero(), Cut(written)), s.Purpose}
		case got > s.Most:
			return 0, &Complaint{fmt.Sprintf("must be at most %s, got %s", Brief(s.Most), Cut(written)), s.Purpose}
		}
		return got, nil
	}
}

func (s Span) orZero() string {
	if s.Zero {
		return ", or 0"
	}
	return ""
}

// Brief is a duration without the zeros that Go adds: 1h, not 1h0m0s.
func Brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
