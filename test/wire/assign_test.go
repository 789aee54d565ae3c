package wire

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// assigning has the pool assign its requests.
func assigning(how fleet.Assign) func(*config.Pool) {
	return func(p *config.Pool) { p.Assign, p.AssignTimeout = how, time.Minute }
}

// takesAssignments is said in an agent's hello.
func takesAssignments(h *fairleadv1.AgentHello) { h.Assignments = true }

// askAbout sends an ask that says what its request is.
func (p *proxy) askAbout(about *fairleadv1.About) uint64 {
	p.t.Helper()
	p.asks++
	p.say(&fairleadv1.ProxyMessage{Asks: []*fairleadv1.Ask{{Id: p.asks, Pool: p.number, About: about}}})
	return p.asks
}

// grantOf returns the grant of an ask, which is the next one.
func (p *proxy) grantOf(ask uint64) *fairleadv1.Grant {
	p.t.Helper()
	g := p.granted()
	if g.GetAsk() != ask {
		p.t.Fatalf("grant %v, want one for ask %d", g, ask)
	}
	return g
}

// assignment returns the next assignment that the agent gets.
func (a *agent) assignment() *fairleadv1.Assignment {
	a.t.Helper()
	for {
		if all := a.next().GetAssignments(); len(all) > 0 {
			if len(all) > 1 {
				a.t.Fatalf("%d assignments at once, want one", len(all))
			}
			return all[0]
		}
	}
}

// revoke returns the next revoke that the agent gets.
func (a *agent) revoke() *fairleadv1.Revoke {
	a.t.Helper()
	for {
		if all := a.next().GetRevokes(); len(all) > 0 {
			return all[0]
		}
	}
}

func (a *agent) answer(x *fairleadv1.Assignment, no fairleadv1.Rejection) {
	a.t.Helper()
	a.say(&fairleadv1.AgentMessage{Answers: []*fairleadv1.Answer{{Grant: x.GetGrant(), Rejection: no}}})
}

func TestNotify(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend, assigning(fleet.AssignNotify)))
	p := r.connect("p", "1")
	if pool := p.first.GetTable().GetPools()[0]; !pool.GetAbout() {
		t.Errorf("the table's pool is %v, and asks would not say what their requests are", pool)
	}
	p.ask()
	if no := p.no(); no.GetReason() != fairleadv1.Reason_REASON_NO_BACKEND {
		t.Errorf("nobody could be told, and the ask is refused: %v", no)
	}
	a := r.join(b1, takesAssignments)
	about := &fairleadv1.About{
		Client: "192.0.2.7", Method: "GET", Host: "example.org", Path: "/tile", Class: fairleadv1.Class_CLASS_CRITICAL,
		Flow: "tenant-1", DeadlineMs: 1500,
	}
	id := p.askAbout(about)
	x := a.assignment()
	if !proto.Equal(x.GetAbout(), about) || x.GetProxy() != "p" || x.GetConfirm() {
		t.Errorf("the assignment is %v, want it to be of proxy p, about %v", x, about)
	}
	g := p.grantOf(id)
	if !proto.Equal(g.GetId(), x.GetGrant()) || g.GetBackend() != b1 {
		t.Errorf("grant %v follows assignment %v", g, x)
	}
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_UNUSED)
	if rev := a.revoke(); !proto.Equal(rev.GetGrant(), x.GetGrant()) || rev.GetReason() != fairleadv1.Reason_REASON_NOT_COMING {
		t.Errorf("the client was gone, and the backend is told %v", rev)
	}
	r.awaitFlight(0, 0)
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(assigning(fleet.AssignConfirm)))
	p := r.connect("p", "1")
	agents := map[string]*agent{b1: r.join(b1, takesAssignments), b2: r.join(b2, takesAssignments)}
	r.awaitState(b1, "up")
	r.awaitState(b2, "up")
	// Both backends have one slot. The first one that is asked says no.
	id := p.askAbout(nil)
	first := r.assigned(1)
	a := agents[first]
	x := a.assignment()
	if !x.GetConfirm() {
		t.Errorf("the assignment %v does not wait for an answer", x)
	}
	a.answer(x, fairleadv1.Rejection_REJECTION_FULL)
	second := map[string]string{b1: b2, b2: b1}[first]
	y := agents[second].assignment()
	if proto.Equal(y.GetGrant(), x.GetGrant()) {
		t.Errorf("two backends were assigned grant %v", x.GetGrant())
	}
	agents[second].answer(y, 0)
	if g := p.grantOf(id); g.GetBackend() != second || !proto.Equal(g.GetId(), y.GetGrant()) {
		t.Errorf("grant %v, want %v on %s, which accepted", g, y.GetGrant(), second)
	}
	if b := backend(r.snapshot(), first); b.GetRejected() != 1 || b.GetInFlight() != 0 {
		t.Errorf("%s said no, and stands as %v", first, b)
	}
	// Who waits for an answer can leave, and the backend is told.
	id = p.askAbout(nil)
	z := a.assignment()
	p.say(&fairleadv1.ProxyMessage{Withdrawals: []*fairleadv1.Withdrawal{{Pool: p.number, Ask: id}}})
	if rev := a.revoke(); !proto.Equal(rev.GetGrant(), z.GetGrant()) {
		t.Errorf("the ask was withdrawn, and the backend is told %v", rev)
	}
	a.answer(z, 0) // too late, and harmless
	r.awaitFlight(1, 0)
}

