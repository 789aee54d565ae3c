//go:build unix

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/testproc"
)

// TestRecord has a fleet log its decisions, and replays them.
func TestRecord(t *testing.T) {
	s := newSite(t)
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	answers := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(answers.Close)
	backend := answers.Listener.Addr().String()
	file := write(t, strings.Replace(string(text), backend1, backend, 1))
	log := filepath.Join(t.TempDir(), "decisions.jsonl")
	if os.Getenv("GORACE") == "" {
		t.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	p := testproc.Start(t, "up", exec.Command(testproc.Fairlead(t), "up", "-c", file, "--record", log))
	testproc.AwaitHTTP(t, soon, "http://"+s.web+"/", p)
	for range 50 {
		resp, err := http.Get("http://" + s.web + "/x?secret=1")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	fairlead("sim", log).is(t, exitOK, "POOL", "render", "the same")
	fairlead("sim", log, "--json").is(t, exitOK, `"same": true`, `"wait_p99_ms"`)
	fairlead("sim", log, "--policies", "fairlead,central").is(t, exitOK, "render: 1 proxy, 2 backends", "central", "x1.00")
	fairlead("sim", log, "--plot", log+".svg").is(t, exitUsage, "add --policies")
	fairlead("sim", log, "--policies", "central", "--requests", "1000000").is(t, exitUsage, "more than the trace")
	damage(t, log)
	fairlead("sim", log).is(t, exitError, "decides otherwise")
	fairlead("sim", log, "--policies", "central").is(t, exitOK, "central")
}

// damage has the log's first grant go elsewhere.
func damage(t *testing.T, log string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(text), `,"e":"`)
	if !ok {
		t.Fatalf("no effects in %s", text)
	}
	if err := os.WriteFile(log, []byte(before+`,"e":"z`+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRecordFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "log")
	if f, err := openRecord(""); f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	begin := func(text string) {
		t.Helper()
		f, err := openRecord(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	begin("first")
	begin("") // a start that failed
	begin("third")
	if kept, err := os.ReadFile(name + ".1"); err != nil || string(kept) != "first" {
		t.Errorf("%q is kept, %v", kept, err)
	}
	if _, err := openRecord(filepath.Join(dir, "no", "log")); err == nil || !strings.Contains(err.Error(), "folder does not exist") {
		t.Errorf("%v", err)
	}
	if _, err := openRecord(dir); err == nil || !strings.Contains(err.Error(), "no plain file") {
		t.Errorf("%v", err)
	}
}
