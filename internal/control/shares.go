package control

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// tell tells a session of a pool's backends: where proxies have shares, each of its own.
func (r *runner) tell(s *proxySession, m *fairleadv1.PoolBackends) {
	if !r.conf().SharesSlots() {
		s.inform(m)
		return
	}
	ids := slices.Sorted(maps.Keys(r.sessions))
	k := slices.Index(ids, s.id)
	own := proto.Clone(m).(*fairleadv1.PoolBackends)
	for i, b := range own.Backends {
		b.Share = uint32(fleet.ShareOf(int(b.GetShare()), i, max(k, 0), max(len(ids), 1)))
	}
	s.inform(own)
}

// reshare has all sessions told of their shares anew, when proxies come or go.
func (r *runner) reshare() {
	if r.mind.Learning() {
		return // who is not back yet has shares too
	}
	if r.inform == nil || r.inform.told == nil || !r.conf().SharesSlots() {
		return
	}
	for _, s := range r.sessions {
		r.tell(s, r.inform.told)
		r.touch(s)
	}
}
