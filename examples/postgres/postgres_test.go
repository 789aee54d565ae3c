//go:build unix

// Package postgres_test runs the example against a real PostgreSQL, where one is
// installed.
package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/testproc"
)

const (
	slots       = 6 // as fairlead.yaml says
	connections = 10
	clients     = 40
)

func TestMain(m *testing.M) { testproc.Main(m) }

// front starts Fairlead as the example's file says, on free ports, before a cluster, and
// returns the address for clients.
func front(t *testing.T, c *cluster) string {
	t.Helper()
	example, err := os.ReadFile("fairlead.yaml")
	if err != nil {
		t.Fatal(err)
	}
	via, admin := testproc.FreeAddr(t), testproc.FreeAddr(t)
	text := strings.NewReplacer(
		"127.0.0.1:5432", c.addr, "127.0.0.1:6432", via,
		"127.0.0.1:7400", testproc.FreeAddr(t), "127.0.0.1:7480", admin,
	).Replace(string(example))
	if n := strings.Count(text, fmt.Sprintf("slots: %d\n", slots)); n != 1 {
		t.Fatalf("the example has %d pools of %d slots, not 1", n, slots)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "fairlead.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testproc.Fairlead(t), "up", "-c", file)
	cmd.Dir = dir
	p := testproc.Start(t, "fairlead", cmd)
	testproc.AwaitHTTP(t, soon, "http://"+admin+"/readyz", p)
	testproc.AwaitSnapshot(t, soon, admin, "PostgreSQL to take grants", testproc.Standing("postgres", 1, 1), p)
	testproc.AwaitTCP(t, soon, via, p)
	return via
}

var (
	processed = regexp.MustCompile(`number of transactions actually processed: (\d+/\d+)`)
	turned    = regexp.MustCompile(`too many clients|remaining connection slots`)
)

// sure fails the test unless pgbench did all of its transactions and was never turned
// away.
func sure(t *testing.T, output, all string) {
	t.Helper()
	if got := processed.FindStringSubmatch(output); got == nil || got[1] != all {
		t.Errorf("transactions done: %v, want %s\n%s", got, all, output)
	}
	if strings.Contains(output, "FATAL") || strings.Contains(output, "connection to server") {
		t.Errorf("a connection failed:\n%s", output)
	}
}

// exact checks PostgreSQL's own view of a run. The cluster's connections are exactly the
// slots, the watcher's one and the 3 of superusers, so that PostgreSQL itself turns away
// one connection too many.
func exact(t *testing.T, c *cluster, looks, most int) {
	t.Helper()
	if most > slots {
		t.Errorf("pg_stat_activity showed %d connections at once, more than the %d slots", most, slots)
	}
	byLog, all, err := mostByLog(c.proc.Logs())
	if err != nil {
		t.Fatal(err)
	}
	if byLog != slots {
		t.Errorf("the log tells of %d connections at once, want %d, as many as the slots", byLog, slots)
	}
	if found := turned.FindString(c.proc.Logs()); found != "" {
		t.Errorf("PostgreSQL turned a connection away: %q", found)
	}
	t.Logf("most at once: %d by pg_stat_activity in %d looks, %d by the log of %d connections", most, looks, byLog, all)
}

func TestConnectionPerTransaction(t *testing.T) {
	c := start(t, connections)
	via := front(t, c)
	end := c.watch(t)
	// Each client has a thread of its own, since pgbench blocks while it connects.
	n := fmt.Sprint(clients)
	out := c.run(t, c.bench(via, "-n", "-S", "-C", "-c", n, "-j", n, "-t", "20"))
	looks, most := end()
	sure(t, out, fmt.Sprintf("%[1]d/%[1]d", clients*20))
	exact(t, c, looks, most)
}

func TestJobsThatKeepTheirConnection(t *testing.T) {
	const jobs = 20
	c := start(t, connections)
	via := front(t, c)
	end := c.watch(t)
	var running []*testproc.Process
	for i := range jobs {
		cmd := c.bench(via, "-n", "-S", "-c", "1", "-t", "500")
		running = append(running, testproc.Start(t, fmt.Sprintf("job-%d", i), cmd))
	}
	for _, job := range running {
		if err := job.Wait(t, soon); err != nil {
			t.Errorf("%s: %v", job.Name(), err)
		}
		sure(t, job.Logs(), "500/500")
	}
	looks, most := end()
	exact(t, c, looks, most)
}

func TestConnectionsThatStay(t *testing.T) {
	c := start(t, connections)
	via := front(t, c)
	end := c.watch(t)
	// pgbench opens all connections before its first transaction, so it must not want
	// more than there are slots.
	out := c.run(t, c.bench(via, "-n", "-c", fmt.Sprint(slots), "-j", "2", "-t", "100"))
	looks, most := end()
	sure(t, out, fmt.Sprintf("%[1]d/%[1]d", slots*100))
	exact(t, c, looks, most)
}

// TestDirect shows that the other tests' clients are too many for PostgreSQL alone.
func TestDirect(t *testing.T) {
	c := start(t, connections)
	n := fmt.Sprint(clients)
	p := testproc.Start(t, "pgbench", c.bench(c.addr, "-n", "-S", "-C", "-c", n, "-j", n, "-t", "20"))
	if err := p.Wait(t, soon); err == nil {
		t.Errorf("%d clients on %d connections: pgbench succeeded", clients, connections)
	}
	if !turned.MatchString(p.Logs()) {
		t.Errorf("PostgreSQL turned nobody away:\n%s", p.Logs())
	}
}

// TestRun runs the example's own script.
func TestRun(t *testing.T) {
	programs(t)
	cmd := exec.Command("./run.sh")
	cmd.Env = append(os.Environ(), "FAIRLEAD="+testproc.Fairlead(t))
	p := testproc.Start(t, "run.sh", cmd)
	if err := p.Wait(t, 2*soon); err != nil {
		t.Errorf("run.sh: %v", err)
	}
	if !strings.Contains(p.Logs(), "== comparison") {
		t.Errorf("no comparison:\n%s", p.Logs())
	}
}
