//go:build unix

package claims

import (
	"fmt"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// C9 where proxies may keep slots: each request is served by the backend of a grant to its
// proxy, new or kept, and the controller is told of it.
func keptSlotsAreGranted(t *testing.T) {
	f := start(t, plan{proxies: 2, backends: 3, slots: slots, queue: queueLimit, reports: byAgent, keeps: true})
	const rounds = 30
	asked, used := 0, 0
	for range rounds {
		for _, p := range f.proxies {
			c := f.get(t, p, "/")
			c.awaitHead(t).awaitDone(t)
			await(t, f, c.place, p.Name(), "that the request is over", donesIn, whatever)
			asks := all(f, c.place, p.Name(), asksIn)
			uses := all(f, c.place, p.Name(), usesIn)
			if len(asks)+len(uses) != 1 {
				t.Fatalf("for one request by %s there were %d asks and %d uses of kept slots", p.Name(), len(asks), len(uses))
			}
			asked, used = asked+len(asks), used+len(uses)
			if g := f.grantBehind(t, p, asks, uses); f.backend(g.GetBackend()) != c.backend(t, f) {
				t.Fatalf("%s was granted, and %s served", g.GetBackend(), c.backend(t, f).name)
			}
		}
	}
	if used == 0 {
		t.Error("no slot was kept, so nothing is shown")
	}
	t.Logf("%d requests: %d asks, %d uses of kept slots", 2*rounds, asked, used)
	// What was said last may still be on its way.
	testproc.AwaitSnapshot(t, soon, f.admin, "the controller to count what it was told", func(all *fairleadv1.Snapshot) error {
		if s := poolIn(all, web); s.GetUses() != uint64(used) || s.GetGrants() != uint64(asked+used) {
			return fmt.Errorf("it counts %d uses and %d grants, and heard of %d and %d", s.GetUses(), s.GetGrants(), used, asked+used)
		}
		return nil
	})
}

// grantBehind returns the grant that one request of a proxy has run on.
func (f *fleet) grantBehind(t *testing.T, p *proxy, asks []said[*fairleadv1.Ask], uses []said[*fairleadv1.Use]) *fairleadv1.Grant {
	t.Helper()
	if len(asks) == 1 {
		return f.granted(t, p, asks[0]).it
	}
	id := uses[0].it.GetGrant()
	return await(t, f, 0, p.Name(), "the grant of a kept slot", grantsIn, func(g *fairleadv1.Grant) bool {
		return g.GetId().GetEpoch() == id.GetEpoch() && g.GetId().GetNumber() == id.GetNumber()
	}).it
}
