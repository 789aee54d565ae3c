package corpus

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Parse reads a file of cases. Its errors say the line, and what is wrong with it.
func Parse(name, text string, answers bool) ([]Case, error) {
	p := &parser{answers: answers, file: strings.TrimSuffix(path.Base(name), ".txt")}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if err := p.line(strings.TrimSuffix(line, "\n")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := p.ended(); err != nil {
		return nil, fmt.Errorf("%s: at its end: %w", name, err)
	}
	return p.cases, nil
}

type parser struct {
	answers bool
	file    string
	cases   []Case
}

// line reads one line.
func (p *parser) line(line string) error {
	switch {
	case line == "" || strings.HasPrefix(line, "#"):
		return nil
	case strings.HasSuffix(line, " "):
		return errors.New(`a space at the end, that nobody sees; write it as \s, or take it away`)
	}
	word, rest, _ := strings.Cut(line, " ")
	if word == "case" {
		return p.begin(rest)
	}
	if len(p.cases) == 0 {
		return fmt.Errorf("%q before any case; begin with: case NAME", word)
	}
	c := &p.cases[len(p.cases)-1]
	switch word {
	case "rfc":
		c.RFC = rest
	case "why":
		c.Why = rest
	case "want":
		c.Wants = append(c.Wants, nil)
		return p.verdict(c, rest)
	case "or":
		return p.verdict(c, rest)
	case "has", "lacks", "body", "trailer":
		return p.arrives(c, word, rest)
	default:
		return p.sent(c, word, rest)
	}
	return nil
}

// begin ends a case, and begins the next.
func (p *parser) begin(name string) error {
	if err := p.ended(); err != nil {
		return err
	}
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("a case named %q; use small letters, digits and hyphens", name)
	}
	if slices.ContainsFunc(p.cases, func(c Case) bool { return c.Name == name }) {
		return fmt.Errorf("a second case %q; name it otherwise", name)
	}
	p.cases = append(p.cases, Case{Name: name, File: p.file})
	return nil
}

// ended completes the latest case, and says what it lacks.
func (p *parser) ended() error {
	if len(p.cases) == 0 {
		return nil
	}
	c := &p.cases[len(p.cases)-1]
	if p.answers && c.Sent == nil {
		c.Sent = []byte("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	}
	if c.After == "" {
		c.After = Kept
	}
	if c.Reuse == "" {
		c.Reuse = Maybe
	}
	switch {
	case c.RFC == "":
		return fmt.Errorf("case %q does not say its rfc", c.Name)
	case len(c.Sent) == 0 || p.answers && c.Answer == nil:
		return fmt.Errorf("case %q has no bytes", c.Name)
	case len(c.Wants) == 0:
		return fmt.Errorf("case %q does not say what it wants", c.Name)
	}
	return nil
}

// sent reads what is sent, and how the connections end.
func (p *parser) sent(c *Case, word, rest string) error {
	var to *[]byte
	switch {
	case word == ">":
		to = &c.Sent
	case word == "<" && p.answers:
		to = &c.Answer
	case word == "late" && p.answers:
		to = &c.Late
	case word == "early" && p.answers && rest == "":
		c.Early = true
		return nil
	case word == "end" && rest == "closed":
		c.Closes = true
		return nil
	case word == "after" && slices.Contains([]After{Kept, Closed, Whether}, After(rest)):
		c.After = After(rest)
		return nil
	case word == "reuse" && p.answers && slices.Contains([]Reuse{Never, Always, Maybe}, Reuse(rest)):
		c.Reuse = Reuse(rest)
		return nil
	default:
		return fmt.Errorf("%q is no line of a case; see the package's comment", word+" "+rest)
	}
	b, err := unescape(rest)
	*to = append(*to, b...)
	return err
}

// verdict reads one.
func (p *parser) verdict(c *Case, text string) error {
	if len(c.Wants) == 0 {
		return errors.New("or without a want before it")
	}
	words := strings.Fields(text)
	if len(words) < 2 {
		return fmt.Errorf("%q is no verdict; see the package's comment", text)
	}
	v := Verdict{Kind: Kind(words[0])}
	words = words[1:]
	switch {
	case v.Kind == Forwarded && !p.answers && len(words) == 2:
		target, err := unescape(words[1])
		if err != nil {
			return err
		}
		v.Method, v.Target = words[0], string(target)
	case v.Kind == Refused || v.Kind == Broken || v.Kind == Forwarded && p.answers && len(words) == 1:
		for _, w := range words {
			n, err := strconv.Atoi(w)
			if w != "none" && (err != nil || n < 100 || n > 999) {
				return fmt.Errorf("%q is no status", w)
			}
			v.Statuses = append(v.Statuses, n)
		}
	default:
		return fmt.Errorf("%q is no verdict; see the package's comment", text)
	}
	last := &c.Wants[len(c.Wants)-1]
	*last = append(*last, v)
	return nil
}

// arrives reads what the latest verdict says of the message that arrives.
func (p *parser) arrives(c *Case, word, text string) error {
	if len(c.Wants) == 0 {
		return fmt.Errorf("%s before a want", word)
	}
	want := c.Wants[len(c.Wants)-1]
	v := &want[len(want)-1]
	if v.Kind != Forwarded {
		return fmt.Errorf("%s of a message that is %s", word, v.Kind)
	}
	b, err := unescape(text)
	if err != nil {
		return err
	}
	name, value, ok := strings.Cut(string(b), ": ")
	switch {
	case word == "lacks":
		v.Lacks = append(v.Lacks, string(b))
	case word == "body":
		v.Body = append(v.Body, b...)
	case !ok:
		return fmt.Errorf("%s %q: not NAME: VALUE", word, text)
	case word == "has":
		v.Has = append(v.Has, Field{name, value})
	default:
		v.Trailer = append(v.Trailer, Field{name, value})
	}
	return nil
}
