package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
)

// restoredFile marks a data directory that was made from a backup, until the store has been
// opened once.
const restoredFile = "restored"

// Restore makes cfg's data directory, which must not be there yet, from a backup: that of a
// cluster of one. Others join it with empty directories.
func Restore(cfg Config, backup string) error {
	if err := cfg.Check(); err != nil {
		return err
	}
	cfg = cfg.withDefaults()
	if len(cfg.Endpoints) > 0 {
		return errNotEmbedded
	}
	if _, err := os.Stat(backup); err != nil {
		return fmt.Errorf("the backup cannot be read: %w", err)
	}
	if _, err := os.Stat(cfg.Dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the directory %s is there already; move it away first, so that nothing is lost", cfg.Dir)
	}
	u := cfg.peerURL(nowhere)
	if at, ok := cfg.Peers[cfg.Name]; ok {
		u = cfg.peerURL(at)
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Dir), 0o700); err != nil {
		return err
	}
	err := snapshot.NewV3(zapFor(cfg)).Restore(snapshot.RestoreConfig{
		SnapshotPath: backup, Name: cfg.Name, OutputDataDir: cfg.Dir,
		PeerURLs: []string{u.String()}, InitialCluster: cfg.Name + "=" + u.String(), InitialClusterToken: token,
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(cfg.Dir, restoredFile), nil, 0o600)
	}
	if err == nil {
		err = writeIdentity(cfg, 0)
	}
	if err != nil {
		return fmt.Errorf("the backup %s cannot be restored: %w", backup, errors.Join(err, os.RemoveAll(cfg.Dir)))
	}
	return nil
}

// rebase has epochs go on above those of the cluster that was backed up, which led on after
// the backup was made: epochs count changes of the store from the time at which it first
// ran, in milliseconds, and there are fewer changes than milliseconds.
func (s *Store) rebase(ctx context.Context) error {
	if s.member == nil {
		return nil
	}
	mark := filepath.Join(s.cfg.Dir, restoredFile)
	if _, err := os.Stat(mark); err != nil {
		return nil
	}
	base := max(uint64(time.Now().UnixMilli()), s.base+1)
	if _, err := s.client.Put(ctx, baseKey, strconv.FormatUint(base, 10)); err != nil {
		return err
	}
	s.base = base
	return os.Remove(mark)
}
