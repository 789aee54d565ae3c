package dispatch

import (
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// kinds is how many kinds of input a scenario chooses from.
const (
	kinds       = 17
	kindJoin    = 5
	kindAnswer  = 14
	kindArrival = 15
	kindEnded   = 16
)

// input chooses one.
func (s *scenario) input() Input {
	kind, b := s.kind(), s.backend()
	switch kind {
	case 0:
		return s.ask()
	case 1, 2:
		return s.done()
	case 3:
		return s.withdraw()
	case 4:
		return &Report{Backend: b, Load: s.load()}
	case kindJoin:
		return s.join(b, s.joiner())
	case 6:
		return &Leave{Source: s.source(), Backend: b}
	case 7:
		return &AgentLost{Backend: b}
	case 8:
		return s.session()
	case 9:
		return &SessionLost{Proxy: s.proxy()}
	case 10, 11:
		return &Health{Backend: b, Up: s.dice.roll(3) > 0}
	case 12:
		return &Override{Backend: b, Source: s.source(), Drain: s.dice.roll(2) == 0}
	case kindAnswer:
		return s.answer()
	case kindArrival:
		return s.arrival()
	case kindEnded:
		return s.endedDirect()
	}
	return &Tick{}
}

// kind chooses one by weight; but often what somebody waits for, where that is.
func (s *scenario) kind() int {
	if s.dice.roll(3) == 0 {
		if s.pool.offers.len > 0 {
			return kindAnswer
		}
		if s.pool.coming.len > 0 {
			return kindArrival
		}
	}
	total := 0
	for _, w := range s.weight {
		total += w
	}
	kind, at := 0, s.dice.roll(total)
	for at >= s.weight[kind] {
		at -= s.weight[kind]
		kind++
	}
	return kind
}

func (s *scenario) backend() fleet.BackendName { return s.names[s.dice.roll(len(s.names))] }
func (s *scenario) proxy() fleet.ProxyID       { return fleet.ProxyID(1 + s.dice.roll(s.nproxy)) }
func (s *scenario) source() Source             { return Source(s.dice.roll(2)) }

func (s *scenario) ask() Input {
	s.asked++
	in := &Ask{Proxy: s.proxy(), ID: s.asked, Zone: s.zone()}
	if s.dice.roll(2) == 0 {
		in.About = s.about()
	}
	if s.dice.roll(8) == 0 {
		in.RoundTrip = time.Duration(s.dice.roll(20)) * 100 * time.Microsecond
	}
	switch s.dice.roll(8) {
	case 0:
		in.Waited = time.Duration(s.dice.roll(250)-20) * time.Millisecond
	case 1:
		for range 1 + s.dice.roll(4) {
			in.Exclude = append(in.Exclude, s.backend())
		}
	case 2:
		in.Seen = append(in.Seen, s.seen(), s.seen())
	case 3:
		if open := s.openAsks(); len(open) > 0 { // once more, by mistake
			twice := open[s.dice.roll(len(open))]
			in.Proxy, in.ID = twice.proxy, twice.id
		}
	}
	return in
}

func (s *scenario) withdraw() Input {
	if open := s.openAsks(); len(open) > 0 && s.dice.roll(4) > 0 {
		a := open[s.dice.roll(len(open))]
		return &Withdraw{Proxy: a.proxy, Ask: a.id}
	}
	return &Withdraw{Proxy: s.proxy(), Ask: fleet.AskID(s.dice.roll(int(s.asked) + 2))}
}

// done ends a grant, most often one that lives and as its proxy.
func (s *scenario) done() Input {
	in := &Done{Proxy: s.proxy(), Outcome: fleet.Outcome(s.dice.roll(9)), Latency: time.Duration(s.dice.roll(50)) * time.Millisecond}
	if in.Outcome == 8 {
		in.Outcome = 255 // a word of a later version
	}
	if s.dice.roll(2) == 0 {
		in.Outcome = fleet.OK
	}
	if s.dice.roll(8) == 0 {
		in.Seen = s.seen()
	}
	switch live := s.model.grants; {
	case len(live) > 0 && s.dice.roll(10) > 0:
		g := live[s.dice.roll(len(live))]
		in.Grant = g.id
		if s.dice.roll(20) > 0 {
			in.Proxy = g.proxy
		}
		if g.proxy >= firstAgent { // of its backend; its asker may give it back
			in.Proxy = g.asker
			if s.dice.roll(3) > 0 {
				in.Outcome = fleet.Unused
			}
		}
	case len(s.ended) > 0:
		in.Grant = s.ended[s.dice.roll(len(s.ended))]
	}
	return in
}

func (s *scenario) load() fleet.LoadReport {
	l := fleet.LoadReport{CPU: float64(s.dice.roll(12)) / 10}
	if s.dice.roll(2) == 0 {
		l.HasInFlight, l.InFlight = true, float64(s.dice.roll(6))
	}
	return l
}

func (s *scenario) seen() fleet.Seen {
	in := fleet.Seen{Backend: s.backend(), InFlight: s.dice.roll(3)}
	switch s.dice.roll(3) {
	case 0:
		in.Latency = time.Duration(s.dice.roll(30)) * time.Millisecond
	case 1:
		in.Errors = s.dice.roll(4)
	case 2:
		in.Report, in.Reported = s.load(), true
	}
	return in
}

// session comes up with some of its grants, with some that are over, with some of an
// earlier controller, and by mistake with others' and with ones that nobody made.
func (s *scenario) session() Input {
	in := &SessionUp{Proxy: s.proxy()}
	in.Live = s.live(in.Proxy)
	return in
}

// live lists grants as those of one proxy or agent.
func (s *scenario) live(of fleet.ProxyID) (live []fleet.LiveGrant) {
	add := func(id fleet.GrantID, on fleet.BackendName) {
		live = append(live, fleet.LiveGrant{ID: id, Backend: on, Held: time.Duration(s.dice.roll(60)-2) * 10 * time.Millisecond})
	}
	mercy := s.dice.roll(4)
	for _, g := range s.model.grants {
		if g.proxy == of && s.dice.roll(4) >= mercy || s.dice.roll(30) == 0 {
			add(g.id, g.on.name)
		}
	}
	for range s.dice.roll(3) {
		switch s.dice.roll(5) {
		case 0:
			add(fleet.GrantID{Epoch: s.model.epoch, Number: s.model.last + 1}, s.backend())
		case 1:
			if len(s.ended) > 0 {
				add(s.ended[s.dice.roll(len(s.ended))], s.backend())
			}
		case 2:
			add(fleet.GrantID{Epoch: 6, Number: uint64(s.dice.roll(20))}, "z") // nobody knows z
		default:
			add(fleet.GrantID{Epoch: 6, Number: uint64(s.dice.roll(20))}, s.backend())
		}
	}
	return live
}
