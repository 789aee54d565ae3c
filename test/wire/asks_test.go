package wire

import (
	"fmt"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
)

func TestUnknownPoolIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.connect("p", "1")
	for _, number := range []uint32{0, 2, 1 << 31} {
		p.asks++
		p.say(&fairleadv1.ProxyMessage{Asks: []*fairleadv1.Ask{{Id: p.asks, Pool: number}}})
		if no := p.no(); no.GetAsk() != p.asks || no.GetReason() != fairleadv1.Reason_REASON_UNKNOWN_POOL {
			t.Errorf("an ask for pool %d is answered with %v", number, no)
		}
	}
	p.serves()
}

// many sends n asks in messages that stay below the limit of their size.
func (p *proxy) many(n int) {
	p.t.Helper()
	for n > 0 {
		m := &fairleadv1.ProxyMessage{}
		for range min(n, 4096) {
			p.asks++
			m.Asks = append(m.Asks, &fairleadv1.Ask{Id: p.asks, Pool: p.number})
		}
		n -= len(m.Asks)
		p.say(m)
	}
}

// TestTooManyOutstanding goes to the welcome's limit of asks without an answer and
// beyond. Asks that are granted, refused or withdrawn make room again.
func TestTooManyOutstanding(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p := r.connect("p", "1")
	most := int(p.first.GetWelcome().GetMaxOutstanding())
	p.ask()
	held := p.granted()
	p.many(most)
	r.awaitFlight(1, most)
	p.many(5)
	for range 5 {
		if no := p.no(); no.GetReason() != fairleadv1.Reason_REASON_OVER_LIMIT || no.GetRetryAfterMs() == 0 {
			t.Fatalf("an ask beyond the limit is answered with %v", no)
		}
	}

	m := &fairleadv1.ProxyMessage{}
	for i := range uint64(100) {
		m.Withdrawals = append(m.Withdrawals, &fairleadv1.Withdrawal{Pool: p.number, Ask: 10 + i})
	}
	m.Withdrawals = append(m.Withdrawals, m.Withdrawals...) // the second time they name nothing
	p.say(m)
	r.awaitFlight(1, most-100)
	p.many(100)
	r.awaitFlight(1, most)
	p.many(1)
	if no := p.no(); no.GetReason() != fairleadv1.Reason_REASON_OVER_LIMIT {
		t.Errorf("an ask beyond the limit is answered with %v, after withdrawals", no)
	}
	p.done(held.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	p.granted()
	p.many(1)
	r.awaitFlight(1, most)
	if n := r.snapshot().GetRefused()["queue_full"]; n > 0 || len(p.refused) > 0 {
		t.Errorf("%d refused for a full queue, and %v", n, p.refused)
	}
}

func TestWithdrawalFreesThePlace(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend, func(p *config.Pool) { p.Queue.Limit = 1 }))
	p := r.connect("p", "1")
	p.ask()
	held := p.granted()
	p.ask()
	r.awaitFlight(1, 1)
	gone := p.asks
	p.ask()
	if no := p.no(); no.GetAsk() != p.asks || no.GetReason() != fairleadv1.Reason_REASON_QUEUE_FULL || no.GetRetryAfterMs() == 0 {
		t.Errorf("with a full queue the answer is %v", no)
	}
	p.say(&fairleadv1.ProxyMessage{Withdrawals: []*fairleadv1.Withdrawal{{Pool: p.number, Ask: gone}}})
	stays := p.ask()
	r.awaitFlight(1, 1)
	p.done(held.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	if g := p.granted(); g.GetAsk() != stays {
		t.Errorf("the slot went to ask %d, want %d: the other was withdrawn", g.GetAsk(), stays)
	}
	if s := r.snapshot(); s.GetWithdrawn() != 1 || s.GetAsks() != 4 {
		t.Errorf("%d withdrawn of %d asks, want 1 of 4", s.GetWithdrawn(), s.GetAsks())
	}
}

// TestFieldsInTheirOrder has one message end a grant, ask and take the ask back: the done
// comes first, so the ask finds a slot, and the withdrawal crosses with its grant.
func TestFieldsInTheirOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p := r.connect("p", "1")
	p.ask()
	held := p.granted()
	p.asks++
	p.say(&fairleadv1.ProxyMessage{
		Withdrawals: []*fairleadv1.Withdrawal{{Pool: p.number, Ask: p.asks}},
		Asks:        []*fairleadv1.Ask{{Id: p.asks, Pool: p.number}},
		Dones:       []*fairleadv1.Done{{Grant: held.GetId(), Pool: p.number, Outcome: fairleadv1.Outcome_OUTCOME_OK}},
	})
	g := p.granted()
	if g.GetAsk() != p.asks {
		t.Errorf("grant = %v, want one for ask %d", g, p.asks)
	}
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_UNUSED)
	r.awaitFlight(0, 0)
	p.serves()
}

func TestQueueTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend, func(p *config.Pool) { p.Queue.Timeout = 1 }))
	p := r.connect("p", "1")
	p.ask()
	p.granted()
	p.ask()
	if no := p.no(); no.GetReason() != fairleadv1.Reason_REASON_QUEUE_TIMEOUT {
		t.Errorf("an ask that waited too long is answered with %v", no)
	}
	r.awaitFlight(1, 0)
}

func TestExclude(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.connect("p", "1")
	for range 10 {
		p.ask(b1)
		g := p.granted()
		if g.GetBackend() != b2 {
			t.Fatalf("granted %s, which the ask excludes", g.GetBackend())
		}
		p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	}
	p.ask(b1, b2, "no such backend")
	if no := p.no(); no.GetReason() != fairleadv1.Reason_REASON_ALL_EXCLUDED {
		t.Errorf("an ask that excludes all is answered with %v", no)
	}
}

// TestEachAskEndsOnce has several proxies ask for more than there is, and counts.
func TestEachAskEndsOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(func(p *config.Pool) { p.Queue.Limit = 50 }))
	const proxies, each = 4, 500
	type sum struct{ granted, refused int }
	sums := make(chan sum, proxies)
	for i := range proxies {
		p := r.connect(fmt.Sprintf("p%d", i), "1")
		p.many(each)
		go func() {
			var s sum
			answered := map[uint64]bool{}
			defer func() { sums <- s }()
			for s.granted+s.refused < each {
				m, ok := <-p.messages
				if !ok {
					t.Errorf("the stream ended: %v", p.err)
					return
				}
				for _, g := range m.GetGrants() {
					if answered[g.GetAsk()] {
						t.Errorf("ask %d was answered twice", g.GetAsk())
					}
					answered[g.GetAsk()] = true
					s.granted++
					p.trySay(&fairleadv1.ProxyMessage{Dones: []*fairleadv1.Done{{Grant: g.GetId(), Pool: p.number, Outcome: 1}}})
				}
				for _, no := range m.GetRefusals() {
					if answered[no.GetAsk()] {
						t.Errorf("ask %d was answered twice", no.GetAsk())
					}
					answered[no.GetAsk()] = true
					s.refused++
				}
			}
		}()
	}
	var all sum
	for range proxies {
		s := <-sums
		all.granted += s.granted
		all.refused += s.refused
	}
	r.awaitFlight(0, 0)
	s := r.snapshot()
	if s.GetAsks() != proxies*each || int(s.GetGrants()) != all.granted || int(s.GetRefused()["queue_full"]) != all.refused || s.GetDones() != s.GetGrants() {
		t.Errorf("the controller counts %d asks, %d grants, %d dones and refused %v; the proxies %+v",
			s.GetAsks(), s.GetGrants(), s.GetDones(), s.GetRefused(), all)
	}
}
