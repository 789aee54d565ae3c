//go:build unix

package testproc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

const soon = 20 * time.Second

func TestMain(m *testing.M) { Main(m) }

// fake is a test that records what it is told, and runs its clean-ups when asked.
type fake struct {
	testing.TB
	fatal, wrong []string
	cleanups     []func()
}

type fataled struct{}

func (f *fake) Helper()             {}
func (f *fake) Failed() bool        { return len(f.wrong)+len(f.fatal) > 0 }
func (f *fake) Logf(string, ...any) {}
func (f *fake) Cleanup(c func())    { f.cleanups = append(f.cleanups, c) }
func (f *fake) Errorf(format string, args ...any) {
	f.wrong = append(f.wrong, fmt.Sprintf(format, args...))
}

func (f *fake) Fatalf(format string, args ...any) {
	f.fatal = append(f.fatal, fmt.Sprintf(format, args...))
	panic(fataled{})
}

// run runs what may be fatal, and then the clean-ups.
func (f *fake) run(body func()) {
	defer func() {
		if r := recover(); r != nil && r != (fataled{}) {
			panic(r)
		}
		for i := len(f.cleanups) - 1; i >= 0; i-- {
			f.cleanups[i]()
		}
	}()
	body()
}

func shell(script string) *exec.Cmd { return exec.Command("sh", "-c", script) }

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestStopByCleanup(t *testing.T) {
	f := &fake{TB: t}
	var p *Process
	f.run(func() {
		p = Start(f, "sleeper", shell("echo ready; exec sleep 600"))
		p.AwaitLog(t, soon, "ready")
	})
	if f.Failed() {
		t.Errorf("a process that ends by SIGTERM: %q", f.wrong)
	}
	if !gone(p.PID()) {
		t.Error("the process is still there")
	}
}

func TestWhatIsLeftBehindIsKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells of a process's end before its id is free")
	}
	p := Start(t, "parent", shell("sleep 600 & echo child $!"))
	line := p.AwaitLog(t, soon, "child ")
	child, err := strconv.Atoi(strings.TrimPrefix(line, "child "))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t, soon); err != nil {
		t.Errorf("the parent: %v", err)
	}
	Await(t, soon, "the child's end", func(context.Context) error {
		// A killed orphan stays a zombie until init reaps it.
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return nil
		}
		return errors.New("it runs")
	})
}

func TestCleanupTellsOfFailures(t *testing.T) {
	for _, c := range []struct{ name, script, told string }{
		{"ended by itself", "exit 3", "ended by itself: exit status 3"},
		{"bad exit code", "trap 'exit 4' TERM; echo ready; while :; do sleep 0.01; done", "exit status 4"},
		{"data race", "echo WARNING: DATA RACE; echo ready; exec sleep 600", "has a data race"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{TB: t}
			f.run(func() {
				p := Start(f, "program", shell(c.script))
				if strings.Contains(c.script, "ready") {
					p.AwaitLog(t, soon, "ready")
				} else {
					<-p.Done()
				}
			})
			if !strings.Contains(strings.Join(f.wrong, "\n"), c.told) {
				t.Errorf("told %q, not %q", f.wrong, c.told)
			}
		})
	}
}

func TestSignalsAndKill(t *testing.T) {
	p := Start(t, "program", shell("trap 'echo hello' USR1; echo ready; while :; do sleep 0.01; done"))
	p.AwaitLog(t, soon, "ready")
	if err := p.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	p.AwaitLog(t, soon, "hello")
	p.Kill()
	p.Kill() // ended already: nothing happens
	if err := p.Signal(syscall.SIGUSR1); err == nil {
		t.Error("a signal to a process that has ended: no error")
	}
	other := Start(t, "other", shell("trap 'exit 0' INT; echo ready; while :; do sleep 0.01; done"))
	other.SetStopSignal(syscall.SIGINT)
	other.AwaitLog(t, soon, "ready")
	if err := other.Stop(); err != nil {
		t.Error(err)
	}
}

