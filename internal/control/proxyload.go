package control

import (
	"math"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// maxPoolSeen caps the backends of one PoolSeen.
const maxPoolSeen = 4096

// poolSeen is what a proxy tells of the requests of a pool that it gave backends itself.
type poolSeen struct {
	decided, refused, served uint64
	inFlight                 int
	service, roundTrip       time.Duration
	deciding                 bool
	version                  uint64
	seen                     []backendSeen
}

type backendSeen struct {
	fleet.Seen
	decided uint64
}

// addPools checks what a proxy tells of its own decisions, and sorts it.
func addPools(of func(uint32) *batch, words []*fairleadv1.PoolSeen) error {
	for _, w := range words {
		b := of(w.GetPool())
		if b == nil {
			continue
		}
		seen, err := poolSeenValue(w)
		if err != nil {
			return err
		}
		b.pools = append(b.pools, seen)
	}
	return nil
}

func poolSeenValue(m *fairleadv1.PoolSeen) (poolSeen, error) {
	if len(m.GetSeen()) > maxPoolSeen {
		return poolSeen{}, invalid("a proxy tells of %d backends of one pool at once; at most %d are taken", len(m.GetSeen()), maxPoolSeen)
	}
	const most = 1 << 40 // in one second
	w := poolSeen{
		decided: min(m.GetDecided(), most), refused: min(m.GetRefused(), most), served: min(m.GetServed(), most),
		inFlight: int(min(m.GetInFlight(), math.MaxInt32)),
		service:  micros(m.GetServiceUs()), roundTrip: micros(m.GetRoundTripUs()),
		deciding: m.GetDeciding(), version: m.GetVersion(),
	}
	for _, s := range m.GetSeen() {
		seen, err := seenValue(s)
		if err != nil {
			return poolSeen{}, err
		}
		w.seen = append(w.seen, backendSeen{seen, min(s.GetDecided(), most)})
	}
	return w, nil
}

// heard takes in what a session's proxy tells of its own decisions.
func (r *runner) heard(now fleet.Time, from fleet.ProxyID, w *poolSeen) {
	f := r.inform
	if f == nil {
		return // of a pool for which nobody but the controller decides
	}
	if w.deciding && f.told == nil {
		f.who.adopt()
	}
	f.ever = f.ever || w.deciding
	f.who.tripped(now, w.roundTrip)
	f.who.served(now, w.served, w.service)
	last := f.heard[from]
	if last == nil {
		last = &word{on: map[fleet.BackendName]int{}}
		f.heard[from] = last
	}
	l := &f.load
	begun := w.decided + uint64(last.inFlight)
	l.ended += begun - min(begun, uint64(w.inFlight))
	l.inFlight += w.inFlight - last.inFlight
	l.decided += w.decided
	l.refused += w.refused
	last.inFlight, last.version = w.inFlight, w.version
	r.decisions.Add(w.decided + w.refused)
	r.grants.Add(w.decided)
	for i := range w.seen {
		r.heardOf(last, &w.seen[i])
	}
	r.releaseDrained()
}

// latencyRate is the weight of the newest latency that a proxy tells.
const latencyRate = 0.2

// heardOf takes in the part of one backend.
func (r *runner) heardOf(last *word, s *backendSeen) {
	f := r.inform
	b := f.load.backends[s.Backend]
	if b == nil {
		if f.specs[s.Backend] == nil {
			return // the mind does not know it, or not any more
		}
		b = &proxyBackendLoad{}
		f.load.backends[s.Backend] = b
	}
	b.inFlight += s.InFlight - last.on[s.Backend]
	if last.on[s.Backend] = s.InFlight; s.InFlight == 0 {
		delete(last.on, s.Backend)
	}
	b.decided += s.decided
	b.errors += uint64(s.Errors)
	if s.Latency > 0 {
		if b.latency == 0 {
			b.latency = s.Latency
		}
		b.latency += time.Duration(latencyRate * float64(s.Latency-b.latency))
	}
	if f.specs[s.Backend] == nil {
		if b.inFlight == 0 {
			delete(f.load.backends, s.Backend)
		}
		return
	}
	if s.Errors > 0 {
		r.c.prober.Suspect(r.conf().Name, s.Backend)
	}
	if s.Reported {
		r.step(&dispatch.Report{Backend: s.Backend, Load: s.Report})
	}
}

// silent forgets what a session's proxy has under way: nobody tells of its end.
func (r *runner) silent(id fleet.ProxyID) {
	f := r.inform
	if f == nil {
		return
	}
	last := f.heard[id]
	if last == nil {
		return
	}
	delete(f.heard, id)
	f.load.inFlight -= last.inFlight
	f.load.ended += uint64(last.inFlight)
	for name, n := range last.on {
		if b := f.load.backends[name]; b != nil {
			b.inFlight -= n
		}
	}
	r.releaseDrained()
}

// used tells whether proxies may still have requests on a backend, or give it new ones.
func (f *informer) used(r *runner, name fleet.BackendName) bool {
	if !f.ever {
		return false
	}
	for _, b := range f.told.GetBackends() {
		if b.GetAddress() == string(name) {
			return true
		}
	}
	if b := f.load.backends[name]; b != nil && b.inFlight > 0 {
		return true
	}
	for id := range r.sessions {
		if w := f.heard[id]; w == nil || w.version < f.left[name] {
			return true // it does not know yet, or has not said so
		}
	}
	return false
}

// tellAgent has a backend's agent told how things are. That it is drained it is told when
// proxies have nothing on it either, as it may stop then.
func (r *runner) tellAgent(e *dispatch.Effect) {
	if f := r.inform; f != nil {
		delete(f.drained, e.Backend)
		if e.Drained && f.used(r, e.Backend) {
			f.drained[e.Backend] = *e
			early := *e
			early.Drained = false
			e = &early
		}
	}
	r.c.agents.tell(r.conf().Name, e)
}

// releaseDrained tells agents what waited for proxies.
func (r *runner) releaseDrained() {
	f := r.inform
	for name, e := range f.drained {
		if !f.used(r, name) {
			delete(f.drained, name)
			r.c.agents.tell(r.conf().Name, &e)
		}
	}
}

// standing is what a pool's status says of who decides, and of what proxies decided.
type standing struct {
	byProxies bool
	load      proxyLoad
}

// standing returns a copy, for others than the runner's goroutine.
func (r *runner) standing() standing {
	f := r.inform
	if f == nil {
		return standing{}
	}
	s := standing{byProxies: f.told.GetDecide(), load: f.load}
	s.load.backends = make(map[fleet.BackendName]*proxyBackendLoad, len(f.load.backends))
	for name, b := range f.load.backends {
		one := *b
		s.load.backends[name] = &one
	}
	return s
}

// on returns what proxies have under way on a backend.
func (s *standing) on(name fleet.BackendName) int {
	if b := s.load.backends[name]; b != nil {
		return b.inFlight
	}
	return 0
}

// addTo adds what proxies decided to what the mind knows of.
func (s *standing) addTo(m *fairleadv1.PoolStatus) {
	m.ByProxies = s.byProxies
	m.InFlight += uint32(max(s.load.inFlight, 0))
	m.Asks += s.load.decided + s.load.refused
	m.Grants += s.load.decided
	m.Dones += s.load.ended
	if s.load.refused > 0 {
		m.Refused[fleet.NoBackend.String()] += s.load.refused // proxies do not say which it lacked
	}
	for _, b := range m.Backends {
		l := s.load.backends[fleet.BackendName(b.GetAddress())]
		if l == nil {
			continue
		}
		b.InFlight += uint32(max(l.inFlight, 0))
		b.Grants += l.decided
		b.Errors += l.errors
		if l.latency > 0 && (s.byProxies || b.GetLatencyMs() == 0) {
			b.LatencyMs = math.Round(float64(l.latency)/1e3) / 1e3
		}
		if b.GetState() == "drained" && l.inFlight > 0 {
			b.State = "draining"
		}
	}
}
