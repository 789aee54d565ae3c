//go:build unix

// Package slots holds Fairlead to its first promise with real processes: a backend never
// has more requests than slots, however many proxies there are and whoever dies. The
// backends themselves count.
package slots

import (
	"fmt"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

const (
	soon  = 30 * time.Second // for what takes no time on a quiet machine
	slots = 2                // of each backend

	// A request takes up to so long; short enough that grants and dones come thick, and
	// differing so that slots free out of step.
	mostWork = 20 // ms
)

func TestMain(m *testing.M) { testproc.Main(m) }

func TestSlotsHold(t *testing.T) {
	f := newFleet(t, 8, 10)
	run := 20 * time.Second
	if testing.Short() {
		run = 5 * time.Second
	}
	c := f.crowd(t, 400)
	// The test says nothing unless slots are short.
	testproc.AwaitSnapshot(t, soon, f.admin, "a queue", func(s *fairleadv1.Snapshot) error {
		if n := s.GetPools()[0].GetQueue(); n < 100 {
			return fmt.Errorf("%d asks wait", n)
		}
		return nil
	})
	c.runFor(t, run)
	c.end(t)
	if c.answers.other != 0 || c.answers.broken != 0 {
		t.Errorf("%d answers were no 200 and %d requests got none: %v", c.answers.other, c.answers.broken, c.answers.last)
	}
	pool := f.awaitIdle(t)
	served := f.checkBackends(t)
	f.checkAccounts(t, pool, c.answers.ok, served)
	t.Logf("%s with %d proxies, %d backends and 400 clients: %s", run, len(f.proxies), len(f.backends), c.answers)
}

// checkBackends asks each backend for the most requests that it ever had at once, and
// returns how many it and the others have served.
func (f *fleet) checkBackends(t *testing.T) int {
	t.Helper()
	served, full := 0, 0
	for _, b := range f.backends {
		s := b.stats(t)
		if s.Most > slots {
			t.Errorf("%s had %d requests at once on %d slots", b.name, s.Most, slots)
		}
		if s.Most == slots {
			full++
		}
		if s.InFlight != 0 {
			t.Errorf("%s has %d requests in flight after the last answer", b.name, s.InFlight)
		}
		served += s.Served
	}
	t.Logf("%d of %d backends had all of their slots in use, none had more", full, len(f.backends))
	if full == 0 {
		t.Error("no backend was ever full, so the test shows nothing")
	}
	return served
}

// checkAccounts holds what the controller, the proxies and the backends counted against
// what the clients did.
func (f *fleet) checkAccounts(t *testing.T, pool *fairleadv1.PoolStatus, requests, served int) {
	t.Helper()
	// A request whose ask was not answered for long may have been served on a slot that its
	// proxy had kept meanwhile. Then the ask was withdrawn, or its late grant given back.
	back, withdrawn := pool.GetUnused(), pool.GetWithdrawn()
	t.Logf("%d asks, %d uses of kept slots; %d asks withdrawn, %d late grants given back", pool.GetAsks(), pool.GetUses(), withdrawn, back)
	for _, x := range []struct {
		what string
		n    uint64
	}{
		{"asks and uses of kept slots", pool.GetAsks() + pool.GetUses() - back - withdrawn},
		{"grants", pool.GetGrants() - back}, {"dones", pool.GetDones() - back},
		{"requests that backends served", uint64(served)},
		{"2xx of the proxies", f.count(t, "fairlead_proxy_requests_total", `code="2xx"`)},
		{"requests of the proxies", f.count(t, "fairlead_proxy_requests_total")},
		{"waits of the proxies", f.count(t, "fairlead_proxy_wait_seconds_count")},
	} {
		if x.n != uint64(requests) {
			t.Errorf("%d %s for %d requests", x.n, x.what, requests)
		}
	}
	for _, name := range []string{"fairlead_proxy_refused_total", "fairlead_proxy_retries_total"} {
		if n := f.count(t, name); n != 0 {
			t.Errorf("%s = %d, want none", name, n)
		}
	}
	if len(pool.GetRefused()) > 0 {
		t.Errorf("refused %v; want none", pool.GetRefused())
	}
}
