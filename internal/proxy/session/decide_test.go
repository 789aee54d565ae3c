package session

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// mayDecide is a welcome with a pool for which proxies may decide.
func (s *spoken) mayDecide(t *testing.T, backends ...*fairleadv1.PoolBackends) {
	t.Helper()
	s.say(t, &fairleadv1.ControllerMessage{
		Welcome:  &fairleadv1.Welcome{Version: 1, Epoch: 7, MaxOutstanding: 4},
		Table:    &fairleadv1.Table{Pools: []*fairleadv1.PoolEntry{{Number: 3, Name: "render", Decides: true}}},
		Backends: backends,
	})
}

// choose says whom the proxy may choose from, and whether it decides.
func choose(decide bool, names ...string) *fairleadv1.PoolBackends {
	m := &fairleadv1.PoolBackends{Pool: 3, Decide: decide}
	for _, n := range names {
		m.Backends = append(m.Backends, &fairleadv1.ChoosableBackend{Address: n, Labels: []string{"on=" + n}})
	}
	return m
}

// pools returns the next word on a pool for which proxies may decide that is as wished;
// asks on the way are an error.
func (s *spoken) pools(t *testing.T, good func(*fairleadv1.PoolSeen) bool) *fairleadv1.PoolSeen {
	t.Helper()
	var last *fairleadv1.PoolSeen
	deadline := time.After(10 * time.Second)
	for {
		select {
		case m, ok := <-s.in:
			if !ok {
				t.Fatal("the stream ended")
			}
			if len(m.GetAsks())+len(m.GetDones()) > 0 {
				t.Errorf("the proxy decides, and said %v", m)
			}
			if n := m.GetStatus().GetNumber(); n != 0 {
				s.say(t, &fairleadv1.ControllerMessage{Status: n})
			}
			for _, last = range m.GetPools() {
				if good(last) {
					return last
				}
			}
		case <-deadline:
			t.Fatalf("the proxy last said %v", last)
		}
	}
}

// until waits until the proxy decides, or does not any more.
func (r *rig) until(t *testing.T, decides bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		r.session.mu.Lock()
		_, here := r.session.choices.here["render"]
		r.session.mu.Unlock()
		if here == decides {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("deciding: %v", here)
		}
	}
}

func (r *rig) decided(t *testing.T, q link.Request, want fleet.BackendName) *link.Grant {
	t.Helper()
	got := <-r.ask(t.Context(), q)
	if got.err != nil || got.grant.Backend != want || got.grant.ID.Epoch != 0 {
		t.Fatalf("Ask = %+v, want a grant of its own on %s", got, want)
	}
	return got.grant
}

// TestDecidesWithoutAsking: a proxy that decides says nothing of a request but what it
// sums up.
func TestDecidesWithoutAsking(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.mayDecide(t, choose(true, "a:1", "b:1"))
	r.until(t, true)
	one := r.decided(t, link.Request{}, "a:1")
	two := r.decided(t, link.Request{}, "b:1")
	three := r.decided(t, link.Request{About: &fleet.About{Labels: []string{"on=a:1"}}}, "a:1")
	one.Done(link.Result{Outcome: fleet.OK, Latency: 20 * time.Millisecond})
	three.Done(link.Result{Outcome: fleet.Failed})
	for _, c := range []struct {
		q    link.Request
		want fleet.Reason
	}{
		{link.Request{Exclude: []fleet.BackendName{"a:1", "b:1"}}, fleet.AllExcluded},
		{link.Request{About: &fleet.About{Labels: []string{"on=c:1"}}}, fleet.NoMatch},
	} {
		var refused *link.Refused
		if got := <-r.ask(t.Context(), c.q); !errors.As(got.err, &refused) || refused.Reason != c.want || refused.RetryAfter == 0 {
			t.Errorf("Ask = %+v, want %v", got, c.want)
		}
	}
	total := &fairleadv1.PoolSeen{}
	var errs uint32
	w := s.pools(t, func(p *fairleadv1.PoolSeen) bool {
		total.Decided += p.GetDecided()
		total.Refused += p.GetRefused()
		total.Served += p.GetServed()
		total.ServiceUs += p.GetServiceUs()
		for _, b := range p.GetSeen() {
			errs += b.GetErrors()
		}
		return total.Decided == 3 && total.Refused == 2 && p.GetInFlight() == 1 && p.GetRoundTripUs() > 0
	})
	if !w.GetDeciding() || total.GetServed() != 1 || total.GetServiceUs() != 20_000 || errs != 1 {
		t.Errorf("the proxy told %v in all, %d errors, and at last %v", total, errs, w)
	}
	two.Done(link.Result{Outcome: fleet.OK})
	w = s.pools(t, func(p *fairleadv1.PoolSeen) bool { return p.GetInFlight() == 0 })
	if len(w.GetSeen()) != 1 || w.GetSeen()[0].GetBackend() != "b:1" {
		t.Errorf("the proxy tells %v, want what is new of b:1", w)
	}
}

