package control

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var discard = slog.New(slog.DiscardHandler)

const known, unlisted = "127.0.0.1:9001", "127.0.0.1:9100"

// deciding returns a controller whose pools decide, without a network. Its one listed
// backend is up.
func deciding(tb testing.TB) *Controller {
	tb.Helper()
	file := &config.Config{}
	for _, p := range []config.Pool{{Name: "work"}, {Name: "other"}, {Name: "own", Workers: 3, Decide: config.DecideAuto}} {
		p.Slots, p.Agents = 2, true
		p.Queue = config.Queue{Limit: 8, Timeout: config.DefaultQueueTimeout}
		file.Pools = append(file.Pools, p)
	}
	other := &file.Pools[1]
	other.Assign, other.AssignTimeout, other.Prefer = fleet.AssignConfirm, time.Minute, config.PreferZone
	other.Link, other.Tickets, other.TicketLife = config.Direct, true, time.Minute
	file.Pools[0].Backends = []config.Backend{{Address: known}}
	file.Pools[2].Backends = []config.Backend{{Address: known}}
	c := New(Config{File: file, Software: "test", Logger: discard})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, r := range c.runners() {
		running.Go(func() { _ = r.run(ctx) })
	}
	tb.Cleanup(func() {
		stop()
		running.Wait()
		c.readers.Wait()
	})
	r := c.runners()[0]
	r.put(&dispatch.Join{Spec: fleet.BackendSpec{Name: known}, Source: dispatch.FromConfig})
	r.put(&dispatch.Health{Backend: known, Up: true})
	own := c.runners()[2]
	own.submit(work{call: func() {
		own.join(dispatch.Join{Spec: fleet.BackendSpec{Name: known}, Source: dispatch.FromConfig})
	}})
	own.put(&dispatch.Health{Backend: known, Up: true})
	return c
}

// script is a stream on which a peer says what is written and then no more.
type script[In, Out proto.Message] struct {
	grpc.ServerStream // nil: nothing else of it is used
	tb                testing.TB
	ctx               context.Context
	words             []In
}

// Context implements grpc.ServerStream.
func (s *script[In, Out]) Context() context.Context { return s.ctx }

// Recv implements the stream.
func (s *script[In, Out]) Recv() (In, error) {
	if len(s.words) == 0 {
		var none In
		return none, io.EOF
	}
	m := s.words[0]
	s.words = s.words[1:]
	return m, nil
}

// Send implements the stream. Whatever a peer said, what it hears can be written.
func (s *script[In, Out]) Send(m Out) error {
	if _, err := proto.Marshal(m); err != nil {
		s.tb.Errorf("a message that cannot be sent: %v", err)
	}
	return nil
}

// proxySays has a proxy say the messages, and returns how its session ended.
func (c *Controller) proxySays(tb testing.TB, words ...*fairleadv1.ProxyMessage) error {
	return c.checked(tb, proxiesService{c: c}.Session(&script[*fairleadv1.ProxyMessage, *fairleadv1.ControllerMessage]{
		tb: tb, ctx: tb.Context(), words: words,
	}))
}

// agentSays has an agent say the messages, and returns how its session ended.
func (c *Controller) agentSays(tb testing.TB, words ...*fairleadv1.AgentMessage) error {
	return c.checked(tb, agentsService{c: c}.Session(&script[*fairleadv1.AgentMessage, *fairleadv1.BackendMessage]{
		tb: tb, ctx: tb.Context(), words: words,
	}))
}

// checked returns err, which must be a status that says something.
func (c *Controller) checked(tb testing.TB, err error) error {
	tb.Helper()
	if s := status.Convert(err); err != nil && !errors.Is(err, io.EOF) && s.Message() == "" {
		tb.Errorf("a session ended with %v, which says nothing", err)
	}
	return err
}

