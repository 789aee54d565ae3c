package dispatch

import (
	"math"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Affinity is rendezvous hashing (Thaler, Ravishankar: "Using name-based mappings to
// increase hit rates", IEEE/ACM ToN 6(1), 1998) with the slots as bound on the load: a
// key belongs to the backend for which the hash of both is highest, weighted by slots,
// and goes to the next in that order while it has no free slot. When a backend leaves,
// only its keys move. A choice looks at every backend of the scope, at about two nanoseconds
// each, ten where their weights differ.

// member is one that may be chosen by affinity.
type member struct {
	hash   uint64 // of its name
	weight float64
	on     *backend
}

// stick returns the free backend that an affinity key belongs to. Where none is free, it
// is as for any other request.
func (p *Pool) stick(s *scope, w *wish) choice {
	if s.free.len()+s.over.len() == 0 {
		return choice{} // whose it is does not matter
	}
	if s.stale {
		p.enlist(s)
	}
	key := hashOf(w.about.Affinity)
	home, free := s.search(key, w.exclude)
	if free != nil {
		return choice{on: free, moved: free != home}
	}
	on := p.best(s, w.exclude)
	return choice{on: on, moved: on != home}
}

// search returns the backend that a key belongs to, and the first in its order that is free.
func (s *scope) search(key uint64, exclude []fleet.BackendName) (home, free *backend) {
	if s.uniform {
		return s.searchEven(key, exclude)
	}
	top, topFree := math.Inf(-1), math.Inf(-1)
	for i := range s.members {
		m := &s.members[i]
		rank := m.rank(key)
		if rank <= topFree || len(exclude) > 0 && contains(exclude, m.on.name) {
			continue
		}
		if rank > top {
			top, home = rank, m.on
		}
		if m.on.standing == open {
			topFree, free = rank, m.on
		}
	}
	return home, free
}

// searchEven is search among backends of one weight, which are in the order of their hashes.
func (s *scope) searchEven(key uint64, exclude []fleet.BackendName) (home, free *backend) {
	var top, topFree uint64
	for i := range s.members {
		m := &s.members[i]
		rank := mix(m.hash ^ key)
		if rank <= topFree || len(exclude) > 0 && contains(exclude, m.on.name) {
			continue
		}
		if rank > top {
			top, home = rank, m.on
		}
		if m.on.standing == open {
			topFree, free = rank, m.on
		}
	}
	return home, free
}

// home returns the backend that an affinity key belongs to, free or not; nil: none is
// eligible.
func (p *Pool) home(s *scope, key string, exclude []fleet.BackendName) *backend {
	if s.stale {
		p.enlist(s)
	}
	home, _ := s.search(hashOf(key), exclude)
	return home
}

// enlist brings a scope's members up to date.
func (p *Pool) enlist(s *scope) {
	s.members, s.uniform = s.members[:0], true
	for _, b := range p.order {
		if b.eligible(&p.spec) && (s == p.all || s.has(b)) {
			m := member{hashOf(string(b.name)), b.weight * p.partOf(b), b}
			s.uniform = s.uniform && (len(s.members) == 0 || m.weight == s.members[0].weight)
			s.members = append(s.members, m)
		}
	}
	s.stale = false
}

// outdate has the members of the scopes that b is in looked up anew.
func (p *Pool) outdate(b *backend) {
	p.all.stale = true
	for _, s := range b.scopes {
		s.stale = true
	}
}

// partOf returns what a backend's share of the keys goes by: its size. Where workers are
// learnt, it is what is believed, and not what is tried on the backend at the moment: keys
// would move with every change of places.
func (p *Pool) partOf(b *backend) float64 {
	if p.spec.Learn && said(b.workSay) == 0 {
		return float64(p.learner.workers)
	}
	return float64(p.size(b))
}

// rank places a member for a key. With weights, the share of keys is as the weight
// (Schindelhauer, Schomaker: "Weighted distributed hash tables", SPAA 2005).
func (m *member) rank(key uint64) float64 {
	h := mix(m.hash ^ key)
	return -m.weight / math.Log((float64(h>>11)+0.5)/(1<<53))
}

// hashOf is FNV-1a, mixed.
func hashOf(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// mix is the finalizer of splitmix64 (Steele, Lea, Flood: OOPSLA 2014).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
