package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxSize is the most bytes that a config file may have.
const MaxSize = 4 << 20

// Load reads a file. What is wrong with its text comes as Errors, all at once; what
// keeps it from being read comes as one plain error.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("config file %s: %w; create it, or name another file", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config file: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the config file: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("config file %s is a directory; name a file in it", path)
	}
	if info.Size() > MaxSize {
		return nil, tooLarge(path)
	}
	// A pipe has no size, so what is read is bounded too.
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the config file: %w", err)
	}
	return Parse(path, data)
}

func tooLarge(path string) error {
	return fmt.Errorf("config file %s is larger than %d MiB, which no config needs; is it the right file?", path, MaxSize>>20)
}

// Parse reads the text of a file; file is its name for errors, which are Errors. The
// config is nil when there is one.
func Parse(file string, data []byte) (*Config, error) {
	if len(data) > MaxSize {
		return nil, tooLarge(file)
	}
	d := &decoder{file: file}
	body := d.syntax(bytes.TrimPrefix(data, []byte("\ufeff")))
	if len(d.errs) > 0 {
		return nil, d.errs
	}
	raw := d.draft(body)
	c := d.finish(raw)
	if len(d.errs) > 0 {
		d.errs.sort()
		return nil, d.errs
	}
	return c, nil
}

// syntax returns the file's one document, nil when it is empty. When it reports an
// error there is nothing to go on with.
func (d *decoder) syntax(data []byte) ast.Node {
	if at, bad := checkText(data); bad != nil {
		d.report(at, *bad)
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if d.checkShape(tokens); len(d.errs) > 0 {
		return nil
	}
	file, err := parseTokens(tokens)
	if err != nil {
		d.report(syntaxError(err, data))
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			return doc.Body // checkShape lets no second one pass
		}
	}
	return nil
}

// parseTokens makes an error of a panic in the YAML parser: a config that is loaded
// while traffic runs must not be able to end the process.
func parseTokens(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			file, err = nil, fmt.Errorf("the YAML parser cannot read it (%v)", caught)
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // told better here
}

// syntaxError returns the place and the text of the parser's error.
func syntaxError(err error, data []byte) (where, complaint) {
	at := where{line: 1, column: 1}
	var e interface {
		error
		GetToken() *token.Token
		GetMessage() string
	}
	problem := ""
	if errors.As(err, &e) {
		problem = e.GetMessage() // the whole error would draw the file's text
		if tk := e.GetToken(); tk != nil && tk.Position != nil {
			at.line, at.column = max(tk.Position.Line, 1), max(tk.Position.Column, 1)
		}
	} else {
		problem = err.Error()
	}
	return at, complaint{"not YAML: " + problem, hint(problem, lineOf(data, at.line))}
}

func lineOf(data []byte, line int) string {
	for ; line > 1; line-- {
		_, rest, found := bytes.Cut(data, []byte("\n"))
		if !found {
			return ""
		}
		data = rest
	}
	text, _, _ := bytes.Cut(data, []byte("\n"))
	return string(text)
}

// bareBracket finds an IPv6 address without quotes, which YAML reads as a list.
var bareBracket = regexp.MustCompile(`[:{,]\s*\[[0-9a-fA-F:.%]*\]:`)

// hint says how to mend what the parser stumbled over.
func hint(problem, line string) string {
	switch {
	case bareBracket.MatchString(line):
		return `a bracket begins a list in YAML; put quotes around the address, as in "[::1]:8080"`
	case strings.Contains(line, "\t"):
		return "indent with spaces, YAML allows no tabs there"
	case strings.Contains(problem, "end character"), strings.Contains(problem, "end token"),
		strings.Contains(problem, "must be specified"):
		return "close the quote or bracket that opens here or before"
	case strings.Contains(problem, "reserved"):
		return "put quotes around the value"
	}
	return "give the keys of one section the same indentation, and quote text that has special characters"
}
