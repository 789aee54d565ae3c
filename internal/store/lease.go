package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A lease is certain for less than its time: clocks of two hosts may run at different
// speeds, and this part of the time is for that.
const drift = 10 // one part in so many

// lease is one lease of this controller at the store, and until when it is certain.
type lease struct {
	id   clientv3.LeaseID
	ttl  time.Duration
	now  func() time.Time
	live context.Context // done when the lease is over, or no more certain
	lost <-chan struct{} // the same
	lose context.CancelFunc

	mu    sync.Mutex // guards what is below
	until time.Time
	over  bool
	timer *time.Timer
}

// newLease returns a lease that was asked for at a moment.
func newLease(id clientv3.LeaseID, ttl time.Duration, sent time.Time) *lease {
	l := &lease{id: id, ttl: ttl, now: time.Now}
	l.live, l.lose = context.WithCancel(context.Background())
	l.lost = l.live.Done()
	l.mu.Lock() // the timer may be quick
	defer l.mu.Unlock()
	l.until = sent.Add(l.span())
	l.timer = time.AfterFunc(l.until.Sub(l.now()), l.expire)
	return l
}

// span is how long the lease is certain after a keepalive was sent.
func (l *lease) span() time.Duration { return l.ttl - l.ttl/drift }

// extend notes that a keepalive sent at a moment was answered. One that was answered too
// late is of no use: others have been told that the lease is lost.
func (l *lease) extend(sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := sent.Add(l.span())
	if !l.over && l.sureAt(l.now()) && until.After(l.until) {
		l.until = until
		l.timer.Reset(until.Sub(l.now()))
	}
}

// sureAt tells whether the lease is certain at a moment. Both clocks have to say so: the
// monotonic one stands still while a host sleeps, the other one may be set. l.mu is held.
func (l *lease) sureAt(now time.Time) bool {
	return !l.over && now.Before(l.until) && now.Round(0).Before(l.until.Round(0))
}

func (l *lease) certain() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sureAt(l.now())
}

func (l *lease) end() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

// expire ends the lease if its time is up.
func (l *lease) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	if now := l.now(); l.sureAt(now) {
		l.timer.Reset(l.until.Sub(now))
		return
	}
	l.over = true
	l.lose()
}

// drop ends the lease at once.
func (l *lease) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer.Stop()
	if !l.over {
		l.over = true
		l.lose()
	}
}

// keep renews the lease until it is lost or the context is done.
func (l *lease) keep(ctx context.Context, client clientv3.Lease) {
	pace := time.NewTicker(l.ttl / 10)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.lost:
			return
		case <-pace.C:
		}
		if !l.certain() {
			l.drop()
			return
		}
		sent := l.now()
		once, done := context.WithTimeout(ctx, l.ttl/3)
		_, err := client.KeepAliveOnce(once, l.id)
		done()
		switch {
		case err == nil:
			l.extend(sent)
		case errors.Is(err, rpctypes.ErrLeaseNotFound):
			l.drop()
			return
		}
	}
}
