package dash

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hostile is a pool's name that would do harm wherever it were read as markup.
const hostile = `<img src=x onerror="document.title='harmed'">`

// fakeFleet is a controller whose numbers move with each snapshot.
type fakeFleet struct {
	crowd int // backends of the crowded pool; 0: there is none

	mu      sync.Mutex // guards what follows
	tick    int
	drained map[string]bool // by address
	calls   []string
	err     error // of every call
	notYet  error // why the controller does not decide
	empty   bool
}

func (f *fakeFleet) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeFleet) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.calls...)
}

// await waits until the controller was asked something.
func (f *fakeFleet) await(t *testing.T, call string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for !slices.Contains(f.called(), call) {
		select {
		case <-limit:
			t.Fatalf("the controller was told %q, and never %q", f.called(), call)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (f *fakeFleet) ready() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.notYet
}

func (f *fakeFleet) Snapshot(context.Context) (*fairleadv1.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tick++
	if f.err != nil {
		return nil, f.err
	}
	s := &fairleadv1.Snapshot{
		Software: "fairlead 0.1.0", Epoch: 7,
		TakenUnixMs: 1_790_000_000_000 + int64(f.tick)*500, UptimeMs: 8_040_000 + uint64(f.tick)*500,
	}
	if f.empty {
		return s, nil
	}
	s.Pools = []*fairleadv1.PoolStatus{f.render(), f.speech()}
	if f.crowd > 0 {
		s.Pools = append(s.Pools, f.crowded())
	}
	s.Pools = append(s.Pools, &fairleadv1.PoolStatus{Name: hostile, QueueLimit: 100, QueueTimeoutMs: 30_000})
	s.Proxies = f.proxies()
	return s, nil
}

// wave moves between low and high.
func (f *fakeFleet) wave(phase, low, high float64) float64 {
	return low + (high-low)*(0.5+0.5*math.Sin(float64(f.tick)/6+phase))
}

func (f *fakeFleet) render() *fairleadv1.PoolStatus {
	p := &fairleadv1.PoolStatus{
		Name: "render", QueueLimit: 100, QueueTimeoutMs: 30_000,
		Queue: uint32(f.wave(0, 0, 64)), DecisionsPerSecond: f.wave(0, 60, 140), WaitMs: f.wave(0, 5, 900),
		Refused: map[string]uint64{"queue_full": uint64(40 + f.tick), "queue_timeout": 3, "no_backend": 0},
	}
	p.OldestWaitMs = uint64(p.Queue) * 37
	for i := range 5 {
		b := f.backend(fmt.Sprintf("10.0.%d.%d:9100", i%2, i+1), i, 4)
		p.Backends = append(p.Backends, b)
	}
	p.Backends[1].Foreign = 1.4
	p.Backends[1].InFlight = min(p.Backends[1].InFlight, 2)
	down := p.Backends[4]
	down.State, down.Eligible, down.InFlight = "down", false, 0
	down.Why = "it is down: dial tcp 10.0.0.5:9100: connect: connection refused"
	down.Report = nil
	p.Backends = append(p.Backends, &fairleadv1.BackendStatus{
		Address: "render-gpu-wide.internal.example:9100", Zone: "b", Slots: 256, InFlight: uint32(f.wave(1, 60, 240)),
		Eligible: true, State: "up", LatencyMs: 1840, Grants: 2_400_000, FromConfig: true,
	})
	return sum(p)
}

func (f *fakeFleet) speech() *fairleadv1.PoolStatus {
	p := &fairleadv1.PoolStatus{
		Name: "speech", QueueLimit: 1000, QueueTimeoutMs: 10_000, DecisionsPerSecond: f.wave(2, 400, 520),
		Link: "direct", Assign: "confirm", Prefer: "zone",
	}
	for i := range 3 {
		p.Backends = append(p.Backends, f.backend(fmt.Sprintf("speech-%d.local:7001", i+1), i+9, 24))
	}
	b := p.Backends[0]
	b.Public, b.Assigned, b.Rejected, b.Unanswered = "https://speech-1.example.org:443", 15_000, 12, 3
	return sum(p)
}

func (f *fakeFleet) crowded() *fairleadv1.PoolStatus {
	p := &fairleadv1.PoolStatus{Name: "ci-runners", Decide: "auto", ByProxies: true, QueueLimit: 10_000, QueueTimeoutMs: 600_000, DecisionsPerSecond: 31}
	for i := range f.crowd {
		p.Backends = append(p.Backends, f.backend(fmt.Sprintf("10.9.%d.%d:22", i/50, i%50), i, 2))
	}
	return sum(p)
}

func (f *fakeFleet) backend(address string, i int, slots uint32) *fairleadv1.BackendStatus {
	phase := float64(i) * 1.3
	b := &fairleadv1.BackendStatus{
		Address: address, Zone: string(rune('a' + i%2)), Slots: slots, State: "up", Eligible: true,
		InFlight:  uint32(math.Round(f.wave(phase, 0, float64(slots)))),
		LatencyMs: f.wave(phase, 34, 210), HasAgent: i%3 != 2, FromConfig: i%4 != 3,
		ReportAgeMs: uint64(f.wave(phase, 20, 990)), Grants: uint64(15_000 + f.tick*(9+i)), Errors: uint64(i % 5),
		Report: &fairleadv1.OrcaLoadReport{CpuUtilization: f.wave(phase, 0.1, 0.97), MemUtilization: 0.4 + 0.05*float64(i%9)},
	}
	if i%3 == 2 {
		b.ReportAgeMs = 9_400
	}
	if f.drained[address] {
		b.State, b.Eligible, b.Why = "draining", false, "it is draining"
	}
	return b
}

// sum fills in what follows from the backends.
func sum(p *fairleadv1.PoolStatus) *fairleadv1.PoolStatus {
	for _, b := range p.Backends {
		p.InFlight += b.InFlight
		if b.Eligible {
			p.Slots += b.Slots
		}
	}
	return p
}

func (f *fakeFleet) proxies() []*fairleadv1.ProxyStanding {
	web := func(i int) []*fairleadv1.BoundListener {
		return []*fairleadv1.BoundListener{{Name: "web", Address: fmt.Sprintf("10.1.0.%d:8080", i)}}
	}
	broken := append(web(2), &fairleadv1.BoundListener{
		Name: "speech", Error: "listen tcp 10.1.0.2:7000: bind: address already in use",
	})
	return []*fairleadv1.ProxyStanding{
		{Name: "edge-1", Instance: "4f1a", Zone: "a", Connected: true, AsksPerSecond: f.wave(0, 300, 420), ConnectedMs: 8_000_000, Load: 322.7,
			Software: "fairlead 0.1.0", Address: "10.1.0.1:51002",
			Status: &fairleadv1.ProxyStatus{Connections: 212, Waiting: uint32(f.wave(0, 0, 40)), InFlight: 31, Cpu: 0.34, Listeners: web(1), MaxConnections: 20_000}},
		{Name: "edge-2", Instance: "77c0", Zone: "b", Connected: true, AsksPerSecond: f.wave(1, 200, 260), ConnectedMs: 61_000,
			Address: "10.1.0.2:40112", WhyNot: "it is full",
			Status: &fairleadv1.ProxyStatus{Connections: 180, Waiting: uint32(f.wave(0, 0, 24)), InFlight: 22, Cpu: 0.21, Listeners: broken}},
		{Name: "edge-3", Instance: "01be", Zone: "b", Address: "10.1.0.3:40199"},
	}
}

func (f *fakeFleet) call(verb, pool, backend string) error {
	f.calls = append(f.calls, fmt.Sprintf("%s %s %s", verb, pool, backend))
	switch {
	case f.err != nil:
		return f.err
	case backend == "nowhere:1":
		return status.Error(codes.NotFound, "the pool has no such backend")
	case backend == "bad":
		return status.Error(codes.InvalidArgument, "not an address")
	}
	if f.drained == nil {
		f.drained = map[string]bool{}
	}
	f.drained[backend] = verb == "drain"
	return nil
}

func (f *fakeFleet) Drain(_ context.Context, pool, backend string) (uint32, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("drain", pool, backend); err != nil {
		return 0, err
	}
	return 3, nil
}

func (f *fakeFleet) Undrain(_ context.Context, pool, backend string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.call("undrain", pool, backend)
}

func (f *fakeFleet) Explain(_ context.Context, r *fairleadv1.ExplainRequest) (*fairleadv1.Explanation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("explain %s %v %d", r.Pool, r.Exclude, r.Last))
	if r.Zone != "" {
		f.calls = append(f.calls, "for zone "+r.Zone)
	}
	if r.Pool == "nowhere" {
		return nil, status.Error(codes.NotFound, "there is no such pool")
	}
	if f.err != nil {
		return nil, f.err
	}
	return &fairleadv1.Explanation{
		Pool: r.Pool, Chosen: "10.0.0.1:9100",
		Verdict: "granted: 10.0.0.1:9100 has the least score of 3 with a free slot",
		Candidates: []*fairleadv1.Candidate{
			{Backend: "10.0.0.1:9100", Eligible: true, InFlight: 1, Slots: 4, Score: 0.62, Speed: 0.31, Fill: 0.25, Utilization: 0.06},
			{Backend: "10.0.1.2:9100", Eligible: true, InFlight: 2, Slots: 4, Score: 1.96, Speed: 0.33, Fill: 0.5, Foreign: 0.3, Utilization: 0.08, Zone: 0.75, InZone: "b"},
			{Backend: "10.0.0.5:9100", WhyNot: "it is down: connection refused", Slots: 4, Score: 0.4, Speed: 0.4},
		},
		Last: []*fairleadv1.Decision{
			{Ask: 9121, Proxy: "edge-1", Backend: "10.0.0.1:9100", Score: 0.58, Free: 3, AgoMs: 240, Zone: "a", ZoneCost: 0.21},
			{Ask: 411, Proxy: "edge-2", Reason: fairleadv1.Reason_REASON_QUEUE_FULL, AgoMs: 2_400, WaitedUs: 1_200_000},
		},
	}, nil
}

// newTestServer returns a Server of f.
func newTestServer(f *fakeFleet) *Server {
	registry := prometheus.NewRegistry()
	asks := prometheus.NewCounter(prometheus.CounterOpts{Name: "fairlead_test_asks_total", Help: "A metric."})
	asks.Add(42)
	registry.MustRegister(asks)
	return New(Config{
		Source: f, Operator: f, Gatherer: registry, Registerer: registry, Ready: f.ready,
		Token: testToken, TokenHint: "the token is in the test",
	})
}

const testToken = "a-token-of-the-tests"

var errBroken = errors.New("the disk is on fire")
