package session

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/permit"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// choices are the pools whose backends this proxy chooses, or may come to choose, itself.
// The session's mutex guards them. They outlive sessions: a proxy that decides needs no
// controller, and goes on with the last backends that it was told.
type choices struct {
	all  int                       // pools of the table in force
	may  []fleet.PoolName          // by the table in force
	told map[fleet.PoolName]uint64 // in this session: version of its backends
	here map[fleet.PoolName]choice

	last    map[string]*fairleadv1.PoolBackends // what was told last, by pool
	version uint64                              // rises as that changes

	alone  []fleet.PoolName                 // of the table in force: that can be served without a controller
	limits map[fleet.PoolName]time.Duration // of one request of these; 0: any time
}

// choice is a pool for which this proxy decides.
type choice struct {
	limit time.Duration // of one request; 0: any time
}

// retryAfter is what a request is told for which no backend was found here.
const retryAfter = time.Second

// decide chooses a backend without asking. s.mu is held.
func (s *Session) decide(c choice, r *link.Request) answer {
	var labels []string
	if r.About != nil {
		labels = r.About.Labels
	}
	s.decided(r.Pool.Name, byProxy)
	id, b, why := s.ledger.Decide(s.now(), r.Pool.Name, r.Exclude, labels, c.limit)
	if why != fleet.NoReason {
		return answer{err: &link.Refused{Pool: r.Pool.Name, Reason: why, RetryAfter: retryAfter}}
	}
	g := link.NewGrant(id, r.Pool, b, s.finishOwn).WithHead(s.head)
	s.grants[id] = g
	return answer{grant: g}
}

// finishOwn is what the Done of a grant does that this proxy gave itself. Nobody waits to
// hear of it, so the sender sleeps on.
func (s *Session) finishOwn(g *link.Grant, r link.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.Done(s.now(), g.ID, r.Outcome, r.Latency, true)
	delete(s.grants, g.ID)
}

// decideWaiting answers asks whose controller is gone, where this proxy can. s.mu is held.
func (s *Session) decideWaiting(name fleet.PoolName) {
	c, here := s.choices.here[name]
	if !here {
		return
	}
	for _, w := range s.waitingFor(name) {
		s.resolve(w, s.decide(c, &link.Request{Pool: w.pool, Exclude: w.exclude, About: w.about}))
	}
}

// mayDecide takes in a table: for which pools this proxy may decide.
func (s *Session) mayDecide(t *fairleadv1.Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.choices.may, s.choices.alone, s.choices.all = nil, nil, len(t.GetPools())
	for _, p := range t.GetPools() {
		name := fleet.PoolName(p.GetName())
		s.ledger.SetAlone(name, p.GetAlone(), p.GetQueues())
		if p.GetAlone() && !p.GetDecides() {
			s.choices.alone = append(s.choices.alone, name)
		}
		if p.GetDecides() {
			s.choices.may = append(s.choices.may, name)
		}
	}
	maps.DeleteFunc(s.choices.last, func(name string, _ *fairleadv1.PoolBackends) bool {
		return !slices.Contains(s.choices.may, fleet.PoolName(name)) && !slices.Contains(s.choices.alone, fleet.PoolName(name))
	})
	for name := range s.choices.here {
		if !slices.Contains(s.choices.may, name) {
			delete(s.choices.here, name)
		}
	}
}

// choosable takes in which backends a pool has, and who decides. Asks that wait for the
// controller's answer get it, whoever decides from now on. s.mu is held.
func (s *Session) choosable(from *peer, m *fairleadv1.PoolBackends) {
	is := func(n fleet.PoolName) bool { return from.numbers[n] == m.GetPool() && s.leader(n) == from }
	for _, some := range [][]fleet.PoolName{s.choices.alone, s.choices.may} {
		if i := slices.IndexFunc(some, is); i >= 0 {
			s.choose(some[i], m)
			return
		}
	} // else it is of a table that is not in force
}

