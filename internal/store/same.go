package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	etcdlease "go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/lease/leasehttp"
)

// A cluster that was made anew by the same peers has the same numbers in etcd as the one
// before. A member that comes back from that one is let in, and either side may then panic,
// or take over what the other has. So a cluster is marked: by a lease that never ends, whose
// number is the base, and after it by one with a number that is always the same. Leases are
// what members tell each other without having been let in.
const markLease = 1

// mark marks the cluster, and notes whose it is in the directory.
func (s *Store) mark(ctx context.Context) error {
	if s.member == nil {
		return nil
	}
	for _, id := range []int64{int64(s.base), markLease} {
		_, err := s.member.etcd.Server.LeaseGrant(ctx, &etcdserverpb.LeaseGrantRequest{ID: id, TTL: etcdlease.MaxLeaseTTL})
		if err != nil && !errors.Is(err, etcdlease.ErrLeaseExists) && !errors.Is(err, rpctypes.ErrLeaseExist) {
			return err
		}
	}
	return writeIdentity(s.cfg, s.base)
}

// checkCluster asks the other peers, before anything starts, whether they are of the cluster
// that the directory is of. It refuses when one is of another, and none of this.
func (m *member) checkCluster(ctx context.Context) error {
	id, err := readIdentity(m.cfg)
	if err != nil || id.Base == 0 || len(m.cfg.Peers) == 0 {
		return nil // new, or told already
	}
	conf, err := m.cfg.PeerTLS.client("peers")
	if err != nil {
		return err
	}
	rt := &http.Transport{TLSClientConfig: conf}
	defer rt.CloseIdleConnections()
	ctx, done := context.WithTimeout(ctx, probeTime)
	defer done()
	var mu sync.Mutex // guards what is below
	var strange []string
	known := false
	var asking sync.WaitGroup
	for name, addr := range m.cfg.Peers {
		if name == m.cfg.Name {
			continue
		}
		asking.Go(func() {
			u := m.cfg.peerURL(addr)
			own, marked := hasLease(ctx, rt, u.String(), id.Base), hasLease(ctx, rt, u.String(), markLease)
			mu.Lock()
			defer mu.Unlock()
			known = known || own == yes
			if own == no && marked == yes {
				strange = append(strange, name)
			}
		})
	}
	asking.Wait()
	if known || len(strange) == 0 {
		return nil
	}
	slices.Sort(strange)
	return fmt.Errorf("the data directory %s is of another cluster than %s, which was made anew since; "+
		"move it away, and %s", m.cfg.Dir, strings.Join(strange, ", "), wayOut(m.cfg))
}

type answer int

const (
	unknown answer = iota
	no
	yes
)

// hasLease asks a store at a URL whether there is a lease of a number. One that does not
// lead knows too, and only cannot say for how long.
func hasLease(ctx context.Context, rt http.RoundTripper, peer string, id uint64) answer {
	_, err := leasehttp.TimeToLiveHTTP(ctx, etcdlease.LeaseID(id), false, peer+leasehttp.LeaseInternalPrefix, rt)
	switch {
	case err == nil || strings.Contains(err.Error(), etcdlease.ErrNotPrimary.Error()):
		return yes
	case errors.Is(err, etcdlease.ErrLeaseNotFound):
		return no
	}
	return unknown
}