// idle checks that nothing is left of a session, and that what is known can be told.
func (c *Controller) idle(tb testing.TB) {
	tb.Helper()
	s, err := c.Snapshot(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := proto.Marshal(s); err != nil {
		tb.Errorf("a snapshot that cannot be sent: %v", err)
	}
	for _, p := range s.GetPools() {
		if p.GetInFlight() != 0 || p.GetQueue() != 0 {
			tb.Errorf("pool %s has %d in flight and %d waiting when nobody is there", p.GetName(), p.GetInFlight(), p.GetQueue())
		}
	}
}

func proxyHello() *fairleadv1.ProxyMessage {
	return &fairleadv1.ProxyMessage{Hello: &fairleadv1.ProxyHello{
		Versions: &fairleadv1.Versions{Oldest: 1, Newest: 1}, Name: "fuzz", Instance: "1",
	}}
}

func agentHello(address string) *fairleadv1.AgentMessage {
	return &fairleadv1.AgentMessage{Hello: &fairleadv1.AgentHello{
		Versions: &fairleadv1.Versions{Oldest: 1, Newest: 1}, Pool: "work", Address: address, Instance: "1",
	}}
}

func seeds[M proto.Message](f *testing.F, all ...M) {
	f.Helper()
	for _, m := range all {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
		f.Add(append(b, b...))
	}
}

func FuzzProxyMessage(f *testing.F) {
	load := &fairleadv1.OrcaLoadReport{CpuUtilization: 0.5, NamedMetrics: map[string]float64{"in_flight": math.NaN()}}
	seen := []*fairleadv1.BackendSeen{{Backend: known, InFlight: 3, LatencyUs: math.MaxUint64, Errors: 1, Load: load}}
	live := &fairleadv1.ProxyMessage{PoolHellos: []*fairleadv1.PoolHello{
		{Pool: 1, More: true, Live: []*fairleadv1.LiveGrant{{Id: &fairleadv1.GrantID{Epoch: 1, Number: 2}, Backend: known, HeldMs: math.MaxUint64}}},
		{Pool: 1, Epoch: 7}, {Pool: 99, Live: []*fairleadv1.LiveGrant{{Id: &fairleadv1.GrantID{Epoch: 1, Number: 3}, Backend: "x"}}},
	}}
	seeds(f, proxyHello(), live, &fairleadv1.ProxyMessage{
		Dones: []*fairleadv1.Done{{Grant: &fairleadv1.GrantID{Epoch: 1, Number: 1}, Pool: 1, Outcome: 1, LatencyUs: 5, Seen: seen[0]}},
		Asks: []*fairleadv1.Ask{{Id: 1, Pool: 1, WaitedUs: math.MaxUint64}, {Id: 2, Pool: 2, Exclude: []string{known}, Seen: seen,
			About: &fairleadv1.About{Client: "::ffff:192.0.2.1", Method: "GET", Path: "/", Class: 9, DeadlineMs: math.MaxUint64,
				Flow: "t", Labels: []string{"gpu=a100", "a=b"}, Affinity: "k"}, RoundTripUs: math.MaxUint64}},
		Withdrawals: []*fairleadv1.Withdrawal{{Pool: 1, Ask: 2}},
		Status: &fairleadv1.ProxyStatus{Connections: 1, Number: 1, Cpu: math.Inf(1),
			Listeners: []*fairleadv1.BoundListener{{Name: "web", Address: "127.0.0.1:80"}}},
	}, &fairleadv1.ProxyMessage{Pools: []*fairleadv1.PoolSeen{
		{Pool: 3, Decided: math.MaxUint64, InFlight: math.MaxUint32, Seen: seen, Deciding: true, Version: 9},
		{Pool: 3, Served: 1, ServiceUs: math.MaxUint64, RoundTripUs: math.MaxUint64, Refused: math.MaxUint64},
		{Pool: 1, Seen: seen}, {Pool: 9},
	}}, &fairleadv1.ProxyMessage{})
	c := deciding(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &fairleadv1.ProxyMessage{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		first := proto.CloneOf(m)
		if h := first.GetHello(); h != nil {
			h.Name, h.Instance = "fuzz", "1" // or each would be remembered
		}
		_ = c.proxySays(t, first, proto.CloneOf(m))
		_ = c.proxySays(t, proxyHello(), m, &fairleadv1.ProxyMessage{Asks: []*fairleadv1.Ask{{Id: math.MaxUint64, Pool: 1}}})
		// A session that names no live grant ends what those before it had.
		if err := c.proxySays(t, proxyHello()); err != nil {
			t.Errorf("a session after that ended with %v", err)
		}
		c.idle(t)
	})
}

func FuzzAgentMessage(f *testing.F) {
	full := agentHello(unlisted)
	full.Hello.Zone, full.Hello.Software, full.Hello.Slots = "a", "test", 7
	full.Hello.Labels = []string{"tier=gold", "gpu=a100"}
	direct := agentHello(unlisted)
	direct.Hello.Pool, direct.Hello.Public, direct.Hello.Assignments, direct.Hello.Direct = "other", "https://b:443", true, true
	id := &fairleadv1.GrantID{Epoch: 1, Number: 2<<40 + 1}
	direct.Hello.Live = []*fairleadv1.LiveGrant{{Id: id, HeldMs: math.MaxUint64}}
	words := &fairleadv1.AgentMessage{
		Answers:  []*fairleadv1.Answer{{Grant: id, Rejection: 7}, {Grant: id}, {}},
		Arrivals: []*fairleadv1.GrantID{id, {}}, Dones: []*fairleadv1.Done{{Grant: id, Outcome: 1}, {}},
	}
	seeds(f, agentHello(known), full, direct, words, &fairleadv1.AgentMessage{Drain: true}, &fairleadv1.AgentMessage{Report: &fairleadv1.OrcaLoadReport{
		CpuUtilization: math.NaN(), MemUtilization: -1, Rps: math.MaxUint64, RpsFractional: 1, Eps: math.Inf(1),
		ApplicationUtilization: 2, NamedMetrics: map[string]float64{"in_flight": 3, "load1": 1e308},
		Utilization: map[string]float64{"gpu": 0.5}, RequestCost: map[string]float64{"tokens": 1},
	}}, &fairleadv1.AgentMessage{})
	c := deciding(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &fairleadv1.AgentMessage{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		first := proto.CloneOf(m)
		if h := first.GetHello(); h != nil {
			if r, name, err := c.admit(first); err == nil && (r == nil || name == "") {
				t.Error("an agent was admitted to nothing")
			}
			h.Live, h.Address = nil, unlisted // or each would be remembered for the grace
		}
		_ = c.agentSays(t, first, proto.CloneOf(m))
		_ = c.agentSays(t, agentHello(known), m)
		// The listed backend takes requests as before: an agent's drain ends with the next.
		if err := c.agentSays(t, agentHello(known)); err != nil {
			t.Errorf("a session after that ended with %v", err)
		}
		c.idle(t)
		s, err := c.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b := s.GetPools()[0].GetBackends()[0]; b.GetAddress() != known || !b.GetEligible() {
			t.Errorf("the listed backend: %v", b)
		}
	})
}

// FuzzTools: whatever a tool asks, it gets an answer or a status that says why not.
func FuzzTools(f *testing.F) {
	seeds[proto.Message](f, &fairleadv1.DrainRequest{Pool: "work", Backend: known}, &fairleadv1.UndrainRequest{Backend: unlisted},
		&fairleadv1.ExplainRequest{Pool: "other", Exclude: []string{known, ""}, Last: math.MaxUint32, Zone: "a",
			Class: 3, Flow: "t", Labels: []string{"gpu=a100"}, Affinity: "k", DeadlineMs: math.MaxUint64})
	c := deciding(f)
	tools := toolsService{c: c}
	f.Fuzz(func(t *testing.T, b []byte) {
		drain, undrain, explain := &fairleadv1.DrainRequest{}, &fairleadv1.UndrainRequest{}, &fairleadv1.ExplainRequest{}
		if proto.Unmarshal(b, drain) == nil {
			_, err := tools.Drain(t.Context(), drain)
			_ = c.checked(t, err)
		}
		if proto.Unmarshal(b, undrain) == nil {
			_, err := tools.Undrain(t.Context(), undrain)
			_ = c.checked(t, err)
		}
		if proto.Unmarshal(b, explain) == nil {
			e, err := tools.Explain(t.Context(), explain)
			if _, bad := proto.Marshal(e); c.checked(t, err) == nil && bad != nil {
				t.Errorf("an explanation that cannot be sent: %v", bad)
			}
		}
		c.idle(t)
	})
}
