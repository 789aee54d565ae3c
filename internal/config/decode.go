package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder walks the tree of a file and gathers what is wrong with it.
type decoder struct {
	file      string
	errs      Errors
	suggested int
}

func (d *decoder) report(at where, c complaint) {
	d.errs = append(d.errs, Error{
		File: d.file, Line: at.line, Column: at.column, Key: at.key,
		Problem: c.problem, Fix: c.fix,
	})
}

// value is what a key says, and where.
type value[T any] struct {
	got    T
	at     where
	given  bool // the file has the key
	broken bool // it was reported already, so checks pass over it
}

func (v value[T]) good() bool { return v.given && !v.broken }

// or returns the value, or what holds when the file does not have the key.
func (v value[T]) or(byDefault T) T {
	if v.good() {
		return v.got
	}
	return byDefault
}

// reader takes in the value of a key. n is nil when what stands there was reported
// already.
type reader func(n ast.Node, at where)

// keys is what a section may hold.
type keys map[string]reader

// section reads n as a section with these keys, and tells whether it is one.
func (d *decoder) section(n ast.Node, at where, known keys) bool {
	pairs, ok := pairsOf(n)
	if !ok {
		names := slices.Sorted(maps.Keys(known))
		d.report(at, complaint{
			fmt.Sprintf("must be a section, got %s", describe(n)),
			"write key: value lines, with keys of " + strings.Join(names, ", ")})
		return false
	}
	lines := map[string]int{} // where each key stood first
	for _, pair := range pairs {
		d.pair(pair, at, known, lines)
	}
	return true
}

func (d *decoder) pair(pair *ast.MappingValueNode, section where, known keys, lines map[string]int) {
	at := place(pair.Key, section)
	at.key = section.key
	name, bad := keyName(pair.Key)
	if bad != nil {
		d.report(at, *bad)
		return
	}
	at.key = join(section.key, name)
	if line, twice := lines[name]; twice {
		d.report(at, complaint{
			fmt.Sprintf("is given twice, first in line %d", line), "remove one of them"})
		return
	}
	lines[name] = at.line
	read, ok := known[name]
	if !ok {
		d.unknownKey(at, name, slices.Sorted(maps.Keys(known)))
		return
	}
	at = place(pair.Value, at)
	read(d.plain(pair.Value, at), at)
}

func (d *decoder) unknownKey(at where, name string, known []string) {
	if meant := d.meant(name, known); meant != "" {
		d.report(at, complaint{"unknown key", fmt.Sprintf("did you mean %s?", meant)})
		return
	}
	d.report(at, complaint{"unknown key", "remove it; known here are " + strings.Join(known, ", ")})
}

// keyName returns the name in a key, which has to be a plain word.
func keyName(key ast.Node) (string, *complaint) {
	if key, ok := key.(*ast.StringNode); ok {
		if key.Value == "" || len(key.Value) > maxWord {
			return "", &complaint{fmt.Sprintf("a key of %d bytes", len(key.Value)), "remove it"}
		}
		return key.Value, nil
	}
	return "", &complaint{fmt.Sprintf("a key must be a plain word, got %s", describe(key)), "write key: value"}
}

// plain returns n when it is a value, and reports it when it is none.
func (d *decoder) plain(n ast.Node, at where) ast.Node {
	switch n.(type) {
	case nil, *ast.NullNode:
		d.report(at, complaint{"has no value", "give it one, or remove the key"})
		return nil
	}
	return n
}

// list returns a reader of a list, whose items are read one by one. An item that cannot
// be read is left out, having been reported.
func list[T any](d *decoder, dst *value[[]T], item func(ast.Node, where) (T, bool)) reader {
	return func(n ast.Node, at where) {
		dst.at, dst.given, dst.broken = at, true, n == nil
		if n == nil {
			return
		}
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			dst.broken = true
			d.report(at, complaint{
				fmt.Sprintf("must be a list, got %s", describe(n)), "begin each item with a dash"})
			return
		}
		for i, v := range seq.Values {
			at := place(v, at)
			at.key = fmt.Sprintf("%s[%d]", dst.at.key, i)
			got, ok := *new(T), false
			if v = d.plain(v, at); v != nil {
				got, ok = item(v, at)
			}
			if !ok {
				dst.broken = true
				continue
			}
			dst.got = append(dst.got, got)
		}
	}
}

// scalar returns a reader that converts what stands at a key.
func scalar[T any](d *decoder, dst *value[T], convert func(ast.Node) (T, *complaint)) reader {
	return func(n ast.Node, at where) {
		dst.at, dst.given, dst.broken = at, true, true
		if n == nil {
			return
		}
		got, bad := convert(n)
		if bad != nil {
			d.report(at, *bad)
			return
		}
		dst.got, dst.broken = got, false
	}
}

// pairsOf returns what a mapping holds.
func pairsOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode: // a mapping of one key, in some of the parser's versions
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// place returns where n begins, under the key of the place given, which also stands in
// for what the tree does not know.
func place(n ast.Node, instead where) where {
	tk := first(n)
	if tk == nil || tk.Position == nil || tk.Position.Line < 1 {
		return instead
	}
	return where{tk.Position.Line, max(tk.Position.Column, 1), instead.key}
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

// describe names what stands in the file, for errors.
func describe(n ast.Node) string {
	if text, ok := textOf(n); ok {
		return fmt.Sprintf("the text %s", quote(text))
	}
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a section"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + cut(n.GetToken().Value)
	case *ast.BoolNode:
		return n.GetToken().Value
	case *ast.NullNode:
		return "null"
	}
	return "something else"
}
