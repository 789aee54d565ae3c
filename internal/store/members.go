package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// Member is a controller that is alive: it holds a lease.
type Member struct {
	Name    string
	Address string // its gRPC address
}

// Leader is who leads a pool.
type Leader struct {
	Name    string // of the controller
	Address string // its gRPC address
	Epoch   uint64 // of its term
}

type memberRecord struct {
	Address string `json:"address"`
}

type leaderRecord struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Members calls changed with the controllers that are alive, by name, now and after each
// change, until the context is done.
func (s *Store) Members(ctx context.Context, changed func([]Member)) {
	s.follow(ctx, memberPre, func(all contents) {
		var members []Member
		for name, kv := range all {
			if r, ok := decode[memberRecord](s, kv); ok {
				members = append(members, Member{name, r.Address})
			}
		}
		slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
		changed(members)
	})
}

// Leaders calls changed with who leads each pool, now and after each change, until the
// context is done. A pool without a leader is left out. The map is the caller's.
func (s *Store) Leaders(ctx context.Context, changed func(map[string]Leader)) {
	s.follow(ctx, leaderPre, func(all contents) { changed(s.leaders(all, "")) })
}

// leaders reads the leaders among keys that begin with a prefix.
func (s *Store) leaders(all contents, pre string) map[string]Leader {
	leaders := map[string]Leader{}
	for key, kv := range all {
		pool, ok := strings.CutPrefix(key, pre)
		if !ok {
			continue
		}
		if r, ok := decode[leaderRecord](s, kv); ok {
			leaders[pool] = Leader{r.Name, r.Address, s.epoch(kv.CreateRevision)}
		}
	}
	return leaders
}

// decode reads a record. One that is none was written by somebody else, or by a version
// that is to come; it is left alone, and told.
func decode[T any](s *Store, kv *mvccpb.KeyValue) (T, bool) {
	var r T
	if err := json.Unmarshal(kv.Value, &r); err != nil {
		s.cfg.Log.Warn("the store holds what this version cannot read; it is left alone", "key", string(kv.Key), "error", err)
		return r, false
	}
	return r, true
}
