package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// audit checks, step for step, what dispatch promises. It keeps accounts of its own, from
// the inputs and effects alone, and compares them with the mind's now and then, as that
// takes as long as there are backends.
type audit struct {
	c       *remote
	mind    accountable // nil: one that promises nothing
	now     fleet.Time
	steps   int
	asks    []*open // that wait, by when they came
	fresh   *open   // the ask that came in this step; nil: none did
	waiting [fleet.Classes]int
	grants  map[fleet.GrantID]*given
	proxies map[fleet.ProxyID]*session
	lost    []due[fleet.ProxyID] // whose grants end with the grace
	cut     []due[fleet.GrantID] // which end then, too
	on      []told               // by backend
	turns   [fleet.Classes]turns
}

// accountable is a mind that says how it is, as dispatch.Pool does.
type accountable interface {
	State(now fleet.Time) dispatch.State
	Explain(h dispatch.Hypothetical, n int) dispatch.Explanation
}

// open is an ask that was not answered yet.
type open struct {
	proxy   fleet.ProxyID
	ask     fleet.AskID
	class   fleet.Class
	about   *fleet.About
	zone    string
	exclude []fleet.BackendName
	arrived fleet.Time
	counted bool // among its flow's turns
}

// given is a grant that lives.
type given struct {
	proxy fleet.ProxyID
	on    int32
	cutAt fleet.Time // when it was revoked; 0: it was not
}

type session struct {
	connected bool
	lostAt    fleet.Time
}

// told is what the mind was told of a backend, and what it has there.
type told struct {
	up, drains, erred bool
	count             int32 // grants
	learnt            int32 // workers, the most as of late
}

// due is what may end at a time, if nothing has changed by then.
type due[T any] struct {
	what T
	from fleet.Time
}

// looksAt is how many steps there are between looks at the mind's own account, which of a
// small fleet are cheap.
const (
	looksAt      = 512
	looksAtSmall = 8
	smallFleet   = 16 // backends
)

func newAudit(c *remote) *audit { return &audit{c: c} }

// restart begins with a new controller, which knows nothing.
func (a *audit) restart() {
	mind, _ := a.c.brain.(accountable)
	*a = audit{
		c: a.c, mind: mind, steps: a.steps, grants: map[fleet.GrantID]*given{},
		proxies: map[fleet.ProxyID]*session{}, on: make([]told, len(a.c.e.backends)),
	}
}

func (a *audit) violate(format string, args ...any) { a.c.e.violate(format, args...) }

func (a *audit) small() bool { return len(a.on) <= smallFleet }

// stepped takes a step into account.
func (a *audit) stepped(in dispatch.Input, effects []dispatch.Effect) {
	if a.mind == nil {
		return
	}
	a.now = max(fleet.Time(a.c.e.now), 1) // as the mind's clock, on which 0 stands for never
	a.fresh = nil
	look := a.takeIn(in)
	a.expire()
	for i := range effects {
		a.effect(&effects[i])
	}
	if o := a.fresh; o != nil {
		a.turns[o.class].comes(a, o)
		o.counted = true
	}
	a.bounds()
	a.steps++
	often := looksAt
	if a.small() {
		often = looksAtSmall
	}
	look = look || a.steps%often == 0
	if (a.small() || look) && !a.mind.State(a.now).Learning {
		a.idleSlots()
	}
	if look {
		a.look()
	}
}

// takeIn takes an input in, and tells whether it is one of those that come rarely and
// change much.
func (a *audit) takeIn(in dispatch.Input) bool {
	switch in := in.(type) {
	case *dispatch.Ask:
		a.asked(in)
	case *dispatch.Withdraw:
		if i := a.find(in.Proxy, in.Ask); i >= 0 {
			a.answered(i)
		}
	case *dispatch.Done:
		if g := a.grants[in.Grant]; g != nil && g.proxy == in.Proxy {
			a.on[g.on].erred = a.on[g.on].erred || in.Outcome.Error()
			if g.cutAt = 0; !in.Kept { // else its slot is still its proxy's, and there is nothing to cut
				a.ended(in.Grant)
			}
		}
	case *dispatch.SessionLost:
		a.sessionLost(in.Proxy)
		return true
	case *dispatch.SessionUp:
		a.sessionUp(in)
		return true
	case *dispatch.Health:
		a.on[a.c.e.plan.index[in.Backend]].up = in.Up
		return true
	case *dispatch.Override:
		a.on[a.c.e.plan.index[in.Backend]].drains = in.Drain
		return true
	}
	return false
}

func (a *audit) find(p fleet.ProxyID, ask fleet.AskID) int {
	return slices.IndexFunc(a.asks, func(o *open) bool { return o.proxy == p && o.ask == ask })
}

// asked opens an ask, unless it is open already: messages may come twice.
func (a *audit) asked(in *dispatch.Ask) {
	x := a.proxies[in.Proxy]
	if x == nil || !x.connected || a.find(in.Proxy, in.ID) >= 0 {
		return
	}
	o := &open{
		proxy: in.Proxy, ask: in.ID, class: in.About.Class, about: in.About, zone: in.Zone,
		exclude: slices.Clone(in.Exclude), arrived: a.now.Add(-max(in.Waited, 0)),
	}
	if o.class == fleet.NoClass {
		o.class = fleet.Normal
	}
	a.fresh = o
	a.asks = append(a.asks, o)
	a.waiting[o.class]++
}