// assigned returns the backend that has so many assignments, and waits for it.
func (r *rig) assigned(n uint64) (name string) {
	r.t.Helper()
	r.await(fmt.Sprintf("%d assignments", n), func(s *fairleadv1.PoolStatus) error {
		for _, b := range s.GetBackends() {
			if b.GetAssigned() == n {
				name = b.GetAddress()
				return nil
			}
		}
		return errNot
	})
	return name
}

func TestConfirmUnanswered(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(assigning(fleet.AssignConfirm), func(p *config.Pool) { p.AssignTimeout = 50 * time.Millisecond }))
	p := r.connect("p", "1")
	agents := map[string]*agent{b1: r.join(b1, takesAssignments), b2: r.join(b2, takesAssignments)}
	r.awaitState(b1, "up")
	r.awaitState(b2, "up")
	id := p.askAbout(nil)
	deaf := r.assigned(1)
	x := agents[deaf].assignment()
	other := map[string]string{b1: b2, b2: b1}[deaf]
	agents[other].answer(agents[other].assignment(), 0)
	if g := p.grantOf(id); g.GetBackend() != other {
		t.Errorf("grant %v, want %s, which answered", g, other)
	}
	if rev := agents[deaf].revoke(); !proto.Equal(rev.GetGrant(), x.GetGrant()) {
		t.Errorf("%s did not answer %v, and is told %v", deaf, x, rev)
	}
	if b := backend(r.snapshot(), deaf); b.GetUnanswered() != 1 {
		t.Errorf("%s did not answer, and stands as %v", deaf, b)
	}
}

// TestConfirmAgentLost: what a backend was asked goes to another when its agent is gone.
func TestConfirmAgentLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(assigning(fleet.AssignConfirm)))
	p := r.connect("p", "1")
	agents := map[string]*agent{b1: r.join(b1, takesAssignments), b2: r.join(b2, takesAssignments)}
	r.awaitState(b1, "up")
	r.awaitState(b2, "up")
	id := p.askAbout(nil)
	lost := r.assigned(1)
	agents[lost].assignment()
	agents[lost].leave()
	other := map[string]string{b1: b2, b2: b1}[lost]
	agents[other].answer(agents[other].assignment(), 0)
	if g := p.grantOf(id); g.GetBackend() != other {
		t.Errorf("grant %v, want %s, whose agent lives", g, other)
	}
}

