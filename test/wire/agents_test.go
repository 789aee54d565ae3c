package wire

import (
	"context"
	"io"
	"math"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
)

const stranger = "127.0.0.1:9100" // a backend that no config lists

// agent is one whose every word the test says.
type agent struct {
	*heard[*fairleadv1.BackendMessage]
	conn  *grpc.ClientConn
	leave context.CancelFunc

	mu sync.Mutex // guards sending
	st fairleadv1.Agents_SessionClient
}

// callAgent opens a stream on a connection of its own, and says nothing yet.
func (r *rig) callAgent() *agent {
	r.t.Helper()
	ctx, leave := context.WithCancel(r.t.Context())
	r.t.Cleanup(leave)
	a := &agent{conn: r.dial(), leave: leave}
	st, err := fairleadv1.NewAgentsClient(a.conn).Session(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	a.st, a.heard = st, hear(r.t, st.Recv)
	return a
}

func join(address string) *fairleadv1.AgentMessage {
	return &fairleadv1.AgentMessage{Hello: &fairleadv1.AgentHello{
		Versions: version1(), Pool: pool, Address: address, Instance: "1", Software: "test 1",
	}}
}

// join has an agent join, and keeps its session alive.
func (r *rig) join(address string, change ...func(*fairleadv1.AgentHello)) *agent {
	r.t.Helper()
	m := join(address)
	for _, f := range change {
		f(m.GetHello())
	}
	a := r.callAgent()
	a.say(m)
	if w := a.next().GetWelcome(); w.GetVersion() != 1 || w.GetSoftware() != "fairlead test" {
		r.t.Fatalf("welcome = %v", w)
	}
	beat := make(chan struct{})
	go func() {
		defer close(beat)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				a.trySay(&fairleadv1.AgentMessage{})
			case <-a.st.Context().Done():
				return
			}
		}
	}()
	r.t.Cleanup(func() { a.leave(); <-beat })
	return a
}

func (a *agent) trySay(m *fairleadv1.AgentMessage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.st.Send(m) // what goes wrong is received
}

func (a *agent) say(m *fairleadv1.AgentMessage) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.st.Send(m); err != nil {
		a.t.Logf("sending: %v", err) // the status comes by receiving
	}
}

// state returns the next state that the controller tells.
func (a *agent) state() *fairleadv1.BackendState {
	a.t.Helper()
	for {
		if s := a.next().GetState(); s != nil {
			return s
		}
	}
}

func TestAgentsThatMayNotJoin(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(func(p *config.Pool) { p.Agents = false }))
	r.join(b2)
	for _, c := range []struct {
		name   string
		change func(*fairleadv1.AgentHello)
		code   codes.Code
		words  []string
	}{
		{"unknown pool", func(h *fairleadv1.AgentHello) { h.Pool = "other" }, codes.NotFound, []string{`"other"`, `"work"`}},
		{"not listed", func(h *fairleadv1.AgentHello) { h.Address = stranger }, codes.FailedPrecondition, []string{stranger, "agents: true"}},
		{"no address", func(h *fairleadv1.AgentHello) { h.Address = "" }, codes.InvalidArgument, []string{"address"}},
		{"no port", func(h *fairleadv1.AgentHello) { h.Address = "127.0.0.1" }, codes.InvalidArgument, []string{"address"}},
		{"no instance", func(h *fairleadv1.AgentHello) { h.Instance = "" }, codes.InvalidArgument, []string{"instance is empty"}},
		{"many slots", func(h *fairleadv1.AgentHello) { h.Slots = math.MaxUint32 }, codes.InvalidArgument, []string{"slots"}},
		{"another's backend", func(h *fairleadv1.AgentHello) { h.Address, h.Instance = b2, "2" }, codes.AlreadyExists, []string{b2, "agent already"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := join(b1)
			c.change(m.GetHello())
			a := r.callAgent()
			a.say(m)
			says(t, a.end(), c.code, c.words...)
		})
	}
	const only = "the first message is a hello, and nothing but a hello"
	for name, m := range map[string]*fairleadv1.AgentMessage{
		"empty":            {},
		"report":           {Report: &fairleadv1.OrcaLoadReport{}},
		"hello and report": {Hello: join(b1).GetHello(), Report: &fairleadv1.OrcaLoadReport{}},
		"hello and drain":  {Hello: join(b1).GetHello(), Drain: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := r.callAgent()
			a.say(m)
			says(t, a.end(), codes.InvalidArgument, only)
		})
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	a := r.join(stranger, func(h *fairleadv1.AgentHello) { h.Slots, h.Zone = 5, "b" })
	b := r.awaitState(stranger, "up")
	if b.GetSlots() != 5 || b.GetZone() != "b" || !b.GetHasAgent() || b.GetFromConfig() {
		t.Errorf("the backend that joined: %v", b)
	}
	for range 10 {
		a.say(&fairleadv1.AgentMessage{Report: &fairleadv1.OrcaLoadReport{
			CpuUtilization: 0.5, NamedMetrics: map[string]float64{"in_flight": 2},
		}})
		a.next()
	}
	r.await("the report", func(p *fairleadv1.PoolStatus) error {
		if backend(p, stranger).GetReport().GetCpuUtilization() != 0.5 {
			return errNot
		}
		return nil
	})
	for _, v := range []float64{math.NaN(), -1, math.Inf(1)} {
		bad := r.join(b1)
		bad.say(&fairleadv1.AgentMessage{Report: &fairleadv1.OrcaLoadReport{MemUtilization: v}})
		says(t, bad.end(), codes.InvalidArgument, "mem_utilization")
	}
	again := r.join(stranger)
	says(t, a.end(), codes.Aborted, "another session")
	again.say(&fairleadv1.AgentMessage{})
	again.next()
}

