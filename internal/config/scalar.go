package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// textOf returns the text of a node that is text.
func textOf(n ast.Node) (string, bool) {
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

// cut shortens a text that is told back.
func cut(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

func quote(s string) string { return strconv.Quote(cut(s)) }

// text returns a converter of text that check accepts. check may return it in a
// normal form.
func text[T any](check func(string) (T, *complaint)) func(ast.Node) (T, *complaint) {
	return func(n ast.Node) (T, *complaint) {
		s, ok := textOf(n)
		if !ok {
			bad := complaint{problem: fmt.Sprintf("must be text, got %s", describe(n))}
			if _, scalar := n.(ast.ScalarNode); scalar {
				bad.fix = "put quotes around it"
			} else {
				bad.fix = "write one value on the line of its key"
			}
			return *new(T), &bad
		}
		return check(s)
	}
}

// oneOf returns a converter of a word out of known. Those in planned are words of a
// later version.
func oneOf[T ~string](key string, known []T, planned ...T) func(ast.Node) (T, *complaint) {
	return text(func(s string) (T, *complaint) {
		words := make([]string, len(known))
		for i, w := range known {
			if words[i] = string(w); words[i] == s {
				return w, nil
			}
		}
		for _, w := range planned {
			if string(w) == s {
				return "", notYet(key, s, "write "+either(words)+", or leave the key out")
			}
		}
		return "", &complaint{fmt.Sprintf("must be %s, got %s", either(words), quote(s)), "write " + either(words)}
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

func notYet(key, word, instead string) *complaint {
	return &complaint{fmt.Sprintf("this version does not have %s: %s yet", key, word), instead}
}

// decimal is how a whole number is written. The parser would also take octal,
// hexadecimal and 1_000, of which 010 meaning eight is a trap.
var decimal = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// whole returns a converter of a whole number. purpose completes the sentence of an
// error by what to do.
func whole(least, most int, purpose string) func(ast.Node) (int, *complaint) {
	return func(n ast.Node) (int, *complaint) {
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
			return 0, &complaint{fmt.Sprintf("must be a whole number, got %s", describe(n)),
				"write it in plain decimal digits, without quotes"}
		}
		i, err := strconv.Atoi(digits)
		switch negative := digits[0] == '-'; {
		case i < least, err != nil && negative:
			return 0, &complaint{fmt.Sprintf("must be at least %d, got %s", least, cut(digits)), purpose}
		case i > most, err != nil:
			return 0, &complaint{fmt.Sprintf("must be at most %d, got %s", most, cut(digits)), purpose}
		}
		return i, nil
	}
}

// yesOrNo converts true and false.
func yesOrNo(n ast.Node) (bool, *complaint) {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		return false, &complaint{fmt.Sprintf("must be true or false, got %s", describe(n)),
			"write true or false, without quotes"}
	}
	return b.Value, nil
}

// span bounds a duration.
type span struct {
	least, most time.Duration
	zero        bool   // 0 is allowed, and has a meaning
	purpose     string // what to do, for errors
}

const durationFix = "write a number with a unit, such as 500ms, 30s, 5m or 1h"

// duration returns a converter of durations as Go writes them, and of a plain 0.
func duration(s span) func(ast.Node) (time.Duration, *complaint) {
	return func(n ast.Node) (time.Duration, *complaint) {
		written, ok := textOf(n)
		if number, is := n.(*ast.IntegerNode); is && number.GetToken().Value == "0" {
			written, ok = "0", true
		}
		got, err := time.ParseDuration(written)
		switch {
		case !ok || err != nil:
			return 0, &complaint{fmt.Sprintf("must be a duration, got %s", describe(n)), durationFix}
		case got == 0 && s.zero:
			return 0, nil
		case got < s.least:
			return 0, &complaint{fmt.Sprintf("must be at least %s%s, got %s", brief(s.least), s.orZero(), cut(written)), s.purpose}
		case got > s.most:
			return 0, &complaint{fmt.Sprintf("must be at most %s, got %s", brief(s.most), cut(written)), s.purpose}
		}
		return got, nil
	}
}

func (s span) orZero() string {
	if s.zero {
		return ", or 0"
	}
	return ""
}

// brief is a duration without the zeros that Go adds: 1h, not 1h0m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
