package strict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Decoder walks the tree of a file and gathers what is wrong with it.
type Decoder struct {
	File string
	Errs Errors

	suggested int
}

// Report adds an error.
func (d *Decoder) Report(at Where, c Complaint) {
	d.Errs = append(d.Errs, Error{
		File: d.File, Line: at.Line, Column: at.Column, Key: at.Key,
		Problem: c.Problem, Fix: c.Fix,
	})
}

// Reader takes in the value of a key. n is nil when what stands there was reported
// already.
type Reader func(n ast.Node, at Where)

// Keys is what a section may hold.
type Keys map[string]Reader

// Section reads n as a section with these keys, and tells whether it is one.
func (d *Decoder) Section(n ast.Node, at Where, known Keys) bool {
	pairs, ok := PairsOf(n)
	if !ok {
		names := slices.Sorted(maps.Keys(known))
		d.Report(at, Complaint{
			fmt.Sprintf("must be a section, got %s", Describe(n)),
			"write key: value lines, with keys of " + strings.Join(names, ", ")})
		return false
	}
	lines := map[string]int{} // where each key stood first
	for _, pair := range pairs {
		d.pair(pair, at, known, lines)
	}
	return true
}

func (d *Decoder) pair(pair *ast.MappingValueNode, section Where, known Keys, lines map[string]int) {
	at := Place(pair.Key, section)
	at.Key = section.Key
	name, bad := keyName(pair.Key)
	if bad != nil {
		d.Report(at, *bad)
		return
	}
	at.Key = Join(section.Key, name)
	if line, twice := lines[name]; twice {
		d.Report(at, Complaint{
			fmt.Sprintf("is given twice, first in line %d", line), "remove one of them"})
		return
	}
	lines[name] = at.Line
	read, ok := known[name]
	if !ok {
		d.unknownKey(at, name, slices.Sorted(maps.Keys(known)))
		return
	}
	at = Place(pair.Value, at)
	read(d.Plain(pair.Value, at), at)
}

func (d *Decoder) unknownKey(at Where, name string, known []string) {
	if meant := d.meant(name, known); meant != "" {
		d.Report(at, Complaint{"unknown key", fmt.Sprintf("did you mean %s?", meant)})
		return
	}
	d.Report(at, Complaint{"unknown key", "remove it; known here are " + strings.Join(known, ", ")})
}

// keyName returns the name in a key, which has to be a plain word.
func keyName(key ast.Node) (string, *Complaint) {
	if key, ok := key.(*ast.StringNode); ok {
		if key.Value == "" || len(key.Value) > maxWord {
			return "", &Complaint{fmt.Sprintf("a key of %d bytes", len(key.Value)), "remove it"}
		}
		return key.Value, nil
	}
	return "", &Complaint{fmt.Sprintf("a key must be a plain word, got %s", Describe(key)), "write key: value"}
}

// Plain returns n when it is a value, and reports it when it is none.
func (d *Decoder) Plain(n ast.Node, at Where) ast.Node {
	switch n.(type) {
	case nil, *ast.NullNode:
		d.Report(at, Complaint{"has no value", "give it one, or remove the key"})
		return nil
	}
	return n
}

// Items reads n as a list, and calls item with each of them; nil for one that was reported
// already. It tells whether n is a list.
func (d *Decoder) Items(n ast.Node, at Where, item Reader) bool {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.Report(at, Complaint{
			fmt.Sprintf("must be a list, got %s", Describe(n)), "begin each item with a dash"})
		return false
	}
	for i, v := range seq.Values {
		here := Place(v, at)
		here.Key = fmt.Sprintf("%s[%d]", at.Key, i)
		item(d.Plain(v, here), here)
	}
	return true
}

// PairsOf returns what a mapping holds.
func PairsOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode: // a mapping of one key, in some of the parser's versions
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// Place returns where n begins, under the key of the place given, which also stands in
// for what the tree does not know.
func Place(n ast.Node, instead Where) Where {
	tk := first(n)
	if tk == nil || tk.Position == nil || tk.Position.Line < 1 {
		return instead
	}
	return Where{tk.Position.Line, max(tk.Position.Column, 1), instead.Key}
}

// first returns the first token of n. A block mapping calls its first colon its own
// token, which is not where people look.
func first(n ast.Node) *token.Token {
	switch n := n.(type) {
	case nil:
		return nil
	case *ast.NullNode:
		return nil // it may stand for nothing at all
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return first(n.Values[0])
		}
	case *ast.MappingValueNode:
		return first(n.Key)
	}
	return n.GetToken()
}

// Describe names what stands in the file, for errors.
func Describe(n ast.Node) string {
	if text, ok := TextOf(n); ok {
		return fmt.Sprintf("the text %s", Quote(text))
	}
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a section"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + Cut(n.GetToken().Value)
	case *ast.BoolNode:
		return n.GetToken().Value
	case *ast.NullNode:
		return "null"
	}
	return "something else"
}
