package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
)

// byProxies has proxies decide for the pool. No agent may bring more backends, so that the
// controller knows all that there are at once.
func byProxies(p *config.Pool) {
	p.Workers, p.Decide, p.Agents = 3, config.DecideProxy, false
}

// told returns the next word on backends that is as wished.
func (p *proxy) told(what string, good func(*fairleadv1.PoolBackends) bool) *fairleadv1.PoolBackends {
	p.t.Helper()
	m, limit := p.first, time.After(soon)
	for {
		for _, b := range m.GetBackends() {
			if b.GetPool() == p.number && good(b) {
				return b
			}
		}
		select {
		case next, ok := <-p.messages:
			if !ok {
				p.t.Fatalf("waiting for %s: %v", what, p.err)
			}
			m = next
		case <-limit:
			p.t.Fatalf("waiting for %s", what)
		}
	}
}

func names(b *fairleadv1.PoolBackends) []string {
	var all []string
	for _, c := range b.GetBackends() {
		all = append(all, c.GetAddress())
	}
	return all
}

func has(want ...string) func(*fairleadv1.PoolBackends) bool {
	return func(b *fairleadv1.PoolBackends) bool { return slices.Equal(names(b), want) }
}

// decided says what a proxy that decides has to say.
func (p *proxy) decided(w *fairleadv1.PoolSeen) {
	p.t.Helper()
	w.Pool, w.Deciding = p.number, true
	p.say(&fairleadv1.ProxyMessage{Pools: []*fairleadv1.PoolSeen{w}})
}

// TestBackendsAreTold: a proxy that may decide is told who takes requests, when its
// session begins and on each change; one that has no such pool is told nothing.
func TestBackendsAreTold(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(byProxies, func(p *config.Pool) { p.GrantLimit = config.DefaultGrantLimit }))
	p := r.connect("p", "1")
	if !p.first.GetTable().GetPools()[0].GetDecides() {
		t.Error("the table does not say that proxies may decide")
	}
	b := p.told("both backends", has(b1, b2))
	if !b.GetDecide() || b.GetLimitMs() != uint64(config.DefaultGrantLimit.Milliseconds()) || b.GetVersion() == 0 ||
		b.GetBackends()[0].GetWorkers() != 3 || b.GetBackends()[0].GetZone() != "a" {
		t.Errorf("told %v", b)
	}
	if _, err := r.tools().Drain(t.Context(), &fairleadv1.DrainRequest{Backend: b1}); err != nil {
		t.Fatal(err)
	}
	if next := p.told("the drain", has(b2)); next.GetVersion() <= b.GetVersion() {
		t.Errorf("version %d after %d", next.GetVersion(), b.GetVersion())
	}
	late := r.connect("late", "1")
	late.told("what others were told", has(b2))
	if _, err := r.tools().Undrain(t.Context(), &fairleadv1.UndrainRequest{Backend: b1}); err != nil {
		t.Fatal(err)
	}
	p.told("the undrain", has(b1, b2))
	late.told("the undrain", has(b1, b2))
	p.serves() // whoever asks is answered
}

