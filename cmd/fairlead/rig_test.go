//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

const soon = 30 * time.Second

func TestMain(m *testing.M) { testproc.Main(m) }

// result is what a command line came to.
type result struct {
	args     []string
	code     int
	out, err string
}

// fairlead runs a command line in this process.
func fairlead(args ...string) result {
	var out, errOut bytes.Buffer
	code := run(args, &out, &errOut)
	return result{args, code, out.String(), errOut.String()}
}

// is checks an exit code and the words that were printed: on standard output after
// success, else on standard error.
func (r result) is(t *testing.T, code int, words ...string) {
	t.Helper()
	said := r.err
	if code == exitOK {
		said = r.out
	}
	if r.code != code {
		t.Errorf("fairlead %q ends with %d, want %d; it says: %s%s", r.args, r.code, code, r.out, r.err)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("fairlead %q says %q, want it to say %q", r.args, said, w)
		}
	}
	if code != exitOK && !strings.HasPrefix(lastError(said), "fairlead: ") {
		t.Errorf("fairlead %q fails with %q, which does not begin with its name", r.args, said)
	}
	for _, jargon := range []string{"rpc error", "desc =", "goroutine", "bind:", "no such file"} {
		if strings.Contains(lastError(said), jargon) {
			t.Errorf("fairlead %q says %q, which is not plain", r.args, said)
		}
	}
}

// lastError returns what is printed from the error on, without the log before.
func lastError(said string) string {
	if i := strings.LastIndex("\n"+said, "\nfairlead: "); i >= 0 {
		return said[i:]
	}
	return said
}

// write makes a file of its own.
func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fairlead.yaml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// site is a small fleet's config, at addresses that are free.
type site struct {
	wire, admin, web, file string
}

const backend1, backend2 = "127.0.0.1:9001", "127.0.0.1:9002" // nothing listens there

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{wire: testproc.FreeAddr(t), admin: testproc.FreeAddr(t), web: testproc.FreeAddr(t)}
	s.file = write(t, fmt.Sprintf(`
controller: {listen: %q, admin: %q, data: %q}
listeners: [{name: web, address: %q, protocol: http}]
routes: [{listener: web, host: "*", path: /, pool: render}]
pools:
  - name: render
    slots: 4
    health: {type: none}
    backends: [{address: %q, zone: a}, {address: %q, slots: 8}]
`, s.wire, s.admin, t.TempDir(), s.web, backend1, backend2))
	return s
}

// start runs the site's command as a process, and returns when it serves.
func (s *site) start(t *testing.T, command string) *testproc.Process {
	t.Helper()
	if os.Getenv("GORACE") == "" {
		t.Setenv("GORACE", "atexit_sleep_ms=0") // else it stays a second longer
	}
	p := testproc.Start(t, command, exec.Command(testproc.Fairlead(t), command, "-c", s.file))
	testproc.AwaitHTTP(t, soon, "http://"+s.admin+"/readyz", p)
	return p
}

// taken returns an address that is in use by something that speaks HTTP.
func taken(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}
