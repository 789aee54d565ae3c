package store

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Evict ends a member's lease before its time, so that others lead its pools at once. It is
// for who has seen that the member's process is gone. Should that one live after all, it
// notices with its next word to the store, within a tenth of the lease's time; until then
// both may think that they lead, as Learn of package dispatch allows for.
func (s *Store) Evict(ctx context.Context, name string) error {
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	resp, err := s.client.Get(once, memberPre+name)
	if err != nil || len(resp.Kvs) == 0 {
		return s.failedTo("end the lease of "+name, err)
	}
	id := clientv3.LeaseID(resp.Kvs[0].Lease)
	if id == 0 || id == s.currentLease().id {
		return fmt.Errorf("the lease of %s is not another one's to end", name)
	}
	return s.failedTo("end the lease of "+name, s.revoke(once, id))
}

// Registered returns nil when the store has this controller as alive, in the lease that it
// knows of. What was put before was then put before anybody could take over from it.
func (s *Store) Registered(ctx context.Context) error {
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	l := s.currentLease()
	resp, err := s.client.Get(once, memberPre+s.cfg.Name)
	if err != nil {
		return s.failedTo("see whether this controller is alive", err)
	}
	if len(resp.Kvs) == 0 || clientv3.LeaseID(resp.Kvs[0].Lease) != l.id {
		return fmt.Errorf("this controller's lease is over; it is about to take another one")
	}
	return nil
}

// succeed ends the lease of an earlier run of this controller, which is dead: it had the same
// data directory, and that is locked by one process at a time.
func (s *Store) succeed(ctx context.Context) error {
	if s.member == nil {
		return nil
	}
	resp, err := s.client.Get(ctx, memberPre+s.cfg.Name)
	if err != nil || len(resp.Kvs) == 0 || resp.Kvs[0].Lease == 0 {
		return err
	}
	return s.revoke(ctx, clientv3.LeaseID(resp.Kvs[0].Lease))
}

// revoke ends a lease. It is as good that it has ended by itself.
func (s *Store) revoke(ctx context.Context, id clientv3.LeaseID) error {
	_, err := s.client.Revoke(ctx, id)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return nil
	}
	return err
}
