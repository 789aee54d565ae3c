package wire

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
)

func TestDrain(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p := r.connect("p", "1")
	p.ask()
	g := p.granted()
	a := r.join(b1)
	ctx := t.Context()
	d, err := r.tools().Drain(ctx, &fairleadv1.DrainRequest{Pool: pool, Backend: b1})
	if err != nil || d.GetInFlight() != 1 {
		t.Fatalf("Drain = %v, %v; want 1 in flight", d, err)
	}
	if b := r.awaitState(b1, "draining"); b.GetEligible() || b.GetWhy() == "" {
		t.Errorf("a draining backend: %v", b)
	}
	for !a.state().GetDraining() {
	}
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	r.awaitState(b1, "drained")
	for !a.state().GetDrained() {
	}
	p.ask()
	if no := p.no(); no.GetReason() != fairleadv1.Reason_REASON_NO_BACKEND {
		t.Errorf("with the only backend drained the answer is %v", no)
	}
	if _, err := r.tools().Undrain(ctx, &fairleadv1.UndrainRequest{Backend: b1}); err != nil {
		t.Fatal(err)
	}
	r.awaitState(b1, "up")
	if s := a.state(); s.GetDraining() {
		t.Errorf("the agent is told %v after an undrain", s)
	}
	p.serves()
}

func TestToolsNameWhatThereIs(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	ctx, tools := t.Context(), r.tools()
	_, err := tools.Drain(ctx, &fairleadv1.DrainRequest{Pool: "other", Backend: b1})
	says(t, err, codes.NotFound, `no pool is named "other"`, `the config has "work"`)
	_, err = tools.Undrain(ctx, &fairleadv1.UndrainRequest{Pool: "other", Backend: b1})
	says(t, err, codes.NotFound, `no pool is named "other"`)
	_, err = tools.Drain(ctx, &fairleadv1.DrainRequest{Pool: pool, Backend: stranger})
	says(t, err, codes.NotFound, fmt.Sprintf("no backend is named %q", stranger), b1, b2)
	_, err = tools.Undrain(ctx, &fairleadv1.UndrainRequest{Backend: stranger})
	says(t, err, codes.NotFound, fmt.Sprintf("no backend is named %q", stranger), b1, b2)
	_, err = tools.Explain(ctx, &fairleadv1.ExplainRequest{Pool: "other"})
	says(t, err, codes.NotFound, `no pool is named "other"`, `the config has "work"`)
	_, err = tools.Explain(ctx, &fairleadv1.ExplainRequest{Pool: pool, Exclude: make([]string, 65)})
	says(t, err, codes.InvalidArgument, "65", "at most 64")
	st, err := tools.Watch(ctx, &fairleadv1.WatchRequest{IntervalMs: 99})
	if err == nil {
		_, err = st.Recv()
	}
	says(t, err, codes.InvalidArgument, "99 ms", "100 ms")
}

func TestExplain(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.connect("p", "1")
	for range 3 {
		p.serves()
	}
	p.ask(b2)
	p.granted()
	p.asks += 10
	p.ask(b1, b2)
	p.no()
	e, err := r.tools().Explain(t.Context(), &fairleadv1.ExplainRequest{Pool: pool, Last: 2})
	if err != nil {
		t.Fatal(err)
	}
	if e.GetChosen() != b2 || len(e.GetCandidates()) != 2 || e.GetVerdict() == "" {
		t.Errorf("explanation = %v, want %s chosen", e, b2)
	}
	for _, c := range e.GetCandidates() {
		sum := c.GetSpeed() + c.GetFill() + c.GetForeign() + c.GetUtilization() + c.GetErrors()
		if d := c.GetScore() - sum; d > 1e-9 || d < -1e-9 {
			t.Errorf("the score of %s is %v, its parts sum to %v", c.GetBackend(), c.GetScore(), sum)
		}
		if c.GetBackend() == b1 && (c.GetEligible() || c.GetWhyNot() == "") {
			t.Errorf("%s has no free slot, yet: %v", b1, c)
		}
	}
	last := e.GetLast()
	if len(last) != 2 || last[0].GetReason() != fairleadv1.Reason_REASON_ALL_EXCLUDED || last[1].GetBackend() != b1 || last[0].GetProxy() != "p" {
		t.Errorf("the latest decisions are %v", last)
	}
	e, err = r.tools().Explain(t.Context(), &fairleadv1.ExplainRequest{Pool: pool, Exclude: []string{b2}})
	if err != nil || e.GetChosen() != "" || e.GetQueuePosition() != 1 {
		t.Errorf("explanation without %s = %v, %v; want the first place in the queue", b2, e, err)
	}
	if e, err = r.tools().Explain(t.Context(), &fairleadv1.ExplainRequest{Pool: pool, Last: 1 << 31}); err != nil || len(e.GetLast()) != 5 {
		t.Errorf("%d past decisions, %v; want the 5 that were made", len(e.GetLast()), err)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool())
	p := r.connect("p", "1")
	ctx, leave := context.WithTimeout(t.Context(), soon)
	defer leave()
	st, err := r.tools().Watch(ctx, &fairleadv1.WatchRequest{IntervalMs: 100})
	if err != nil {
		t.Fatal(err)
	}
	p.ask()
	p.granted()
	for seen := 0; seen < 3; {
		s, err := st.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if s.GetPools()[0].GetInFlight() == 1 && s.GetProxies()[0].GetName() == "p" && len(s.GetListeners()) == 1 {
			seen++
		}
	}
	r.stop()
	for err == nil {
		_, err = st.Recv()
	}
	says(t, err, codes.Unavailable)
}

