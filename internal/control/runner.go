package control

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// backlog is how many pieces of work may wait for a runner; a session that has more to
// say is not read from until there is room, so a flood slows its sender and nobody's
// memory grows.
const backlog = 256

// runner is the goroutine around one pool's mind, and the way to it.
type runner struct {
	c       *Controller
	config  atomic.Pointer[config.Pool]
	number  uint32
	mind    *dispatch.Pool // owned by run
	work    chan work
	stopped chan struct{}      // closed when run has ended
	cancel  context.CancelFunc // ends run
	targets targets
	public  *publics
	overTCP atomic.Bool // a TCP listener leads here
	log     *poolLog    // of decisions; owned by run, nil: there is none

	describes atomic.Bool // the mind is told what requests are
	inform    *informer   // owned by run; nil: only the controller decides

	leading  atomic.Pointer[leading]         // written by run; nil: another controller leads the pool, or none
	sessions map[fleet.ProxyID]*proxySession // owned by run: those that have said what they hold
	touched  []*proxySession                 // owned by run: they have something to send
	cutOff   map[fleet.ProxyID]fleet.Time    // owned by run: since when nothing is heard of them
	lonely   bool                            // owned by run: nothing is heard of any

	decisions atomic.Uint64 // grants and refusals so far, for the sampler
	grants    atomic.Uint64
	waited    atomic.Int64 // nanoseconds in the queue, summed over grants
	rate      atomic.Pointer[rate]
}

// work is one of: a batch of a proxy, an input, a call.
type work struct {
	batch *batch
	input dispatch.Input
	call  func()
}

// batch is what one message of a proxy says to one pool.
type batch struct {
	from        *proxySession
	dones       []dispatch.Done
	asks        []dispatch.Ask
	withdrawals []dispatch.Withdraw
	pools       []poolSeen
	uses        []useAt
	number      uint64 // of the message; 0: nobody waits to hear of it
}

// useAt is a use of a kept slot, and how many dones of the batch come before it.
type useAt struct {
	dispatch.Use
	after int
}

var batches = sync.Pool{New: func() any { return &batch{} }}

func (b *batch) release() {
	b.from, b.number = nil, 0
	clear(b.dones)
	clear(b.asks)
	clear(b.pools)
	clear(b.uses)
	b.uses = b.uses[:0]
	b.dones, b.asks, b.withdrawals, b.pools = b.dones[:0], b.asks[:0], b.withdrawals[:0], b.pools[:0]
	batches.Put(b)
}

func newRunner(c *Controller, conf config.Pool, number uint32, file *config.Config) *runner {
	spec := poolSpec(conf, number)
	r := &runner{
		c: c, number: number,
		mind:     dispatch.New(spec, c.epoch),
		work:     make(chan work, backlog),
		stopped:  make(chan struct{}),
		sessions: map[fleet.ProxyID]*proxySession{},
		cutOff:   map[fleet.ProxyID]fleet.Time{},
	}
	if c.recorder != nil {
		r.log = c.recorder.pool(number, spec, c.epoch)
	}
	r.config.Store(&conf)
	r.targets.set, r.targets.last = map[fleet.BackendName]bool{}, map[fleet.BackendName]lastVerdict{}
	r.public = newPublics(conf)
	if conf.MayProxiesDecide() || conf.ServesAlone() {
		r.inform = newInformer(conf.Decide)
	}
	r.route(file.Routes, file.Listeners)
	r.rate.Store(&rate{})
	return r
}

// route takes in which routes lead here.
func (r *runner) route(routes []config.Route, listeners []config.Listener) {
	r.describes.Store(describes(r.conf(), routes))
	overTCP := false
	for _, route := range routes {
		for _, l := range listeners {
			overTCP = overTCP || l.Name == route.Listener && l.Protocol != config.HTTP && route.Pool == r.conf().Name
		}
	}
	r.overTCP.Store(overTCP)
}

// submit hands work over, in order. It waits while the backlog is full, and returns
// false when the runner has ended.
func (r *runner) submit(w work) bool {
	select {
	case r.work <- w:
		return true
	case <-r.stopped:
		return false
	}
}

func (r *runner) put(in dispatch.Input) bool { return r.submit(work{input: in}) }

// do runs f in the runner's goroutine, and returns when it has run; false: it did not.
func (r *runner) do(f func()) bool {
	done := make(chan struct{})
	if !r.submit(work{call: func() { f(); close(done) }}) {
		return false
	}
	select {
	case <-done:
		return true
	case <-r.stopped:
		select {
		case <-done: // both happened
			return true
		default:
			return false
		}
	}
}

// run owns the mind until ctx ends.
func (r *runner) run(ctx context.Context) error {
	defer close(r.stopped)
	defer r.log.close()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(r.idle())
		select {
		case w := <-r.work:
			r.beSure()
			r.handle(w)
		case <-timer.C:
			r.beSure()
			r.step(&dispatch.Tick{})
		case <-ctx.Done():
			return nil
		}
		r.catchUp()
		r.tellLearnt()
		r.look()
		r.flush()
	}
}

// idle returns how long there is nothing to do, unless something comes.
func (r *runner) idle() time.Duration {
	idle := time.Hour
	if at, ok := r.mind.Next(); ok {
		idle = max(at.Sub(r.c.now()), 0)
	}
	if r.inform != nil {
		idle = min(idle, max(r.inform.due.Sub(r.c.now()), 0))
	}
	return idle
}

