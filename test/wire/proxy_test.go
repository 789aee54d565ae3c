package wire

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// proxy is one whose every word the test says.
type proxy struct {
	*heard[*fairleadv1.ControllerMessage]
	r      *rig
	conn   *grpc.ClientConn
	leave  context.CancelFunc
	number uint32 // the pool's
	epoch  uint64 // of its leader
	asks   uint64
	first  *fairleadv1.ControllerMessage

	mu sync.Mutex // guards sending
	st fairleadv1.Proxies_SessionClient

	waiting []*fairleadv1.Grant // come, and not looked at
	refused []*fairleadv1.Refusal
	revokes []*fairleadv1.Revoke
}

// call opens a stream on a connection of its own, and says nothing yet.
func (r *rig) call() *proxy {
	r.t.Helper()
	ctx, leave := context.WithCancel(r.t.Context())
	r.t.Cleanup(leave)
	p := &proxy{r: r, conn: r.dial(), leave: leave}
	st, err := fairleadv1.NewProxiesClient(p.conn).Session(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	p.st, p.heard = st, hear(r.t, st.Recv)
	return p
}

func hello(name, instance string) *fairleadv1.ProxyMessage {
	return &fairleadv1.ProxyMessage{Hello: &fairleadv1.ProxyHello{
		Versions: version1(), Name: name, Instance: instance, Zone: "a", Software: "test 1",
	}}
}

// connect opens a session, and keeps it alive.
func (r *rig) connect(name, instance string, live ...*fairleadv1.LiveGrant) *proxy {
	r.t.Helper()
	p := r.call()
	p.say(hello(name, instance))
	p.first = p.next()
	if p.first.GetWelcome() == nil || len(p.first.GetTable().GetPools()) == 0 {
		r.t.Fatalf("the first message is %v, want a welcome and a table", p.first)
	}
	p.number = p.first.GetTable().GetPools()[0].GetNumber()
	p.greet(p.first, live)
	beat := make(chan struct{})
	go func() {
		defer close(beat)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.trySay(&fairleadv1.ProxyMessage{Status: &fairleadv1.ProxyStatus{}})
			case <-p.st.Context().Done():
				return
			}
		}
	}()
	r.t.Cleanup(func() { p.leave(); <-beat })
	return p
}

// greet waits until the controller leads every pool, says hello to each, and lists live in
// the first one.
func (p *proxy) greet(m *fairleadv1.ControllerMessage, live []*fairleadv1.LiveGrant) {
	p.t.Helper()
	pools := len(m.GetTable().GetPools())
	for len(m.GetLeads().GetLeads()) < pools {
		m = p.next()
	}
	for _, l := range m.GetLeads().GetLeads() {
		h := &fairleadv1.PoolHello{Pool: l.GetPool(), Epoch: l.GetEpoch()}
		if l.GetPool() == p.number {
			h.Live = live
			p.epoch = l.GetEpoch()
		}
		p.say(&fairleadv1.ProxyMessage{PoolHellos: []*fairleadv1.PoolHello{h}})
	}
}

func (p *proxy) trySay(m *fairleadv1.ProxyMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.st.Send(m) // what goes wrong is received
}

func (p *proxy) say(m *fairleadv1.ProxyMessage) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.st.Send(m); err != nil {
		p.t.Logf("sending: %v", err) // the status comes by receiving
	}
}

// ask sends an ask, and returns its ID.
func (p *proxy) ask(exclude ...string) uint64 {
	p.t.Helper()
	p.asks++
	p.say(&fairleadv1.ProxyMessage{Asks: []*fairleadv1.Ask{{Id: p.asks, Pool: p.number, Exclude: exclude}}})
	return p.asks
}

// take receives one message, and sorts what is in it.
func (p *proxy) take() {
	p.t.Helper()
	m := p.next()
	p.waiting = append(p.waiting, m.GetGrants()...)
	p.refused = append(p.refused, m.GetRefusals()...)
	p.revokes = append(p.revokes, m.GetRevokes()...)
}

// granted returns the next grant.
func (p *proxy) granted() *fairleadv1.Grant {
	p.t.Helper()
	for len(p.waiting) == 0 {
		if len(p.refused) > 0 {
			p.t.Fatalf("refused: %v", p.refused[0])
		}
		p.take()
	}
	g := p.waiting[0]
	p.waiting = p.waiting[1:]
	return g
}

// no returns the next refusal.
func (p *proxy) no() *fairleadv1.Refusal {
	p.t.Helper()
	for len(p.refused) == 0 {
		p.take()
	}
	r := p.refused[0]
	p.refused = p.refused[1:]
	return r
}

// cut returns the next revoke.
func (p *proxy) cut() *fairleadv1.Revoke {
	p.t.Helper()
	for len(p.revokes) == 0 {
		p.take()
	}
	r := p.revokes[0]
	p.revokes = p.revokes[1:]
	return r
}

func (p *proxy) done(id *fairleadv1.GrantID, how fairleadv1.Outcome) {
	p.t.Helper()
	p.say(&fairleadv1.ProxyMessage{Dones: []*fairleadv1.Done{{Grant: id, Pool: p.number, Outcome: how}}})
}

// serves shows that a proxy's asks are answered.
func (p *proxy) serves() {
	p.t.Helper()
	id := p.ask()
	g := p.granted()
	if g.GetAsk() != id {
		p.t.Errorf("the grant is for ask %d, want %d", g.GetAsk(), id)
	}
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
}

func TestWelcome(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.connect("p", "1")
	w := p.first.GetWelcome()
	if w.GetVersion() != 1 || w.GetEpoch() == 0 || w.GetMaxOutstanding() == 0 || w.GetGraceMs() != uint64(grace.Milliseconds()) || w.GetSoftware() != "fairlead test" {
		t.Errorf("welcome = %v", w)
	}
	table := p.first.GetTable()
	if len(table.GetListeners()) != 1 || len(table.GetRoutes()) != 1 || table.GetRoutes()[0].GetPool() != p.number || table.GetPools()[0].GetName() != pool {
		t.Errorf("table = %v", table)
	}
	p.serves()
}