// TestDecidesWithoutAController: what a proxy was told last holds until it is told
// something else.
func TestDecidesWithoutAController(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.mayDecide(t)
	waits := r.ask(t.Context(), link.Request{})
	if a := s.next(t).GetAsks(); len(a) != 1 {
		t.Fatalf("before it was told to decide it said %v", a)
	}
	s.say(t, &fairleadv1.ControllerMessage{Backends: []*fairleadv1.PoolBackends{choose(true, "a:1")}})
	r.until(t, true)
	select {
	case got := <-waits:
		t.Fatalf("Ask = %+v; the controller lives and will answer", got)
	default:
	}
	if err := r.session.Serves(); err != nil {
		t.Errorf("Serves = %v", err)
	}
	s.end <- status.Error(codes.Unavailable, "stopping")
	if got := <-waits; got.err != nil || got.grant.Backend != "a:1" {
		t.Fatalf("Ask = %+v after the controller went away", got)
	}
	r.decided(t, link.Request{}, "a:1").Done(link.Result{Outcome: fleet.OK})
	if err := r.session.Serves(); err != nil || r.session.Connected() {
		t.Errorf("Serves = %v without a controller, connected: %v", err, r.session.Connected())
	}

	s = r.accept(t)
	s.mayDecide(t) // and not yet who decides
	if live := s.lists(t); len(live) != 0 {
		t.Errorf("the pool hello names %v, which no controller gave", live)
	}
	s.pools(t, func(p *fairleadv1.PoolSeen) bool { return p.GetDeciding() && p.GetInFlight() == 1 })
	r.decided(t, link.Request{}, "a:1")
	s.say(t, &fairleadv1.ControllerMessage{Backends: []*fairleadv1.PoolBackends{choose(true)}})
	s.say(t, &fairleadv1.ControllerMessage{Backends: []*fairleadv1.PoolBackends{choose(false, "a:1")}})
	r.until(t, false)
	waits = r.ask(t.Context(), link.Request{})
	for {
		m := s.next(t)
		if len(m.GetAsks()) > 0 {
			s.grant(t, m.GetAsks()[0].GetId(), 1)
			break
		}
	}
	if got := <-waits; got.err != nil || got.grant.ID.Epoch != 7 {
		t.Errorf("Ask = %+v, want the controller's grant", got)
	}
}

// TestHandedBack: who decides changes with requests in flight, and none is lost; a table
// without the pool's leave to decide takes it away.
func TestHandedBack(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics, err := NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	r.session.mu.Lock()
	r.session.cfg.Metrics = metrics
	r.session.mu.Unlock()
	s := r.accept(t)
	s.mayDecide(t, choose(true, "a:1"))
	r.until(t, true)
	own := r.decided(t, link.Request{}, "a:1")
	cut := make(chan error, 1)
	own.OnCut(func(err error) { cut <- err })
	s.say(t, &fairleadv1.ControllerMessage{Table: &fairleadv1.Table{Pools: []*fairleadv1.PoolEntry{{Number: 3, Name: "render"}}}})
	r.until(t, false)
	c := r.ask(t.Context(), link.Request{})
	a := s.next(t).GetAsks()[0]
	if a.GetInFlight() != 1 {
		t.Errorf("the ask tells of %d in flight, want the one that it decided", a.GetInFlight())
	}
	s.grant(t, a.GetId(), 1)
	granted := (<-c).grant
	own.Done(link.Result{Outcome: fleet.OK, Latency: time.Second})
	granted.Done(link.Result{Outcome: fleet.OK})
	if d := s.next(t).GetDones(); len(d) != 1 || d[0].GetGrant().GetNumber() != 1 || d[0].GetGrant().GetEpoch() != 7 {
		t.Errorf("the dones are %v, want the controller's grant alone", d)
	}
	all, err := registry.Gather()
	if err != nil || len(all) != 1 || all[0].GetName() != "fairlead_proxy_decisions_total" || len(all[0].GetMetric()) != 4 {
		t.Fatalf("the metrics are %v, %v", all, err)
	}
	for _, m := range all[0].GetMetric() {
		want := 1.0
		if by := m.GetLabel()[0].GetValue(); by == "permit" || by == "share" {
			want = 0
		}
		if m.GetCounter().GetValue() != want {
			t.Errorf("want one decision each of the controller and the proxy: %v", m)
		}
	}
	select {
	case err := <-cut:
		t.Errorf("the link was cut: %v", err)
	default:
	}
}

// TestOwnRequestsEndInTime: the pool's limit holds for what the proxy decides too.
func TestOwnRequestsEndInTime(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	m := choose(true, "a:1")
	m.LimitMs = 1
	s.mayDecide(t, m)
	r.until(t, true)
	cut := make(chan error, 1)
	r.decided(t, link.Request{}, "a:1").OnCut(func(err error) { cut <- err })
	if err := <-cut; !link.CutFor(err, fleet.TimeLimit) {
		t.Errorf("cut with %v", err)
	}
}

// BenchmarkDecide is a request that the proxy decides, among 100 backends.
func BenchmarkDecide(b *testing.B) {
	s := New(Config{Controllers: []Controller{{Name: "controller"}}})
	m := choose(true)
	for i := range 100 {
		m.Backends = append(m.Backends, &fairleadv1.ChoosableBackend{Address: string(rune('a' + i))})
	}
	pool := &link.Pool{Name: "render"}
	s.choices.may = []fleet.PoolName{"render"}
	s.cfg.Logger = slog.New(slog.DiscardHandler)
	p := s.peers[0]
	p.numbers = map[fleet.PoolName]uint32{"render": 3}
	s.leaders["render"] = &leader{peer: p}
	s.choosable(p, m)
	b.ReportAllocs()
	for b.Loop() {
		g, err := s.Ask(b.Context(), link.Request{Pool: pool})
		if err != nil {
			b.Fatal(err)
		}
		g.Done(link.Result{Outcome: fleet.OK, Latency: time.Millisecond})
	}
}
