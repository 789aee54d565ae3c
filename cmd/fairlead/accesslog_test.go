//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fairlead/fairlead/internal/testproc"
)

// logging is a proxy with an access log. Nothing listens at its backend.
type logging struct {
	*testproc.Process
	address string
}

// startLogging starts a controller, and a proxy for TCP that logs to a place.
func startLogging(t *testing.T, to string, stdout *os.File) *logging {
	t.Helper()
	s := &site{wire: testproc.FreeAddr(t), admin: testproc.FreeAddr(t), web: testproc.FreeAddr(t)}
	s.file = write(t, fmt.Sprintf(`
controller: {listen: %q, admin: %q, data: %q}
listeners: [{name: db, address: %q, protocol: tcp}]
routes: [{listener: db, pool: db}]
pools: [{name: db, slots: 4, health: {type: none}, backends: [{address: %q}]}]
`, s.wire, s.admin, t.TempDir(), s.web, testproc.FreeAddr(t)))
	s.start(t, "controller")
	cmd := exec.Command(testproc.Fairlead(t), "proxy", "--controller", s.wire, "--name", "p", "--access-log", to)
	if stdout != nil {
		cmd.Stdout = stdout
	}
	p := &logging{testproc.Start(t, "proxy", cmd), s.web}
	p.AwaitLog(t, soon, "listener open")
	return p
}

// reset connects, and returns when the connection is reset, as no backend can be reached.
func (p *logging) reset(t *testing.T) {
	t.Helper()
	c, err := net.Dial("tcp", p.address)
	if err == nil {
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v; want a reset", err)
	}
}

// TestAccessLog rotates a proxy's access log, as logrotate does.
func TestAccessLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	p := startLogging(t, path, nil)
	p.reset(t)
	testproc.Await(t, soon, "the first line", func(context.Context) error {
		i, err := os.Stat(path)
		if err == nil && i.Size() == 0 {
			err = errors.New("the file is empty")
		}
		return err
	}, p.Process)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	p.AwaitLog(t, soon, "opened anew")
	p.reset(t)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path + ".1", path} {
		b, err := os.ReadFile(file)
		if s := string(b); err != nil || strings.Count(s, "\n") != 1 || !strings.Contains(s, `"listener":"db"`) || !strings.HasSuffix(s, "}\n") {
			t.Errorf("%s: %q, %v; want one line of the listener", file, s, err)
		}
	}
}

// TestAccessLogReaderGone: a proxy outlives whoever reads its log from a pipe.
func TestAccessLogReaderGone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	p := startLogging(t, "stdout", w)
	p.reset(t)
	p.AwaitLog(t, soon, "the access log cannot be written")
	p.reset(t)
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestAccessLogNowhere(t *testing.T) {
	fairlead("proxy", "--access-log", filepath.Join(t.TempDir(), "none", "access.log")).is(t, exitError, "its directory is missing; make it")
	fairlead("proxy", "--access-log", t.TempDir()).is(t, exitError, "a directory; name a file")
}
