//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
)

const (
	soon = 60 * time.Second // far more than anything here takes, also on a busy machine
	role = "bench"
)

// cluster is a PostgreSQL of the test's own.
type cluster struct {
	bin  string // where its programs are
	dir  string
	addr string
	cred *syscall.Credential // whom it runs as, when the test is root
	proc *testproc.Process
}

// programs returns the directory of PostgreSQL's programs, or skips the test.
func programs(t *testing.T) string {
	t.Helper()
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(dirs) // the newest first, up to version 99
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, dir := range dirs {
		missing := slices.ContainsFunc([]string{"initdb", "postgres", "psql", "pgbench"}, func(name string) bool {
			_, err := exec.LookPath(filepath.Join(dir, name))
			return err != nil
		})
		if !missing {
			return dir
		}
	}
	t.Skip("PostgreSQL's server and pgbench are not installed; on Debian: apt-get install postgresql")
	return ""
}

// start makes a PostgreSQL with so many connections, 3 of them for superusers, a role
// that is none, and pgbench's tables.
func start(t *testing.T, connections int) *cluster {
	t.Helper()
	c := &cluster{bin: programs(t), addr: testproc.FreeAddr(t)}
	c.place(t)
	host, port, err := net.SplitHostPort(c.addr)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(c.dir, "data")
	c.run(t, c.command("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"))
	args := []string{"-D", data}
	for _, setting := range []string{
		"listen_addresses=" + host, "port=" + port, "unix_socket_directories=",
		"max_connections=" + strconv.Itoa(connections), "superuser_reserved_connections=3",
		"fsync=off", "log_connections=on", "log_disconnections=on", "log_line_prefix=%p %u ",
	} {
		args = append(args, "-c", setting)
	}
	c.proc = testproc.Start(t, "postgres", c.command("postgres", args...))
	c.proc.SetStopSignal(syscall.SIGINT) // disconnects its clients, unlike SIGTERM
	testproc.Await(t, soon, "PostgreSQL", func(ctx context.Context) error {
		_, err := c.query(ctx, "select 1")
		return err
	}, c.proc)
	for _, statement := range []string{"create role " + role + " login", "create database bench owner " + role} {
		if _, err := c.query(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	c.run(t, c.bench(c.addr, "-i", "-q"))
	return c
}

// place makes the cluster's directory, in which the user postgres may work when the
// test is root: as that PostgreSQL refuses to run.
func (c *cluster) place(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "fairlead-postgres-") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	c.dir = dir
	if os.Getuid() != 0 {
		return
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Skipf("the test is root, and there is no user postgres to run PostgreSQL as: %v", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	c.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// command prepares one of PostgreSQL's programs, to run as the cluster's user.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+c.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred}
	return cmd
}

// run runs a program to its end and returns its output. The test ends if it fails.
func (c *cluster) run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	p := testproc.Start(t, filepath.Base(cmd.Path), cmd)
	if err := p.Wait(t, soon); err != nil {
		t.Fatalf("%s: %v", p.Name(), err)
	}
	return p.Logs()
}

// bench prepares pgbench, as an ordinary role, against PostgreSQL at some address.
func (c *cluster) bench(addr string, args ...string) *exec.Cmd {
	host, port, _ := net.SplitHostPort(addr)
	return c.command("pgbench", append(append([]string{"-h", host, "-p", port, "-U", role}, args...), "bench")...)
}

// query asks PostgreSQL itself, as superuser.
func (c *cluster) query(ctx context.Context, sql string) (string, error) {
	host, port, _ := net.SplitHostPort(c.addr)
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "psql"),
		"-h", host, "-p", port, "-U", "postgres", "-XAtc", sql, "postgres")
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "LC_ALL=C", "HOME="+c.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// watch has one session look at pg_stat_activity again and again, until the function
// that it returns ends it and says what was seen: how often, and the most connections of
// the role at once. The session takes one of PostgreSQL's connections all the while.
func (c *cluster) watch(t *testing.T) (end func() (looks, most int)) {
	t.Helper()
	host, port, err := net.SplitHostPort(c.addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := c.command("psql", "-h", host, "-p", port, "-U", "postgres", "-XAt", "postgres")
	cmd.Stdin = strings.NewReader(`select 'open', count(*) from pg_stat_activity where usename = '` + role + `' \watch 0.005`)
	p := testproc.Start(t, "watcher", cmd)
	p.AwaitLog(t, soon, "open|")
	return func() (looks, most int) {
		if err := p.Stop(); err != nil {
			t.Errorf("ending the watcher: %v", err)
		}
		for line := range strings.Lines(p.Logs()) {
			if number, ok := strings.CutPrefix(strings.TrimSpace(line), "open|"); ok {
				n, err := strconv.Atoi(number)
				if err != nil {
					t.Fatal(err)
				}
				looks, most = looks+1, max(most, n)
			}
		}
		return looks, most
	}
}

// mostByLog returns the most connections of the role at once that PostgreSQL's own log
// tells of, and how many there were in all.
func mostByLog(log string) (most, all int, err error) {
	open := map[string]bool{} // by process
	for line := range strings.Lines(log) {
		pid, rest, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(rest, role+" ") {
			continue
		}
		switch {
		case strings.Contains(rest, "LOG:  connection authorized:"):
			open[pid] = true
			all++
			most = max(most, len(open))
		case strings.Contains(rest, "LOG:  disconnection:"), strings.Contains(rest, "FATAL:"):
			delete(open, pid)
		}
	}
	if all == 0 {
		return 0, 0, errors.New("PostgreSQL's log tells of no connection")
	}
	return most, all, nil
}
