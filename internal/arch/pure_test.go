package arch

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// The pure packages, and what of this module each may import. They decide; so time and
// randomness come in as arguments and facts go out as values, and a decision can be
// replayed, simulated and explained.
var pure = map[string][]string{
	"internal/fleet":    nil,
	"internal/dispatch": {"internal/fleet"},
	"internal/permit":   {"internal/fleet"},
}

// pureStd is what a pure package may import of the standard library.
var pureStd = []string{"cmp", "errors", "fmt", "iter", "maps", "math", "math/bits", "math/rand/v2", "net/netip", "slices", "strconv", "strings", "time"}

// pureNames are the names that may be used of packages which also have effects.
var pureNames = map[string][]string{
	"time":         {"Duration", "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour"},
	"math/rand/v2": {"Rand", "PCG", "Source", "New", "NewPCG"},
	"fmt":          {"Sprintf", "Sprint", "Errorf", "Stringer"},
}

func TestPure(t *testing.T) {
	for dir, may := range pure {
		var files []*ast.File
		for _, s := range sources(t) {
			if s.dir == dir && !s.test {
				files = append(files, s.file)
			}
		}
		if len(files) == 0 {
			t.Errorf("there is no Go file in %s; does the rule still say what it should?", dir)
			continue
		}
		for _, bad := range impurities(t, fset, dir, files, may) {
			t.Error(bad)
		}
	}
}

// impurities returns what makes a package's decisions depend on more than its inputs.
func impurities(t *testing.T, fset *token.FileSet, dir string, files []*ast.File, may []string) (bad []string) {
	t.Helper()
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	if _, err := conf.Check(dir, fset, files, info); err != nil {
		t.Fatal(err)
	}
	say := func(n ast.Node, format string, args ...any) {
		bad = append(bad, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), fmt.Sprintf(format, args...)))
	}
	for _, f := range files {
		for _, im := range f.Imports {
			p := strings.Trim(im.Path.Value, `"`)
			if ours, ok := strings.CutPrefix(p, module+"/"); !(ok && slices.Contains(may, ours)) && !slices.Contains(pureStd, p) {
				say(im, "a pure package imports %s", p)
			}
		}
		sorted := map[ast.Node]bool{} // calls whose order is mended by a sort around them
		ast.Inspect(f, func(n ast.Node) bool {
			inspect(n, info, sorted, say)
			return true
		})
	}
	return bad
}

func inspect(n ast.Node, info *types.Info, sorted map[ast.Node]bool, say func(ast.Node, string, ...any)) {
	switch n := n.(type) {
	case *ast.GoStmt:
		say(n, "a goroutine: who runs first would decide")
	case *ast.SelectStmt:
		say(n, "a select: it chooses at random")
	case *ast.ChanType:
		say(n, "a channel: it is for goroutines, and there are none")
	case *ast.RangeStmt:
		if _, ok := info.Types[n.X].Type.Underlying().(*types.Map); ok {
			say(n, "a range over a map: its order is random")
		}
	case *ast.CallExpr:
		if strings.HasPrefix(types.ExprString(n.Fun), "slices.Sorted") {
			for _, arg := range n.Args {
				if call, ok := arg.(*ast.CallExpr); ok {
					sorted[call.Fun] = true
				}
			}
		}
	case *ast.SelectorExpr:
		obj := info.Uses[n.Sel]
		if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
			return
		}
		switch p := obj.Pkg().Path(); {
		case p == "maps" && slices.Contains([]string{"Keys", "Values", "All"}, obj.Name()) && !sorted[n]:
			say(n, "maps.%s outside slices.Sorted: its order is random", obj.Name())
		case pureNames[p] != nil && !slices.Contains(pureNames[p], obj.Name()):
			say(n, "%s.%s: it is not the same each time, or does something", p, obj.Name())
		}
	}
}