func TestFatal(t *testing.T) {
	for _, c := range []struct {
		name, told string
		body       func(f *fake)
	}{
		{"no such program", "starting none:", func(f *fake) {
			Start(f, "none", exec.Command("/nonexistent/program"))
		}},
		{"log never comes", "ended without writing", func(f *fake) {
			p := Start(f, "quiet", shell("echo something"))
			defer func() { _ = p.Signal(syscall.SIGTERM) }()
			p.AwaitLog(f, soon, "words")
		}},
		{"log is late", "has not written", func(f *fake) {
			Start(f, "slow", shell("exec sleep 600")).AwaitLog(f, time.Millisecond, "words")
		}},
		{"needed process ends", "brief has ended", func(f *fake) {
			p := Start(f, "brief", shell("exit 0"))
			Await(f, soon, "nothing", func(context.Context) error { return errors.New("not yet") }, p)
		}},
		{"not in time", "not within 1ms; last: not yet", func(f *fake) {
			Await(f, time.Millisecond, "nothing", func(context.Context) error { return errors.New("not yet") })
		}},
		{"does not end", "has not ended within", func(f *fake) {
			_ = Start(f, "endless", shell("exec sleep 600")).Wait(f, time.Millisecond)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{TB: t}
			f.run(func() { c.body(f) })
			if len(f.fatal) != 1 || !strings.Contains(f.fatal[0], c.told) {
				t.Errorf("told %q, not %q", f.fatal, c.told)
			}
		})
	}
}

func TestAwaitServer(t *testing.T) {
	answers := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers++; answers < 3 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, `{"pools": [{"name": "p", "backends": [{"eligible": true}, {}]}],
			"proxies": [{"connected": true}, {}], "fieldOfALaterVersion": 1}`)
	}))
	defer s.Close()
	admin := s.Listener.Addr().String()
	AwaitTCP(t, soon, admin)
	AwaitHTTP(t, soon, s.URL)
	snap := AwaitSnapshot(t, soon, admin, "one and one", Standing("p", 1, 1))
	if got := Snapshot(t, admin); len(snap.GetPools()) != 1 || len(got.GetProxies()) != 2 {
		t.Errorf("snapshots %v and %v", snap, got)
	}
	if err := Standing("p", 2, 2)(&fairleadv1.Snapshot{}); err == nil {
		t.Error("an empty snapshot passes for two and two")
	}
}

func TestFreeAddr(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		addr := FreeAddr(t)
		if seen[addr] {
			t.Fatalf("%s came twice", addr)
		}
		seen[addr] = true
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}

func TestLogsAreBounded(t *testing.T) {
	l := newLogs()
	chunk := []byte(strings.Repeat("a line of output\n", 1000))
	for range 1000 {
		if _, err := l.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(l.String()); n > logLimit || n < logLimit/4 {
		t.Errorf("%d bytes kept of %d", n, 1000*len(chunk))
	}
	if s := l.tail(100); len(s) > 104 || !strings.HasPrefix(s, "...\na line") {
		t.Errorf("tail %q", s)
	}
}

func TestBinary(t *testing.T) {
	path := Binary(t, "github.com/fairlead/fairlead/internal/testproc/testdata/hello")
	if again := Binary(t, "github.com/fairlead/fairlead/internal/testproc/testdata/hello"); again != path {
		t.Errorf("built twice: %s and %s", path, again)
	}
	p := Start(t, "hello", exec.Command(path))
	if err := p.Wait(t, soon); err != nil || p.Logs() != "hello\n" || p.Name() != "hello" {
		t.Errorf("%v, output %q", err, p.Logs())
	}
}

func TestSum(t *testing.T) {
	const text = `# HELP requests Requests.
requests{pool="a",code="2xx"} 3
requests{pool="a",code="5xx"} 1.5e+03
requests{pool="b",code="2xx"} 7
requests_more{pool="a"} 9
goroutines 12
odd{pool="a"} many
`
	for _, c := range []struct {
		name, words string
		want        float64
		fails       bool
	}{
		{"requests", `pool="a"`, 1503, false},
		{"requests", "", 1510, false},
		{"goroutines", "", 12, false},
		{"requests", `pool="c"`, 0, true},
		{"odd", "", 0, true},
		{"absent", "", 0, true},
	} {
		got, err := sum(text, c.name, c.words)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s with %q sums up to %v, %v; want %v", c.name, c.words, got, err, c.want)
		}
	}
}
