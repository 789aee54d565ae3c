package control

import (
	"context"
	"maps"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/store"
)

// leading is a term in which this controller leads a pool.
type leading struct {
	epoch    uint64
	learning bool // nothing is granted yet
	term     *store.Term
}

// certain tells whether the term is not over. Timers may be late, so that whoever acts in it
// asks.
func (l *leading) certain() bool { return l.term == nil || !fenced || l.term.Certain() }

// learnFor is how long a new leader waits for proxies that may hold slots. Their leases have
// all ended by then, even if the one before leads on, in its own view, for another second
// (see store.Evict).
const learnFor = grace + time.Second

// maxLive bounds the grants of one pool that one proxy can hold.
const maxLive = 1 << 20

// begin begins a term. expect are the proxies that may hold slots. It runs in the runner's
// goroutine, as all of the runner's methods here.
func (r *runner) begin(l leading, expect []fleet.ProxyID) {
	switch {
	case r.conf().Workers > 0 || !fenced:
		expect = nil // nothing bounds what backends with queues of their own are given
	case len(expect) > 0 && (r.conf().Assign != fleet.AssignNone || !r.conf().ServesAlone()):
		expect = append(expect, r.c.proxies.newID()) // agents hold slots too: the whole time
	}
	r.step(&dispatch.Learn{Epoch: l.epoch, Expect: expect, For: learnFor})
	l.learning = r.mind.Learning()
	r.leading.Store(&l)
	r.c.proxies.tellLeads()
	r.c.agents.tellEpoch(r.conf().Name, l.epoch)
	r.c.cfg.Logger.Info("this controller leads the pool", "pool", r.conf().Name, "epoch", l.epoch, "waits_for_proxies", len(expect))
}

// epoch returns that of the term in which this controller leads the pool; 0: it does not. Any
// goroutine may call it.
func (r *runner) epoch() uint64 {
	if l := r.leading.Load(); l != nil {
		return l.epoch
	}
	return 0
}

// yield ends the term: the pool is another controller's, or will be.
func (r *runner) yield() {
	l := r.leading.Load()
	if l == nil {
		return
	}
	r.leading.Store(nil)
	for id, s := range r.sessions {
		s.waiting.Add(-int64(r.mind.Asks(id)))
		r.silent(id)
	}
	clear(r.sessions)
	clear(r.cutOff)
	r.lonely = false
	r.step(&dispatch.Yield{})
	r.c.proxies.tellLeads()
	r.c.cfg.Logger.Info("this controller does not lead the pool any more", "pool", r.conf().Name, "epoch", l.epoch)
}

// cutFor is how long before the last one a proxy may have been cut off by the same cut.
const cutFor = time.Minute

// left notes that a proxy's session is over. When nothing is heard of any proxy any more, the
// controller may be the one that is cut off, and they live on their shares.
func (r *runner) left(p *proxySession) {
	if !p.silent || r.leading.Load() == nil {
		return
	}
	now := r.c.now()
	r.cutOff[p.id] = now
	maps.DeleteFunc(r.cutOff, func(_ fleet.ProxyID, since fleet.Time) bool { return now.Sub(since) > cutFor })
	r.lonely = len(r.sessions) == 0
}

// back notes that a proxy has a session again. The first one that is back after nothing was
// heard of any has the controller learn anew.
func (r *runner) back(p *proxySession) {
	delete(r.cutOff, p.id)
	l := r.leading.Load()
	if !r.lonely {
		return
	}
	r.lonely = false
	if r.conf().Workers > 0 || !fenced {
		return
	}
	r.step(&dispatch.Learn{Expect: slices.Sorted(maps.Keys(r.cutOff)), For: learnFor})
	if r.mind.Learning() {
		r.leading.Store(&leading{epoch: l.epoch, term: l.term, learning: true})
		r.c.proxies.tellLeads()
	}
}

// beSure ends the term if it is not certain any more.
func (r *runner) beSure() {
	if l := r.leading.Load(); l != nil && !l.certain() {
		r.yield()
	}
}

