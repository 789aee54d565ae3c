package store

import (
	"context"
	"maps"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// contents are keys, without the prefix that was asked for, and what is there.
type contents map[string]*mvccpb.KeyValue

// follow calls changed with everything below a prefix, now and after each change, until
// the context is done. While the store does not answer, what was last known stays.
func (s *Store) follow(ctx context.Context, below string, changed func(contents)) {
	for ctx.Err() == nil {
		if err := s.followOnce(ctx, below, changed); err != nil && ctx.Err() == nil {
			s.cfg.Log.Debug("following the store is broken off, and begins again", "below", below, "error", err)
			wait(ctx, pause)
		}
	}
}

func (s *Store) followOnce(ctx context.Context, below string, changed func(contents)) error {
	once, done := context.WithTimeout(ctx, opTime)
	resp, err := s.client.Get(once, below, clientv3.WithPrefix())
	done()
	if err != nil {
		return err
	}
	all := make(contents, len(resp.Kvs))
	for _, kv := range resp.Kvs {
		all[strings.TrimPrefix(string(kv.Key), below)] = kv
	}
	changed(maps.Clone(all))
	watching, stop := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer stop()
	for w := range s.client.Watch(watching, below, clientv3.WithPrefix(), clientv3.WithRev(resp.Header.Revision+1)) {
		if err := w.Err(); err != nil {
			return err
		}
		for _, e := range w.Events {
			key := strings.TrimPrefix(string(e.Kv.Key), below)
			if e.Type == clientv3.EventTypeDelete {
				delete(all, key)
			} else {
				all[key] = e.Kv
			}
		}
		if len(w.Events) > 0 {
			changed(maps.Clone(all))
		}
	}
	return context.Canceled
}
