package control

import (
	"cmp"
	"slices"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// How often a pool's mind is asked for its state, which costs as much as it has backends.
const (
	lookEach = time.Second            // whatever happens: time alone changes things too
	lookSoon = 100 * time.Millisecond // after something has happened
)

// informer keeps the proxies informed of a pool for which they may decide: of the backends
// that take requests, and of who decides. And it keeps what they tell of the requests that
// they gave backends themselves, of which the mind knows nothing: it grants whatever is
// asked, which while proxies decide is nothing. When the controller decides again, what
// proxies have under way drains by itself; the mind sees it where backends report how
// much they have in hand, as load by others. The runner's goroutine owns it.
type informer struct {
	who     chooser
	specs   map[fleet.BackendName]*[2]fleet.BackendSpec // by dispatch.Source, as they joined
	looked  fleet.Time
	due     fleet.Time               // no look before
	told    *fairleadv1.PoolBackends // nil: nothing yet. Nobody changes it
	ever    bool                     // a proxy decided at some time
	left    map[fleet.BackendName]uint64
	drained map[fleet.BackendName]dispatch.Effect // word to agents that waits for proxies
	heard   map[fleet.ProxyID]*word               // by session: the latest
	load    proxyLoad
}

// word is what a session's proxy told last.
type word struct {
	version  uint64 // of the backends that it goes by
	inFlight int
	on       map[fleet.BackendName]int // in flight, where there is something
}

// proxyLoad is what proxies gave backends themselves.
type proxyLoad struct {
	inFlight                int
	decided, refused, ended uint64
	backends                map[fleet.BackendName]*proxyBackendLoad
}

type proxyBackendLoad struct {
	inFlight        int
	decided, errors uint64
	latency         time.Duration // as proxies see it; 0: not told
}

func newInformer(decide config.Decide) *informer {
	return &informer{
		who:     newChooser(decide),
		specs:   map[fleet.BackendName]*[2]fleet.BackendSpec{},
		left:    map[fleet.BackendName]uint64{},
		drained: map[fleet.BackendName]dispatch.Effect{},
		heard:   map[fleet.ProxyID]*word{},
		load:    proxyLoad{backends: map[fleet.BackendName]*proxyBackendLoad{}},
	}
}

// stir has the next look come soon, as something may have changed.
func (f *informer) stir() { f.due = min(f.due, f.looked.Add(lookSoon)) }

// look tells the proxies what has changed, when that is due.
func (r *runner) look() {
	f := r.inform
	if f == nil {
		return
	}
	now := r.c.now()
	if now < f.due {
		return
	}
	f.looked, f.due = now, now.Add(lookEach)
	changed := f.who.think(now)
	state := r.mind.State(now)
	if f.told == nil && !r.settled(now, &state) {
		f.due = now.Add(lookSoon)
		return
	}
	next := r.choosable(&state)
	if f.told == nil || !sameBackends(f.told, next) {
		r.tellProxies(next)
	}
	if changed {
		r.c.cfg.Logger.Info("who decides has changed", "pool", r.conf().Name, "by_proxies", f.who.byProxies,
			"mean_service", seconds(f.who.service.mean()), "mean_round_trip", seconds(f.who.trip.mean()))
	}
	r.releaseDrained()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// settled tells whether enough is known to tell proxies who takes requests. Some may
// decide by what an earlier controller told them, which is better than the little that one
// knows which has just started; those that do not decide are served meanwhile.
func (r *runner) settled(now fleet.Time, s *dispatch.State) bool {
	if now >= fleet.Time(grace) {
		return true
	}
	if r.inform.who.decide == config.DecideAuto || r.conf().Agents || len(s.Backends) < len(r.conf().Backends) {
		return false
	}
	return !slices.ContainsFunc(s.Backends, func(b dispatch.BackendState) bool { return b.State == "unknown" })
}

// choosable returns what there is to tell proxies now.
func (r *runner) choosable(s *dispatch.State) *fairleadv1.PoolBackends {
	f := r.inform
	m := &fairleadv1.PoolBackends{
		Pool: r.number, Decide: f.who.byProxies, LimitMs: uint64(r.conf().GrantLimit.Milliseconds()),
	}
	for i := range s.Backends {
		b := &s.Backends[i]
		if !b.Eligible {
			continue
		}
		spec, latency := f.spec(b.Name), b.Latency
		if load := f.load.backends[b.Name]; load != nil && load.latency > 0 && (f.who.byProxies || latency == 0) {
			latency = load.latency
		}
		m.Backends = append(m.Backends, &fairleadv1.ChoosableBackend{
			Address: string(b.Name), Zone: b.Zone, Workers: uint32(cmp.Or(spec.Workers, r.conf().Workers)),
			Weight: spec.Weight, Labels: spec.Labels,
			LatencyMs: float64(latency) / float64(time.Millisecond), Share: uint32(b.Slots), // of all proxies
		})
	}
	return m
}

// spec returns what is known of a backend: as the config says, else its agent.
func (f *informer) spec(name fleet.BackendName) fleet.BackendSpec {
	both := f.specs[name]
	if both == nil {
		return fleet.BackendSpec{}
	}
	spec, agent := both[dispatch.FromConfig], both[dispatch.FromAgent]
	if spec.Workers == 0 {
		spec.Workers = agent.Workers
	}
	if spec.Weight == 0 {
		spec.Weight = agent.Weight
	}
	if len(spec.Labels) == 0 {
		spec.Labels = agent.Labels
	}
	return spec
}

// joined keeps what is said of a backend.
func (f *informer) joined(in *dispatch.Join) {
	both := f.specs[in.Spec.Name]
	if both == nil {
		both = &[2]fleet.BackendSpec{}
		f.specs[in.Spec.Name] = both
	}
	both[in.Source] = in.Spec
}

// forget forgets a backend that the mind has forgotten.
func (f *informer) forget(name fleet.BackendName) {
	delete(f.specs, name)
	delete(f.left, name)
	delete(f.drained, name)
	if b := f.load.backends[name]; b != nil && b.inFlight == 0 {
		delete(f.load.backends, name)
	}
}

// sameBackends tells whether two words tell proxies the same. Latencies change with every
// request, and are no news: a proxy that decides measures its own.
func sameBackends(a, b *fairleadv1.PoolBackends) bool {
	return a.GetDecide() == b.GetDecide() && slices.EqualFunc(a.GetBackends(), b.GetBackends(),
		func(x, y *fairleadv1.ChoosableBackend) bool {
			return x.GetAddress() == y.GetAddress() && x.GetZone() == y.GetZone() && x.GetWorkers() == y.GetWorkers() &&
				x.GetWeight() == y.GetWeight() && x.GetShare() == y.GetShare() && slices.Equal(x.GetLabels(), y.GetLabels())
		})
}

// tellProxies tells every session something new.
func (r *runner) tellProxies(m *fairleadv1.PoolBackends) {
	f := r.inform
	m.Version = f.told.GetVersion() + 1
	for _, b := range f.told.GetBackends() {
		f.left[fleet.BackendName(b.GetAddress())] = m.Version
	}
	for _, b := range m.GetBackends() {
		delete(f.left, fleet.BackendName(b.GetAddress()))
	}
	f.told = m
	f.ever = f.ever || m.GetDecide()
	for _, s := range r.sessions {
		r.tell(s, m)
		r.touch(s)
	}
}

// greet tells a new session how things are.
func (r *runner) greet(s *proxySession) {
	if r.inform != nil && r.inform.told != nil && !(r.conf().SharesSlots() && r.mind.Learning()) {
		r.tell(s, r.inform.told)
	}
}

// inform writes a word on backends into the next message, in place of an older one of the
// same pool that was not sent yet. Any runner may call it.
func (p *proxySession) inform(m *fairleadv1.PoolBackends) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = &fairleadv1.ControllerMessage{}
	}
	for i, old := range p.next.Backends {
		if old.GetPool() == m.GetPool() {
			p.next.Backends[i] = m
			return
		}
	}
	p.next.Backends = append(p.next.Backends, m)
}
