package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/fairlead/fairlead/internal/config"
)

func TestLastGood(t *testing.T) {
	const good = "pools:\n  - {name: p, agents: true, slots: 3}\n"
	dir := t.TempDir()
	path, data := filepath.Join(dir, file), filepath.Join(dir, "data")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := config.LoadOrLastGood(path, data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with neither file: %v", err)
	}
	for _, text := range []string{"pools: {}\n", good} { // the newer takes the older's place
		if err := config.KeepLastGood(data, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadDir(data)
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d files are kept (%v), want one", len(kept), err)
	}
	if info, err := kept[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want 0600", info.Mode(), err)
	}
	c, broken, err := config.LoadOrLastGood(path, data)
	if err != nil || broken == nil || c.Pools[0].Slots != 3 {
		t.Errorf("with a missing file: %+v, %v, %v", c, broken, err)
	}
	write("pools: 7\n")
	c, broken, err = config.LoadOrLastGood(path, data)
	var told config.Errors
	if err != nil || !errors.As(broken, &told) || c.Pools[0].Slots != 3 {
		t.Errorf("with a broken file: %+v, %v, %v", c, broken, err)
	}
	write("pools:\n  - {name: p, agents: true, slots: 4}\n")
	c, broken, err = config.LoadOrLastGood(path, data)
	if err != nil || broken != nil || c.Pools[0].Slots != 4 {
		t.Errorf("with a good file: %+v, %v, %v", c, broken, err)
	}
}