// catchUp handles what has come meanwhile, up to a bound, so that one message to each
// session tells of all of it.
func (r *runner) catchUp() {
	for range backlog {
		select {
		case w := <-r.work:
			r.handle(w)
		default:
			return
		}
	}
}

// flush has the sessions send what was put into their outboxes.
func (r *runner) flush() {
	r.log.hand()
	for i, s := range r.touched {
		s.untouch(r)
		s.rouse()
		r.touched[i] = nil
	}
	r.touched = r.touched[:0]
}

func (r *runner) handle(w work) {
	switch {
	case w.batch != nil:
		r.take(w.batch)
	case w.input != nil:
		r.step(w.input)
	default:
		w.call()
	}
	if r.inform != nil && w.batch == nil {
		r.inform.stir()
	}
}

// take steps through a batch, unless the session that it came from has ended: what a
// session said must not follow its end.
func (r *runner) take(b *batch) {
	defer b.release()
	if r.sessions[b.from.id] != b.from {
		b.from.waiting.Add(-int64(len(b.asks)))
		return
	}
	now := r.c.now() // of the message
	uses := b.uses
	for i := range b.dones {
		uses = r.used(now, uses, i)
		d := &b.dones[i]
		r.stepAt(now, d)
		if r.inform != nil && d.Outcome == fleet.OK {
			r.inform.who.served(now, 1, d.Latency)
		}
		if d.Outcome == fleet.Unreachable && d.Seen.Backend != "" {
			r.c.prober.Suspect(r.conf().Name, d.Seen.Backend)
		}
	}
	r.used(now, uses, len(b.dones))
	for i := range b.asks {
		if r.inform != nil {
			r.inform.who.tripped(now, b.asks[i].RoundTrip)
		}
		r.stepAt(now, &b.asks[i])
	}
	for i := range b.withdrawals {
		w := &b.withdrawals[i]
		if r.mind.Queued(w.Proxy, w.Ask) {
			b.from.waiting.Add(-1)
		}
		r.stepAt(now, w)
	}
	for i := range b.pools {
		r.heard(now, b.from.id, &b.pools[i])
	}
	if b.number > 0 {
		b.from.decided(b.number)
		r.touch(b.from)
	}
}

// used steps through uses that come before the done at a place.
func (r *runner) used(now fleet.Time, uses []useAt, before int) []useAt {
	for len(uses) > 0 && uses[0].after <= before {
		r.grants.Add(1)
		r.decisions.Add(1)
		r.stepAt(now, &uses[0].Use)
		uses = uses[1:]
	}
	return uses
}

// step has the mind take one input in now, and hands its effects out.
func (r *runner) step(in dispatch.Input) { r.stepAt(r.c.now(), in) }

func (r *runner) stepAt(now fleet.Time, in dispatch.Input) {
	if at, ok := r.mind.Next(); ok && at <= now {
		r.handOut(r.decide(now, &dispatch.Tick{}))
	}
	r.handOut(r.decide(now, in))
}

// decide steps the mind, and logs that.
func (r *runner) decide(now fleet.Time, in dispatch.Input) []dispatch.Effect {
	effects := r.mind.Step(now, in)
	r.log.step(now, in, effects)
	return effects
}

func (r *runner) handOut(effects []dispatch.Effect) {
	for i := range effects {
		e := &effects[i]
		switch e.Kind {
		case dispatch.Granted:
			r.grants.Add(1)
			r.waited.Add(int64(e.Waited))
			r.decisions.Add(1)
			r.toProxy(e)
		case dispatch.Refused:
			r.decisions.Add(1)
			r.toProxy(e)
		case dispatch.Revoked, dispatch.Reclaimed:
			r.toProxy(e)
		case dispatch.Changed:
			r.tellAgent(e)
		case dispatch.Gone:
			r.unwatch(e.Backend)
			r.public.forget(e.Backend)
			if r.inform != nil {
				r.inform.forget(e.Backend)
			}
			r.c.agents.forget(r.conf().Name, e.Backend)
		case dispatch.Assigned:
			r.c.agents.assign(r.conf().Name, e, r.c.proxies.name(e.Proxy))
		case dispatch.Recalled:
			r.c.agents.recall(r.conf().Name, e)
		}
	}
}

func (r *runner) toProxy(e *dispatch.Effect) {
	s := r.sessions[e.Proxy]
	if s == nil {
		return // its session has ended, and the mind is about to hear of it
	}
	s.put(r, e)
	r.touch(s)
}

// touch has a session send, when this round of work is done.
func (r *runner) touch(s *proxySession) {
	if i := int(r.number) - 1; i < len(s.touched) {
		if s.touched[i] {
			return
		}
		s.touched[i] = true
	} // else the pool is younger than the session, which may be roused more often than it need
	r.touched = append(r.touched, s)
}

// rate is what the sampler saw over the last second.
type rate struct {
	decisions float64       // a second
	wait      time.Duration // mean of the grants
}

// sample measures rates, each second, until ctx ends.
func (c *Controller) sample(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	type total struct {
		decisions, grants uint64
		waited            int64
	}
	last := map[*runner]total{}
	before := time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		seconds := now.Sub(before).Seconds()
		before = now
		for _, r := range c.runners() {
			t := total{r.decisions.Load(), r.grants.Load(), r.waited.Load()}
			v := &rate{decisions: float64(t.decisions-last[r].decisions) / seconds}
			if n := t.grants - last[r].grants; n > 0 {
				v.wait = time.Duration((t.waited - last[r].waited) / int64(n))
			}
			r.rate.Store(v)
			last[r] = t
		}
		c.proxies.sample(seconds)
	}
}
