package sim

import (
	"fmt"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// audit checks, step for step, what dispatch promises. It keeps accounts of its own, from
// the inputs and effects alone, and compares them with the mind's now and then, as that
// takes as long as there are backends.
type audit struct {
	c     *remote
	mind  accountable // nil: one that promises nothing
	asks  map[askKey]bool
	on    map[fleet.GrantID]int32 // backends of grants that live
	count []int32                 // of these, by backend
	self  []int32                 // of these, that the mind had ended by itself when it was last looked at
	extra []int32                 // most that a backend had beyond its slots, that others brought
	steps int

	brought []int32 // backends of grants that a session just brought
}

// accountable is a mind that says how it is, as dispatch.Pool does.
type accountable interface {
	State(now fleet.Time) dispatch.State
}

type askKey struct {
	proxy fleet.ProxyID
	ask   fleet.AskID
}

// looksAt is how many steps there are between looks at the mind's own account.
const looksAt = 512

func newAudit(c *remote) *audit { return &audit{c: c} }

// restart begins with a new controller, which knows nothing.
func (a *audit) restart() {
	a.mind, _ = a.c.brain.(accountable)
	a.asks, a.on = map[askKey]bool{}, map[fleet.GrantID]int32{}
	a.count = make([]int32, len(a.c.e.backends))
	a.extra, a.self = make([]int32, len(a.c.e.backends)), make([]int32, len(a.c.e.backends))
}

// stepped takes a step into account.
func (a *audit) stepped(in dispatch.Input, effects []dispatch.Effect) {
	if a.mind == nil {
		return
	}
	a.steps++
	look := a.steps%looksAt == 0
	switch in := in.(type) {
	case *dispatch.Ask:
		a.asks[askKey{in.Proxy, in.ID}] = true
	case *dispatch.Withdraw:
		delete(a.asks, askKey{in.Proxy, in.Ask})
	case *dispatch.Done:
		a.ended(in.Grant)
	case *dispatch.SessionLost:
		a.sessionOver(in.Proxy)
		look = true
	case *dispatch.SessionUp:
		a.sessionOver(in.Proxy)
		a.adopted(in.Live)
		look = true
	case *dispatch.Tick, *dispatch.Report:
	default:
		look = true
	}
	for i := range effects {
		a.effect(&effects[i])
	}
	if look {
		a.look()
	}
}

func (a *audit) effect(f *dispatch.Effect) {
	if f.Kind != dispatch.Granted && f.Kind != dispatch.Refused {
		return
	}
	key := askKey{f.Proxy, f.Ask}
	if !a.asks[key] {
		a.c.e.violate("the ask %d of proxy %d is answered, and was not open", f.Ask, f.Proxy)
	}
	delete(a.asks, key)
	if f.Kind == dispatch.Refused {
		return
	}
	if _, twice := a.on[f.Grant]; twice {
		a.c.e.violate("grant %v is given twice", f.Grant)
	}
	v := a.c.e.plan.index[f.Backend]
	a.on[f.Grant] = v
	a.count[v]++
	if limit := a.limit(v); limit > 0 && a.count[v]-a.self[v] > max(limit, a.extra[v]) {
		a.look()
	}
}

// limit returns how many grants a backend may have; 0: nothing is declared.
func (a *audit) limit(v int32) int32 {
	p := a.c.e.plan
	if p.spec.Workers > 0 || p.spec.Learn {
		return 0
	}
	return int32(max(p.groups[p.groupOf[v]].Declared, 1))
}

func (a *audit) ended(id fleet.GrantID) {
	if v, ok := a.on[id]; ok {
		delete(a.on, id)
		a.count[v]--
	}
}

// sessionOver ends the asks of a session.
func (a *audit) sessionOver(p fleet.ProxyID) {
	for key := range a.asks {
		if key.proxy == p {
			delete(a.asks, key)
		}
	}
}

// adopted takes in what a proxy brought from an earlier controller.
func (a *audit) adopted(live []fleet.LiveGrant) {
	for _, l := range live {
		if _, ok := a.on[l.ID]; !ok {
			v := a.c.e.plan.index[l.Backend]
			a.on[l.ID] = v
			a.count[v]++
		}
		a.brought = append(a.brought, a.c.e.plan.index[l.Backend])
	}
}

// look compares with the mind's own account. It may have fewer in flight: it ends grants by
// itself, when a grace is over, and a word on these may come later.
func (a *audit) look() {
	e := a.c.e
	s := a.mind.State(fleet.Time(e.now))
	for _, v := range a.brought { // backends are in the order in which they joined
		a.extra[v] = max(a.extra[v], int32(s.Backends[v].InFlight))
	}
	a.brought = a.brought[:0]
	if s.Waiting > s.Spec.QueueLimit {
		e.violate("%d wait, and %d may", s.Waiting, s.Spec.QueueLimit)
	}
	if s.Waiting > len(a.asks) {
		e.violate("%d wait, of %d asks that are open", s.Waiting, len(a.asks))
	}
	for i := range s.Backends {
		b := &s.Backends[i]
		v := e.plan.index[b.Name]
		if b.InFlight > int(a.count[v]) {
			e.violate("%s has %d in flight by the mind's account, and %d by what it said", b.Name, b.InFlight, a.count[v])
		}
		if limit := int(a.limit(v)); limit > 0 && b.InFlight > max(limit, int(a.extra[v])) {
			e.violate("%s has %d in flight, and %d slots", b.Name, b.InFlight, limit)
		}
		a.self[v] = a.count[v] - int32(b.InFlight)
		if s.Waiting > 0 && a.strict() && b.Eligible && b.InFlight < b.Slots-int(b.Foreign+.5) {
			e.violate("%d wait, while %s has %d of %d slots taken", s.Waiting, b.Name, b.InFlight, b.Slots)
		}
	}
}

// strict tells whether nothing but slots may keep a request from a backend.
func (a *audit) strict() bool {
	p := a.c.e.plan
	for i := range p.groups {
		if p.groups[i].ErrorRate > 0 {
			return false
		}
	}
	return p.spec.Workers == 0 && !p.spec.Learn && p.spec.SlowStart == 0 && p.spec.Eject.Errors == 0 &&
		!p.spec.PreferZone && len(p.sets) == 1 && len(p.s.Faults) == 0 && p.s.Network.Loss == 0
}

// leak says what is left, if anything is.
func (a *audit) leak() string {
	if a.mind == nil {
		return ""
	}
	s := a.mind.State(fleet.Time(a.c.e.now))
	if s.InFlight > 0 || s.Waiting > 0 {
		return fmt.Sprintf("%d grants and %d asks are left", s.InFlight, s.Waiting)
	}
	return ""
}