// choose takes in the backends of a pool, by whoever's word. s.mu is held.
func (s *Session) choose(name fleet.PoolName, m *fairleadv1.PoolBackends) {
	s.choices.last[string(name)] = m
	s.choices.version++
	limit := time.Duration(m.GetLimitMs()) * time.Millisecond
	all := choosables(m)
	s.ledger.Backends(name).SetBackends(all)
	if slices.Contains(s.choices.alone, name) {
		s.choices.limits[name] = limit
		return
	}
	s.choices.told[name] = m.GetVersion()
	_, was := s.choices.here[name]
	switch {
	case m.GetDecide():
		s.choices.here[name] = choice{limit: limit}
	case was:
		delete(s.choices.here, name)
		s.ledger.HandBack(name)
	}
	if was != m.GetDecide() {
		s.cfg.Logger.Info("who decides has changed", "pool", string(name), "by_proxy", m.GetDecide(), "backends", len(all))
	}
}

// Backends returns what was told last of each pool's backends, to be kept, and its version;
// nil: nothing is new since a version.
func (s *Session) Backends(since uint64) (*fairleadv1.LastBackends, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.choices.version == since {
		return nil, since
	}
	return &fairleadv1.LastBackends{Pools: maps.Clone(s.choices.last)}, s.choices.version
}

// Restore takes in what an earlier run of this proxy has kept, before Run is called.
func (s *Session) Restore(t *fairleadv1.Table, backends *fairleadv1.LastBackends) {
	s.mayDecide(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Concat(s.choices.alone, s.choices.may) {
		if m := backends.GetPools()[string(name)]; m != nil {
			s.choose(name, m)
		}
	}
}

// choosables converts the backends that a proxy may choose from.
func choosables(m *fairleadv1.PoolBackends) []permit.Choosable {
	all := make([]permit.Choosable, 0, len(m.GetBackends()))
	for _, b := range m.GetBackends() {
		all = append(all, permit.Choosable{
			BackendSpec: fleet.BackendSpec{
				Name: fleet.BackendName(b.GetAddress()), Zone: b.GetZone(), Workers: int(b.GetWorkers()),
				Labels: b.GetLabels(), Weight: b.GetWeight(),
			},
			Latency: time.Duration(max(b.GetLatencyMs(), 0) * float64(time.Millisecond)),
			Share:   int(min(b.GetShare(), 1<<20)),
		})
	}
	return all
}

// Serves returns nil when requests get an answer: from a controller, or because this proxy
// decides for every pool.
func (s *Session) Serves() error {
	s.mu.Lock()
	alone := s.choices.all > 0 && len(s.choices.here)+len(s.choices.limits) >= s.choices.all
	s.mu.Unlock()
	if alone || s.Connected() {
		return nil
	}
	return errors.New("no controller answers")
}

func (o *outbox) pool(number uint32, w *permit.Word) *fairleadv1.PoolSeen {
	m := o.message()
	p := &fairleadv1.PoolSeen{
		Pool: number, Decided: w.Decided, InFlight: uint32(w.InFlight), Served: w.Served,
		ServiceUs: micros(w.Service), Refused: w.Refused,
	}
	for i := range w.Backends {
		b := &w.Backends[i]
		seen := seenMessage(&b.Seen)
		seen.Decided = b.Decided
		p.Seen = append(p.Seen, seen)
	}
	o.size += len(p.Seen)
	m.Pools = append(m.Pools, p)
	return p
}

func micros(d time.Duration) uint64 { return uint64(max(d, 0) / time.Microsecond) }

// Metrics are what sessions count:
//
//	fairlead_proxy_decisions_total{pool,by}  grants and refusals, by "controller", by "proxy"
//	                                         where it decides, on a "permit" of the
//	                                         controller's, or within its "share" without one
type Metrics struct{ decisions *prometheus.CounterVec }

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fairlead_proxy_decisions_total",
		Help: "Requests that were given a backend or refused one, by who decided.",
	}, []string{"pool", "by"})}
	return m, r.Register(m.decisions)
}

// by says who decided.
type by uint8

const (
	byController by = iota
	byProxy
	byPermit
	byShare
	whos // how many there are
)

// decided counts a decision. s.mu is held.
func (s *Session) decided(pool fleet.PoolName, who by) {
	if s.cfg.Metrics == nil {
		return
	}
	c := s.counters[pool]
	if c == nil {
		of := s.cfg.Metrics.decisions
		c = &[whos]prometheus.Counter{
			byController: of.WithLabelValues(string(pool), "controller"),
			byProxy:      of.WithLabelValues(string(pool), "proxy"),
			byPermit:     of.WithLabelValues(string(pool), "permit"),
			byShare:      of.WithLabelValues(string(pool), "share"),
		}
		s.counters[pool] = c
	}
	c[who].Inc()
}
