package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Caps on facts.
const (
	MaxFactKey   = 512     // bytes
	MaxFactValue = 4 << 10 // bytes, as JSON
	MaxFacts     = 10_000  // of one kind
)

// Kind is a kind of facts that outlive every controller: small things under a key. Facts
// are JSON; one that this version cannot read is left alone and told in the log.
type Kind[T any] struct{ name string }

// The kinds.
var (
	Overrides = Kind[Override]{"override"} // by BackendKey
	Proxies   = Kind[Proxy]{"proxy"}       // by name
	Agents    = Kind[Agent]{"agent"}       // by BackendKey
)

// Override is what an operator has set for one backend; zero values set nothing.
type Override struct {
	Drain  bool    `json:"drain,omitempty"`
	Weight float64 `json:"weight,omitempty"`
	Slots  int     `json:"slots,omitempty"`
}

// Proxy is what is known of a proxy, also while it is away.
type Proxy struct {
	Seen     time.Time `json:"seen"`
	Instance string    `json:"instance,omitempty"`
	Zone     string    `json:"zone,omitempty"`
}

// Agent is what is known of a backend that joined by itself, also while it is away.
type Agent struct {
	Seen     time.Time `json:"seen"`
	Instance string    `json:"instance,omitempty"`
	Zone     string    `json:"zone,omitempty"`
	Slots    int       `json:"slots,omitempty"`
}

// BackendKey names a backend of a pool.
func BackendKey(pool, address string) string { return pool + "/" + address }

// SplitBackendKey is the reverse of BackendKey; ok is false for what is none.
func SplitBackendKey(key string) (pool, address string, ok bool) {
	pool, address, ok = strings.Cut(key, "/")
	return pool, address, ok && pool != "" && address != ""
}

func (k Kind[T]) below() string { return factPre + k.name + "/" }

// checkFact refuses what is too large, or could not be listed.
func checkFact(kind, key string, value []byte) error {
	switch {
	case key == "":
		return fmt.Errorf("a fact of kind %s needs a key", kind)
	case len(key) > MaxFactKey || !utf8.ValidString(key):
		return fmt.Errorf("the key of a fact of kind %s must be text of at most %d bytes, and has %d", kind, MaxFactKey, len(key))
	case len(value) > MaxFactValue:
		return fmt.Errorf("the fact %s of kind %s has %d bytes; at most %d are kept", key, kind, len(value), MaxFactValue)
	}
	return nil
}

// Put keeps a fact. When it returns nil, more than half of the members have it on disk.
func Put[T any](ctx context.Context, s *Store, kind Kind[T], key string, fact T) error {
	value, err := json.Marshal(fact)
	if err != nil {
		return fmt.Errorf("writing the fact %s of kind %s: %w", key, kind.name, err)
	}
	if err := checkFact(kind.name, key, value); err != nil {
		return err
	}
	if err := s.member.checkFull(); err != nil {
		return s.failedTo("keep the fact "+key, err)
	}
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	n, err := s.client.Get(once, kind.below(), clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return s.failedTo("keep the fact "+key, err)
	}
	full := clientv3.Compare(clientv3.CreateRevision(kind.below()+key), "=", 0)
	put := clientv3.OpPut(kind.below()+key, string(value))
	if n.Count < MaxFacts {
		_, err = s.client.Do(once, put)
		return s.failedTo("keep the fact "+key, err)
	}
	resp, err := s.client.Txn(once).If(full).Else(put).Commit()
	if err == nil && resp.Succeeded {
		return fmt.Errorf("there are %d facts of kind %s already, and no more are kept; delete what is of no use", n.Count, kind.name)
	}
	return s.failedTo("keep the fact "+key, err)
}

// Delete forgets a fact. It is no error that there is none.
func Delete[T any](ctx context.Context, s *Store, kind Kind[T], key string) error {
	if err := checkFact(kind.name, key, nil); err != nil {
		return err
	}
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	_, err := s.client.Delete(once, kind.below()+key)
	return s.failedTo("forget the fact "+key, err)
}

// Load returns every fact of a kind, as more than half of the members have it.
func Load[T any](ctx context.Context, s *Store, kind Kind[T]) (map[string]T, error) {
	once, done := context.WithTimeout(ctx, opTime)
	defer done()
	resp, err := s.client.Get(once, kind.below(), clientv3.WithPrefix())
	if err != nil {
		return nil, s.failedTo("load facts of kind "+kind.name, err)
	}
	all := make(contents, len(resp.Kvs))
	for _, kv := range resp.Kvs {
		all[strings.TrimPrefix(string(kv.Key), kind.below())] = kv
	}
	return facts[T](s, all), nil
}

// Watch calls changed with every fact of a kind, now and after each change, until the
// context is done. The map is the caller's.
func Watch[T any](ctx context.Context, s *Store, kind Kind[T], changed func(map[string]T)) {
	s.follow(ctx, kind.below(), func(all contents) { changed(facts[T](s, all)) })
}

func facts[T any](s *Store, all map[string]*mvccpb.KeyValue) map[string]T {
	known := make(map[string]T, len(all))
	for key, kv := range all {
		if fact, ok := decode[T](s, kv); ok {
			known[key] = fact
		}
	}
	return known
}

// failedTo says what could not be done; nil when it could.
func (s *Store) failedTo(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case s.Err() != nil:
		return fmt.Errorf("cannot %s: %w", what, s.Err())
	case errors.Is(err, rpctypes.ErrNoSpace) || errors.Is(err, rpctypes.ErrGRPCNoSpace):
		return fmt.Errorf("cannot %s: %w", what, s.full(err))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("cannot %s: more than half of the store's members do not answer; start those that are down", what)
	}
	return fmt.Errorf("cannot %s: %w", what, err)
}
