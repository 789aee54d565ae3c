package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// TestQuota: facts are refused before the quota is used up, so that elections go on; when it
// is used up all the same, a restart makes room.
func TestQuota(t *testing.T) {
	t.Parallel()
	cfg := alone(t, filepath.Join(t.TempDir(), "store"))
	cfg.quota = 2 << 20
	s := open(t, cfg)
	large := Agent{Zone: strings.Repeat("z", MaxFactValue-100)}
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = Put(within(t), s, Agents, fmt.Sprint("p/b:", n), large)
	}
	if err == nil || !strings.Contains(err.Error(), "the store is full; delete what is of no use") {
		t.Fatalf("after %d facts: %v", n, err)
	}
	before := lead(t, s, "pool")
	for err = nil; err == nil; n++ { // as if somebody else wrote
		_, err = s.client.Put(within(t), fmt.Sprint("/other/", n), large.Zone)
	}
	if !errors.Is(err, rpctypes.ErrNoSpace) && !errors.Is(err, rpctypes.ErrGRPCNoSpace) {
		t.Fatal(err)
	}
	if _, err = s.client.Delete(within(t), "/other/", clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	for i := range 150 {
		if err := Delete(within(t), s, Agents, fmt.Sprint("p/b:", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err = s.failedTo("keep it", rpctypes.ErrNoSpace); !strings.Contains(err.Error(), "restart the controllers") {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, cfg)
	if after := lead(t, again, "pool"); after.Epoch <= before.Epoch {
		t.Errorf("epoch %d after %d", after.Epoch, before.Epoch)
	}
	if err := Put(within(t), again, Overrides, "p/b:1", Override{Drain: true}); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// onFullDisk names the directory for the process in which a disk fills: etcd gives up where
// it is, and its goroutines stay.
const onFullDisk = "FAIRLEAD_TEST_FULL_DISK"

// TestFullDisk fills a small disk: while a store runs, and before one starts.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be made (mount: %v: %s); run this as root", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestDiskFills$", "-test.v", "-test.timeout=60s")
	child.Env = append(os.Environ(), onFullDisk+"="+dir)
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: TestDiskFills") {
		t.Errorf("%v:\n%s", err, out)
	}
	cfg := alone(t, filepath.Join(dir, "store"))
	refused(t, cfg, "the disk of "+cfg.Dir+" is full", "free some space")
	refused(t, alone(t, filepath.Join(dir, "another")), "is full", "free some space")
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	known, err := Load(within(t), open(t, cfg), Overrides)
	if err != nil || !known["p/b:1"].Drain {
		t.Errorf("with room again there is %v, %v", known, err)
	}
}

// TestDiskFills runs in a process of its own, which TestFullDisk starts.
func TestDiskFills(t *testing.T) {
	dir := os.Getenv(onFullDisk)
	if dir == "" {
		t.Skip("TestFullDisk runs this")
	}
	cfg := alone(t, filepath.Join(dir, "store"))
	cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil)) // it goes on when the test is over
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	term := lead(t, s, "pool")
	if err := Put(within(t), s, Overrides, "p/b:1", Override{Drain: true}); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(dir, "filler"))
	large := Agent{Zone: strings.Repeat("z", MaxFactValue-100)}
	ctx := within(t)
	for n := 0; err == nil && ctx.Err() == nil; n++ {
		err = Put(ctx, s, Agents, fmt.Sprint("p/b:", n), large)
	}
	t.Log(err)
	await(t, s.Failed(), "a store without a disk ends")
	if err := s.Err(); !strings.Contains(err.Error(), "the disk of") || !strings.Contains(err.Error(), "free some space, and start this controller again") {
		t.Error(err)
	}
	await(t, term.Lost(), "its terms end")
	// It may not be able to close; its process ends, as a controller's does.
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}
