//go:build unix

package testproc

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	stopWithin = 15 * time.Second // from a stop signal to SIGKILL
	pipeDelay  = 5 * time.Second  // for output, after the process ended
	tail       = 16 << 10         // bytes of output logged when a test fails
)

// Process is a process that a test started. Its methods are safe for concurrent use.
type Process struct {
	name string
	cmd  *exec.Cmd
	logs *logs
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read after done

	mu    sync.Mutex // guards what is below
	ended bool       // its id may belong to somebody else by now
	asked bool       // to end, so that it may
	stop  syscall.Signal
}

// Start starts a command and ends it when the test ends. The name tells it from others
// in the test's log. Output goes to Logs, unless the command has a place for it.
func Start(t testing.TB, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{name: name, cmd: cmd, logs: newLogs(), done: make(chan struct{}), stop: syscall.SIGTERM}
	if cmd.Stdout == nil {
		cmd.Stdout = p.logs
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.logs
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if cmd.Dir == "" && filepath.IsAbs(cmd.Path) {
		cmd.Dir = t.TempDir() // what it keeps must not land among the sources
	}
	lead(cmd.SysProcAttr)
	cmd.WaitDelay = pipeDelay
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go p.wait()
	t.Cleanup(func() { p.cleanup(t) })
	return p
}

// wait reaps the process. Where awaitEnd is able to, what was left behind in its group is
// killed before its id is free for others.
func (p *Process) wait() {
	if awaitEnd(p.PID()) {
		p.mu.Lock()
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
		p.ended = true
		p.mu.Unlock()
	}
	p.err = p.cmd.Wait()
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.logs.close()
	close(p.done)
}

func (p *Process) cleanup(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	asked := p.asked
	p.mu.Unlock()
	select {
	case <-p.done:
		if !asked {
			t.Errorf("%s ended by itself: %v", p.name, p.exit())
		}
	default:
		if err := p.Stop(); err != nil {
			t.Errorf("stopping %s: %v", p.name, err)
		}
	}
	if logs := p.logs.String(); strings.Contains(logs, "WARNING: DATA RACE") {
		t.Errorf("%s has a data race", p.name)
	}
	if t.Failed() {
		t.Logf("output of %s:\n%s", p.name, p.logs.tail(tail))
	}
}

// PID returns the id of the process, which is its group's too.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Name returns what the test calls it.
func (p *Process) Name() string { return p.name }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Logs returns what the process has written so far, its last mebibyte at least.
func (p *Process) Logs() string { return p.logs.String() }

// SetStopSignal sets what Stop sends, in place of SIGTERM.
func (p *Process) SetStopSignal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop = s
}

// Signal sends a signal to the process alone, not to its group. A process may end of
// it, so that is no failure afterwards.
func (p *Process) Signal(s syscall.Signal) error {
	p.mu.Lock()
	p.asked = p.asked || s != syscall.SIGSTOP && s != syscall.SIGCONT
	p.mu.Unlock()
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("sending %v to %s: %w", s, p.name, err)
	}
	return nil
}

// Stop asks the process to end, by SIGTERM unless SetStopSignal was called, and waits
// for it. One that is still there after 15 s is killed with its group. The error says
// that, or with which code it ended; ending by the signal itself is fine.
func (p *Process) Stop() error {
	p.mu.Lock()
	stop := p.stop
	p.mu.Unlock()
	if err := p.Signal(stop); err != nil {
		<-p.done // it has ended already
		return p.exit()
	}
	limit := time.NewTimer(stopWithin)
	defer limit.Stop()
	select {
	case <-p.done:
		return p.exit()
	case <-limit.C:
		p.Kill()
		return fmt.Errorf("it did not end within %v of %v and was killed", stopWithin, stop)
	}
}

// Kill ends the process and its group by SIGKILL, as a crash would, and waits for it.
func (p *Process) Kill() {
	p.mu.Lock()
	p.asked = true
	if !p.ended {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	}
	p.mu.Unlock()
	<-p.done
}

// Wait waits until the process has ended by itself, and returns how: nil is an exit code
// of 0. It fails the test, and the process ends, when that takes longer.
func (p *Process) Wait(t testing.TB, within time.Duration) error {
	t.Helper()
	p.mu.Lock()
	p.asked = true
	p.mu.Unlock()
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case <-p.done:
		return p.err
	case <-limit.C:
		p.Kill()
		t.Fatalf("%s has not ended within %v", p.name, within)
		return nil
	}
}

// exit returns how it ended, where ending by a stop signal is fine. Only after done.
func (p *Process) exit() error {
	p.mu.Lock()
	stop := p.stop
	p.mu.Unlock()
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() && s.Signal() == stop {
			return nil
		}
	}
	return p.err
}
