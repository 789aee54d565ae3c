package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	stopWithin = 5 * time.Second // from SIGTERM to SIGKILL
	mostSaid   = 16 << 10        // bytes of output that are kept
	userHZ     = 100             // of the times in /proc
)

// process is one that this program started, and the only ones that it ends.
type process struct {
	cmd  *exec.Cmd
	out  *output
	done chan struct{} // closed when it has ended
	err  error         // how; read after done
}

func start(env []string, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), out: &output{}, done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	tether(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// String returns the program's name and the process's id.
func (p *process) String() string {
	return fmt.Sprintf("%s (%d)", filepath.Base(p.cmd.Path), p.cmd.Process.Pid)
}

func (p *process) said() string { return p.out.String() }

// stop asks the process to end and waits for it. The error is nil if it obeyed, however
// it ended.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p, err)
	}
	limit := time.NewTimer(stopWithin)
	defer limit.Stop()
	select {
	case <-p.done:
		return nil
	case <-limit.C:
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not end within %v of SIGTERM and was killed", p, stopWithin)
	}
}

// output keeps the beginning of what a process writes.
type output struct {
	mu   sync.Mutex // guards what is below
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b[:min(len(b), max(mostSaid-o.text.Len(), 0))])
	return len(b), nil
}

// String returns what was kept.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// usage is what of the machine was used between two marks. All is 0 where there is no
// /proc.
type usage struct {
	at            [2]time.Time
	procs, system [2]time.Duration
	marks         int
}

func (u *usage) mark(procs []*process) {
	i := min(u.marks, 1)
	u.marks++
	u.at[i] = time.Now()
	u.system[i] = systemCPU()
	u.procs[i] = 0
	for _, p := range procs {
		u.procs[i] += processCPU(p.cmd.Process.Pid)
	}
}

// cores returns how many cores the processes used, and how many the whole machine did;
// and the system's load average now.
func (u *usage) cores() (procs, system, load float64) {
	wall := u.at[1].Sub(u.at[0]).Seconds()
	if u.marks < 2 || wall <= 0 {
		return 0, 0, 0
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(b), &load)
	}
	return (u.procs[1] - u.procs[0]).Seconds() / wall, (u.system[1] - u.system[0]).Seconds() / wall, load
}

// processCPU returns what a process has used so far.
func processCPU(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	s := string(b)
	f := strings.Fields(s[strings.LastIndex(s, ")")+1:]) // the name may have blanks
	if len(f) < 13 {
		return 0
	}
	return ticks(f[11]) + ticks(f[12]) // user, system
}

// systemCPU returns what all have used so far: everything but idle, waiting for disks,
// and what the host took away.
func systemCPU() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(line)
	if len(f) < 8 {
		return 0
	}
	return ticks(f[1]) + ticks(f[2]) + ticks(f[3]) + ticks(f[6]) + ticks(f[7])
}

func ticks(s string) time.Duration {
	var n int64
	_, _ = fmt.Sscan(s, &n)
	return time.Duration(n) * time.Second / userHZ
}
