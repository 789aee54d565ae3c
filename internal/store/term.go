package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Term is the time in which this controller leads a pool. Its methods are safe for
// concurrent use.
type Term struct {
	Pool string
	// Epoch grows with each election of the pool. It is the store's revision at which the
	// pool's key came to be, and no two changes of a store have the same revision. See
	// readBase and Restore for stores that begin anew.
	Epoch uint64

	store *Store
	lease *lease
	stop  context.CancelFunc
	once  sync.Once
	lost  chan struct{}
}

// epoch returns the epoch of a key that came to be at a revision.
func (s *Store) epoch(revision int64) uint64 { return s.base + uint64(revision) }

// Campaign waits until this controller leads the pool. While the store does not answer it
// waits too; it returns an error only when the context is done, the store is closed, the
// pool's name is not good, or this controller leads the pool already.
func (s *Store) Campaign(ctx context.Context, pool string) (*Term, error) {
	if !names.MatchString(pool) {
		return nil, fmt.Errorf("the name %q of the pool is not good; use up to 63 letters, digits, dots, dashes and underscores", pool)
	}
	if err := s.hold(pool); err != nil {
		return nil, err
	}
	for {
		l, err := s.certainLease(ctx)
		if err = errors.Join(err, ctx.Err()); err != nil {
			s.release(pool)
			return nil, err
		}
		term, seen, err := s.stand(ctx, l, pool)
		switch {
		case term != nil && term.Certain():
			return term, nil
		case term != nil:
			term.end() // the lease ran out on the way
			if err := s.hold(pool); err != nil {
				return nil, err
			}
		case err != nil:
			wait(ctx, pause)
		default:
			s.awaitVacant(ctx, l, pool, seen)
		}
	}
}

// hold notes that there is a term of the pool, or about to be.
func (s *Store) hold(pool string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.held[pool] {
		return fmt.Errorf("this controller leads the pool %s already, or stands for it; resign first", pool)
	}
	s.held[pool] = true
	return nil
}

func (s *Store) release(pool string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, pool)
}

// stand takes the pool if nobody leads it. Else it returns the revision at which it saw
// that somebody does.
func (s *Store) stand(ctx context.Context, l *lease, pool string) (*Term, int64, error) {
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	value, err := json.Marshal(leaderRecord{s.cfg.Name, s.cfg.Address})
	if err != nil {
		return nil, 0, err
	}
	key := leaderPre + pool
	resp, err := s.client.Txn(once).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, string(value), clientv3.WithLease(l.id))).
		Else(clientv3.OpGet(key)).Commit()
	if err != nil {
		return nil, 0, err
	}
	if resp.Succeeded {
		return s.newTerm(pool, l, resp.Header.Revision), 0, nil
	}
	kv := resp.Responses[0].GetResponseRange().Kvs[0]
	if clientv3.LeaseID(kv.Lease) == l.id {
		// An earlier try whose answer was lost. It is given back, for the answer may
		// have been lost long ago.
		_, err := s.client.Txn(once).If(clientv3.Compare(clientv3.CreateRevision(key), "=", kv.CreateRevision)).
			Then(clientv3.OpDelete(key)).Commit()
		return nil, 0, errors.Join(errors.New("an earlier election is taken back"), err)
	}
	return nil, resp.Header.Revision, nil
}

// awaitVacant waits until the pool's key is gone, as far as it can see.
func (s *Store) awaitVacant(ctx context.Context, l *lease, pool string, seen int64) {
	watching, stop := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer stop()
	// Watch itself waits, for as long as there is no connection.
	defer context.AfterFunc(l.live, stop)()
	changes := s.client.Watch(watching, leaderPre+pool, clientv3.WithRev(seen+1), clientv3.WithFilterPut())
	for {
		select {
		case w, ok := <-changes:
			if !ok || w.Err() != nil {
				wait(ctx, pause)
				return
			}
			if len(w.Events) > 0 {
				return
			}
		case <-l.lost:
			return
		}
	}
}

func (s *Store) newTerm(pool string, l *lease, revision int64) *Term {
	ctx, stop := context.WithCancel(context.Background())
	t := &Term{Pool: pool, Epoch: s.epoch(revision), store: s, lease: l, stop: stop, lost: make(chan struct{})}
	watch := func() {
		defer t.end()
		for ctx.Err() == nil && t.lease.certain() && !t.gone(ctx, revision) {
			wait(ctx, pause)
		}
	}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.wg.Go(watch)
	}
	s.mu.Unlock()
	if closed {
		t.end()
	}
	return t
}

// gone waits until the term's key is gone, or its lease, or the context is done; then it
// returns true. It returns false when it could not see.
func (t *Term) gone(ctx context.Context, revision int64) bool {
	once, done := context.WithTimeout(ctx, opTime)
	resp, err := t.store.client.Get(once, leaderPre+t.Pool)
	done()
	if err != nil {
		return false
	}
	if len(resp.Kvs) == 0 || resp.Kvs[0].CreateRevision != revision {
		return true
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	// Watch itself waits, for as long as there is no connection.
	defer context.AfterFunc(t.lease.live, stop)()
	changes := t.store.client.Watch(watching, leaderPre+t.Pool, clientv3.WithRev(resp.Header.Revision+1), clientv3.WithFilterPut())
	for {
		select {
		case <-t.lease.lost:
			return true
		case <-ctx.Done():
			return true
		case w, ok := <-changes:
			if !ok || w.Err() != nil {
				return false
			}
			if len(w.Events) > 0 {
				return true
			}
		}
	}
}

// end ends the term on this side.
func (t *Term) end() {
	t.once.Do(func() {
		t.stop()
		t.store.release(t.Pool)
		close(t.lost)
	})
}

// Until returns until when this controller is certain to lead, as far as it knows now: the
// time at which the last keepalive that was answered was sent, and nine tenths of the
// lease's time; the tenth is for clocks that run at different speeds. It grows as long as
// the store answers. It has a monotonic clock reading.
func (t *Term) Until() time.Time { return t.lease.end() }

// Certain tells whether this controller leads now. Whoever acts for the pool asks before
// each act: a timer, and so Lost, may be late when a process was stopped.
func (t *Term) Certain() bool {
	select {
	case <-t.lost:
		return false
	default:
		return t.lease.certain()
	}
}

// Lost is closed when the term is over: the lease ran out, or somebody took the pool's key
// away, or Resign was called.
func (t *Term) Lost() <-chan struct{} { return t.lost }

// Resign ends the term, and then lets another lead. An error says that others may have to
// wait until the lease ends.
func (t *Term) Resign(ctx context.Context) error {
	t.end()
	key := leaderPre + t.Pool
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	_, err := t.store.client.Txn(once).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", int64(t.Epoch-t.store.base))).
		Then(clientv3.OpDelete(key)).Commit()
	if err != nil {
		return fmt.Errorf("resigning from the pool %s: %w", t.Pool, err)
	}
	return nil
}
