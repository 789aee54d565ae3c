package dispatch

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/internal/fleet"
)

// agrees compares with what the Pool knows.
func (m *model) agrees(p *Pool) error {
	if p.grants.len != len(m.grants) || p.queue.len != len(m.asks) ||
		len(p.proxies) != len(m.proxies) || len(p.order) != len(m.backends) {
		return fmt.Errorf("there are %d grants, %d asks, %d proxies and %d backends; should be %d, %d, %d, %d",
			p.grants.len, p.queue.len, len(p.proxies), len(p.order),
			len(m.grants), len(m.asks), len(m.proxies), len(m.backends))
	}
	for _, g := range m.grants {
		if of := p.grants.get(g.id); of == nil || of.proxy.id != g.proxy || of.on.name != g.on.name || (of.cutAt != 0) != g.cut ||
			(of.offer != nil) != (g.offer != nil) || (of.inTime.in == &p.coming) != g.coming || of.told != g.told || !g.cut && of.since != g.since {
			return fmt.Errorf("grant %v should be %+v on %s", g.id, *g, g.on.name)
		}
	}
	queued := p.queue.head()
	for _, a := range m.asks {
		if queued.id != a.id || queued.proxy.id != a.proxy || queued.soft != a.soft || !slices.Equal(queued.exclude, a.exclude) {
			return fmt.Errorf("p%d #%d should be queued where p%d #%d is", a.proxy, a.id, queued.proxy.id, queued.id)
		}
		queued = queued.inQueue.after()
	}
	for _, b := range m.backends {
		of := p.byName[b.name]
		if of == nil || of.live.len != b.live || of.eligible(&p.spec) != b.open(m.spec) || of.zone != b.zone ||
			p.size(of) != b.size(m.spec) || int(of.resting) != len(b.rests) || of.errs != b.errs {
			return fmt.Errorf("%s should be %+v", b.name, *b)
		}
	}
	if err := m.balanced(p); err != nil {
		return err
	}
	return m.timely(p)
}

// balanced checks that no ask and no grant was ended twice or never, by the totals.
func (m *model) balanced(p *Pool) error {
	c := &p.counts
	offers := uint64(p.offers.len)
	var refused, ended uint64
	for i := range c.Refused {
		refused += c.Refused[i]
		ended += c.Ended[i]
	}
	if c.Asks != c.Granted+refused+c.Withdrawn+uint64(p.queue.len)+offers {
		return fmt.Errorf("asks do not add up: %+v, %d wait", *c, p.queue.len)
	}
	if c.Granted+c.Adopted+offers != ended+uint64(p.grants.len) {
		return fmt.Errorf("grants do not add up: %+v, %d live", *c, p.grants.len)
	}
	if m.spec.Assign != fleet.AssignNone && c.Assigned != c.Granted+c.Rejected+c.Unanswered+m.undone+offers {
		return fmt.Errorf("assignments do not add up: %+v, %d came to nothing, %d are open", *c, m.undone, offers)
	}
	if c.Expired != m.expired || c.Ended != m.ended {
		return fmt.Errorf("%d expired and %d ended, should be %d and %d", c.Expired, c.Ended, m.expired, m.ended)
	}
	return nil
}

// timely checks that the Pool will be ticked for whatever is due, and not before now.
func (m *model) timely(p *Pool) error {
	next, any := p.Next()
	if any && next <= m.now {
		return fmt.Errorf("the next tick is due at %v, and it is %v", next, m.now)
	}
	due := func(what string, at fleet.Time) error {
		if !any || next > at {
			return fmt.Errorf("%s is due at %v, and the next tick at %v (%v)", what, at, next, any)
		}
		return nil
	}
	var errs []error
	for _, a := range m.asks {
		errs = append(errs, due("an ask", m.until(a)))
	}
	for _, g := range m.grants {
		switch {
		case g.cut:
			errs = append(errs, due("a cut grant", g.cutAt.Add(m.spec.Grace)))
		case g.offer != nil:
			errs = append(errs, due("an assignment", g.since.Add(m.spec.AssignTimeout)))
		case g.coming:
			errs = append(errs, due("a direct grant", g.since.Add(m.spec.TicketLife)))
		case m.spec.GrantLimit > 0:
			errs = append(errs, due("a grant", g.since.Add(m.spec.GrantLimit)))
		}
	}
	for _, x := range m.proxies {
		if !x.connected {
			errs = append(errs, due("a proxy", x.lostAt.Add(m.spec.Grace)))
		}
	}
	for _, b := range m.backends {
		for _, at := range append([]fleet.Time{b.agentGone, b.lost}, b.rests...) {
			if at != 0 {
				errs = append(errs, due(string(b.name), at))
			}
		}
	}
	return errors.Join(errs...)
}
