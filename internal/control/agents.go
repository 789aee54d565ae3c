package control

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/report"
)

type agentsService struct {
	fairleadv1.UnimplementedAgentsServer
	c *Controller
}

type agentStream = interface {
	Send(*fairleadv1.BackendMessage) error
	Recv() (*fairleadv1.AgentMessage, error)
}

// agentKey names a backend that has an agent.
type agentKey struct {
	pool    fleet.PoolName
	backend fleet.BackendName
}

// agentSession is one session of one agent.
type agentSession struct {
	c      *Controller
	r      *runner
	key    agentKey
	hello  *fairleadv1.AgentHello
	id     fleet.ProxyID // under which direct grants are its own
	live   []fleet.LiveGrant
	peer   string
	wake   chan struct{}
	cancel context.CancelCauseFunc
	ended  chan struct{}

	mu       sync.Mutex // guards what is below
	next     *fairleadv1.BackendMessage
	notified []fleet.GrantID // assigned in next, without an answer to wait for
	left     bool            // it drained and left on purpose
	drain    bool            // it wished to
}

// Session implements the service.
func (s agentsService) Session(st fairleadv1.Agents_SessionServer) error {
	ctx, cancel := context.WithCancelCause(st.Context())
	defer cancel(nil)
	first, err := firstOf(st.Recv, s.c.stopped)
	if err != nil {
		return err
	}
	r, name, err := s.c.admit(first)
	if err != nil {
		return err
	}
	h := first.GetHello()
	if err := s.c.allow(ctx, asAgent(h.GetPool(), string(name))); err != nil {
		return err
	}
	a := &agentSession{
		c: s.c, r: r, hello: h, cancel: cancel, live: liveGrants(h.GetLive(), name),
		key:  agentKey{r.conf().Name, name},
		peer: peerOf(ctx),
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
		next: &fairleadv1.BackendMessage{
			Welcome: &fairleadv1.BackendWelcome{Version: min(newestVersion, h.GetVersions().GetNewest()), Software: s.c.cfg.Software, Epoch: r.epoch()},
			Keys:    s.c.keys(),
		},
	}
	h.Live = nil // may be large
	if err := s.c.agents.enter(ctx, a); err != nil {
		return err
	}
	defer s.c.agents.leave(a)
	return a.run(ctx, st)
}

// admit checks an agent's hello, and returns the pool that it joins and the backend's
// name.
func (c *Controller) admit(m *fairleadv1.AgentMessage) (*runner, fleet.BackendName, error) {
	h := m.GetHello()
	if n := proto.Size(m); n > maxAgentReport {
		return nil, "", status.Errorf(codes.ResourceExhausted, "a hello of %d bytes; at most %d are taken", n, maxAgentReport)
	}
	if h == nil || m.GetReport() != nil || m.GetDrain() {
		return nil, "", invalid("the first message is a hello, and nothing but a hello")
	}
	if err := checkVersions(h.GetVersions(), "the agent"); err != nil {
		return nil, "", err
	}
	for what, s := range map[string]string{"backend's zone": h.GetZone(), "agent's software": h.GetSoftware()} {
		if err := checkName(what, s, true); err != nil {
			return nil, "", err
		}
	}
	if err := checkName("agent's instance", h.GetInstance(), false); err != nil {
		return nil, "", err
	}
	address, err := config.BackendAddress(h.GetAddress())
	if err != nil {
		return nil, "", invalid("the backend's address %.100q: %v", h.GetAddress(), err)
	}
	if err := checkLive(h.GetLive(), false); err != nil {
		return nil, "", err
	}
	r := c.pool(fleet.PoolName(h.GetPool()))
	if r == nil {
		return nil, "", status.Errorf(codes.NotFound, "no pool is named %.100q; the config has %s", h.GetPool(), c.poolNames())
	}
	if !r.conf().Agents && !r.lists(address) {
		return nil, "", status.Errorf(codes.FailedPrecondition,
			"pool %q does not list the backend %s; list it, or let any join with agents: true", h.GetPool(), address)
	}
	if err := r.fits(h); err != nil {
		return nil, "", err
	}
	return r, fleet.BackendName(address), r.normalPublic(h)
}

