package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/fairlead/fairlead"

// root is the module's folder, seen from this package.
const root = "../.."

// source is one Go file.
type source struct {
	path  string // from the root, with slashes
	dir   string // its package's folder, from the root
	file  *ast.File
	lines int
	test  bool
	made  bool // by a generator
}

func (s *source) imports() []string {
	var all []string
	for _, im := range s.file.Imports {
		all = append(all, strings.Trim(im.Path.Value, `"`))
	}
	return all
}

var fset = token.NewFileSet()

// tree returns every Go file of the module, read once.
var tree = sync.OnceValues(func() ([]*source, error) {
	var all []*source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if name := d.Name(); rel != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		s, err := read(path, rel)
		if err == nil {
			all = append(all, s)
		}
		return err
	})
	return all, err
})

func read(path, rel string) (*source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := parser.ParseFile(fset, path, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	return &source{
		path: rel, dir: strings.TrimSuffix(rel[:len(rel)-len(filepath.Base(rel))], "/"), file: f,
		lines: strings.Count(string(text), "\n"),
		test:  strings.HasSuffix(rel, "_test.go"), made: ast.IsGenerated(f),
	}, nil
}

func sources(t *testing.T) []*source {
	t.Helper()
	all, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("found only %d Go files; is the root still %q?", len(all), root)
	}
	return all
}

// below tells whether a folder is one of, or inside one of, some others.
func below(dir string, of ...string) bool {
	for _, o := range of {
		if dir == o || strings.HasPrefix(dir, o+"/") {
			return true
		}
	}
	return false
}
