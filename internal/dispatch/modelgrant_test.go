package dispatch

import (
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// end ends a grant. The proxy is not told, and a backend that believes in it is, unless
// it was served there.
func (m *model) end(g *modelGrant, how fleet.Outcome) {
	if g.told && how != fleet.OK && how != fleet.Failed {
		m.recall(g, fleet.NotComing)
	}
	if !how.Valid() {
		how = fleet.NoOutcome
	}
	m.ended[how]++
	m.free(g)
	x := m.proxy(g.proxy)
	if !x.connected && len(m.grantsOf(x.id)) == 0 {
		m.proxies = slices.DeleteFunc(m.proxies, func(o *modelProxy) bool { return o == x })
	}
}

// free gives a grant's slot back.
func (m *model) free(g *modelGrant) {
	m.grants = slices.DeleteFunc(m.grants, func(o *modelGrant) bool { return o == g })
	g.on.live--
	if g.on.live == 0 && g.on.draining() {
		g.on.owesDrained, g.on.emptied = true, m.steps
	}
}

// cut revokes a grant, of which its proxy or its agent must hear if it can, and so must a
// backend to which it was assigned.
func (m *model) cut(g *modelGrant, why fleet.Reason) {
	if g.cut {
		return
	}
	g.cut, g.cutAt, g.why, g.coming = true, m.now, why, false
	if g.told {
		m.recall(g, why)
	}
	if m.proxy(g.proxy).connected && g.proxy != g.on.holder {
		m.owed = append(m.owed, Effect{Kind: Revoked, Proxy: g.proxy, Grant: g.id, Backend: g.on.name, Reason: why})
	}
}

// recall has a backend told that a request does not come, or must end.
func (m *model) recall(g *modelGrant, why fleet.Reason) {
	g.told = false
	m.owed = append(m.owed, Effect{Kind: Recalled, Backend: g.on.name, Grant: g.id, Reason: why})
}

// takeBack ends an ask whose proxy does not want it any more.
func (m *model) takeBack(a *modelAsk) {
	if g := a.offer; g != nil {
		m.recall(g, fleet.NotComing)
		m.free(g)
		m.undone++
	}
	m.drop(a)
}

// decline ends an assignment; its ask goes back to where it was in the queue, and does
// not go to the same backend while there is another.
func (m *model) decline(g *modelGrant) {
	a := g.offer
	m.free(g)
	m.undone++
	a.offer, a.back = nil, m.steps
	a.exclude = append(a.exclude, g.on.name)
	a.soft++
	a.roams = !m.stays(a)
	m.relent(a)
	m.enqueue(a)
}

// relent forgets who declined when nobody else is left.
func (m *model) relent(a *modelAsk) {
	if a.soft > 0 && m.hope(a) != fleet.NoReason {
		a.exclude, a.soft = a.exclude[:len(a.exclude)-a.soft], 0
	}
}

func (m *model) takeAnswer(in *Answer) {
	g := m.grant(in.Grant)
	if g == nil || g.offer == nil || g.on.name != in.Backend {
		return
	}
	a, b := g.offer, g.on
	if in.Rejection == fleet.Accepted {
		m.owed = append(m.owed, Effect{
			Kind: Granted, Proxy: a.proxy, Ask: a.id, Grant: g.id, Backend: b.name,
			Limit: m.spec.GrantLimit, Waited: m.now.Sub(a.arrived),
		})
		a.offer, g.offer, g.since, g.coming = nil, nil, m.now, m.spec.Direct
		return
	}
	m.decline(g)
	m.undone-- // it is counted as rejected
	m.answered = b
	slots := 1
	if in.Rejection != fleet.RejectedOther {
		slots = max(1, b.limit-b.live-len(b.rests))
	}
	for range slots {
		b.rests = append(b.rests, m.now.Add(declinedRest))
	}
}

func (m *model) takeArrival(in *Arrival) {
	switch g := m.grant(in.Grant); {
	case g == nil: // its slot is another's
		m.owed = append(m.owed, Effect{Kind: Recalled, Backend: in.Backend, Grant: in.Grant, Reason: fleet.TimeLimit})
	case g.coming && g.on.name == in.Backend:
		g.coming, g.since = false, m.now
	}
}

func (m *model) takeEnded(in *Ended) {
	g := m.grant(in.Grant)
	if !m.spec.Direct || g == nil || g.offer != nil || g.on.name != in.Backend {
		return
	}
	g.told = false
	m.judge(g, in.Outcome)
	m.end(g, in.Outcome)
}

// agentOff takes note that a backend's agent is gone.
func (m *model) agentOff(b *modelBackend) {
	if !b.agentUp {
		return
	}
	b.agentUp = false
	for _, g := range slices.Clone(m.grants) {
		if g.on == b && g.offer != nil {
			m.decline(g)
		}
	}
	m.lose(b.holder)
	b.holder = 0
}
