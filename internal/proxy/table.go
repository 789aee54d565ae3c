package proxy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// tableFile holds the last good table, so that a proxy that starts while no controller
// answers opens its listeners, and its clients wait instead of being turned away.
const tableFile = "table.pb"

// maxTable bounds what is read of it.
const maxTable = 16 << 20

// keepTable writes a table to the data directory, whole or not at all. That it cannot
// be written is no reason to serve less.
func (p *Proxy) keepTable(t *fairleadv1.Table) {
	if p.cfg.Data == "" {
		return
	}
	if err := writeTable(p.cfg.Data, t); err != nil {
		p.cfg.Logger.Warn("the table could not be kept; a restart without a controller will open no listener", "error", err)
	}
}

func writeTable(dir string, t *fairleadv1.Table) error {
	b, err := proto.Marshal(t)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, tableFile+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when it was renamed, as it should be
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, tableFile))
}

// lastTable reads the table that was kept, or returns nil.
func (p *Proxy) lastTable() *fairleadv1.Table {
	if p.cfg.Data == "" {
		return nil
	}
	t, err := readTable(filepath.Join(p.cfg.Data, tableFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		p.cfg.Logger.Warn("the last table is not readable; waiting for a controller", "error", err)
		return nil
	}
	return t
}

func readTable(file string) (*fairleadv1.Table, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxTable {
		return nil, errors.New(file + " is too large to be a table")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t := &fairleadv1.Table{}
	if err := proto.Unmarshal(b, t); err != nil {
		return nil, err
	}
	return t, nil
}
