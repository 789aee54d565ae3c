//go:build unix

// Package controllers runs three controllers, real processes with a store each, and looks at
// what they share: pools are spread over them, what an operator sets holds at all of them and
// lasts.
package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

func TestMain(m *testing.M) { testproc.Main(m) }

const (
	soon  = 45 * time.Second
	pools = 3
)

type controller struct {
	*testproc.Process
	name, wire, admin, file string
}

type cluster struct {
	t       *testing.T
	all     []*controller
	backend string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv("GORACE") == "" {
		t.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.NotFoundHandler()}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	c := &cluster{t: t, backend: ln.Addr().String()}
	var peers []string
	for i := range 3 {
		name := string(rune('a' + i))
		peers = append(peers, fmt.Sprintf("%s: %q", name, testproc.FreeAddr(t)))
		c.all = append(c.all, &controller{name: name, wire: testproc.FreeAddr(t), admin: testproc.FreeAddr(t)})
	}
	dir := t.TempDir()
	for _, x := range c.all {
		text := fmt.Sprintf("controller: {name: %s, listen: %q, admin: %q, data: %q, store: {peers: {%s}}}\npools:\n",
			x.name, x.wire, x.admin, filepath.Join(dir, x.name), strings.Join(peers, ", "))
		for i := range pools {
			text += fmt.Sprintf("  - {name: pool%d, slots: 2, backends: [{address: %q}]}\n", i, c.backend)
		}
		x.file = filepath.Join(dir, x.name+".yaml")
		if err := os.WriteFile(x.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.start()
	return c
}

func (c *cluster) start() {
	c.t.Helper()
	for _, x := range c.all {
		x.Process = testproc.Start(c.t, x.name, exec.Command(testproc.Fairlead(c.t), "controller", "-c", x.file))
	}
}

// leads returns how many pools each of those that answer leads.
func (c *cluster) leads(ctx context.Context) (map[string]int, error) {
	n := map[string]int{}
	for _, x := range c.all {
		s, err := testproc.Look(ctx, x.admin)
		if err != nil {
			return nil, err
		}
		for _, p := range s.GetPools() {
			if p.GetLedHere() {
				n[x.name]++
			}
		}
	}
	return n, nil
}

func (c *cluster) awaitLeads(want map[string]int) {
	c.t.Helper()
	testproc.Await(c.t, soon, fmt.Sprintf("pools to be led as %v", want), func(ctx context.Context) error {
		n, err := c.leads(ctx)
		if err == nil && !maps.Equal(n, want) {
			err = fmt.Errorf("they are led as %v", n)
		}
		return err
	})
}

func (c *cluster) tool(args ...string) string {
	c.t.Helper()
	out, err := exec.Command(testproc.Fairlead(c.t), args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("fairlead %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// awaitDrain waits until each controller says of each pool whether its backend drains.
func (c *cluster) awaitDrain(drains bool) {
	c.t.Helper()
	for _, x := range c.all {
		testproc.AwaitSnapshot(c.t, soon, x.admin, fmt.Sprintf("%s to say that draining is %v", x.name, drains), func(s *fairleadv1.Snapshot) error {
			for _, p := range s.GetPools() {
				b := p.GetBackends()
				if len(b) != 1 || (b[0].GetState() == "drained") != drains {
					return errors.New(p.GetName() + " does not")
				}
			}
			return nil
		}, x.Process)
	}
}

// awaitSlots waits until each controller says of each pool how many slots its backend has.
func (c *cluster) awaitSlots(n uint32) {
	c.t.Helper()
	for _, x := range c.all {
		testproc.AwaitSnapshot(c.t, soon, x.admin, fmt.Sprintf("%s to have %d slots", x.name, n), func(s *fairleadv1.Snapshot) error {
			for _, p := range s.GetPools() {
				if b := p.GetBackends(); len(b) != 1 || b[0].GetSlots() != n || b[0].GetWeight() != 2 {
					return fmt.Errorf("%s has %v", p.GetName(), b)
				}
			}
			return nil
		}, x.Process)
	}
}

// TestControllersShareTheWork: each leads one of three pools; a pool is moved by hand, and
// back; what one is told holds at all, and outlives them.
func TestControllersShareTheWork(t *testing.T) {
	c := newCluster(t)
	c.awaitLeads(map[string]int{"a": 1, "b": 1, "c": 1})
	list := c.tool("pools", "--controller", c.all[0].wire)
	for _, word := range []string{"LED-BY", "pool0", "pool1", "pool2", " a ", " b ", " c "} {
		if !strings.Contains(list, word) {
			t.Errorf("fairlead pools does not say %q:\n%s", word, list)
		}
	}
	for i := range pools {
		c.tool("pools", "move", fmt.Sprintf("pool%d", i), "b", "--controller", c.all[i].wire)
	}
	c.awaitLeads(map[string]int{"b": 3})
	for i := range pools {
		c.tool("pools", "move", fmt.Sprintf("pool%d", i), "--auto", "--controller", c.all[i].wire)
	}
	c.awaitLeads(map[string]int{"a": 1, "b": 1, "c": 1})

	members := c.tool("store", "members", "--controller", c.all[0].wire)
	if strings.Count(members, "votes") != 3 {
		t.Errorf("fairlead store members says\n%s", members)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	c.tool("store", "backup", backup, "--controller", c.all[1].wire)
	if info, err := os.Stat(backup); err != nil || info.Size() < 4096 || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is %v, %v", info, err)
	}

	c.tool("drain", c.backend, "--controller", c.all[2].wire)
	c.tool("adjust", c.backend, "--slots", "7", "--weight", "2", "--controller", c.all[0].wire)
	c.awaitDrain(true)
	for _, x := range c.all {
		x.Kill()
	}
	c.start()
	c.awaitDrain(true)
	c.awaitSlots(7)
	c.tool("adjust", c.backend, "--slots", "0", "--controller", c.all[2].wire)
	c.awaitSlots(2)
	c.tool("undrain", c.backend, "--controller", c.all[1].wire)
	c.awaitDrain(false)
	for _, x := range c.all {
		x.Kill()
	}
	c.start()
	c.awaitDrain(false)
}
