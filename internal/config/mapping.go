package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/strict"
)

// entry is one pair of a mapping whose keys are the user's own.
type entry[T any] struct {
	name  string
	value value[T]
}

// mapping returns a reader of such a mapping: check says which keys are good, and convert
// what stands at them.
func mapping[T any](d *decoder, dst *value[[]entry[T]], check func(string) (string, *complaint), convert func(ast.Node) (T, *complaint)) reader {
	return func(n ast.Node, at where) {
		dst.at, dst.given, dst.broken = at, true, true
		if n == nil {
			return
		}
		pairs, ok := strict.PairsOf(n)
		if !ok {
			d.report(at, complaint{fmt.Sprintf("must be a section, got %s", strict.Describe(n)), "write name: value lines"})
			return
		}
		dst.broken = false
		lines := map[string]int{}
		for _, pair := range pairs {
			e, ok := mapped(d, pair, at, lines, check, convert)
			if !ok {
				dst.broken = true
				continue
			}
			dst.got = append(dst.got, e)
		}
	}
}

// mapped reads one pair. lines keeps where each key stood first.
func mapped[T any](d *decoder, pair *ast.MappingValueNode, section where, lines map[string]int,
	check func(string) (string, *complaint), convert func(ast.Node) (T, *complaint)) (entry[T], bool) {
	var e entry[T]
	at := strict.Place(pair.Key, section)
	name, bad := mappedName(pair.Key)
	if bad == nil {
		at.Key = strict.Join(section.Key, name)
		name, bad = check(name)
	}
	if line, twice := lines[name]; bad == nil && twice {
		bad = &complaint{fmt.Sprintf("is given twice, first in line %d", line), "remove one of them"}
	}
	if bad != nil {
		d.report(at, *bad)
		return e, false
	}
	lines[name] = at.Line
	e.name = name
	at = strict.Place(pair.Value, at)
	scalar(d, &e.value, convert)(d.Plain(pair.Value, at), at)
	return e, !e.value.broken
}

// mappedName returns the name in a key of the user's own, which may look like a number.
func mappedName(key ast.Node) (string, *complaint) {
	switch key := key.(type) {
	case *ast.StringNode:
		if len(key.Value) <= maxFlow {
			return key.Value, nil
		}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return key.GetToken().Value, nil
	}
	return "", &complaint{fmt.Sprintf("a key must be a short text, got %s", strict.Describe(key)), "write name: value"}
}

// plainNumber is how a number is written.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// number returns a converter of a number. purpose completes the sentence of an error.
func number(least, most float64, purpose string) func(ast.Node) (float64, *complaint) {
	return func(n ast.Node) (float64, *complaint) {
		written := ""
		switch n.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			written = n.GetToken().Value
		}
		if !plainNumber.MatchString(written) {
			return 0, &complaint{fmt.Sprintf("must be a number, got %s", strict.Describe(n)), "write it in plain decimal digits, without quotes"}
		}
		return within(written, "", least, most, purpose)
	}
}

// percent returns a converter of a share such as 10%, as a part of 1. Its bounds are in
// percent.
func percent(least, most float64, purpose string) func(ast.Node) (float64, *complaint) {
	return func(n ast.Node) (float64, *complaint) {
		text, _ := strict.TextOf(n)
		written := ""
		if last := len(text) - 1; last > 0 && text[last] == '%' {
			written = text[:last]
		}
		if !plainNumber.MatchString(written) {
			return 0, &complaint{fmt.Sprintf("must be a percentage, got %s", strict.Describe(n)), purpose}
		}
		got, bad := within(written, "%", least, most, purpose)
		return got / 100, bad
	}
}

// within reads a number that has bounds, and perhaps a unit.
func within(written, unit string, least, most float64, purpose string) (float64, *complaint) {
	got, err := strconv.ParseFloat(written, 64)
	switch show := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) + unit }; {
	case got < least:
		return 0, &complaint{fmt.Sprintf("must be at least %s, got %s", show(least), strict.Cut(written)+unit), purpose}
	case err != nil, got > most, math.IsNaN(got):
		return 0, &complaint{fmt.Sprintf("must be at most %s, got %s", show(most), strict.Cut(written)+unit), purpose}
	}
	return got, nil
}