// fits returns an error when what an agent says of its backend's capacity and labels is
// wrong, or not what the pool counts.
func (r *runner) fits(h *fairleadv1.AgentHello) error {
	if h.GetSlots() > maxSlots || h.GetWorkers() > maxSlots {
		return invalid("%d slots and %d workers; at most %d are taken", h.GetSlots(), h.GetWorkers(), maxSlots)
	}
	if err := fleet.CheckLabels(h.GetLabels()); err != nil {
		return invalid("the backend's labels: %v", err)
	}
	switch holds := r.conf().Workers > 0; {
	case holds && h.GetSlots() > 0 && h.GetWorkers() == 0:
		return status.Errorf(codes.FailedPrecondition,
			"the backend says %d slots, and backends of pool %q have workers, and a queue of their own; say workers", h.GetSlots(), r.conf().Name)
	case !holds && h.GetWorkers() > 0 && h.GetSlots() == 0:
		return status.Errorf(codes.FailedPrecondition,
			"the backend says %d workers, and backends of pool %q have slots, which are never exceeded; say slots", h.GetWorkers(), r.conf().Name)
	}
	return nil
}

// normalPublic brings an agent's word on where clients reach its backend into normal form,
// or returns an error when no client could.
func (r *runner) normalPublic(h *fairleadv1.AgentHello) error {
	if h.GetPublic() == "" {
		return nil
	}
	public, err := config.PublicAddress(h.GetPublic())
	if err != nil {
		return invalid("the backend's public address %.300q: %v", h.GetPublic(), err)
	}
	if r.overTCP.Load() && strings.Contains(public, "://") {
		return invalid("the backend's public address %s is a URL, and clients of pool %q speak plain TCP; say host:port", public, r.conf().Name)
	}
	h.Public = public
	return nil
}

// maxSlots is the most that one backend may have, as the config says too.
const maxSlots = 1_000_000

// lists tells whether the config lists a backend.
func (r *runner) lists(address string) bool {
	for _, b := range r.conf().Backends {
		if b.Address == address {
			return true
		}
	}
	return false
}

func (a *agentSession) run(ctx context.Context, st agentStream) error {
	spec := fleet.BackendSpec{
		Name: a.key.backend, Zone: a.hello.GetZone(), Slots: int(a.hello.GetSlots()),
		Workers: int(a.hello.GetWorkers()), Labels: slices.Sorted(slices.Values(a.hello.GetLabels())),
	}
	join := dispatch.Join{
		Spec: spec, Source: dispatch.FromAgent, Agent: a.id,
		Assigns: a.hello.GetAssignments(), Directs: a.hello.GetDirect(), Live: a.live,
	}
	a.r.submit(work{call: func() {
		a.r.public.say(spec.Name, a.hello.GetPublic())
		a.r.join(join)
	}})
	defer a.quit()
	log := a.c.cfg.Logger.With("pool", a.key.pool, "backend", a.key.backend)
	log.Info("agent joined", "peer", a.peer)
	err := a.c.converse(ctx, func(heard func()) error { return a.receive(st, heard) },
		func() error { return a.send(ctx, st) })
	a.cancel(err)
	if err == io.EOF {
		err = nil
		a.mu.Lock()
		a.left = a.drain
		a.mu.Unlock()
	}
	log.Info("agent left", "why", errText(err))
	return err
}

// quit tells the pool that the agent is gone, on purpose or not.
func (a *agentSession) quit() {
	a.mu.Lock()
	left := a.left
	a.mu.Unlock()
	if left {
		a.r.put(&dispatch.Leave{Backend: a.key.backend, Source: dispatch.FromAgent})
	} else {
		a.r.put(&dispatch.AgentLost{Backend: a.key.backend})
	}
	close(a.ended)
}

func (a *agentSession) receive(st agentStream, heard func()) error {
	for {
		m, err := st.Recv()
		if err != nil {
			return err
		}
		heard()
		if m.GetHello() != nil {
			return invalid("a second hello; a session has one")
		}
		if n := proto.Size(m); n > maxAgentReport {
			return status.Errorf(codes.ResourceExhausted, "a report of %d bytes; at most %d are taken", n, maxAgentReport)
		}
		if m.GetReport() != nil {
			load, err := report.FromORCA(m.GetReport())
			if err != nil {
				return invalid("load report: %v", err)
			}
			a.hand(&dispatch.Report{Backend: a.key.backend, Load: load})
		}
		if m.GetDrain() {
			a.mu.Lock()
			first := !a.drain
			a.drain = true
			a.mu.Unlock()
			if first {
				a.c.cfg.Logger.Info("agent drains its backend", "pool", a.key.pool, "backend", a.key.backend)
			}
			a.hand(&dispatch.Override{Backend: a.key.backend, Source: dispatch.FromAgent, Drain: true})
		}
		if err := a.grants(m); err != nil {
			return err
		}
		if only := len(m.GetAnswers()) + len(m.GetArrivals()) + len(m.GetDones()); m.GetReport() != nil || m.GetDrain() || only == 0 {
			a.put(nil)
		}
	}
}

