package arch

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// shells have goroutines, clocks and networks. One that imported another could not be
// run, tested or replaced without it; cmd joins them.
var shells = []string{
	"internal/control", "internal/proxy", "internal/agent", "internal/locate", "internal/dash",
}

func TestShellsDoNotKnowEachOther(t *testing.T) {
	for _, s := range sources(t) {
		for _, im := range s.imports() {
			dir, ours := strings.CutPrefix(im, module+"/")
			if !ours || s.test {
				continue
			}
			for _, shell := range shells {
				if below(s.dir, shell) && !below(dir, shell) && below(dir, shells...) {
					t.Errorf("%s imports %s: shells never import one another; have cmd join them", s.path, dir)
				}
			}
		}
	}
}

// closed maps folders to the packages of this module that they may import (themselves
// and those below them are always allowed), with the reason.
var closed = map[string]struct {
	may    []string
	reason string
}{
	"api": {nil, "the wire is for everyone, whatever else they build"},
	"sdk": {[]string{"api", "sdk", "internal/fleet", "internal/trust", "internal/ticket"}, "a public package that showed an internal type could not be used outside"},
	"internal/strict": {nil,
		"it reads files for whoever knows what stands in them"},
	"internal/config": {[]string{"internal/fleet", "internal/strict"},
		"a config is read without a network, so that it can be checked anywhere"},
	"internal/report": {[]string{"api", "internal/fleet"}, "it only translates"},
	"internal/probe":  {[]string{"internal/config", "internal/fleet"}, "it checks addresses, and knows no pool's mind"},
	"internal/demo":   {nil, "the demo's backends are any servers, and know nothing of what is in front of them"},
	"internal/testproc": {[]string{"api"},
		"it starts processes from outside, as a user does"},
}

func TestWhoMayImportWhom(t *testing.T) {
	for dir, rule := range closed {
		found := false
		for _, s := range sources(t) {
			if !below(s.dir, dir) {
				continue
			}
			found = true
			for _, im := range s.imports() {
				to, ours := strings.CutPrefix(im, module+"/")
				if ours && !s.test && !below(to, dir) && !below(to, rule.may...) {
					t.Errorf("%s imports %s: %s", s.path, to, rule.reason)
				}
			}
		}
		if !found {
			t.Errorf("there is no Go file in %s; does the rule still say what it should?", dir)
		}
	}
}

func TestNobodyImportsCmd(t *testing.T) {
	for _, s := range sources(t) {
		for _, im := range s.imports() {
			if strings.HasPrefix(im, module+"/cmd") {
				t.Errorf("%s imports %s: commands join packages, and not the other way round", s.path, im)
			}
		}
	}
}

// TestSimulatorHasNoNetwork: what it simulates must come from the simulated network.
func TestSimulatorHasNoNetwork(t *testing.T) {
	for _, s := range sources(t) {
		if !below(s.dir, "internal/sim") {
			continue
		}
		for _, im := range s.imports() {
			if im == "net" || im == "net/http" || strings.Contains(im, "grpc") ||
				below(strings.TrimPrefix(im, module+"/"), shells...) {
				t.Errorf("%s imports %s: the simulator has its own network and runs only pure code", s.path, im)
			}
		}
	}
}

// TestNoRegistration: what a program consists of stands in cmd, in lists that one can
// read, and not in the order in which packages happen to be imported.
func TestNoRegistration(t *testing.T) {
	for _, s := range sources(t) {
		if s.made {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
				t.Errorf("%s: func init; have cmd call what is to be done", fset.Position(f.Pos()))
			}
		}
		for _, im := range s.file.Imports {
			if im.Name != nil && im.Name.Name == "_" && im.Path.Value != `"embed"` && !s.test {
				t.Errorf("%s: imports %s for its side effects; have cmd say what is used", fset.Position(im.Pos()), im.Path.Value)
			}
		}
	}
}

// onlyMain are functions that decide for the whole process.
var onlyMain = map[string][]string{
	"os":            {"Exit", "Args", "Getenv", "LookupEnv", "Environ", "Setenv"},
	"os/signal":     {"Notify", "NotifyContext", "Ignore"},
	"log":           {"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf"},
	"flag":          {"Parse", "String", "Int", "Bool", "Duration", "Var"},
	"log/slog":      {"Default", "SetDefault", "Info", "Warn", "Error", "Debug"},
	"runtime/debug": {"SetGCPercent", "SetMemoryLimit"},
}

// TestOnlyMainSpeaksForTheProcess: a package that exits, reads the environment or logs
// to a global logger cannot be used twice in one process, nor tested.
func TestOnlyMainSpeaksForTheProcess(t *testing.T) {
	for _, s := range sources(t) {
		// testproc is part of tests: it hands an exit code on and builds with the
		// environment that the test has.
		if s.test || s.file.Name.Name == "main" || s.dir == "internal/testproc" {
			continue
		}
		names := map[string]string{}
		for _, im := range s.file.Imports {
			p := strings.Trim(im.Path.Value, `"`)
			name := path.Base(p)
			if im.Name != nil {
				name = im.Name.Name
			}
			names[name] = p
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(onlyMain[names[x.Name]], sel.Sel.Name) {
					t.Errorf("%s: %s.%s outside package main; take it as an argument, or return an error",
						fset.Position(n.Pos()), x.Name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestNamesSaySomething: a package called util has no idea of its own, and collects
// what nobody could place.
func TestNamesSaySomething(t *testing.T) {
	empty := []string{"util", "utils", "common", "helpers", "helper", "core", "misc", "base"}
	for _, s := range sources(t) {
		if name := strings.TrimSuffix(path.Base(s.path), ".go"); slices.Contains(empty, name) || slices.Contains(empty, s.file.Name.Name) {
			t.Errorf("%s: a name that says nothing; name it after what it does", s.path)
		}
	}
}

// longer lists files that may have more than maxLines, with the reason.
var longer = map[string]string{}

const maxLines = 450

// TestFilesAreRooms: a longer file is as a rule two subjects.
func TestFilesAreRooms(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > maxLines && !s.made && longer[s.path] == "" {
			t.Errorf("%s has %d lines; split it by subject, or give a reason in this test", s.path, s.lines)
		}
	}
}

// TestExportedThingsAreExplained: whoever reads a name should find its unit, its errors
// and who may call it.
func TestExportedThingsAreExplained(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.made || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() && f.Doc == nil && exportedReceiver(f) {
				t.Errorf("%s: %s has no comment", fset.Position(f.Pos()), f.Name.Name)
			}
			if g, ok := d.(*ast.GenDecl); ok {
				for _, spec := range g.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() && g.Doc == nil && ts.Doc == nil {
						t.Errorf("%s: %s has no comment", fset.Position(ts.Pos()), ts.Name.Name)
					}
				}
			}
		}
	}
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	e := f.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	id, ok := e.(*ast.Ident)
	return ok && id.IsExported()
}