// tellLearnt tells proxies when the pool's leader has begun to grant.
func (r *runner) tellLearnt() {
	l := r.leading.Load()
	if l == nil || !l.learning || r.mind.Learning() {
		return
	}
	r.leading.Store(&leading{epoch: l.epoch, term: l.term})
	r.c.proxies.tellLeads()
	r.reshare()
}

// greeted takes in what a proxy holds of the pool. What it says of it counts from now on.
func (r *runner) greeted(p *proxySession, epoch uint64, live []fleet.LiveGrant) {
	if l := r.leading.Load(); l == nil || l.epoch != epoch {
		return // of a term that is over
	}
	if r.sessions[p.id] == p {
		p.waiting.Add(-int64(r.mind.Asks(p.id)))
	}
	r.sessions[p.id] = p
	r.back(p)
	r.step(&dispatch.SessionUp{Proxy: p.id, Live: live})
	r.greet(p)
	r.reshare()
}

// greets takes in a part of a pool's hello. Only the receiving goroutine calls it.
func (p *proxySession) greets(h *fairleadv1.PoolHello) error {
	r := p.c.byNumber(h.GetPool())
	if r == nil {
		return nil // of a pool that is gone
	}
	if err := checkLive(h.GetLive(), true); err != nil {
		return err
	}
	all := p.hellos[r]
	if len(all)+len(h.GetLive()) > maxLive {
		return status.Errorf(codes.ResourceExhausted, "more than %d live grants of one pool", maxLive)
	}
	for _, g := range h.GetLive() {
		all = append(all, liveGrant(g))
	}
	if h.GetMore() {
		p.hellos[r] = all
		return nil
	}
	delete(p.hellos, r)
	if !r.submit(work{call: func() { r.greeted(p, h.GetEpoch(), all) }}) {
		return errStopping
	}
	return nil
}

// leads returns which pools this controller leads.
func (c *Controller) leads() *fairleadv1.Leads {
	all := &fairleadv1.Leads{}
	for _, r := range c.runners() {
		if l := r.leading.Load(); l != nil {
			all.Leads = append(all.Leads, &fairleadv1.Lead{Pool: r.number, Epoch: l.epoch, Learning: l.learning})
		}
	}
	return all
}

// sure tells whether this controller is certain to lead each pool that it says it leads.
func (c *Controller) sure() bool {
	return !slices.ContainsFunc(c.runners(), func(r *runner) bool {
		l := r.leading.Load()
		return l != nil && !l.certain()
	})
}

// tellLeads has every session told which pools this controller leads.
func (g *proxyRegistry) tellLeads() {
	g.mu.Lock()
	all := slices.Collect(maps.Keys(g.all))
	g.mu.Unlock()
	for _, p := range all {
		p.mu.Lock()
		p.leads = true
		p.mu.Unlock()
		p.rouse()
	}
}

// compete leads pools as the store says, until ctx ends; without a store all of them.
func (c *Controller) compete(ctx context.Context) error {
	if c.cfg.Store == nil {
		for _, r := range c.runners() {
			r.do(func() { r.begin(leading{epoch: c.epoch}, nil) })
		}
		return nil
	}
	return c.campaign(ctx)
}

// serve leads a pool for a term, until that is lost or ctx ends.
func (c *Controller) serve(ctx context.Context, term *store.Term) {
	r := c.pool(fleet.PoolName(term.Pool))
	if r == nil {
		return
	}
	expect, ok := c.expected(ctx, term)
	if !ok {
		return
	}
	r.do(func() { r.begin(leading{epoch: term.Epoch, term: term}, expect) })
	select {
	case <-term.Lost():
	case <-ctx.Done():
	}
	r.do(r.yield)
}

// expected returns the proxies that may hold slots; false: the term is over before the store
// could say.
func (c *Controller) expected(ctx context.Context, term *store.Term) ([]fleet.ProxyID, bool) {
	for {
		known, err := store.Load(ctx, c.cfg.Store, store.Proxies)
		if err == nil {
			return c.proxies.expect(known), true
		}
		c.cfg.Logger.Warn("the store does not say which proxies there are; trying again", "pool", term.Pool, "error", err)
		retry := time.NewTimer(50 * time.Millisecond)
		select {
		case <-retry.C:
		case <-term.Lost():
			return nil, false
		case <-ctx.Done():
			return nil, false
		}
	}
}
