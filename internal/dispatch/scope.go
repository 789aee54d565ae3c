package dispatch

import (
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// scope is the backends that some asks may use: those with certain labels, in one zone or
// in any. The first one of a Pool has all. Others are made when an ask needs them, so
// that a choice among few of many costs no search.
type scope struct {
	id     int // where a backend keeps its place
	labels []string
	zone   string // empty: any

	free    freeHeap // those that have a free slot
	over    freeHeap // those that are full, and take more into their own queue
	hopeful int      // those that can, or soon may, take grants
	members []member // those that are eligible, for affinity
	stale   bool     // members is not up to date
	uniform bool     // members weigh the same

	lanes   [fleet.Classes]indexed[lane] // of those who wait
	waiting int
	kept    int    // permits not in use that nobody has asked back
	used    uint64 // counts looks, to know the one unused longest
}

// maxScopes bounds the sets of labels and zones that are in use at a time.
const maxScopes = 256

func newScope(id int, labels []string, zone string) *scope {
	s := &scope{id: id, labels: labels, zone: zone, stale: true}
	s.free.id, s.over.id = id, id
	for i := range s.lanes {
		s.lanes[i] = indexed[lane]{before: laneBefore, place: lanePlace}
	}
	return s
}

// has tells whether a backend is in the scope.
func (s *scope) has(b *backend) bool {
	return (s.zone == "" || s.zone == b.zone) && hasAll(b.labels, s.labels)
}

// hasAll tells whether all that is required is there. Both are sorted.
func hasAll(have, required []string) bool {
	for _, r := range required {
		for len(have) > 0 && have[0] < r {
			have = have[1:]
		}
		if len(have) == 0 || have[0] != r {
			return false
		}
	}
	return true
}

// scopeOf returns the scope of some labels and a zone. False: there are too many in use.
func (p *Pool) scopeOf(labels []string, zone string) (*scope, bool) {
	if len(labels) == 0 && zone == "" {
		return p.all, true
	}
	p.looks++
	for _, s := range p.scopes[1:] {
		if s != nil && s.zone == zone && slices.Equal(s.labels, labels) {
			s.used = p.looks
			return s, true
		}
	}
	return p.addScope(labels, zone)
}

// addScope makes a scope, in the place of the one that was not used for longest if need
// be.
func (p *Pool) addScope(labels []string, zone string) (*scope, bool) {
	id := slices.Index(p.scopes, nil)
	if id < 0 && len(p.scopes) < maxScopes {
		id = len(p.scopes)
		p.scopes = append(p.scopes, nil)
	}
	if id < 0 {
		if id = p.idleScope(); id < 0 {
			return nil, false
		}
		p.dropScope(p.scopes[id])
	}
	s := newScope(id, slices.Clone(labels), zone)
	s.used = p.looks
	p.scopes[id] = s
	for _, b := range p.order {
		if p.byName[b.name] == b && s.has(b) {
			p.enter(b, s)
		}
	}
	return s, true
}

// idleScope returns the ID of the scope that nobody waits in and that was not used for
// longest, or nowhere.
func (p *Pool) idleScope() int {
	best := nowhere
	for id, s := range p.scopes[1:] {
		if s != nil && s.waiting == 0 && (best == nowhere || s.used < p.scopes[best].used) {
			best = id + 1
		}
	}
	return best
}

func (p *Pool) dropScope(s *scope) {
	for _, b := range p.order {
		if slices.Contains(b.scopes, s) {
			p.exit(b, s)
		}
	}
	p.scopes[s.id] = nil
}

// enter has b be in s.
func (p *Pool) enter(b *backend, s *scope) {
	for len(b.places) <= s.id {
		b.places = append(b.places, nowhere)
	}
	b.scopes = append(b.scopes, s)
	if b.counted {
		s.hopeful++
	}
	s.kept += b.idleKept()
	s.put(b, shut, b.standing)
	s.stale = true
}

func (p *Pool) exit(b *backend, s *scope) {
	s.put(b, b.standing, shut)
	if b.counted {
		s.hopeful--
	}
	s.kept -= b.idleKept()
	s.stale = true
	b.scopes = slices.DeleteFunc(b.scopes, func(o *scope) bool { return o == s })
}

// move has b be in the scopes of its labels and zone, after they changed.
func (p *Pool) move(b *backend) {
	for _, s := range p.scopes[1:] {
		if s == nil {
			continue
		}
		switch was, is := slices.Contains(b.scopes, s), s.has(b); {
		case is && !was:
			p.enter(b, s)
		case was && !is:
			p.exit(b, s)
			p.recheck = true
		}
	}
}

// leaveScopes takes a backend that is forgotten out of every scope.
func (p *Pool) leaveScopes(b *backend) {
	for len(b.scopes) > 0 {
		p.exit(b, b.scopes[len(b.scopes)-1])
	}
}

// put has b in the heap of its standing, in its place.
func (s *scope) put(b *backend, was, is standing) {
	if was == is {
		if h := s.heap(is); h != nil {
			h.fix(b)
		}
		return
	}
	if h := s.heap(was); h != nil {
		h.remove(*h.placeOf(b))
	}
	if h := s.heap(is); h != nil {
		h.push(b)
	}
}

func (s *scope) heap(as standing) *freeHeap {
	switch as {
	case open:
		return &s.free
	case overflowing:
		return &s.over
	}
	return nil
}

// standing says whether a backend takes a grant now.
type standing uint8

const (
	shut        standing = iota // no
	open                        // it has a free slot
	overflowing                 // into its own queue
)
