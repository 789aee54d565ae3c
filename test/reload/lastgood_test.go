//go:build unix

package reload

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

const soon = 30 * time.Second

// TestLastGood: a controller that starts with a broken config goes by the last good one, says
// so, and takes the file when it is mended and SIGHUP comes; --strict does not start.
func TestLastGood(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	dir := t.TempDir()
	file, data, admin, wire := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "data"), testproc.FreeAddr(t), testproc.FreeAddr(t)
	write := func(pool string) {
		text := fmt.Sprintf("controller: {listen: %q, admin: %q, data: %q}\npools: [{%s, slots: 1, agents: true}]\n", wire, admin, data, pool)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := func() *testproc.Process {
		p := testproc.Start(t, "controller", exec.Command(testproc.Fairlead(t), "controller", "-c", file, "--data", data))
		testproc.AwaitHTTP(t, soon, "http://"+admin+"/readyz", p)
		return p
	}
	write("name: a")
	if err := start().Stop(); err != nil {
		t.Fatal(err)
	}
	write("nom: a")
	p := start()
	s := testproc.Snapshot(t, admin)
	if len(s.GetPools()) != 1 || s.GetPools()[0].GetName() != "a" || !strings.Contains(s.GetConfigProblem(), "nom") {
		t.Errorf("with a broken file the controller has %v, and says %q", s.GetPools(), s.GetConfigProblem())
	}
	out, err := exec.Command(testproc.Fairlead(t), "controller", "-c", file, "--data", data, "--strict").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "nom") {
		t.Errorf("with --strict it said %q, %v", out, err)
	}
	write("name: a, queue: {limit: 7}")
	if err := p.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	testproc.AwaitSnapshot(t, soon, admin, "the mended file to be taken", func(s *fairleadv1.Snapshot) error {
		if s.GetConfigProblem() != "" || s.GetPools()[0].GetQueueLimit() != 7 {
			return errors.New("it is not")
		}
		return nil
	}, p)
}

// TestNoLastGood: the first start with a broken config ends with what is wrong with it.
func TestNoLastGood(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(file, []byte("pools: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(testproc.Fairlead(t), "controller", "-c", file, "--data", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "pools: must be a list") || strings.Contains(string(out), "last-good") {
		t.Errorf("it said %q, %v", out, err)
	}
}
