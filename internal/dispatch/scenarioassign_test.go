package dispatch

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// firstAgent is below the IDs of agents and above those of proxies.
const firstAgent fleet.ProxyID = 100

func (s *scenario) zone() string { return []string{"", "east", "west", "west"}[s.dice.roll(4)] }

// openAsks are those that wait, for a slot or for an answer.
func (s *scenario) openAsks() []*modelAsk {
	open := slices.Clone(s.model.asks)
	for _, g := range s.model.grants {
		if g.offer != nil {
			open = append(open, g.offer)
		}
	}
	return open
}

// led tells whether the pool needs agents.
func (s *scenario) led() bool {
	return s.model.spec.Assign != fleet.AssignNone || s.model.spec.Direct
}

// joiner is who joins: mostly the agent, where the pool needs it.
func (s *scenario) joiner() Source {
	if s.led() && s.dice.roll(4) > 0 {
		return FromAgent
	}
	return s.source()
}

// join has a source tell of a backend. An agent mostly does what the pool needs, is
// mostly the same one as before, and mostly tells the truth about what runs.
func (s *scenario) join(name fleet.BackendName, source Source) Input {
	in := &Join{Source: source, Spec: s.spec(name)}
	if source == FromConfig {
		return in
	}
	i := slices.Index(s.names, name)
	if s.dice.roll(8) == 0 {
		s.runs[i]++ // it was started again
	}
	in.Agent = firstAgent + fleet.ProxyID(10*i+s.runs[i]%10)
	in.Assigns, in.Directs = s.dice.roll(10) > 0, s.dice.roll(10) > 0
	if s.dice.roll(20) == 0 {
		in.Agent = 0 // one of an earlier version
	}
	for _, l := range s.live(in.Agent) {
		l.Backend = name // as the shell has it
		in.Live = append(in.Live, l)
	}
	return in
}

// named returns a grant that lives and that want holds of, if there is one; else, and
// seldom all the same, one that may be over, or another backend's, or nobody's.
func (s *scenario) named(want func(*modelGrant) bool) (fleet.GrantID, fleet.BackendName) {
	if s.dice.roll(8) > 0 {
		live := slices.DeleteFunc(slices.Clone(s.model.grants), func(g *modelGrant) bool { return !want(g) })
		if len(live) > 0 {
			g := live[s.dice.roll(len(live))]
			return g.id, g.on.name
		}
	}
	if live := s.model.grants; len(live) > 0 && s.dice.roll(2) == 0 {
		g := live[s.dice.roll(len(live))]
		if s.dice.roll(2) == 0 {
			return g.id, s.backend()
		}
		return g.id, g.on.name
	}
	if len(s.ended) > 0 && s.dice.roll(4) > 0 {
		return s.ended[s.dice.roll(len(s.ended))], s.backend()
	}
	return fleet.GrantID{Epoch: s.model.epoch, Number: uint64(s.dice.roll(int(s.model.last) + 2))}, s.backend()
}

// answer is the word on an assignment: mostly yes, often to the oldest.
func (s *scenario) answer() Input {
	in := &Answer{}
	in.Grant, in.Backend = s.named(func(g *modelGrant) bool { return g.offer != nil })
	if s.dice.roll(3) == 0 {
		in.Rejection = fleet.Rejection(s.dice.roll(5))
	}
	return in
}

func (s *scenario) arrival() Input {
	in := &Arrival{}
	in.Grant, in.Backend = s.named(func(g *modelGrant) bool { return g.coming })
	return in
}

// endedDirect ends a direct grant, also one whose client was not seen to come.
func (s *scenario) endedDirect() Input {
	in := &Ended{Outcome: fleet.Outcome(s.dice.roll(8)), Latency: time.Duration(s.dice.roll(50)) * time.Millisecond}
	if in.Outcome == 7 {
		in.Outcome = 255 // a word of a later version
	}
	if s.dice.roll(2) == 0 {
		in.Outcome = fleet.OK
	}
	early := s.dice.roll(4) == 0
	in.Grant, in.Backend = s.named(func(g *modelGrant) bool { return early || !g.coming && g.offer == nil })
	return in
}