// TestWhatProxiesDecideIsCounted: the controller knows the load that proxies tell of, and
// forgets what is under way with the session.
func TestWhatProxiesDecideIsCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(byProxies))
	p, q := r.connect("p", "1"), r.connect("q", "1")
	p.told("both backends", has(b1, b2))
	seen := func(name string, inFlight uint32, decided uint64) *fairleadv1.BackendSeen {
		return &fairleadv1.BackendSeen{Backend: name, InFlight: inFlight, Decided: decided, LatencyUs: 5000}
	}
	p.decided(&fairleadv1.PoolSeen{Decided: 10, InFlight: 3, Refused: 2, Seen: []*fairleadv1.BackendSeen{
		seen(b1, 1, 4), seen(b2, 2, 6), seen("nobody:1", 7, 7),
		{Backend: b2, InFlight: 2, Errors: 5, Load: &fairleadv1.OrcaLoadReport{CpuUtilization: 0.5}}}})
	q.decided(&fairleadv1.PoolSeen{Decided: 5, InFlight: 5, Seen: []*fairleadv1.BackendSeen{seen(b1, 5, 5)}})
	r.await("what both told", func(s *fairleadv1.PoolStatus) error {
		one, two := backend(s, b1), backend(s, b2)
		if s.GetInFlight() != 8 || s.GetGrants() != 15 || s.GetDones() != 7 || s.GetAsks() != 17 || s.GetRefused()["no_backend"] != 2 ||
			one.GetInFlight() != 6 || one.GetGrants() != 9 || two.GetInFlight() != 2 || two.GetErrors() != 5 ||
			one.GetLatencyMs() != 5 || two.GetReport().GetCpuUtilization() != 0.5 || !s.GetByProxies() || s.GetDecide() != "proxy" {
			return fmt.Errorf("the pool is %v", s)
		}
		return nil
	})
	e, err := r.tools().Explain(t.Context(), &fairleadv1.ExplainRequest{Pool: pool})
	if err != nil || e.GetChosen() == "" || !strings.Contains(e.GetVerdict(), "proxies decide for this pool now") {
		t.Errorf("explain says %v, %v", e, err)
	}
	p.decided(&fairleadv1.PoolSeen{InFlight: 1, Seen: []*fairleadv1.BackendSeen{seen(b1, 1, 0), seen(b2, 0, 0)}})
	q.leave()
	r.await("what is left", func(s *fairleadv1.PoolStatus) error {
		if s.GetInFlight() != 1 || s.GetDones() != 14 || backend(s, b1).GetInFlight() != 1 || backend(s, b2).GetInFlight() != 0 {
			return fmt.Errorf("the pool is %v", s)
		}
		return nil
	})
}

// TestDrainedMeansProxiesToo: an agent is told that its backend is drained when proxies
// that decide know of it and have nothing there any more.
func TestDrainedMeansProxiesToo(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(byProxies))
	p := r.connect("p", "1")
	version := p.told("both backends", has(b1, b2)).GetVersion()
	a := r.join(b1)
	one := func(n uint32) []*fairleadv1.BackendSeen {
		return []*fairleadv1.BackendSeen{{Backend: b1, InFlight: n}}
	}
	p.decided(&fairleadv1.PoolSeen{Version: version, Decided: 1, InFlight: 1, Seen: one(1)})
	r.await("the request", func(s *fairleadv1.PoolStatus) error {
		if n := s.GetInFlight(); n != 1 {
			return fmt.Errorf("%d in flight", n)
		}
		return nil
	})
	d, err := r.tools().Drain(t.Context(), &fairleadv1.DrainRequest{Backend: b1})
	if err != nil || d.GetInFlight() != 1 {
		t.Fatalf("Drain = %v, %v; want one in flight", d, err)
	}
	p.decided(&fairleadv1.PoolSeen{Version: version, Seen: one(0)}) // and it may give it others
	next := p.told("the drain", has(b2)).GetVersion()
	r.awaitState(b1, "drained") // as the mind has it; but its agent is not told
	p.decided(&fairleadv1.PoolSeen{Version: next, Decided: 1, InFlight: 1, Seen: one(1)})
	r.awaitState(b1, "draining")
	for {
		s := a.state()
		if s.GetDrained() {
			t.Fatal("the agent was told that its backend is drained while a proxy has a request there")
		}
		if s.GetDraining() {
			break
		}
	}
	p.decided(&fairleadv1.PoolSeen{Version: next, Seen: one(0)})
	for !a.state().GetDrained() {
	}
}

func TestTooMuchSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(byProxies))
	p := r.connect("p", "1")
	w := &fairleadv1.PoolSeen{}
	for range 4097 {
		w.Seen = append(w.Seen, &fairleadv1.BackendSeen{Backend: b1})
	}
	p.decided(w)
	says(t, p.end(), codes.InvalidArgument, "4097 backends", "4096")
}

// TestStatusIsEchoed: the answer to a status names it, so that the proxy can measure the way.
func TestStatusIsEchoed(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.connect("p", "1")
	p.say(&fairleadv1.ProxyMessage{Status: &fairleadv1.ProxyStatus{Number: 77}})
	for p.next().GetStatus() != 77 {
	}
	if len(p.first.GetBackends()) != 0 || p.first.GetTable().GetPools()[0].GetDecides() {
		t.Error("a pool for which the controller decides is told of")
	}
}
