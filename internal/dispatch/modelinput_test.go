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
			m.takeBack(a)
		}
	case *Done:
		m.takeDone(in)
	case *SessionUp:
		m.takeSession(in)
	case *SessionLost:
		m.lose(in.Proxy)
	case *Join:
		m.takeJoin(in)
	case *Answer:
		m.takeAnswer(in)
	case *Arrival:
		m.takeArrival(in)
	case *Ended:
		m.takeEnded(in)
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
		came:  m.steps,
		proxy: in.Proxy, id: in.ID, arrived: m.now.Add(-max(in.Waited, 0)),
		exclude: slices.Clone(in.Exclude), zone: in.Zone, about: in.About,
	}
	if len(in.Seen) == 0 {
		// Else the reports in it change what is free, in a way that only the Pool knows.
		m.fate = m.foretell(a, len(m.asks))
	}
	m.enqueue(a)
	m.newcomer = a
}

// enqueue puts an ask into its place.
func (m *model) enqueue(a *modelAsk) {
	at := len(m.asks)
	for at > 0 && (m.asks[at-1].arrived > a.arrived || m.asks[at-1].arrived == a.arrived && m.asks[at-1].came > a.came) {
		at--
	}
	m.joinFlow(a)
	m.asks = slices.Insert(m.asks, at, a)
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
	if g == nil || g.offer != nil {
		return
	}
	back := g.coming && g.asker == in.Proxy && in.Outcome == fleet.Unused
	if g.proxy != in.Proxy && !back {
		return
	}
	m.judge(g, in.Outcome)
	m.end(g, in.Outcome)
}

// judge has an outcome count for or against the backend.
func (m *model) judge(g *modelGrant, how fleet.Outcome) {
	switch {
	case how.Error():
		g.on.fail(m.now)
	case how == fleet.OK:
		g.on.errs = 0
	}
}

func (b *modelBackend) fail(now fleet.Time) {
	b.errs++
	b.errAt = now
	b.rests = append(b.rests, now.Add(50*time.Millisecond<<min(b.errs, 8)))
}

func (m *model) dropAll(proxy fleet.ProxyID) {
	for _, a := range slices.Clone(m.asks) {
		if a.proxy == proxy {
			m.drop(a)
		}
	}
	for _, g := range slices.Clone(m.grants) {
		if g.offer != nil && g.offer.proxy == proxy {
			m.takeBack(g.offer)
		}
	}
}

// lose ends a session. What it has is kept for the grace.
func (m *model) lose(proxy fleet.ProxyID) {
	x := m.proxy(proxy)
	if x == nil || !x.connected {
		return
	}
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
		case g == nil && l.ID.Epoch == m.epoch && (l.ID.Number > m.last || l.ID.Number == 0):
			continue // nobody ever made it
		case g == nil:
			b := m.backendOrNew(l.Backend)
			b.live++
			g = &modelGrant{id: l.ID, proxy: x.id, on: b, since: m.now.Add(-max(l.Held, 0))}
			m.grants = append(m.grants, g)
		case g.proxy != x.id || g.offer != nil || slices.Contains(named, g):
			continue
		}
		named = append(named, g)
		m.isLive(g)
	}
	for _, g := range m.grantsOf(x.id) {
		if !slices.Contains(named, g) && !g.coming && g.offer == nil {
			m.end(g, fleet.NoOutcome)
		}
	}
}

// isLive takes in that its owner still uses a grant.
func (m *model) isLive(g *modelGrant) {
	if g.proxy == g.on.holder {
		g.told = true
	}
	if g.coming {
		g.coming, g.since = false, m.now
	}
	if g.cut {
		g.cut = false
		m.cut(g, g.why)
	}
	if g.on.isLost {
		m.cut(g, fleet.BackendLost)
	}
}

func (m *model) takeJoin(in *Join) {
	b := m.backendOrNew(in.Spec.Name)
	b.known[in.Source], b.say[in.Source], b.work[in.Source] = true, in.Spec.Slots, in.Spec.Workers
	b.labelsSay[in.Source] = in.Spec.Labels
	b.labels = slices.Concat(b.labelsSay[0], b.labelsSay[1])
	if in.Spec.Zone != "" {
		b.zone = in.Spec.Zone
	}
	if in.Source == FromAgent {
		b.agentGone, b.drains[FromAgent] = 0, false
		b.toldSlots = -1 // a new agent knows nothing
		if b.holder != 0 && b.holder != in.Agent {
			m.agentOff(b) // a run of it that nobody said is over
		}
		b.agentUp, b.assigns, b.directs = true, in.Assigns, in.Directs
		if m.spec.Direct && in.Agent != 0 {
			b.holder = in.Agent
			m.takeSession(&SessionUp{Proxy: in.Agent, Live: in.Live})
		}
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
			m.agentOff(b)
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
	b.known[source], b.say[source], b.work[source] = false, 0, 0
	b.labelsSay[source] = nil
	b.labels = slices.Concat(b.labelsSay[0], b.labelsSay[1])
	if source == FromAgent {
		b.agentGone = 0
		m.agentOff(b)
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
			for _, g := range slices.Clone(m.grants) {
				switch {
				case g.on != b:
				case g.offer != nil:
					m.recall(g, fleet.BackendLost)
					m.decline(g)
				default:
					m.cut(g, fleet.BackendLost)
				}
			}
		}
	}
	for _, g := range slices.Clone(m.grants) {
		m.passGrant(g)
	}
}

// passGrant does what time brings to a grant.
func (m *model) passGrant(g *modelGrant) {
	past := func(since fleet.Time, d time.Duration) bool { return since.Add(d) <= m.now }
	x := m.proxy(g.proxy)
	switch {
	case !x.connected && past(x.lostAt, m.spec.Grace), g.cut && past(g.cutAt, m.spec.Grace):
		m.end(g, fleet.NoOutcome)
	case g.cut:
	case g.offer != nil:
		if past(g.since, m.spec.AssignTimeout) {
			m.recall(g, fleet.NotComing)
			b := g.on
			m.decline(g)
			m.undone-- // it is counted as unanswered
			b.fail(m.now)
		}
	case g.coming:
		if past(g.since, m.spec.TicketLife) {
			m.expired++
			m.end(g, fleet.Unused)
		}
	case m.spec.GrantLimit > 0 && past(g.since, m.spec.GrantLimit):
		m.cut(g, fleet.TimeLimit)
	}
}
