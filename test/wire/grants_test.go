package wire

import (
	"net"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
)

func TestGrantsOfALostSessionReturnAfterTheGrace(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p, other := r.connect("p", "1"), r.connect("other", "1")
	p.ask()
	p.granted()
	p.ask() // ends with the session
	other.ask()
	r.awaitFlight(1, 2)
	began := time.Now()
	p.conn.Close()
	r.awaitFlight(1, 1)
	other.granted()
	if took := time.Since(began); took < grace-10*time.Millisecond {
		t.Errorf("the slot of a lost session was granted after %v, want %v or more", took, grace)
	}
	r.awaitFlight(1, 0)
}

// TestLiveGrantsAreAdopted has a proxy bring a grant of another controller.
func TestLiveGrantsAreAdopted(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	old := &fairleadv1.GrantID{Epoch: 1, Number: 42}
	live := &fairleadv1.LiveGrant{Id: old, Backend: b1, HeldMs: 5000}
	p := r.connect("p", "1", live, live)
	r.awaitFlight(1, 0)
	p.ask()
	r.awaitFlight(1, 1)
	p.done(old, fairleadv1.Outcome_OUTCOME_OK)
	g := p.granted()
	if g.GetId().GetEpoch() != p.epoch {
		t.Errorf("a grant of epoch %d, the welcome says %d", g.GetId().GetEpoch(), p.epoch)
	}
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	r.awaitFlight(0, 0)
}

// TestLiveGrantsBeyondSlots shows that adopted grants count in full, though there are
// more than slots, and that nothing is granted until they are down to less.
func TestLiveGrantsBeyondSlots(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	var live []*fairleadv1.LiveGrant
	for i := range uint64(3) {
		live = append(live, &fairleadv1.LiveGrant{Id: &fairleadv1.GrantID{Epoch: 1, Number: 1 + i}, Backend: b1, HeldMs: 1 << 63})
	}
	p := r.connect("p", "1", live...)
	r.awaitFlight(3, 0)
	p.ask()
	for i := range live {
		if s := r.snapshot(); s.GetGrants() != 0 {
			t.Fatalf("an ask was granted while %d grants live on one slot", s.GetInFlight())
		}
		p.done(live[i].GetId(), fairleadv1.Outcome_OUTCOME_OK)
		if i < 2 {
			r.awaitFlight(2-i, 1)
		}
	}
	p.granted()
	r.awaitFlight(1, 0)
}

// TestNobodyTakesAnothersGrant has a proxy call a grant its own that is not.
func TestNobodyTakesAnothersGrant(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p := r.connect("p", "1")
	p.ask()
	held := p.granted()
	made := held.GetId()
	thief := r.connect("thief", "1",
		&fairleadv1.LiveGrant{Id: made, Backend: b1},
		&fairleadv1.LiveGrant{Id: &fairleadv1.GrantID{Epoch: made.GetEpoch(), Number: made.GetNumber() + 1}, Backend: b1})
	r.awaitFlight(1, 0)
	thief.done(made, fairleadv1.Outcome_OUTCOME_OK)
	thief.ask()
	r.awaitFlight(1, 1)
	p.done(made, fairleadv1.Outcome_OUTCOME_OK)
	thief.granted()
	r.awaitFlight(1, 0)
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend, func(p *config.Pool) { p.GrantLimit = 50 * time.Millisecond }))
	p, other := r.connect("p", "1"), r.connect("other", "1")
	p.ask()
	g := p.granted()
	if g.GetLimitMs() != 50 {
		t.Errorf("the grant's limit is %d ms, want 50", g.GetLimitMs())
	}
	other.ask()
	if cut := p.cut(); cut.GetReason() != fairleadv1.Reason_REASON_TIME_LIMIT || cut.GetGrant().GetNumber() != g.GetId().GetNumber() {
		t.Errorf("revoke = %v", cut)
	}
	if n := r.snapshot().GetInFlight(); n != 1 {
		t.Errorf("%d in flight after a revoke that was not answered, want 1: the slot is still in use", n)
	}
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_REVOKED)
	other.granted()
	r.awaitFlight(1, 0)
	// The other proxy says nothing more of it, and is not waited for longer than the grace.
	other.cut()
	began := time.Now()
	r.awaitFlight(0, 0)
	if took := time.Since(began); took < grace-500*time.Millisecond {
		t.Errorf("the slot of an unanswered revoke was free after %v, want about %v", took, grace)
	}
}

// checked is a pool whose only backend is at an address where health is looked at often.
func checked(address string, lost time.Duration) func(*config.Pool) {
	return func(p *config.Pool) {
		p.Backends = []config.Backend{{Address: address}}
		p.Health = config.Health{
			Type: config.HealthTCP, Interval: 20 * time.Millisecond, Timeout: time.Second,
			Fall: 2, Rise: 2, LostAfter: lost,
		}
	}
}

// server is a backend that accepts connections and says nothing.
type server struct {
	net.Listener
	ended chan struct{}
}

func serve(t *testing.T, address string) *server {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{ln, make(chan struct{})}
	go func() {
		defer close(s.ended)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	t.Cleanup(s.stop)
	return s
}

func (s *server) stop() {
	s.Close()
	<-s.ended
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := serve(t, "127.0.0.1:0")
	address := s.Addr().String()
	s.stop()
	r := newRig(t, onePool(checked(address, 0)))
	p := r.connect("p", "1")
	if b := r.awaitState(address, "down"); b.GetEligible() || b.GetWhy() == "" {
		t.Errorf("a backend whose port is closed: %v", b)
	}
	p.ask()
	if no := p.no(); no.GetReason() != fairleadv1.Reason_REASON_NO_BACKEND {
		t.Errorf("with the only backend down the answer is %v", no)
	}
	s = serve(t, address)
	r.awaitState(address, "up")
	p.serves()
	s.stop()
	r.awaitState(address, "down")
}

// TestSuspicion has a proxy meet a dead backend long before the next check is due.
func TestSuspicion(t *testing.T) {
	t.Parallel()
	s := serve(t, "127.0.0.1:0")
	address := s.Addr().String()
	r := newRig(t, onePool(checked(address, 0), func(p *config.Pool) {
		p.Health.Interval, p.Health.Fall = time.Hour, 1
	}))
	r.awaitState(address, "up")
	p := r.connect("p", "1")
	s.stop()
	p.ask()
	g := p.granted()
	p.say(&fairleadv1.ProxyMessage{Dones: []*fairleadv1.Done{{
		Grant: g.GetId(), Pool: p.number, Outcome: fairleadv1.Outcome_OUTCOME_UNREACHABLE,
		Seen: &fairleadv1.BackendSeen{Backend: address},
	}}})
	r.awaitState(address, "down")
}

func TestBackendLost(t *testing.T) {
	t.Parallel()
	s := serve(t, "127.0.0.1:0")
	address := s.Addr().String()
	r := newRig(t, onePool(checked(address, 50*time.Millisecond)))
	r.awaitState(address, "up")
	p := r.connect("p", "1")
	p.ask()
	g := p.granted()
	s.stop()
	if cut := p.cut(); cut.GetReason() != fairleadv1.Reason_REASON_BACKEND_LOST || cut.GetGrant().GetNumber() != g.GetId().GetNumber() {
		t.Errorf("revoke = %v", cut)
	}
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_REVOKED)
	r.awaitFlight(0, 0)
}
