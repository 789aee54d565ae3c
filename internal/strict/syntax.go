package strict

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Document returns the one document of a file, nil when it is empty. When it reports an
// error there is nothing to go on with.
func (d *Decoder) Document(data []byte) ast.Node {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if at, bad := checkText(data); bad != nil {
		d.Report(at, *bad)
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if d.checkShape(tokens); len(d.Errs) > 0 {
		return nil
	}
	file, err := parseTokens(tokens)
	if err != nil {
		d.Report(syntaxError(err, data))
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			return doc.Body // checkShape lets no second one pass
		}
	}
	return nil
}

// parseTokens makes an error of a panic in the YAML parser: a file that is loaded
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
func syntaxError(err error, data []byte) (Where, Complaint) {
	at := Where{Line: 1, Column: 1}
	var e interface {
		error
		GetToken() *token.Token
		GetMessage() string
	}
	problem := ""
	if errors.As(err, &e) {
		problem = e.GetMessage() // the whole error would draw the file's text
		if tk := e.GetToken(); tk != nil && tk.Position != nil {
			at.Line, at.Column = max(tk.Position.Line, 1), max(tk.Position.Column, 1)
		}
	} else {
		problem = err.Error()
	}
	return at, Complaint{"not YAML: " + problem, hint(problem, lineOf(data, at.Line))}
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