// TestAgentDrain plays the leaving of an agent: drain, no new grants, drained when the
// last one is over, and gone at once.
func TestAgentDrain(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(func(p *config.Pool) { p.Backends = nil }))
	a := r.join(stranger)
	r.awaitState(stranger, "up")
	p := r.connect("p", "1")
	p.ask()
	g := p.granted()
	a.say(&fairleadv1.AgentMessage{Drain: true})
	for {
		if s := a.state(); s.GetDraining() {
			if s.GetDrained() {
				t.Error("drained while a grant lives")
			}
			break
		}
	}
	r.awaitState(stranger, "draining")
	p.ask()
	if no := p.no(); no.GetReason() != fairleadv1.Reason_REASON_NO_BACKEND {
		t.Errorf("with the only backend draining the answer is %v", no)
	}
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	for !a.state().GetDrained() {
	}
	a.mu.Lock()
	err := a.st.CloseSend()
	a.mu.Unlock()
	if err != nil {
		t.Error(err)
	}
	began := time.Now()
	if err := a.end(); err != io.EOF {
		t.Errorf("the stream of an agent that left ends with %v, want EOF", err)
	}
	r.awaitState(stranger, "")
	if took := time.Since(began); took > grace {
		t.Errorf("the backend of an agent that left stood for %v", took)
	}
}

func TestAgentKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	a, listed := r.join(stranger), r.join(b1)
	r.awaitState(stranger, "up")
	began := time.Now()
	a.conn.Close()
	listed.conn.Close()
	r.await("the agents to be gone", func(p *fairleadv1.PoolStatus) error {
		if backend(p, b1).GetHasAgent() {
			return errNot
		}
		return nil
	})
	r.awaitState(stranger, "")
	if took := time.Since(began); took < grace-10*time.Millisecond {
		t.Errorf("a backend was forgotten %v after its agent was lost, want %v", took, grace)
	}
	if b := r.awaitState(b1, "up"); !b.GetFromConfig() {
		t.Errorf("the backend that the config lists: %v", b)
	}
}

func TestAgentComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(func(p *config.Pool) { p.Backends = nil }))
	p := r.connect("p", "1")
	a := r.join(stranger)
	r.awaitState(stranger, "up")
	p.ask()
	g := p.granted()
	a.conn.Close()
	a.end()
	// Another run of the agent, within the grace.
	r.awaitAny("the agent to be let in again", func() error {
		m := join(stranger)
		m.Hello.Instance = "2"
		again := r.callAgent()
		again.say(m)
		select {
		case m, ok := <-again.messages:
			if ok && m.GetWelcome() != nil {
				return nil
			}
		case <-t.Context().Done():
		}
		again.leave()
		return errNot
	})
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	p.serves()
}
