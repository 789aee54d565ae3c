//go:build unix

package testproc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

const fairlead = "github.com/fairlead/fairlead/cmd/fairlead"

// builds holds what this test process has built.
var builds struct {
	mu   sync.Mutex // guards what is below
	main bool       // Main is running, and will remove dir
	dir  string
	done map[string]*build
}

type build struct {
	once sync.Once
	path string
	err  error
}

// Main is the whole of a TestMain: it runs the tests, removes what Binary built, and
// fails when goroutines are left, but for those that ignore names. It does not return.
func Main(m *testing.M, ignore ...goleak.Option) {
	builds.mu.Lock()
	builds.main = true
	builds.mu.Unlock()
	goleak.VerifyTestMain(m, append(ignore, goleak.Cleanup(func(code int) {
		if err := removeBuilds(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))...)
}

func removeBuilds() error {
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if builds.dir == "" {
		return nil
	}
	if err := os.RemoveAll(builds.dir); err != nil {
		return fmt.Errorf("removing what the tests built: %w", err)
	}
	return nil
}

// Fairlead returns the path of the fairlead program, built from this tree.
func Fairlead(t testing.TB) string {
	t.Helper()
	return Binary(t, fairlead)
}

// Binary returns the path of the program that the package is the source of, an import
// path or a path that starts with a dot. It is built once in a test process, with the
// race detector if the tests have it. TestMain has to be Main, which removes it.
// Safe for concurrent use.
func Binary(t testing.TB, pkg string) string {
	t.Helper()
	return Tagged(t, pkg, "")
}

// Tagged is Binary with a build tag.
func Tagged(t testing.TB, pkg, tag string) string {
	t.Helper()
	b, err := place(pkg, tag)
	if err != nil {
		t.Fatal(err)
	}
	b.once.Do(func() { b.err = compile(pkg, tag, b.path) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

// place finds the build of a package, or says where one will lie.
func place(pkg, tag string) (*build, error) {
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if !builds.main {
		return nil, fmt.Errorf("building %s: TestMain has to call testproc.Main, which removes what is built", pkg)
	}
	if b, ok := builds.done[pkg+" "+tag]; ok {
		return b, nil
	}
	if builds.dir == "" {
		dir, err := os.MkdirTemp("", "fairlead-test-")
		if err != nil {
			return nil, fmt.Errorf("making a directory to build %s in: %w", pkg, err)
		}
		// A process may run as another user than the test.
		if err := os.Chmod(dir, 0o755); err != nil {
			return nil, fmt.Errorf("opening the build directory to other users: %w", err)
		}
		builds.dir, builds.done = dir, map[string]*build{}
	}
	name := fmt.Sprintf("%d-%s", len(builds.done), filepath.Base(pkg))
	b := &build{path: filepath.Join(builds.dir, name)}
	builds.done[pkg+" "+tag] = b
	return b, nil
}

func compile(pkg, tag, path string) error {
	args := []string{"build", "-o", path, "-tags", tag}
	if raceDetector {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, pkg)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// Tool is Binary for somebody else's program, whose version a mod file says that lies in the
// folder tools. It has no race detector.
func Tool(t testing.TB, modfile, pkg string) string {
	t.Helper()
	b, err := place(pkg, modfile)
	if err != nil {
		t.Fatal(err)
	}
	b.once.Do(func() { b.err = compileTool(modfile, pkg, b.path) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

func compileTool(modfile, pkg, path string) error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("finding the folder of the module: %w", err)
	}
	cmd := exec.Command("go", "build", "-modfile="+filepath.Join("tools", modfile), "-o", path, pkg)
	cmd.Dir, cmd.Env = strings.TrimSpace(string(root)), append(os.Environ(), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s, which comes through the Go module proxy: %w\n%s", pkg, err, out)
	}
	return nil
}
