package sim

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/fairlead/fairlead/internal/strict"
)

// Limits of a scenario file. They keep a mistyped number from filling the memory.
const (
	MaxSize     = 16 << 20 // bytes of a file
	MaxCells    = 1000
	MaxBackends = 100_000
	MaxProxies  = 10_000
	MaxRequests = 1_000_000_000 // of one seed, warm-up included
	maxSeeds    = 1000
	maxGroups   = 1000 // of proxies, of backends; faults; kinds of requests
	maxTrace    = 10_000_000
	maxErrors   = 1000 // after which the rest of a file is not read
)

// Read reads a scenario file: one scenario, or a base and a list of cells that each change
// some of it. name is the file's name, for errors, which are strict.Errors; a trace that
// the file names is read from name's folder. All scenarios are checked and have the
// defaults filled in.
//
//	name: small                # of a file without one: the file's name
//	backends: [{count: 10, workers: 4}, {count: 5, workers: 4, speed: 50%}]
//	pool: {workers: 4}
//	arrivals: {load: 90%}
//
// docs/sim.md tells all keys. A cell changes the base key by key, also within the sections
// pool, arrivals, service, network and each_backend; a list it replaces.
func Read(name string, r io.Reader) ([]*Scenario, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading scenario file %s: %w", name, err)
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("scenario file %s is larger than %d MiB; put a long trace into a file of its own, with trace: {file: NAME}", name, MaxSize>>20)
	}
	f := &scenarioFile{Decoder: &strict.Decoder{File: name}}
	all := f.read(f.Document(data))
	if len(f.Errs) > 0 {
		f.Errs.Sort()
		return nil, slices.Compact(f.Errs) // of what a base has wrong, each cell complains
	}
	return all, nil
}

// scenarioFile is a file that is being read.
type scenarioFile struct {
	*strict.Decoder
	base  layer
	cells layer
	names map[string]strict.Where
}

// layer is a section that was not read yet.
type layer struct {
	n  ast.Node
	at strict.Where
}

func (l *layer) keep() strict.Reader {
	return func(n ast.Node, at strict.Where) { *l = layer{n, at} }
}

func (f *scenarioFile) read(body ast.Node) []*Scenario {
	at := strict.Place(body, strict.Where{Line: 1, Column: 1})
	if len(f.Errs) > 0 {
		return nil
	}
	if body == nil {
		f.Report(at, strict.Complaint{Problem: "the file is empty", Fix: "say at least backends, pool and arrivals"})
		return nil
	}
	if body = f.Plain(body, at); body == nil {
		return nil
	}
	top := newSheet(f.Decoder, at)
	keys := top.keys()
	keys["base"], keys["cells"] = f.base.keep(), f.cells.keep()
	if !f.Section(body, at, keys) || len(f.Errs) > 0 {
		return nil
	}
	if f.cells.at == (strict.Where{}) {
		if f.base.at != (strict.Where{}) {
			f.Report(f.base.at, strict.Complaint{Problem: "a base without cells", Fix: "add cells, a list of what each changes, or write the keys of base at the top"})
			return nil
		}
		return f.single(top)
	}
	for _, key := range top.given {
		if strings.ContainsAny(key, ".[") {
			continue // its section is told
		}
		f.Report(top.places[key], strict.Complaint{Problem: "stands beside cells", Fix: "move it under base"})
	}
	return f.readCells()
}

// single finishes a file that is one scenario.
func (f *scenarioFile) single(s *sheet) []*Scenario {
	if s.sc.Name == "" {
		s.sc.Name = strings.TrimSuffix(filepath.Base(f.File), filepath.Ext(f.File))
		if _, bad := readTitle(s.sc.Name); bad != nil {
			s.sc.Name = "scenario"
		}
	}
	sc := s.finish()
	if len(f.Errs) > 0 {
		return nil
	}
	return []*Scenario{sc}
}

func (f *scenarioFile) readCells() (all []*Scenario) {
	base := newSheet(f.Decoder, f.base.at)
	if f.base.n != nil {
		f.Section(f.base.n, f.base.at, base.keys())
	}
	base.applyBackends()
	if len(f.Errs) > 0 {
		return nil // each cell would complain again
	}
	f.names = map[string]strict.Where{}
	isList := f.Items(f.cells.n, f.cells.at, func(n ast.Node, at strict.Where) {
		if n == nil || len(f.Errs) > maxErrors || len(all) > MaxCells {
			return
		}
		all = append(all, f.cell(base, n, at))
	})
	switch {
	case isList && len(all) == 0 && len(f.Errs) == 0:
		f.Report(f.cells.at, strict.Complaint{Problem: "is empty", Fix: "list at least one cell, with a name and what it changes"})
	case len(all) > MaxCells:
		f.Report(f.cells.at, strict.Complaint{Problem: fmt.Sprintf("has more than %d cells", MaxCells), Fix: "use several files"})
	}
	return all
}

func (f *scenarioFile) cell(base *sheet, n ast.Node, at strict.Where) *Scenario {
	s := base.cell(at)
	s.sc.Name = ""
	if !f.Section(n, at, s.keys()) {
		return nil
	}
	switch name := s.sc.Name; {
	case s.places["name"] == (strict.Where{}):
		f.Report(at.Under("name"), strict.Complaint{Problem: "is missing", Fix: "name the cell, so that its results can be told"})
	case f.names[name] != (strict.Where{}):
		f.Report(s.places["name"], strict.Complaint{
			Problem: fmt.Sprintf("cell %q is given twice, first in line %d", name, f.names[name].Line), Fix: "rename one of them"})
	default:
		f.names[name] = s.places["name"]
	}
	return s.finish()
}
