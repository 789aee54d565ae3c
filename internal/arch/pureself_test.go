package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TestPureNotices feeds the rule what it forbids, and what it allows.
func TestPureNotices(t *testing.T) {
	cases := map[string]struct{ source, want string }{
		"goroutine":   {`func f() { go f() }`, "a goroutine"},
		"select":      {`func f() { select {} }`, "a select"},
		"channel":     {`var c chan int`, "a channel"},
		"map range":   {`func f(m map[int]int) { for range m {} }`, "a range over a map"},
		"clock":       {`import "time"; var t = time.Now()`, "time.Now"},
		"sleep":       {`import "time"; func f() { time.Sleep(1) }`, "time.Sleep"},
		"randomness":  {`import "math/rand/v2"; var n = rand.IntN(3)`, "math/rand/v2.IntN"},
		"map keys":    {`import "maps"; func f(m map[int]int) { for range maps.Keys(m) {} }`, "maps.Keys"},
		"log":         {`import "log"; func f() { log.Print() }`, "imports log"},
		"output":      {`import "fmt"; func f() { fmt.Println() }`, "fmt.Println"},
		"a shell":     {`import _ "github.com/fairlead/fairlead/internal/fleet"`, "imports github.com/fairlead"},
		"sorted keys": {`import ("maps"; "slices"); func f(m map[int]int) { slices.Sorted(maps.Keys(m)) }`, ""},
		"a duration":  {`import "time"; const d = 3 * time.Second`, ""},
		"own source":  {`import "math/rand/v2"; func f(r *rand.Rand) int { return r.IntN(3) }`, ""},
	}
	for name, c := range cases {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name+".go", "package p\n"+c.source, 0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		bad := impurities(t, fset, "p", []*ast.File{f}, nil)
		switch {
		case c.want == "" && len(bad) > 0:
			t.Errorf("%s: %q, want nothing", name, bad)
		case c.want != "" && !strings.Contains(strings.Join(bad, "\n"), c.want):
			t.Errorf("%s: %q, want %q", name, bad, c.want)
		}
	}
}
