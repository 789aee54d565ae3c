package store

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// When a member ends by itself its locks may stay taken, and whoever waits for one waits for
// ever, whatever his context says. So what is asked of an embedded member is given up when it
// has ended.

// outlive returns what do does, or why the member has ended.
func outlive[T any](f *fate, do func() (T, error)) (T, error) {
	type result struct {
		got T
		err error
	}
	done := make(chan result, 1)
	go func() {
		got, err := do()
		done <- result{got, err}
	}()
	select {
	case r := <-done:
		return r.got, r.err
	case <-f.dead:
		var none T
		return none, f.err
	}
}

// mortalKV is a member's keys and values.
type mortalKV struct {
	clientv3.KV
	f *fate
}

// Get asks for keys.
func (m mortalKV) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	return outlive(m.f, func() (*clientv3.GetResponse, error) { return m.KV.Get(ctx, key, opts...) })
}

// Put writes a key.
func (m mortalKV) Put(ctx context.Context, key, value string, opts ...clientv3.OpOption) (*clientv3.PutResponse, error) {
	return outlive(m.f, func() (*clientv3.PutResponse, error) { return m.KV.Put(ctx, key, value, opts...) })
}

// Delete deletes keys.
func (m mortalKV) Delete(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.DeleteResponse, error) {
	return outlive(m.f, func() (*clientv3.DeleteResponse, error) { return m.KV.Delete(ctx, key, opts...) })
}

// Do does any of these.
func (m mortalKV) Do(ctx context.Context, op clientv3.Op) (clientv3.OpResponse, error) {
	return outlive(m.f, func() (clientv3.OpResponse, error) { return m.KV.Do(ctx, op) })
}

// Txn begins a transaction.
func (m mortalKV) Txn(ctx context.Context) clientv3.Txn { return mortalTxn{m.KV.Txn(ctx), m.f} }

type mortalTxn struct {
	clientv3.Txn
	f *fate
}

// If says when.
func (t mortalTxn) If(cs ...clientv3.Cmp) clientv3.Txn { return mortalTxn{t.Txn.If(cs...), t.f} }

// Then says what, if so.
func (t mortalTxn) Then(ops ...clientv3.Op) clientv3.Txn { return mortalTxn{t.Txn.Then(ops...), t.f} }

// Else says what, if not.
func (t mortalTxn) Else(ops ...clientv3.Op) clientv3.Txn { return mortalTxn{t.Txn.Else(ops...), t.f} }

// Commit does it.
func (t mortalTxn) Commit() (*clientv3.TxnResponse, error) { return outlive(t.f, t.Txn.Commit) }

// mortalLease is a member's leases.
type mortalLease struct {
	clientv3.Lease
	f *fate
}

// Grant takes a lease.
func (m mortalLease) Grant(ctx context.Context, ttl int64) (*clientv3.LeaseGrantResponse, error) {
	return outlive(m.f, func() (*clientv3.LeaseGrantResponse, error) { return m.Lease.Grant(ctx, ttl) })
}

// Revoke ends one.
func (m mortalLease) Revoke(ctx context.Context, id clientv3.LeaseID) (*clientv3.LeaseRevokeResponse, error) {
	return outlive(m.f, func() (*clientv3.LeaseRevokeResponse, error) { return m.Lease.Revoke(ctx, id) })
}

// KeepAliveOnce renews one.
func (m mortalLease) KeepAliveOnce(ctx context.Context, id clientv3.LeaseID) (*clientv3.LeaseKeepAliveResponse, error) {
	return outlive(m.f, func() (*clientv3.LeaseKeepAliveResponse, error) { return m.Lease.KeepAliveOnce(ctx, id) })
}
