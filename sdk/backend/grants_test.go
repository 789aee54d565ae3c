package backend

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// large makes IDs that take as many bytes on the wire as any.
func large(n int) fleet.GrantID {
	return fleet.GrantID{Epoch: 1 << 63, Number: 1<<63 + uint64(n)}
}

func fill(g *grants, n int) (all []*running) {
	for i := range n {
		run := &running{of: g, id: large(i), since: time.Unix(0, 0), end: func() {}}
		run.enter()
		all = append(all, run)
	}
	return all
}

func TestWordsAreToldInOrderAndInPieces(t *testing.T) {
	g := newGrants(true, 1)
	o := g.outboxes[0]
	o.begin(time.Now())
	for i, run := range fill(g, 3*maxTold+1) {
		o.answer(1, large(i), fairleadv1.Rejection_REJECTION_OTHER)
		run.leave(fairleadv1.Outcome_OUTCOME_FAILED, 1<<62)
	}
	arrived, over, answered := 0, 0, 0
	for {
		m, err := o.take()
		if err != nil {
			t.Fatal(err)
		}
		if m == nil {
			break
		}
		if size := proto.Size(m); size > maxSent {
			t.Errorf("a message of %d bytes; at most %d are taken", size, maxSent)
		}
		arrived += len(m.Arrivals)
		answered += len(m.Answers)
		if over += len(m.Dones); over > arrived {
			t.Fatalf("%d are over, and %d have come", over, arrived)
		}
	}
	if want := 3*maxTold + 1; arrived != want || over != want || answered != want {
		t.Errorf("%d arrivals, %d dones, %d answers, want %d of each", arrived, over, answered, want)
	}
}

func TestUnsaidWordsAreBounded(t *testing.T) {
	g := newGrants(true, 1)
	o := g.outboxes[0]
	fill(g, 10)
	if m, err := o.take(); m != nil || err != nil {
		t.Errorf("without a session %v, %v is said", m, err)
	}
	o.begin(time.Now())
	for i := range maxUnsaid + 1 {
		o.answer(1, large(i), 0)
	}
	if _, err := o.take(); !errors.Is(err, errBehind) || o.unsaid.len() != maxUnsaid {
		t.Errorf("%d wait: %v", o.unsaid.len(), err)
	}
	o.end()
	o.begin(time.Now())
	if m, err := o.take(); m != nil || err != nil {
		t.Errorf("a new session begins with %v, %v", m, err)
	}
}

func TestAHelloIsBounded(t *testing.T) {
	g := newGrants(true, 1)
	o := g.outboxes[0]
	fill(g, maxLive+10)
	live, left := o.begin(time.Now())
	size := proto.Size(&fairleadv1.AgentHello{Live: live})
	if len(live) != maxLive || left != 10 || size > maxSent-2<<10 {
		t.Errorf("%d live and %d left out, in %d bytes", len(live), left, size)
	}
}