// TestEndWithSessionsOpen ends the controller under proxies, agents, watchers and people
// who connect and say nothing. The rig checks that Run returns nil, the package that no
// goroutine is left.
func TestEndWithSessionsOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p := r.connect("p", "1")
	p.ask()
	p.granted()
	p.many(10)
	a := r.join(b1)
	mute := r.call()
	idle, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	r.awaitFlight(1, 10)
	r.stop()
	for name, err := range map[string]error{"proxy": p.end(), "agent": a.end(), "mute": mute.end()} {
		if err == nil || strings.Contains(err.Error(), "panic") {
			t.Errorf("the %s's stream ends with %v", name, err)
		}
		says(t, err, codes.Unavailable)
	}
	if err := r.c.Ready(); err == nil {
		t.Error("a controller that stops is ready")
	}
}

// TestGrantNumbersAreOnePools shows that a grant of one pool is no grant of another,
// though a peer says so.
func TestGrantNumbersAreOnePools(t *testing.T) {
	t.Parallel()
	file := onePool(oneBackend)
	second := file.Pools[0]
	second.Name, second.Backends = "second", []config.Backend{{Address: b2}}
	file.Pools = append(file.Pools, second)
	r := newRig(t, file)
	p := r.connect("p", "1")
	p.ask()
	g := p.granted()
	if g.GetPool() != 1 {
		t.Errorf("the grant is of pool %d, want 1", g.GetPool())
	}
	p.say(&fairleadv1.ProxyMessage{
		Dones: []*fairleadv1.Done{{Grant: g.GetId(), Pool: 2, Outcome: 1}},
		Asks:  []*fairleadv1.Ask{{Id: 2, Pool: 2}},
	})
	p.asks = 2
	if g2 := p.granted(); g2.GetPool() != 2 || g2.GetBackend() != b2 || g2.GetId().GetNumber() == g.GetId().GetNumber() {
		t.Errorf("the grant of the second pool is %v", g2)
	}
	r.awaitFlight(1, 0)
	p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	r.awaitFlight(0, 0)
}

// TestAdjust: slots and weight by hand hold at once, for what joins later, and until they are
// taken back; what makes no sense is said.
func TestAdjust(t *testing.T) {
	t.Parallel()
	r := newRig(t, onePool(oneBackend))
	p := r.connect("p", "1")
	p.ask()
	p.granted()
	p.ask()
	ctx, tools := t.Context(), r.tools()
	two, half, zero := uint32(2), 0.5, uint32(0)
	if _, err := tools.Adjust(ctx, &fairleadv1.AdjustRequest{Backend: b1, Slots: &two, Weight: &half}); err != nil {
		t.Fatal(err)
	}
	p.granted()
	if b := r.awaitState(b1, "up"); b.GetSlots() != 2 || b.GetWeight() != 0.5 || !b.GetByHand() {
		t.Errorf("adjusted, it is %v", b)
	}
	if _, err := tools.Adjust(ctx, &fairleadv1.AdjustRequest{Pool: pool, Backend: b1, Slots: &zero}); err != nil {
		t.Fatal(err)
	}
	if b := r.awaitState(b1, "up"); b.GetSlots() != 1 || b.GetWeight() != 0.5 || !b.GetByHand() {
		t.Errorf("with the slots of the config again, it is %v", b)
	}
	a := r.join(b2) // a drain by its agent is not an operator's to take back here
	a.say(&fairleadv1.AgentMessage{Drain: true})
	r.awaitState(b2, "drained")
	if _, err := tools.Adjust(ctx, &fairleadv1.AdjustRequest{Backend: b2, Slots: &two}); err != nil {
		t.Fatal(err)
	}
	if b := r.awaitState(b2, "drained"); b.GetSlots() != 2 {
		t.Errorf("a drained backend, adjusted, is %v", b)
	}
	many, odd := uint32(2_000_000), -1.0
	_, err := tools.Adjust(ctx, &fairleadv1.AdjustRequest{Backend: b1})
	says(t, err, codes.InvalidArgument, "nothing is to be set")
	_, err = tools.Adjust(ctx, &fairleadv1.AdjustRequest{Backend: b1, Slots: &many})
	says(t, err, codes.InvalidArgument, "2000000 slots")
	_, err = tools.Adjust(ctx, &fairleadv1.AdjustRequest{Backend: b1, Weight: &odd})
	says(t, err, codes.InvalidArgument, "a weight of -1 makes no sense")
	_, err = tools.Adjust(ctx, &fairleadv1.AdjustRequest{Backend: stranger, Slots: &two})
	says(t, err, codes.NotFound, fmt.Sprintf("no backend is named %q", stranger))
}