func TestDirect(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend, func(p *config.Pool) {
		p.Link, p.Tickets, p.TicketLife = config.Direct, true, time.Second
		p.Backends[0].Public = "https://b1.example.org:443"
	}))
	p := r.connect("p", "1")
	direct := func(h *fairleadv1.AgentHello) { h.Direct = true }
	a := r.join(b1, direct)
	r.awaitState(b1, "up")
	g := p.grantOf(p.ask())
	if g.GetPublic() != "https://b1.example.org:443" || g.GetTicket() == "" || g.GetTicketMs() != 1000 {
		t.Fatalf("the grant is %v, want the public address and a ticket for a second", g)
	}
	p.leave() // a proxy's end is not that of its clients' links
	a.say(&fairleadv1.AgentMessage{Arrivals: []*fairleadv1.GrantID{g.GetId()}})
	r.awaitFlight(1, 0)
	a.say(&fairleadv1.AgentMessage{Dones: []*fairleadv1.Done{{Grant: g.GetId(), Outcome: fairleadv1.Outcome_OUTCOME_OK, LatencyUs: 5000}}})
	r.awaitFlight(0, 0)
	// A ticket that nobody uses frees its slot, and who comes later still is sent away.
	q := r.connect("q", "1")
	unused := q.grantOf(q.ask())
	next := q.grantOf(q.ask()) // waits for the slot
	if proto.Equal(next.GetId(), unused.GetId()) {
		t.Fatalf("grant %v was made twice", next)
	}
	a.say(&fairleadv1.AgentMessage{Arrivals: []*fairleadv1.GrantID{unused.GetId()}})
	for {
		if rev := a.revoke(); proto.Equal(rev.GetGrant(), unused.GetId()) && rev.GetReason() == fairleadv1.Reason_REASON_TIME_LIMIT {
			break
		}
	}
	// What still runs survives the agent's connection.
	a.say(&fairleadv1.AgentMessage{Arrivals: []*fairleadv1.GrantID{next.GetId()}})
	a.leave()
	again := r.join(b1, direct, func(h *fairleadv1.AgentHello) {
		h.Live = []*fairleadv1.LiveGrant{{Id: next.GetId(), HeldMs: 10}}
	})
	again.say(&fairleadv1.AgentMessage{Dones: []*fairleadv1.Done{{Grant: next.GetId(), Outcome: fairleadv1.Outcome_OUTCOME_OK}}})
	r.awaitFlight(0, 0)
	if b := backend(r.snapshot(), b1); b.GetErrors() != 0 || b.GetGrants() != 3 {
		t.Errorf("the backend stands as %v", b)
	}
}

// TestPublicAddressOfAnAgent: where an agent says that clients come is checked and brought
// into normal form, for it stands in the head of answers.
func TestPublicAddressOfAnAgent(t *testing.T) {
	t.Parallel()
	file := onePool(oneBackend, func(p *config.Pool) { p.Link, p.Tickets, p.TicketLife = config.Direct, true, time.Minute })
	r := newRig(t, file)
	for _, public := range []string{"nowhere", "ftp://b:1", "http://b/x", "b:1\r\nX: y", "[::1%a\r\nX: y]:80"} {
		a := r.callAgent()
		m := join(b1)
		m.GetHello().Public = public
		a.say(m)
		says(t, a.end(), codes.InvalidArgument, "public address")
	}
	r.join(b1, func(h *fairleadv1.AgentHello) { h.Direct, h.Public = true, "HTTPS://B1.Example.org." })
	if b := r.awaitState(b1, "up"); b.GetPublic() != "https://b1.example.org:443" {
		t.Errorf("clients are sent to %q", b.GetPublic())
	}
	file.Listeners = append(file.Listeners, config.Listener{Name: "db", Address: "127.0.0.1:5432", Protocol: config.TCP})
	file.Routes = append(file.Routes, config.Route{Listener: "db", Host: "*", Path: "/", Pool: pool})
	tcp := newRig(t, file)
	a := tcp.callAgent()
	m := join(b1)
	m.GetHello().Public = "http://b:1"
	a.say(m)
	says(t, a.end(), codes.InvalidArgument, "plain TCP")
}
