package config

import (
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/strict"
)

// decoder walks the tree of a file and gathers what is wrong with it.
type decoder struct{ *strict.Decoder }

// Error is one thing that is wrong in a file.
type Error = strict.Error

// Errors is all that is wrong in a file, in the order of the file. It is never empty
// when it is returned as an error.
type Errors = strict.Errors

// The words of package strict that this package uses in nearly every line.
type (
	where     = strict.Where
	complaint = strict.Complaint
	keys      = strict.Keys
	reader    = strict.Reader
)

func (d *decoder) report(at where, c complaint) { d.Report(at, c) }

func (d *decoder) section(n ast.Node, at where, known keys) bool { return d.Section(n, at, known) }

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

// list returns a reader of a list, whose items are read one by one. An item that cannot
// be read is left out, having been reported.
func list[T any](d *decoder, dst *value[[]T], item func(ast.Node, where) (T, bool)) reader {
	return func(n ast.Node, at where) {
		dst.at, dst.given, dst.broken = at, true, n == nil
		if n == nil {
			return
		}
		isList := d.Items(n, at, func(n ast.Node, at where) {
			got, ok := *new(T), false
			if n != nil {
				got, ok = item(n, at)
			}
			if !ok {
				dst.broken = true
				return
			}
			dst.got = append(dst.got, got)
		})
		dst.broken = dst.broken || !isList
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

func text[T any](check func(string) (T, *complaint)) func(ast.Node) (T, *complaint) {
	return strict.Text(check)
}

func oneOf[T ~string](key string, known []T, planned ...T) func(ast.Node) (T, *complaint) {
	return strict.OneOf(key, known, planned...)
}

func whole(least, most int, purpose string) func(ast.Node) (int, *complaint) {
	return strict.Whole(least, most, purpose)
}

func yesOrNo(n ast.Node) (bool, *complaint) { return strict.YesOrNo(n) }

// span bounds a duration.
type span struct {
	least, most time.Duration
	zero        bool   // 0 is allowed, and has a meaning
	purpose     string // what to do, for errors
}

func duration(s span) func(ast.Node) (time.Duration, *complaint) {
	return strict.Duration(strict.Span{Least: s.least, Most: s.most, Zero: s.zero, Purpose: s.purpose})
}

func quote(s string) string { return strict.Quote(s) }
