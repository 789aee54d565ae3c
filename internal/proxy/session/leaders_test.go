package session

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// trio is a proxy with three controllers, whose every word the test says.
type trio struct {
	*rig
	fakes [3]*fake
	said  [3]*spoken
}

// newTrio brings sessions with all three up. Every one of them knows the pools render (3) and
// other (4), and leads none.
func newTrio(t *testing.T, alone bool) *trio {
	t.Helper()
	r := &trio{rig: &rig{pool: &link.Pool{Name: "render", Alone: alone, QueueLimit: 10, QueueTimeout: time.Minute}, ended: make(chan error, 1)}}
	var all []Controller
	for i := range r.fakes {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f := &fake{sessions: make(chan *spoken)}
		srv := grpc.NewServer()
		fairleadv1.RegisterProxiesServer(srv, f)
		go srv.Serve(ln)
		t.Cleanup(srv.Stop)
		r.fakes[i] = f
		all = append(all, Controller{Name: fmt.Sprint(i), Dial: func() (*grpc.ClientConn, error) {
			return grpc.NewClient(ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		}})
	}
	r.session = New(Config{
		Controllers: all, Name: "p1", Logger: slog.New(slog.DiscardHandler), Patience: time.Minute,
		OnTable: func(*fairleadv1.Table, map[uint32]*link.Pool) {},
		Status:  func() *fairleadv1.ProxyStatus { return &fairleadv1.ProxyStatus{} },
	})
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() { r.ended <- r.session.Run(ctx) }()
	for i, f := range r.fakes {
		r.rig.fake = f
		r.said[i] = r.accept(t)
		r.said[i].say(t, &fairleadv1.ControllerMessage{
			Welcome: &fairleadv1.Welcome{Version: 1, Epoch: 7, MaxOutstanding: 100}, Leads: &fairleadv1.Leads{},
			Table: &fairleadv1.Table{Pools: []*fairleadv1.PoolEntry{
				{Number: 3, Name: "render", Retries: 2, ConnectTimeoutMs: 100, Alone: alone, QueueLimit: 10, QueueTimeoutMs: 60_000},
				{Number: 4, Name: "other", Retries: 2, ConnectTimeoutMs: 100},
			}},
		})
	}
	return r
}

// leads has a controller say which pools it leads, each in an epoch.
func (s *spoken) leads(t *testing.T, learning bool, epochs map[uint32]uint64) {
	t.Helper()
	m := &fairleadv1.Leads{}
	for pool, epoch := range epochs {
		m.Leads = append(m.Leads, &fairleadv1.Lead{Pool: pool, Epoch: epoch, Learning: learning})
	}
	s.say(t, &fairleadv1.ControllerMessage{Leads: m})
}

// poolHello returns the next hello of a pool, and what came of dones before it.
func (s *spoken) poolHello(t *testing.T, pool uint32, epoch uint64) (*fairleadv1.PoolHello, []*fairleadv1.Done) {
	t.Helper()
	var dones []*fairleadv1.Done
	deadline := time.After(10 * time.Second)
	for {
		select {
		case m, ok := <-s.in:
			if !ok {
				t.Fatal("the stream ended")
			}
			for _, h := range m.GetPoolHellos() {
				if h.GetPool() == pool && h.GetEpoch() == epoch {
					return h, append(dones, m.GetDones()...)
				}
			}
			dones = append(dones, m.GetDones()...)
		case <-deadline:
			t.Fatalf("no hello of pool %d in epoch %d", pool, epoch)
		}
	}
}

// hear answers what the proxy says, so that it counts as heard.
func (s *spoken) hear(t *testing.T, m *fairleadv1.ProxyMessage) {
	t.Helper()
	s.say(t, &fairleadv1.ControllerMessage{Heard: m.GetNumber()})
}

func (r *trio) askOf(t *testing.T, pool *link.Pool) chan asked {
	t.Helper()
	c := make(chan asked, 1)
	go func() {
		g, err := r.session.Ask(t.Context(), link.Request{Pool: pool})
		c <- asked{g, err}
	}()
	return c
}

func granted(t *testing.T, c chan asked) *link.Grant {
	t.Helper()
	select {
	case a := <-c:
		if a.err != nil {
			t.Fatal(a.err)
		}
		return a.grant
	case <-time.After(10 * time.Second):
		t.Fatal("no grant came")
		return nil
	}
}

// TestEachPoolAsksItsLeader: asks go to whoever leads the pool.
func TestEachPoolAsksItsLeader(t *testing.T) {
	r := newTrio(t, false)
	r.said[0].leads(t, false, map[uint32]uint64{3: 1})
	r.said[2].leads(t, false, map[uint32]uint64{4: 1})
	r.said[0].poolHello(t, 3, 1)
	r.said[2].poolHello(t, 4, 1)
	other := r.askOf(t, &link.Pool{Name: "other"})
	render := r.askOf(t, r.pool)
	m := r.said[0].next(t)
	if len(m.GetAsks()) != 1 || m.GetAsks()[0].GetPool() != 3 {
		t.Errorf("the leader of pool 3 is told %v", m)
	}
	r.said[0].grant(t, m.GetAsks()[0].GetId(), 1)
	granted(t, render).Done(link.Result{})
	if m = r.said[2].next(t); len(m.GetAsks()) != 1 || m.GetAsks()[0].GetPool() != 4 {
		t.Errorf("the leader of pool 4 is told %v", m)
	}
	r.said[2].grant(t, m.GetAsks()[0].GetId(), 1)
	granted(t, other).Done(link.Result{})
	select {
	case m := <-r.said[1].in:
		if len(m.GetAsks())+len(m.GetPoolHellos())+len(m.GetDones()) > 0 {
			t.Errorf("a controller that leads nothing is told %v", m)
		}
	default:
	}
}

// TestNewLeaderIsToldWhatIsHeld: a pool that moves brings its grants along; who waits is asked
// for anew; what the old leader still grants is given back to it.
func TestNewLeaderIsToldWhatIsHeld(t *testing.T) {
	r := newTrio(t, false)
	r.said[0].leads(t, false, map[uint32]uint64{3: 1})
	r.said[0].poolHello(t, 3, 1)
	first := r.askOf(t, r.pool)
	m := r.said[0].next(t)
	r.said[0].grant(t, m.GetAsks()[0].GetId(), 1)
	held := granted(t, first)
	second := r.askOf(t, r.pool)
	late := r.said[0].next(t).GetAsks()[0].GetId()

	r.said[1].leads(t, false, map[uint32]uint64{3: 2})
	h, _ := r.said[1].poolHello(t, 3, 2)
	if all := h.GetLive(); len(all) != 1 || all[0].GetId().GetNumber() != 1 || all[0].GetBackend() != "b:1" {
		t.Errorf("the new leader is told of %v", all)
	}
	again := r.said[1].next(t).GetAsks()
	if len(again) != 1 || again[0].GetPool() != 3 {
		t.Fatalf("the new leader is asked %v", again)
	}
	r.said[0].grant(t, late, 2)
	if d := r.said[0].next(t).GetDones(); len(d) != 1 || d[0].GetGrant().GetNumber() != 2 || d[0].GetOutcome() != fairleadv1.Outcome_OUTCOME_UNUSED {
		t.Errorf("the old leader, which grants, is told %v", d)
	}
	r.said[1].grant(t, again[0].GetId(), 9)
	if g := granted(t, second); g.ID.Number != 9 {
		t.Errorf("the request has grant %v", g.ID)
	}
	held.Done(link.Result{})
	if d := r.said[1].next(t).GetDones(); len(d) != 1 || d[0].GetGrant().GetNumber() != 1 {
		t.Errorf("the new leader hears of the end of the old grant: %v", d)
	}
}

// TestOlderTermIsNotBelieved: a controller that does not know yet that its term is over.
func TestOlderTermIsNotBelieved(t *testing.T) {
	r := newTrio(t, false)
	r.said[1].leads(t, false, map[uint32]uint64{3: 5})
	r.said[1].poolHello(t, 3, 5)
	r.said[0].leads(t, false, map[uint32]uint64{3: 4, 4: 1})
	r.said[0].poolHello(t, 4, 1) // so it has taken in all of it
	got := r.askOf(t, r.pool)
	m := r.said[1].next(t)
	if len(m.GetAsks()) != 1 {
		t.Fatalf("the leader is told %v", m)
	}
	r.said[1].grant(t, m.GetAsks()[0].GetId(), 1)
	granted(t, got).Done(link.Result{})
}

// TestUnansweredAskIsServedFromHand: a leader that leaves an ask unanswered loses the request
// to a slot in hand, and its late grant is given back.
func TestUnansweredAskIsServedFromHand(t *testing.T) {
	r := newTrio(t, true)
	r.said[0].leads(t, false, map[uint32]uint64{3: 1})
	r.said[0].poolHello(t, 3, 1)
	first := r.askOf(t, r.pool)
	m := r.said[0].next(t)
	r.said[0].grant(t, m.GetAsks()[0].GetId(), 1)
	r.said[0].hear(t, m)
	held := granted(t, first)

	second := r.askOf(t, r.pool) // which nobody answers
	late := r.said[0].next(t).GetAsks()[0].GetId()
	for alone := false; !alone; { // an alarm says so, soon
		r.session.mu.Lock()
		alone = r.session.ledger.Alone("render")
		r.session.mu.Unlock()
		runtime.Gosched()
	}
	held.Done(link.Result{})
	g := granted(t, second)
	if g.ID.Number != 1 || g.Backend != "b:1" {
		t.Errorf("the request is served by grant %v on %s, want the slot in hand", g.ID, g.Backend)
	}
	r.said[0].grant(t, late, 2)
	for gaveBack := false; !gaveBack; {
		for _, d := range r.said[0].next(t).GetDones() {
			gaveBack = gaveBack || d.GetGrant().GetNumber() == 2 && d.GetOutcome() == fairleadv1.Outcome_OUTCOME_UNUSED
		}
	}
	g.Done(link.Result{})
}

// TestLearningLeaderIsNotWaitedFor: slots in hand serve while a new leader learns.
func TestLearningLeaderIsNotWaitedFor(t *testing.T) {
	r := newTrio(t, true)
	r.said[0].leads(t, false, map[uint32]uint64{3: 1})
	r.said[0].poolHello(t, 3, 1)
	first := r.askOf(t, r.pool)
	m := r.said[0].next(t)
	r.said[0].grant(t, m.GetAsks()[0].GetId(), 1)
	r.said[0].hear(t, m)
	held := granted(t, first)
	r.said[1].leads(t, true, map[uint32]uint64{3: 2})
	r.said[1].poolHello(t, 3, 2)
	held.Done(link.Result{})
	g := granted(t, r.askOf(t, r.pool))
	if g.ID.Number != 1 {
		t.Errorf("the request is served by grant %v, want the slot in hand", g.ID)
	}
	g.Done(link.Result{})
}
