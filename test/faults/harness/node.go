//go:build unix

package harness

import (
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/fairlead/fairlead/internal/testproc"
)

// Node is a part of the fleet that has a process of its own. One goroutine uses it.
type Node struct {
	Name    string
	t       testing.TB
	command func() *exec.Cmd
	brief   bool // when the test ends it need not say goodbye

	mu     sync.Mutex // guards what is below
	proc   *testproc.Process
	frozen bool
	life   int // goes up as a process is being killed, and again when it is dead
}

// Start starts its process.
func (n *Node) Start() {
	n.t.Helper()
	p := testproc.Start(n.t, n.Name, n.command())
	if n.brief {
		p.SetStopSignal(syscall.SIGKILL)
	}
	n.mu.Lock()
	n.proc, n.frozen = p, false
	n.mu.Unlock()
	n.t.Cleanup(func() { n.thaw(p) }) // before it is asked to stop
}

// Process is the one that was started last.
func (n *Node) Process() *testproc.Process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proc
}

// Life tells one process from the next, so that a connection can be told from one to a
// process that was killed. It is odd while one is being killed.
func (n *Node) Life() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.life
}

// Kill ends it by SIGKILL, as a crash would.
func (n *Node) Kill() {
	n.mu.Lock()
	p := n.proc
	n.life++
	n.mu.Unlock()
	p.Kill()
	n.mu.Lock()
	n.life++
	n.mu.Unlock()
}

// Stop asks it to end, and waits for that.
func (n *Node) Stop() {
	n.t.Helper()
	if err := n.Process().Stop(); err != nil {
		n.t.Errorf("stopping %s: %v", n.Name, err)
	}
}

// Freeze stops its clock: the process stays, and does nothing (SIGSTOP).
func (n *Node) Freeze() {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.proc.Signal(syscall.SIGSTOP); err != nil {
		n.t.Fatal(err)
	}
	n.frozen = true
}

// Thaw lets it go on (SIGCONT).
func (n *Node) Thaw() { n.thaw(n.Process()) }

func (n *Node) thaw(p *testproc.Process) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.frozen && p == n.proc {
		if err := p.Signal(syscall.SIGCONT); err != nil {
			n.t.Errorf("%v", err)
		}
		n.frozen = false
	}
}
