package session

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a controller whose every word the test says.
type fake struct {
	fairleadv1.UnimplementedProxiesServer
	sessions chan *spoken
}

// spoken is one session as the fake controller sees it.
type spoken struct {
	hello *fairleadv1.ProxyHello
	st    fairleadv1.Proxies_SessionServer
	in    chan *fairleadv1.ProxyMessage
	end   chan error
}

func (f *fake) Session(st fairleadv1.Proxies_SessionServer) error {
	m, err := st.Recv()
	if err != nil {
		return err
	}
	s := &spoken{hello: m.GetHello(), st: st, in: make(chan *fairleadv1.ProxyMessage, 100), end: make(chan error, 2)}
	go func() {
		defer close(s.in)
		for {
			m, err := st.Recv()
			if err != nil {
				s.end <- nil
				return
			}
			s.in <- m
		}
	}()
	select {
	case f.sessions <- s:
	case <-st.Context().Done():
		return nil
	}
	select {
	case err := <-s.end:
		return err
	case <-st.Context().Done():
		return nil
	}
}

func (s *spoken) welcome(t *testing.T) {
	t.Helper()
	s.say(t, &fairleadv1.ControllerMessage{
		Welcome: &fairleadv1.Welcome{Version: 1, Epoch: 7, MaxOutstanding: 4},
		Table:   &fairleadv1.Table{Pools: []*fairleadv1.PoolEntry{{Number: 3, Name: "render", Retries: 2, ConnectTimeoutMs: 100}}},
	})
}

func (s *spoken) say(t *testing.T, m *fairleadv1.ControllerMessage) {
	t.Helper()
	if err := s.st.Send(m); err != nil {
		t.Fatal(err)
	}
}

// next returns the next message that says more than how the proxy is.
func (s *spoken) next(t *testing.T) *fairleadv1.ProxyMessage {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case m, ok := <-s.in:
			if !ok {
				t.Fatal("the stream ended")
			}
			if len(m.GetAsks())+len(m.GetDones())+len(m.GetWithdrawals()) > 0 {
				return m
			}
		case <-deadline:
			t.Fatal("the proxy said nothing")
		}
	}
}

// lists returns what the proxy's next pool hello lists.
func (s *spoken) lists(t *testing.T) []*fairleadv1.LiveGrant {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case m := <-s.in:
			if all := m.GetPoolHellos(); len(all) == 1 && all[0].GetPool() == 3 && all[0].GetEpoch() == 7 {
				return all[0].GetLive()
			}
		case <-deadline:
			t.Fatal("no pool hello came")
		}
	}
}

func (s *spoken) grant(t *testing.T, ask, number uint64) {
	t.Helper()
	s.say(t, &fairleadv1.ControllerMessage{Grants: []*fairleadv1.Grant{{
		Ask: ask, Id: &fairleadv1.GrantID{Epoch: 7, Number: number}, Backend: "b:1", Pool: 3,
	}}})
}

type rig struct {
	fake    *fake
	session *Session
	pool    *link.Pool
	ended   chan error
	stop    context.CancelFunc
}

func newRig(t *testing.T) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{sessions: make(chan *spoken)}
	srv := grpc.NewServer()
	fairleadv1.RegisterProxiesServer(srv, f)
	go srv.Serve(ln)
	dial := func() (*grpc.ClientConn, error) {
		return grpc.NewClient(ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	s := New(Config{
		Controllers: []Controller{{Name: "controller", Dial: dial}}, Name: "p1", Logger: slog.New(slog.DiscardHandler), Patience: time.Minute,
		OnTable: func(*fairleadv1.Table, map[uint32]*link.Pool) {},
		Status:  func() *fairleadv1.ProxyStatus { return &fairleadv1.ProxyStatus{} },
	})
	ctx, stop := context.WithCancel(t.Context())
	r := &rig{fake: f, session: s, pool: &link.Pool{Name: "render"}, ended: make(chan error, 1), stop: stop}
	go func() { r.ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		srv.Stop()
	})
	return r
}

// accept takes the next session in.
func (r *rig) accept(t *testing.T) *spoken {
	t.Helper()
	select {
	case s := <-r.fake.sessions:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("no session came")
		return nil
	}
}

type asked struct {
	grant *link.Grant
	err   error
}

func (r *rig) ask(ctx context.Context, q link.Request) chan asked {
	q.Pool = r.pool
	c := make(chan asked, 1)
	go func() {
		g, err := r.session.Ask(ctx, q)
		c <- asked{g, err}
	}()
	return c
}

func TestGrantAndDoneCarryLoadMetrics(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.welcome(t)
	first := r.ask(t.Context(), link.Request{Exclude: []fleet.BackendName{"x:1"}, Waited: 2 * time.Second})
	a := s.next(t).GetAsks()[0]
	if a.GetPool() != 3 || a.GetExclude()[0] != "x:1" || a.GetWaitedUs() < 2_000_000 || a.GetInFlight() != 0 {
		t.Errorf("ask = %v", a)
	}
	s.grant(t, a.GetId(), 1)
	got := <-first
	if got.err != nil || got.grant.Backend != "b:1" {
		t.Fatalf("Ask = %+v", got)
	}
	got.grant.Head(fleet.LoadReport{CPU: 0.5})
	second := r.ask(t.Context(), link.Request{})
	a = s.next(t).GetAsks()[0]
	if a.GetInFlight() != 1 || len(a.GetSeen()) != 1 || a.GetSeen()[0].GetLoad().GetCpuUtilization() != 0.5 {
		t.Errorf("the second ask carries %v; want 1 in flight and the report of b:1", a)
	}
	got.grant.Done(link.Result{Outcome: fleet.OK, Latency: 20 * time.Millisecond})
	d := s.next(t).GetDones()[0]
	if d.GetOutcome() != fairleadv1.Outcome_OUTCOME_OK || d.GetLatencyUs() != 20_000 || d.GetSeen() != nil {
		t.Errorf("done = %v", d)
	}
	s.say(t, &fairleadv1.ControllerMessage{Refusals: []*fairleadv1.Refusal{{
		Ask: a.GetId(), Reason: fairleadv1.Reason_REASON_QUEUE_FULL, RetryAfterMs: 1500,
	}}})
	var refused *link.Refused
	if no := <-second; !errors.As(no.err, &refused) || refused.Reason != fleet.QueueFull || refused.RetryAfter != 1500*time.Millisecond {
		t.Errorf("Ask = %+v, want a refusal", no)
	}
}

