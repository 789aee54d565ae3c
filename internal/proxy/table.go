package proxy

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// What a proxy keeps in its data directory, so that one that starts while no controller
// answers opens its listeners, and serves within its shares: the last good table, and what
// it was told last of backends.
const (
	tableFile    = "table.pb"
	backendsFile = "backends.pb"
)

const (
	maxKept   = 16 << 20 // of what is read of either
	keepsEach = time.Second
)

// header begins a file, and is followed by the sum of what comes then: a file cut short, of
// which a part may well read as a smaller table, is told from a whole one.
const header = "fairlead kept 1 %08x\n"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// keepTable writes a table to the data directory. That it cannot be written is no reason to
// serve less.
func (p *Proxy) keepTable(t *fairleadv1.Table) {
	if p.cfg.Data == "" {
		return
	}
	if err := writeKept(p.cfg.Data, tableFile, t); err != nil {
		p.cfg.Logger.Warn("the table could not be kept; a restart without a controller will open no listener", "error", err)
	}
}

// keepBackends writes down what is known of backends, when that has changed, until ctx ends.
func (p *Proxy) keepBackends(ctx context.Context) {
	tick := time.NewTicker(keepsEach)
	defer tick.Stop()
	var kept uint64
	for {
		over := false
		select {
		case <-tick.C:
		case <-ctx.Done():
			over = true
		}
		if all, version := p.session.Backends(kept); all != nil {
			if err := writeKept(p.cfg.Data, backendsFile, all); err != nil {
				p.cfg.Logger.Warn("what is known of backends could not be kept; after a restart without a controller requests will wait for one", "error", err)
			}
			kept = version
		}
		if over {
			return
		}
	}
}

// writeKept writes a file whole or not at all.
func writeKept(dir, name string, m proto.Message) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, name+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when it was renamed, as it should be
	_, err = fmt.Fprintf(f, header, crc32.Checksum(b, castagnoli))
	if err == nil {
		_, err = f.Write(b)
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

// last reads what was kept into m, and returns false when there is nothing that is whole.
func (p *Proxy) last(name string, m proto.Message) bool {
	if p.cfg.Data == "" {
		return false
	}
	err := readKept(filepath.Join(p.cfg.Data, name), m)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.cfg.Logger.Warn("what was kept is not used; it is written anew when a controller answers", "error", err)
	}
	return err == nil
}

// lastTable reads the table that was kept, or returns nil.
func (p *Proxy) lastTable() *fairleadv1.Table {
	t := &fairleadv1.Table{}
	if !p.last(tableFile, t) {
		return nil
	}
	return t
}

func readKept(file string, m proto.Message) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Size() > maxKept {
		return fmt.Errorf("%s has %d bytes, which is more than this program ever writes there", file, info.Size())
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, _, _ := strings.Cut(header, "%")
	if !strings.HasPrefix(string(b), head) {
		return fmt.Errorf("%s was not written by this program, or by another version of it", file)
	}
	n := min(len(b), len(fmt.Sprintf(header, 0)))
	if string(b[:n]) != fmt.Sprintf(header, crc32.Checksum(b[n:], castagnoli)) {
		return fmt.Errorf("%s is damaged: its end is missing, or some of it was changed", file)
	}
	b = b[n:]
	return proto.Unmarshal(b, m)
}
