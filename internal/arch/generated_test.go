package arch

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedCodeIsFresh makes the generated code anew with the pinned tools: code
// that does not follow from its source misleads whoever reads the source.
func TestGeneratedCodeIsFresh(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("go", "tool", "-modfile=tools/go.mod", "buf", "generate", "-o", dir)
	cmd.Dir = root
	// The race detector is for tests; a generator built with it takes minutes.
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	compared := 0
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.path, "api/") || !s.made {
			continue
		}
		compared++
		have, err := os.ReadFile(filepath.Join(root, s.path))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, s.path))
		if err != nil {
			t.Errorf("%s is committed, and no generator makes it: %v", s.path, err)
			continue
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not what its source makes; run 'make generate' and commit", s.path)
		}
	}
	made, err := filepath.Glob(filepath.Join(dir, "api", "*", "*", "*.go"))
	if err != nil || len(made) != compared || compared == 0 {
		t.Errorf("the generators made %d files, %d are committed (%v)", len(made), compared, err)
	}
}
