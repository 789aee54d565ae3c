package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/lease/leasepb"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"google.golang.org/protobuf/proto"
)

// mostDatabase is the largest database that is read: the quota bounds what is kept, and not
// what the file takes for it.
const mostDatabase = 16 * defaultQuota

// checkData reads what a member left, before etcd does, and changes nothing: its log has to
// be readable, and to go as far as its database. etcd would start with a log that has lost
// its end, and then leave out as many writes as it has lost; and at some kinds of damage it
// panics in a goroutine of its own.
func checkData(cfg Config) error {
	if !hasData(cfg.Dir) {
		return nil
	}
	var last, applied uint64
	err := guarded(func(f *fate) (err error) {
		last, err = lastLogged(cfg, f)
		return err
	})
	if err != nil {
		return fmt.Errorf("the data directory %s is damaged: its log cannot be read: %w; %s", cfg.Dir, err, wayOut(cfg))
	}
	applied, err = lastApplied(filepath.Join(cfg.Dir, "member", "snap", "db"))
	if errors.Is(err, fs.ErrPermission) {
		return explainStart(err, cfg)
	}
	if err != nil {
		return fmt.Errorf("the data directory %s is damaged: its database cannot be read: %w; %s", cfg.Dir, err, wayOut(cfg))
	}
	if applied > last {
		return fmt.Errorf("the data directory %s is damaged: its database has change %d, and its log ends at %d; %s",
			cfg.Dir, applied, last, wayOut(cfg))
	}
	return nil
}

// lastLogged returns the index of the last entry of the log.
func lastLogged(cfg Config, f *fate) (uint64, error) {
	dir, log := filepath.Join(cfg.Dir, "member", "wal"), zapLogger(cfg.Log, f)
	snaps, err := wal.ValidSnapshotEntries(log, dir)
	if err != nil {
		return 0, err
	}
	from := &walpb.Snapshot{}
	if len(snaps) > 0 {
		from = snaps[len(snaps)-1]
	}
	w, err := wal.OpenForRead(log, dir, from)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	meta, _, entries, err := w.ReadAll()
	switch {
	case err != nil:
		return 0, err
	case len(meta) == 0:
		return 0, errors.New("its beginning is missing")
	case len(entries) == 0:
		return from.GetIndex(), nil
	}
	return entries[len(entries)-1].GetIndex(), nil
}

// lastApplied reads a database, and returns the index of the last entry of the log that is in
// it; 0: there is none, or no database yet.
func lastApplied(path string) (index uint64, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() > mostDatabase {
		return 0, fmt.Errorf("it has %d bytes; at most %d make sense", info.Size(), mostDatabase)
	}
	return readApplied(file, info.Size())
}

// readApplied reads what etcd would stumble over, too: revisions of keys, and leases.
func readApplied(file io.ReaderAt, size int64) (index uint64, err error) {
	err = readPages(file, size, func(bucket string, key, value []byte) error {
		switch {
		case bucket == "key":
			return checkRevision(key, value)
		case bucket == "lease":
			var l leasepb.Lease
			if err := proto.Unmarshal(value, &l); err != nil || len(key) != 8 || binary.BigEndian.Uint64(key) != uint64(l.GetID()) {
				return fmt.Errorf("the lease %x is not what it says, %x", key, l.GetID())
			}
		case bucket == "meta" && string(key) == "consistent_index":
			if len(value) != 8 {
				return fmt.Errorf("the index has %d bytes", len(value))
			}
			index = binary.BigEndian.Uint64(value)
		}
		return nil
	})
	return index, err
}

// checkRevision checks one revision of a key: its number, 8 bytes, a dash, 8 bytes of a number
// within it, a t if it is a deletion; and what the key was then.
func checkRevision(revision, value []byte) error {
	deletion := len(revision) == 18 && revision[17] == 't'
	if len(revision) != 17 && !deletion || revision[8] != '_' {
		return fmt.Errorf("%q is no revision", revision)
	}
	var kv mvccpb.KeyValue
	if err := proto.Unmarshal(value, &kv); err != nil {
		return fmt.Errorf("revision %x: %w", revision[:8], err)
	}
	if deletion {
		return nil
	}
	main := int64(binary.BigEndian.Uint64(revision))
	if kv.GetModRevision() != main || kv.GetCreateRevision() < 1 || kv.GetCreateRevision() > main || kv.GetVersion() < 1 {
		return fmt.Errorf("revision %d says that it is %d", main, kv.GetModRevision())
	}
	return nil
}

// guarded runs what may panic, or end its goroutine, in one of its own.
func guarded(do func(*fate) error) error {
	f := newFate()
	done := make(chan error, 1)
	go func() {
		err := errors.New("it gave up")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("%v", p)
			}
			done <- err
		}()
		err = do(f)
	}()
	err := <-done
	select {
	case <-f.dead:
		return f.err
	default:
		return err
	}
}
