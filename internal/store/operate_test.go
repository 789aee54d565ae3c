package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cluster is a list of peers, with a directory each.
type cluster struct {
	t     *testing.T
	peers map[string]string
	dirs  map[string]string

	change func(*Config) // nil: nothing
}

func newCluster(t *testing.T, names ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, peers: map[string]string{}, dirs: map[string]string{}}
	for i, at := range freePorts(t, len(names)) {
		c.peers[names[i]], c.dirs[names[i]] = at, filepath.Join(t.TempDir(), "store")
	}
	return c
}

func (c *cluster) config(name string, join bool) Config {
	cfg := Config{Name: name, Address: "127.0.0.1:1", Dir: c.dirs[name], Peers: c.peers, Join: join, Log: logger(c.t)}
	if c.change != nil {
		c.change(&cfg)
	}
	return cfg
}

// TestGrow grows a cluster from one controller, which was alone, to three, replaces a member
// that is lost, and finds what was kept.
func TestGrow(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "a", "b", "c")
	lone := Config{Name: "a", Address: "127.0.0.1:1", Dir: c.dirs["a"], Log: logger(t)}
	first, err := Open(t.Context(), lone)
	if err != nil {
		t.Fatal(err)
	}
	if err := Put(within(t), first, Overrides, "p/b:1", Override{Drain: true}); err != nil {
		t.Fatal(err)
	}
	if err := first.AddNode(within(t), c.peers["b"]); err == nil || !strings.Contains(err.Error(), "list of peers") {
		t.Errorf("a controller alone adds another: %v", err)
	}
	before := lead(t, first, "pool").Epoch
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	a := open(t, c.config("a", false))
	if _, err := Open(t.Context(), c.config("b", true)); err == nil || !strings.Contains(err.Error(), "fairlead store add "+c.peers["b"]) {
		t.Errorf("a controller that was not added joins: %v", err)
	}
	stores := map[string]*Store{"a": a}
	for _, name := range []string{"b", "c"} {
		if err := a.AddNode(within(t), c.peers[name]); err != nil {
			t.Fatal(err)
		}
		stores[name] = open(t, c.config(name, true))
	}
	nodes, err := stores["c"].Nodes(within(t))
	if err != nil || len(nodes) != 3 || nodes[2].Name != "c" || !nodes[2].Here || nodes[2].Learns || nodes[0].Address != c.peers["a"] {
		t.Fatalf("the members are %+v, %v", nodes, err)
	}
	kept, err := Load(within(t), stores["c"], Overrides)
	if err != nil || !kept["p/b:1"].Drain {
		t.Errorf("the third member has %v, %v", kept, err)
	}
	if after := lead(t, stores["b"], "pool").Epoch; after <= before {
		t.Errorf("epoch %d after %d", after, before)
	}
	// c is lost with its disk.
	if err := stores["c"].Close(); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(c.dirs["c"]); err != nil {
		t.Fatal(err)
	}
	if err := a.RemoveNode(within(t), "nobody"); err == nil {
		t.Error("a member that is not there was removed")
	}
	if err := a.RemoveNode(within(t), "c"); err != nil {
		t.Fatal(err)
	}
	if err := a.AddNode(within(t), c.peers["c"]); err != nil {
		t.Fatal(err)
	}
	again := open(t, c.config("c", true))
	if kept, err = Load(within(t), again, Overrides); err != nil || !kept["p/b:1"].Drain {
		t.Errorf("the new member has %v, %v", kept, err)
	}
}

// TestBackupAndRestore: what was backed up is back, and epochs go on above those of after it.
func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	cfg := alone(t, filepath.Join(dir, "store"))
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := Put(within(t), s, Overrides, "p/b:1", Override{Drain: true}); err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := s.Backup(within(t), &backup); err != nil {
		t.Fatal(err)
	}
	if err := Delete(within(t), s, Overrides, "p/b:1"); err != nil {
		t.Fatal(err)
	}
	var last uint64
	for range 3 {
		term := lead(t, s, "pool")
		last = term.Epoch
		if err := term.Resign(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "backup")
	if err := os.WriteFile(file, backup.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Restore(cfg, file); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("a directory that is in use was restored into: %v", err)
	}
	if err := os.Rename(cfg.Dir, cfg.Dir+".old"); err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string][]byte{"cut": backup.Bytes()[:backup.Len()/2], "nothing": nil, "garbage": []byte(strings.Repeat("x", 4096))} {
		bad := filepath.Join(dir, what)
		if err := os.WriteFile(bad, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Restore(cfg, bad); err == nil {
			t.Errorf("a backup that is %s was restored", what)
		}
		if _, err := os.Stat(cfg.Dir); err == nil {
			t.Errorf("a backup that is %s left a directory", what)
		}
	}
	if err := Restore(cfg, file); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s = open(t, cfg)
		kept, err := Load(within(t), s, Overrides)
		if err != nil || !kept["p/b:1"].Drain {
			t.Errorf("after the restore there is %v, %v", kept, err)
		}
		term := lead(t, s, "pool")
		if term.Epoch <= last {
			t.Errorf("epoch %d after %d", term.Epoch, last)
		}
		last = term.Epoch
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
