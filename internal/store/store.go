package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Where things are in the store. All under one prefix, so that an etcd may be shared.
const (
	prefix     = "/fairlead/v1/"
	baseKey    = prefix + "base"
	clusterPre = prefix + "cluster/" // what Keepers go by
	memberPre  = clusterPre + "member/"
	leaderPre  = clusterPre + "leader/"
	movePre    = clusterPre + "move/"
	factPre    = prefix + "fact/" // kind/key
)

const (
	opTime    = 2 * time.Second        // the longest that one operation may take
	pause     = 100 * time.Millisecond // between two tries of what failed
	probeTime = time.Second            // the longest that a connection may take to come about
	stopTime  = 5 * time.Second        // the longest that an embedded member may take to stop
)

// Store is this controller's part in the cluster. It is safe for concurrent use.
type Store struct {
	cfg    Config
	client *clientv3.Client
	member *member // nil with an etcd of others
	base   uint64  // added to revisions to make epochs

	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // guards what is below
	lease   *lease     // the newest; it may be lost
	changed chan struct{}
	held    map[string]bool // pools with a Term that has not ended
	closed  bool
}

// Open starts the embedded member, or connects to the endpoints, waits for a quorum, and
// registers this controller as alive. The context bounds only Open itself. An error says
// what is wrong and what to do; nothing runs then.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Store{cfg: cfg, changed: make(chan struct{}), held: map[string]bool{}}
	bounded, done := context.WithTimeout(ctx, cfg.Ready)
	defer done()
	if err := s.connect(bounded); err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	if err := s.settle(bounded); err != nil {
		s.shut()
		return nil, err
	}
	s.wg.Go(func() { s.keepLeases(run) })
	return s, nil
}

// connect makes the client, and the member that it is a client of.
func (s *Store) connect(ctx context.Context) (err error) {
	if len(s.cfg.Endpoints) > 0 {
		s.client, err = dial(ctx, s.cfg)
		return err
	}
	if s.member, err = startMember(ctx, s.cfg); err != nil {
		return err
	}
	s.client = s.member.client
	return nil
}

// settle reads what epochs start from, and takes the first lease.
func (s *Store) settle(ctx context.Context) error {
	if err := s.makeRoom(ctx); err != nil {
		return s.explain(ctx, err)
	}
	base, err := s.readBase(ctx)
	if err != nil {
		return s.explain(ctx, err)
	}
	s.base = base
	if err := s.rebase(ctx); err != nil {
		return s.explain(ctx, err)
	}
	if err := s.mark(ctx); err != nil {
		return s.explain(ctx, err)
	}
	if err := s.succeed(ctx); err != nil {
		return s.explain(ctx, err)
	}
	l, err := s.grant(ctx)
	if err != nil {
		return s.explain(ctx, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = l
	return nil
}

// readBase returns the number that epochs start from: the time, in milliseconds, at which
// this cluster first ran. So a cluster that is made anew after its data were lost goes on
// above the epochs of the one before, as long as that had less than a thousand changes a
// second; it has a few a minute.
func (s *Store) readBase(ctx context.Context) (uint64, error) {
	fresh := strconv.FormatInt(time.Now().UnixMilli(), 10)
	resp, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(baseKey), "=", 0)).
		Then(clientv3.OpPut(baseKey, fresh)).
		Else(clientv3.OpGet(baseKey)).Commit()
	if err != nil {
		return 0, err
	}
	if !resp.Succeeded {
		fresh = string(resp.Responses[0].GetResponseRange().Kvs[0].Value)
	}
	base, err := strconv.ParseUint(fresh, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("the store's key %s holds %q, which is no number: somebody else wrote it; restore the store from a backup", baseKey, fresh)
	}
	return base, nil
}

