package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// What has to be free on the disk for a start: with an empty directory the log begins with a
// segment, and another one that is to be next; the database is small.
const (
	roomToBegin = 3 * walSegment
	roomToGoOn  = 1 << 20
)

// checkRoom refuses to start on a disk that is full; etcd would end while it starts.
func checkRoom(cfg Config) error {
	need := uint64(roomToBegin)
	if hasData(cfg.Dir) {
		need = roomToGoOn
	}
	if free, known := freeSpace(cfg.Dir); known && free < need {
		return fmt.Errorf("the disk of %s is full: it has room for %d KB, and the store needs %d; free some space", cfg.Dir, free>>10, need>>10)
	}
	return nil
}

var errFull = errors.New("the store is full")

// checkFull refuses facts when half of the quota is used up. Elections have the rest, and the
// holes in the file, which count: beyond the quota etcd refuses leases and terms too.
func (m *member) checkFull() error {
	if m == nil {
		return nil
	}
	used, err := outlive(m.fate, func() (int64, error) { return m.etcd.Server.Backend().SizeInUse(), nil })
	if err != nil {
		return err
	}
	if used > m.cfg.quota/2 {
		return fmt.Errorf("%w; delete what is of no use (what was deleted takes room for some minutes)", errFull)
	}
	return nil
}

// makeRoom ends etcd's alarm that the quota is used up, by which it would refuse every write
// for ever: the history goes, and the file is written anew without its holes. Each member
// does so for itself when it starts.
func (s *Store) makeRoom(ctx context.Context) error {
	if s.member == nil {
		return nil
	}
	alarms, err := s.client.AlarmList(ctx)
	if err != nil {
		return err
	}
	for _, a := range alarms.Alarms {
		if a.Alarm != etcdserverpb.AlarmType_NOSPACE || a.MemberID != uint64(s.member.etcd.Server.MemberID()) {
			continue
		}
		now, err := s.client.Get(ctx, baseKey)
		if err != nil {
			return err
		}
		if _, err := s.client.Compact(ctx, now.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
			s.cfg.Log.Debug("the store's history is gone already", "error", err)
		}
		before, began := s.member.etcd.Server.Backend().Size(), time.Now()
		if err := s.member.etcd.Server.Backend().Defrag(); err != nil {
			return err
		}
		after := s.member.etcd.Server.Backend().Size()
		if after > s.cfg.quota/16*15 {
			return fmt.Errorf("%w: %d of %d bytes are in use; restore an older backup", errFull, after, s.cfg.quota)
		}
		if _, err := s.client.AlarmDisarm(ctx, (*clientv3.AlarmMember)(a)); err != nil {
			return err
		}
		s.cfg.Log.Warn("the store was full, and has room again", "bytes_before", before, "bytes", after, "took", time.Since(began))
	}
	return nil
}
