package ticket

import (
	"container/heap"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// maxSeen bounds the tickets that a Verifier remembers, to about 100 MB. At a life of ten
// seconds that is more than 80 000 requests a second.
const maxSeen = 1_000_000

// seen remembers the grants whose tickets were taken until the tickets have expired. A
// full one refuses; it never forgets a ticket that could come again. Its owner locks.
type seen struct {
	most   int
	grants map[fleet.GrantID]struct{}
	ends   endings
	// gone is the end of the last ticket that was forgotten. A clock that is set back
	// must not make those good again.
	gone time.Time
}

func newSeen(most int) seen {
	return seen{most: most, grants: map[fleet.GrantID]struct{}{}}
}

// add remembers a grant until end, or says why its ticket is not taken.
func (s *seen) add(now time.Time, g fleet.GrantID, end time.Time) error {
	for len(s.ends) > 0 && !now.Before(s.ends[0].end) {
		s.gone = s.ends[0].end
		delete(s.grants, s.ends[0].grant)
		heap.Pop(&s.ends)
	}
	if _, again := s.grants[g]; again {
		return refuse(Replayed, "it was used before")
	}
	if !end.After(s.gone) {
		return refuse(Expired, "it expired before the clock was set back")
	}
	if len(s.grants) >= s.most {
		return refuse(Full, "%d tickets were used and have not expired yet", len(s.grants))
	}
	s.grants[g] = struct{}{}
	heap.Push(&s.ends, ending{end, g})
	return nil
}

// ending is when a grant's ticket ends.
type ending struct {
	end   time.Time
	grant fleet.GrantID
}

// endings is a heap, the earliest first.
type endings []ending

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].end.Before(e[j].end) }
func (e endings) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *endings) Push(x any)        { *e = append(*e, x.(ending)) }
func (e *endings) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