// grant takes a lease, and registers this controller under it.
func (s *Store) grant(ctx context.Context) (*lease, error) {
	sent := time.Now()
	got, err := s.client.Grant(ctx, int64(s.cfg.Lease/time.Second))
	if err != nil {
		return nil, err
	}
	// The store may give a longer one; counting on less is safe.
	l := newLease(got.ID, min(s.cfg.Lease, time.Duration(got.TTL)*time.Second), sent)
	value, err := json.Marshal(memberRecord{Address: s.cfg.Address})
	if err == nil {
		err = s.register(ctx, l, string(value))
	}
	if err != nil {
		l.drop()
		return nil, err
	}
	return l, nil
}

// register writes that this controller is alive. The key of an earlier lease is taken
// over: of an earlier run that was killed, or of a lease that was lost on the way.
func (s *Store) register(ctx context.Context, l *lease, value string) error {
	_, err := s.client.Put(ctx, memberPre+s.cfg.Name, value, clientv3.WithLease(l.id))
	return err
}

// keepLeases keeps this controller registered until the context is done.
func (s *Store) keepLeases(ctx context.Context) {
	for ctx.Err() == nil {
		l := s.currentLease()
		l.keep(ctx, s.client)
		if ctx.Err() != nil {
			return
		}
		s.cfg.Log.Warn("this controller's lease at the store is lost; it leads nothing until the store answers again")
		s.renew(ctx, l)
	}
}

// renew gives the lease that was lost back, if it is still there, and takes a new one.
func (s *Store) renew(ctx context.Context, lost *lease) {
	for ctx.Err() == nil {
		once, done := context.WithTimeout(ctx, opTime)
		// What is attached to the old one would keep pools without a leader.
		_, _ = s.client.Revoke(once, lost.id) // gone already, or it will go by itself
		l, err := s.grant(once)
		done()
		if err == nil {
			s.mu.Lock()
			s.lease = l
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
			s.cfg.Log.Info("the store answers again")
			return
		}
		wait(ctx, pause)
	}
}

func (s *Store) currentLease() *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lease
}

// certainLease returns the lease, as soon as there is one that is certain.
func (s *Store) certainLease(ctx context.Context) (*lease, error) {
	for {
		s.mu.Lock()
		l, changed, closed := s.lease, s.changed, s.closed
		s.mu.Unlock()
		if closed {
			return nil, errClosed
		}
		if l.certain() {
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

var errClosed = errors.New("the store is closed")

// Failed returns a channel that is closed when the embedded member has ended by itself,
// because its disk failed, for example; Err says why then. The store does not recover by
// itself: what the member knows of the cluster may be less than it has promised. With an
// etcd of others it is never closed.
func (s *Store) Failed() <-chan struct{} {
	if s.member == nil {
		return nil
	}
	return s.member.fate.dead
}

// Err returns why the embedded member has ended; nil: it has not.
func (s *Store) Err() error {
	select {
	case <-s.Failed():
		return fmt.Errorf("the store in %s has stopped: %w", s.cfg.Dir, explainFate(s.member.fate.err, s.cfg.Dir))
	default:
		return nil
	}
}

// Close ends every term, gives the lease back, so that others lead at once, and stops the
// embedded member. It takes a few seconds at most, also without a quorum.
func (s *Store) Close() error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	if !was {
		close(s.changed)
		s.changed = make(chan struct{})
	}
	s.mu.Unlock()
	if was {
		return nil
	}
	s.cancel()
	s.currentLease().drop() // which ends the terms
	s.wg.Wait()
	l := s.currentLease()
	l.drop()
	ctx, done := context.WithTimeout(context.Background(), s.cfg.Lease)
	_, _ = s.client.Revoke(ctx, l.id) // else it ends by itself
	done()
	return s.shut()
}

func (s *Store) shut() error {
	s.cancel()
	err := s.client.Close()
	if errors.Is(err, context.Canceled) { // etcd's word for closed
		err = nil
	}
	if s.member != nil {
		err = errors.Join(err, s.member.stop())
	}
	return err
}

// wait returns after a time, or when the context is done.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