// answered ends an ask, however.
func (a *audit) answered(i int) {
	o := a.asks[i]
	a.asks = slices.Delete(a.asks, i, i+1)
	a.waiting[o.class]--
	a.turns[o.class].leaves(o)
	if a.fresh == o {
		a.fresh = nil
	}
}

func (a *audit) ended(id fleet.GrantID) {
	if g := a.grants[id]; g != nil {
		delete(a.grants, id)
		a.on[g.on].count--
	}
}

// withdrawAll ends the asks of a session.
func (a *audit) withdrawAll(p fleet.ProxyID) {
	for i := len(a.asks) - 1; i >= 0; i-- {
		if a.asks[i].proxy == p {
			a.answered(i)
		}
	}
}

func (a *audit) sessionLost(p fleet.ProxyID) {
	x := a.proxies[p]
	if x == nil || !x.connected {
		return
	}
	a.withdrawAll(p)
	x.connected, x.lostAt = false, a.now
	a.lost = append(a.lost, due[fleet.ProxyID]{p, a.now})
	for id, g := range a.grants {
		if g.proxy == p && g.cutAt != 0 { // nobody may have been told
			g.cutAt = a.now
			a.cut = append(a.cut, due[fleet.GrantID]{id, a.now})
		}
	}
}

// sessionUp has a proxy keep what it names, and nothing else.
func (a *audit) sessionUp(in *dispatch.SessionUp) {
	a.withdrawAll(in.Proxy)
	a.proxies[in.Proxy] = &session{connected: true}
	named := map[fleet.GrantID]bool{}
	for _, l := range in.Live {
		named[l.ID] = true
		if a.grants[l.ID] == nil { // an earlier controller's
			v := a.c.e.plan.index[l.Backend]
			a.grants[l.ID] = &given{proxy: in.Proxy, on: v}
			a.on[v].count++
		}
	}
	for id, g := range a.grants {
		if g.proxy == in.Proxy && !named[id] {
			a.ended(id)
		}
	}
}

// expire ends what ends by itself: grants whose proxy has not come back in time, and
// those of which it was told that they are over.
func (a *audit) expire() {
	grace := a.c.e.plan.spec.Grace
	for len(a.lost) > 0 && a.lost[0].from.Add(grace) <= a.now {
		d := a.lost[0]
		a.lost = a.lost[1:]
		if x := a.proxies[d.what]; x == nil || x.connected || x.lostAt != d.from {
			continue
		}
		for id, g := range a.grants {
			if g.proxy == d.what {
				a.ended(id)
			}
		}
	}
	for len(a.cut) > 0 && a.cut[0].from.Add(grace) <= a.now {
		d := a.cut[0]
		a.cut = a.cut[1:]
		if g := a.grants[d.what]; g != nil && g.cutAt == d.from {
			a.ended(d.what)
		}
	}
}

// look compares with the mind's own account.
func (a *audit) look() {
	p := a.c.e.plan
	s := a.mind.State(a.now)
	if s.Waiting != len(a.asks) {
		a.violate("%d wait, of %d asks that are open", s.Waiting, len(a.asks))
	}
	if n := s.InFlight + s.Kept; n != len(a.grants) {
		a.violate("%d in flight by the mind's account, and %d by what it said", n, len(a.grants))
	}
	for i := range s.Backends {
		b := &s.Backends[i]
		v := &a.on[p.index[b.Name]]
		if n := b.InFlight + b.Kept; n != int(v.count) {
			a.violate("%s has %d in flight by the mind's account, and %d by what it said", b.Name, n, v.count)
		}
		v.learnt = int32(b.Slots)
	}
	a.patient()
}

// measure notes how many workers the mind takes backends to have.
func (a *audit) measure() {
	s := a.mind.State(a.now)
	for i := range s.Backends {
		v := &a.on[a.c.e.plan.index[s.Backends[i].Name]]
		v.learnt = max(v.learnt, int32(s.Backends[i].Slots))
	}
}

// patient checks that nobody waits for longer than he may.
func (a *audit) patient() {
	for _, o := range a.asks {
		if waited := a.now.Sub(o.arrived); waited >= a.patience(o) {
			a.violate("the ask %d of proxy %d waits for %v, and may for %v", o.ask, o.proxy, waited, a.patience(o))
		}
	}
}

// patience is how long an ask may wait.
func (a *audit) patience(o *open) time.Duration {
	if own := a.c.e.plan.spec.Classes[o.class].Timeout; own > 0 {
		return own
	}
	return a.c.e.plan.spec.QueueTimeout
}

// leak says what is left, if anything is.
func (a *audit) leak() string {
	if a.mind == nil {
		return ""
	}
	s := a.mind.State(fleet.Time(a.c.e.now))
	grants, asks := max(s.InFlight+s.Kept, len(a.grants)), max(s.Waiting, len(a.asks))
	if grants > 0 || asks > 0 {
		return fmt.Sprintf("%d grants and %d asks are left", grants, asks)
	}
	return ""
}