// hand gives an input to the pool, unless the session has ended meanwhile.
func (a *agentSession) hand(in dispatch.Input) {
	a.r.submit(work{call: func() {
		if a.c.agents.has(a) {
			a.r.step(in)
		}
	}})
}

// put has a state sent, or where it is nil at least an empty message, which says that
// the controller lives.
func (a *agentSession) put(s *fairleadv1.BackendState) {
	a.write(func(next *fairleadv1.BackendMessage) {
		if s != nil {
			next.State = s
		}
	})
}

func (a *agentSession) send(ctx context.Context, st agentStream) error {
	for {
		a.mu.Lock()
		m, notified := a.next, a.notified
		a.next, a.notified = nil, nil
		a.mu.Unlock()
		if m != nil {
			if err := sendSplit(st, m); err != nil {
				return err
			}
			if err := a.onTheirWay(ctx, notified); err != nil {
				return err
			}
			continue
		}
		select {
		case <-a.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// agentRegistry knows the sessions by their backends.
type agentRegistry struct {
	mu   sync.Mutex // guards what is below
	live map[agentKey]*agentSession
	ids  map[agentKey]agentRun
}

// agentRun is the latest run of a backend's agent.
type agentRun struct {
	instance string
	id       fleet.ProxyID
}

func newAgentRegistry() *agentRegistry {
	return &agentRegistry{live: map[agentKey]*agentSession{}, ids: map[agentKey]agentRun{}}
}

// enter admits a session; an older one of the same agent is ended first.
func (g *agentRegistry) enter(ctx context.Context, a *agentSession) error {
	for {
		g.mu.Lock()
		old := g.live[a.key]
		if old == nil {
			g.live[a.key] = a
			run := g.ids[a.key]
			if run.instance != a.hello.GetInstance() {
				run = agentRun{a.hello.GetInstance(), a.c.proxies.newID()}
				g.ids[a.key] = run
			}
			a.id = run.id
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		if old.hello.GetInstance() != a.hello.GetInstance() {
			return status.Errorf(codes.AlreadyExists,
				"backend %s of pool %q has an agent already, at %s", a.key.backend, a.key.pool, old.peer)
		}
		old.cancel(status.Error(codes.Aborted, "the agent has opened another session"))
		select {
		case <-old.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		g.leave(old)
	}
}

// has tells whether a session is the one that counts.
func (g *agentRegistry) has(a *agentSession) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.live[a.key] == a
}

func (g *agentRegistry) leave(a *agentSession) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.live[a.key] == a {
		delete(g.live, a.key)
	}
}

// tell sends a change to the agent that it concerns, if there is one.
func (g *agentRegistry) tell(pool fleet.PoolName, e *dispatch.Effect) {
	if a := g.of(pool, e.Backend); a != nil {
		a.put(&fairleadv1.BackendState{Slots: uint32(e.Slots), Draining: e.Draining, Drained: e.Drained})
	}
}

// of returns the session of a backend's agent, or nil.
func (g *agentRegistry) of(pool fleet.PoolName, b fleet.BackendName) *agentSession {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.live[agentKey{pool, b}]
}

// forget drops what is kept of a backend that nobody knows any more.
func (g *agentRegistry) forget(pool fleet.PoolName, b fleet.BackendName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if key := (agentKey{pool, b}); g.live[key] == nil {
		delete(g.ids, key)
	}
}

// tellEpoch has the agents of a pool told that this controller leads it.
func (g *agentRegistry) tellEpoch(pool fleet.PoolName, epoch uint64) {
	g.mu.Lock()
	var all []*agentSession
	for key, a := range g.live {
		if key.pool == pool {
			all = append(all, a)
		}
	}
	g.mu.Unlock()
	for _, a := range all {
		a.write(func(next *fairleadv1.BackendMessage) { next.Epoch = epoch })
	}
}

// announce sends the keys of tickets to every agent.
func (g *agentRegistry) announce(keys *fairleadv1.Keys) {
	g.mu.Lock()
	all := make([]*agentSession, 0, len(g.live))
	for _, a := range g.live {
		all = append(all, a)
	}
	g.mu.Unlock()
	for _, a := range all {
		a.write(func(next *fairleadv1.BackendMessage) { next.Keys = keys })
	}
}
