package sim

import (
	"math/rand/v2"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// shortest is a controller's mind that has no queue and learns nothing: each ask gets the
// backend with least in flight at once, any of these (join the shortest queue; Winston,
// J. Appl. Prob. 14, 1977), by the controller's own exact count.
type shortest struct {
	plan    *plan
	dice    *rand.Rand
	epoch   uint64
	last    uint64
	count   []int32
	grants  map[fleet.GrantID]held
	up      []bool
	drains  []bool
	scratch []int32
	effects []dispatch.Effect
}

type held struct {
	proxy   fleet.ProxyID
	backend int32
}

func newShortest(e *engine, epoch uint64) brain {
	p, n := e.plan, len(e.plan.names)
	return &shortest{
		plan: p, dice: stream(e.seed, 7+epoch<<8), epoch: epoch, count: make([]int32, n),
		grants: map[fleet.GrantID]held{}, up: make([]bool, n), drains: make([]bool, n),
	}
}

// Next implements brain: it never waits for a time.
func (s *shortest) Next() (fleet.Time, bool) { return 0, false }

// Step implements brain.
func (s *shortest) Step(_ fleet.Time, in dispatch.Input) []dispatch.Effect {
	s.effects = s.effects[:0]
	switch in := in.(type) {
	case *dispatch.Ask:
		s.ask(in)
	case *dispatch.Done:
		s.end(in.Grant)
	case *dispatch.Health:
		s.up[s.plan.index[in.Backend]] = in.Up
	case *dispatch.Override:
		s.drains[s.plan.index[in.Backend]] = in.Drain
	case *dispatch.SessionUp:
		for id, h := range s.grants {
			if h.proxy == in.Proxy {
				s.end(id)
			}
		}
		for _, l := range in.Live {
			s.hold(l.ID, in.Proxy, s.plan.index[l.Backend])
		}
	}
	return s.effects
}

func (s *shortest) ask(in *dispatch.Ask) {
	set := 0
	if in.About != nil {
		set = int(s.plan.set(in.About.Labels))
	}
	s.scratch = s.scratch[:0]
	for v := range s.count {
		if s.up[v] && !s.drains[v] && s.plan.has(int32(v), set) && !s.excluded(in, v) {
			s.scratch = append(s.scratch, int32(v))
		}
	}
	if len(s.scratch) == 0 {
		s.effects = append(s.effects, dispatch.Effect{Kind: dispatch.Refused, Proxy: in.Proxy, Ask: in.ID, Reason: fleet.NoBackend})
		return
	}
	v := leastOf(s.count, s.scratch, s.dice)
	s.last++
	id := fleet.GrantID{Epoch: s.epoch, Number: s.last}
	s.hold(id, in.Proxy, v)
	s.effects = append(s.effects, dispatch.Effect{
		Kind: dispatch.Granted, Proxy: in.Proxy, Ask: in.ID, Grant: id, Backend: s.plan.names[v],
	})
}

func (s *shortest) excluded(in *dispatch.Ask, v int) bool {
	for _, name := range in.Exclude {
		if name == s.plan.names[v] {
			return true
		}
	}
	return false
}

func (s *shortest) hold(id fleet.GrantID, p fleet.ProxyID, v int32) {
	s.grants[id] = held{p, v}
	s.count[v]++
}

func (s *shortest) end(id fleet.GrantID) {
	if h, ok := s.grants[id]; ok {
		s.count[h.backend]--
		delete(s.grants, id)
	}
}
