package dispatch

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// take does what an input means, up to where the Pool may choose.
func (m *model) take(in Input) {
	switch in := in.(type) {
	case *Ask:
		m.takeAsk(in)
	case *Withdraw:
		if a := m.ask(in.Proxy, in.Ask); a != nil {
			m.drop(a)
		}
	case *Done:
		m.takeDone(in)
	case *SessionUp:
		m.takeSession(in)
	case *SessionLost:
		if x := m.proxy(in.Proxy); x != nil && x.connected {
			m.dropAll(x.id)
			x.connected, x.lostAt = false, m.now
			for _, g := range m.grantsOf(x.id) {
				if g.cut {
					g.cutAt = m.now // the revoke may be lost with the session
				}
			}
			if len(m.grantsOf(x.id)) == 0 {
				m.proxies = slices.DeleteFunc(m.proxies, func(o *modelProxy) bool { return o == x })
			}
		}
	case *Join:
		m.takeJoin(in)
	default:
		m.takeOfBackend(in)
	}
}

func (m *model) takeAsk(in *Ask) {
	x := m.proxy(in.Proxy)
	if x == nil || !x.connected || m.ask(in.Proxy, in.ID) != nil {
		return
	}
	for _, s := range in.Seen {
		m.takeSeen(s)
	}
	a := &modelAsk{
		proxy: in.Proxy, id: in.ID, arrived: m.now.Add(-max(in.Waited, 0)),
		exclude: slices.Clone(in.Exclude),
	}
	if len(in.Seen) == 0 {
		// Else the reports in it change what is free, in a way that only the Pool knows.
		m.fate = m.foretell(a, len(m.asks))
	}
	at := len(m.asks)
	for at > 0 && m.asks[at-1].arrived > a.arrived {
		at--
	}
	m.asks = slices.Insert(m.asks, at, a)
	m.newcomer = a
}

func (m *model) takeSeen(s fleet.Seen) {
	if b := m.backend(s.Backend); b != nil {
		b.errs += max(s.Errors, 0)
		if s.Errors > 0 {
			b.errAt = m.now
		}
	}
}

func (m *model) takeDone(in *Done) {
	m.takeSeen(in.Seen)
	g := m.grant(in.Grant)
	if g == nil || g.proxy != in.Proxy {
		return
	}
	switch {
	case in.Outcome.Error():
		g.on.errs++
		g.on.errAt = m.now
		g.on.rests = append(g.on.rests, m.now.Add(50*time.Millisecond<<min(g.on.errs, 8)))
	case in.Outcome == fleet.OK:
		g.on.errs = 0
	}
	m.end(g)
}

func (m *model) dropAll(proxy fleet.ProxyID) {
	m.asks = slices.DeleteFunc(m.asks, func(a *modelAsk) bool { return a.proxy == proxy })
}

func (m *model) takeSession(in *SessionUp) {
	m.dropAll(in.Proxy)
	x := m.proxy(in.Proxy)
	if x == nil {
		x = &modelProxy{id: in.Proxy}
		m.proxies = append(m.proxies, x)
	}
	x.connected = true
	var named []*modelGrant
	for _, l := range in.Live {
		g := m.grant(l.ID)
		switch {
		case g == nil && l.ID.Epoch == m.epoch && l.ID.Number > m.last:
			continue // nobody ever made it
		case g == nil:
			b := m.backendOrNew(l.Backend)
			b.live++
			g = &modelGrant{id: l.ID, proxy: x.id, on: b, since: m.now.Add(-max(l.Held, 0))}
			m.grants = append(m.grants, g)
		case g.proxy != x.id || slices.Contains(named, g):
			continue
		}
		named = append(named, g)
		if g.cut {
			g.cut = false
			m.cut(g, g.why)
		}
		if g.on.isLost {
			m.cut(g, fleet.BackendLost)
		}
	}
	for _, g := range m.grantsOf(x.id) {
		if !slices.Contains(named, g) {
			m.end(g)
		}
	}
}

func (m *model) takeJoin(in *Join) {
	b := m.backendOrNew(in.Spec.Name)
	b.known[in.Source], b.say[in.Source] = true, in.Spec.Slots
	if in.Source == FromAgent {
		b.agentGone, b.drains[FromAgent] = 0, false
		b.toldSlots = -1 // a new agent knows nothing
	}
}

func (m *model) takeOfBackend(in Input) {
	switch in := in.(type) {
	case *Leave:
		if b := m.backend(in.Backend); b != nil {
			m.leave(b, in.Source)
		}
	case *AgentLost:
		if b := m.backend(in.Backend); b != nil && b.known[FromAgent] {
			b.agentGone = m.now.Add(m.spec.Grace)
		}
	case *Health:
		b := m.backend(in.Backend)
		if b == nil || b.cond != unchecked && (b.cond == up) == in.Up {
			return
		}
		b.cond, b.lost, b.isLost = up, 0, false
		if !in.Up {
			b.cond = down
			if m.spec.LostAfter > 0 {
				b.lost = m.now.Add(m.spec.LostAfter)
			}
		}
	case *Override:
		b := m.backend(in.Backend)
		if b == nil {
			return
		}
		was := b.draining()
		b.drains[in.Source] = in.Drain
		if in.Source == FromConfig && !in.Drain {
			b.drains[FromAgent] = false
		}
		b.owesDrained = !was && b.draining() && b.live == 0
	}
}

func (m *model) leave(b *modelBackend, source Source) {
	b.known[source], b.say[source] = false, 0
	if source == FromAgent {
		b.agentGone = 0
	}
}

// pass does what time brings without anybody's choice.
func (m *model) pass() {
	for _, b := range m.backends {
		b.rests = slices.DeleteFunc(b.rests, func(until fleet.Time) bool { return until <= m.now })
		if b.agentGone != 0 && b.agentGone <= m.now {
			m.leave(b, FromAgent)
		}
		if b.lost != 0 && b.lost <= m.now {
			b.lost, b.isLost = 0, true
			for _, g := range m.grants {
				if g.on == b {
					m.cut(g, fleet.BackendLost)
				}
			}
		}
	}
	for _, g := range slices.Clone(m.grants) {
		x := m.proxy(g.proxy)
		switch {
		case !x.connected && x.lostAt.Add(m.spec.Grace) <= m.now, g.cut && g.cutAt.Add(m.spec.Grace) <= m.now:
			m.end(g)
		case m.spec.GrantLimit > 0 && g.since.Add(m.spec.GrantLimit) <= m.now:
			m.cut(g, fleet.TimeLimit)
		}
	}
}