func TestWithdrawnAskGivesACrossingGrantBack(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.welcome(t)
	ctx, leave := context.WithCancelCause(t.Context())
	c := r.ask(ctx, link.Request{})
	a := s.next(t).GetAsks()[0]
	gone := errors.New("client gone")
	leave(gone)
	if got := <-c; !errors.Is(got.err, gone) {
		t.Fatalf("Ask = %v, want the context's cause", got.err)
	}
	w := s.next(t).GetWithdrawals()
	if len(w) != 1 || w[0].GetAsk() != a.GetId() || w[0].GetPool() != 3 {
		t.Fatalf("withdrawals = %v", w)
	}
	s.grant(t, a.GetId(), 9)
	d := s.next(t).GetDones()
	if len(d) != 1 || d[0].GetOutcome() != fairleadv1.Outcome_OUTCOME_UNUSED || d[0].GetGrant().GetNumber() != 9 || d[0].GetPool() != 3 {
		t.Fatalf("dones = %v, want the grant given back", d)
	}
}

// TestReconnect shows what a new session is told: the grants that live, and the asks that
// wait.
func TestReconnect(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.welcome(t)
	held := r.ask(t.Context(), link.Request{})
	s.grant(t, s.next(t).GetAsks()[0].GetId(), 1)
	grant := (<-held).grant
	waiting := r.ask(t.Context(), link.Request{})
	before := s.next(t).GetAsks()[0].GetId()
	s.end <- status.Error(codes.Unavailable, "restarting")

	s = r.accept(t)
	s.welcome(t)
	if live := s.lists(t); len(live) != 1 || live[0].GetId().GetNumber() != 1 || live[0].GetBackend() != "b:1" {
		t.Fatalf("live = %v", live)
	}
	grant.Done(link.Result{Outcome: fleet.OK})
	var id uint64
	var asks, dones int
	for asks+dones < 2 {
		m := s.next(t)
		for _, a := range m.GetAsks() {
			asks++
			if id = a.GetId(); id <= before {
				t.Errorf("ask %d came again as %d, which is not a new number", before, id)
			}
		}
		for _, d := range m.GetDones() {
			dones++
			if d.GetGrant().GetNumber() != 1 {
				t.Errorf("done = %v", d)
			}
		}
	}
	s.grant(t, id, 2)
	if got := <-waiting; got.err != nil {
		t.Fatalf("Ask = %v after the controller came back", got.err)
	}
}

func TestRevokeCutsTheLink(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.welcome(t)
	c := r.ask(t.Context(), link.Request{})
	s.grant(t, s.next(t).GetAsks()[0].GetId(), 1)
	g := (<-c).grant
	cut := make(chan error, 1)
	g.OnCut(func(err error) { cut <- err })
	s.say(t, &fairleadv1.ControllerMessage{Revokes: []*fairleadv1.Revoke{{
		Grant: &fairleadv1.GrantID{Epoch: 7, Number: 1}, Reason: fairleadv1.Reason_REASON_BACKEND_LOST,
	}}})
	if err := <-cut; !link.CutFor(err, fleet.BackendLost) {
		t.Errorf("cut with %v", err)
	}
	g.Done(link.Result{Outcome: fleet.Failed})
	if d := s.next(t).GetDones()[0]; d.GetOutcome() != fairleadv1.Outcome_OUTCOME_REVOKED {
		t.Errorf("done = %v, want revoked", d)
	}
}

func TestTooManyAsksAreRefusedHere(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.welcome(t) // takes 4
	for range 4 {
		r.ask(t.Context(), link.Request{})
	}
	for n := 0; n < 4; {
		n += len(s.next(t).GetAsks())
	}
	var refused *link.Refused
	if got := <-r.ask(t.Context(), link.Request{}); !errors.As(got.err, &refused) || refused.Reason != fleet.OverLimit {
		t.Errorf("Ask = %+v, want over_limit", got)
	}
}

func TestRefusedForGood(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.end <- status.Error(codes.FailedPrecondition, "no version in common")
	if err := <-r.ended; err == nil {
		t.Fatal("Run = nil, want the controller's words")
	}
	if got := <-r.ask(t.Context(), link.Request{}); got.err == nil {
		t.Error("an ask was granted without a session")
	}
}

func TestEndAnswersWhoeverWaits(t *testing.T) {
	r := newRig(t)
	s := r.accept(t)
	s.welcome(t)
	c := r.ask(t.Context(), link.Request{})
	s.next(t)
	r.stop()
	if got := <-c; !errors.Is(got.err, link.ErrNoController) {
		t.Errorf("Ask = %+v, want ErrNoController", got)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("Run = %v", err)
	}
}
