package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/strict"
)

// sheet is a scenario that is being filled in from a file. Readers set what a key says at
// once, over what was there, so that a cell is read on top of its base.
type sheet struct {
	*strict.Decoder
	sc Scenario
	at strict.Where

	places map[string]strict.Where // of keys, without the base's or the cell's own
	under  *sheet                  // the base, of a cell
	given  []string                // keys, in the order in which they came

	each   []layer // of each_backend, the base's first
	groups []layer // of backends
	listed bool    // backends was given
}

func newSheet(d *strict.Decoder, at strict.Where) *sheet {
	s := &sheet{Decoder: d, at: at, places: map[string]strict.Where{}}
	s.sc = Scenario{
		Seeds: []uint64{1}, Requests: 100_000, Policies: Policies(),
		Proxies: []ProxyGroup{{Count: 1}},
		Service: Service{Law: Exponential, Mean: DefaultMean},
		Network: Network{Hop: DefaultHop, RoundTrip: DefaultRoundTrip},
	}
	s.sc.Pool.PoolSpec = fleet.PoolSpec{
		QueueLimit: config.DefaultQueueLimit, QueueTimeout: config.DefaultQueueTimeout,
		AssignTimeout: config.DefaultAssignTimeout, TicketLife: config.DefaultTicketLife,
		GrantLimit: config.DefaultGrantLimit, LostAfter: config.DefaultLostAfter, Grace: defaultGrace,
	}
	return s
}

// cell returns a sheet that begins where a base ends. Slices and maps stay shared:
// readers replace them and never change them.
func (s *sheet) cell(at strict.Where) *sheet {
	return &sheet{
		Decoder: s.Decoder, sc: s.sc, at: at, places: map[string]strict.Where{}, under: s,
		each: slices.Clone(s.each), groups: s.groups, listed: s.listed,
	}
}

// localKey returns a key without the cell or base that it stands in.
func localKey(key string) string {
	if rest, ok := strings.CutPrefix(key, "base."); ok {
		return rest
	}
	if strings.HasPrefix(key, "cells[") {
		if _, rest, ok := strings.Cut(key, "]."); ok {
			return rest
		}
	}
	return key
}

func (s *sheet) note(at strict.Where) {
	key := localKey(at.Key)
	s.places[key] = at
	s.given = append(s.given, key)
}

// place returns where a key stands, in this sheet or the one under it; else where it
// would.
func (s *sheet) place(key string) strict.Where {
	for x := s; x != nil; x = x.under {
		if at, ok := x.places[key]; ok {
			return at
		}
	}
	return s.at.Under(key)
}

// has tells whether a key was given.
func (s *sheet) has(key string) bool {
	for x := s; x != nil; x = x.under {
		if _, ok := x.places[key]; ok {
			return true
		}
	}
	return false
}

// complain reports what is wrong with a key in view of others. The key may be the base's,
// and the fault a cell's, so the cell is named.
func (s *sheet) complain(key, problem, fix string) {
	at := s.place(key)
	if s.under != nil && !strings.HasPrefix(at.Key, s.at.Key) {
		problem = fmt.Sprintf("in cell %q: %s", s.sc.Name, problem)
	}
	s.Report(at, strict.Complaint{Problem: problem, Fix: fix})
}

// into returns a reader that sets dst.
func into[T any](s *sheet, dst *T, convert func(ast.Node) (T, *strict.Complaint)) strict.Reader {
	return func(n ast.Node, at strict.Where) {
		s.note(at)
		if n == nil {
			return
		}
		got, bad := convert(n)
		if bad != nil {
			s.Report(at, *bad)
			return
		}
		*dst = got
	}
}

// within returns a reader of a section.
func (s *sheet) within(keys strict.Keys) strict.Reader {
	return func(n ast.Node, at strict.Where) {
		s.note(at)
		if n != nil {
			s.Section(n, at, keys)
		}
	}
}

// listOf returns a reader of a list of 1 to most, which replaces dst. Items begin as zero
// values; a bad one is reported, and the scenario is not used then.
func listOf[T any](s *sheet, dst *[]T, most int, item func(dst *T, i int) strict.Reader) strict.Reader {
	return func(n ast.Node, at strict.Where) {
		s.note(at)
		if n == nil {
			return
		}
		var got []T
		isList := s.Items(n, at, func(n ast.Node, at strict.Where) {
			if len(got) > most || len(s.Errs) > maxErrors {
				return
			}
			var v T
			if n != nil {
				item(&v, len(got))(n, at)
			}
			got = append(got, v)
		})
		switch {
		case isList && len(got) == 0:
			s.Report(at, strict.Complaint{Problem: "is empty", Fix: "add an item, or remove the key"})
		case len(got) > most:
			s.Report(at, strict.Complaint{Problem: fmt.Sprintf("has more than %d items", most), Fix: "leave some out"})
		}
		*dst = got
	}
}

// eachItem returns an item reader that converts.
func eachItem[T any](s *sheet, convert func(ast.Node) (T, *strict.Complaint)) func(*T, int) strict.Reader {
	return func(dst *T, _ int) strict.Reader {
		return func(n ast.Node, at strict.Where) {
			got, bad := convert(n)
			if bad != nil {
				s.Report(at, *bad)
				return
			}
			*dst = got
		}
	}
}

// sections returns an item reader of sections.
func sections[T any](s *sheet, keys func(*T) strict.Keys) func(*T, int) strict.Reader {
	return func(dst *T, _ int) strict.Reader { return s.within(keys(dst)) }
}
