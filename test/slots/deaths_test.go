//go:build unix

package slots

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// grace is how long the grants of a dead proxy keep their slots.
const grace = 3 * time.Second

func TestSlotsHoldThroughDeaths(t *testing.T) {
	f := newFleet(t, 4, 6)
	c := f.crowd(t, 100)
	c.awaitAnswers(t, 300)

	p := f.proxies[0]
	p.process.Kill()
	c.awaitAnswers(t, 300)
	b := f.backends[0]
	if n := b.stats(t).Most; n > slots {
		t.Errorf("%s had %d requests at once on %d slots, before it was killed", b.name, n, slots)
	}
	b.process.Kill()
	f.awaitBackend(t, b, "down")
	c.awaitAnswers(t, 300)

	b.start(t)
	p.start(t)
	p.await(t)
	close(c.back)
	f.await(t)
	c.awaitAnswers(t, 2000)
	c.end(t)

	f.checkClients(t, c, p)
	pool := f.awaitIdle(t)
	f.checkBackends(t)
	if n := pool.GetRefused(); len(n) > 0 {
		t.Errorf("refused: %v, want none", n)
	}
	if n := b.stats(t).Served; n == 0 {
		t.Error("the backend that came back got nothing")
	}
	t.Logf("%d grants, %d withdrawn; clients: %s", pool.GetGrants(), pool.GetWithdrawn(), c.answers)
}

// checkClients holds the clients' answers against what the deaths excuse: who was at the
// killed backend gets a 502, who was at the killed proxy gets nothing.
func (f *fleet) checkClients(t *testing.T, c *crowd, killed *proxy) {
	t.Helper()
	for name, a := range c.perRun {
		if a.other > 0 {
			t.Errorf("clients of %s had %d answers other than 200 and 502: %v", name, a.other, a.last)
		}
		if a.broken > 0 && name != killed.name {
			t.Errorf("clients of %s, which lived, had %d requests without an answer: %v", name, a.broken, a.last)
		}
		if a.ok == 0 {
			t.Errorf("clients of %s had no answer 200", name)
		}
	}
	if c.answers.gone > slots {
		t.Errorf("%d answers 502 by the death of a backend with %d slots", c.answers.gone, slots)
	}
}

func (f *fleet) awaitBackend(t *testing.T, b *backend, state string) {
	t.Helper()
	testproc.AwaitSnapshot(t, soon, f.admin, b.name+" to be "+state, func(s *fairleadv1.Snapshot) error {
		for _, x := range s.GetPools()[0].GetBackends() {
			if x.GetAddress() == b.address && x.GetState() == state {
				return nil
			}
		}
		return errors.New("it is not")
	}, f.controller)
}

// TestSlotsOfADeadProxyComeBack has one proxy hold every slot and die. The backends are
// free at once, but only the grace says so to the controller: nobody may get a slot
// earlier, and everybody must later.
func TestSlotsOfADeadProxyComeBack(t *testing.T) {
	f := newFleet(t, 2, 2)
	dead, alive := f.proxies[0], f.proxies[1]
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: soon}
	var holding sync.WaitGroup
	for range slots * len(f.backends) {
		holding.Go(func() { _, _ = get(client, "http://"+dead.address+"/hold") })
	}
	f.awaitFlight(t, slots*len(f.backends), 0)
	waiting := make(chan error, 1)
	go func() {
		code, err := get(client, "http://"+alive.address+"/work?ms=1")
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("status %d", code)
		}
		waiting <- err
	}()
	f.awaitFlight(t, slots*len(f.backends), 1)

	died := time.Now()
	dead.process.Kill()
	holding.Wait()
	err := <-waiting
	after := time.Since(died)
	if err != nil {
		t.Errorf("the request that waited: %v", err)
	}
	// The controller's clock of the grace began a little after ours.
	if after < grace-100*time.Millisecond || after > grace+10*time.Second {
		t.Errorf("a slot of the dead proxy came back after %v, want %v and little more", after, grace)
	}
	t.Logf("the first slot came back %v after the proxy's death", after.Round(time.Millisecond))
	pool := f.awaitIdle(t)
	f.checkBackends(t)
	if want := uint64(slots*len(f.backends) + 1); pool.GetGrants() != want {
		t.Errorf("%d grants, want %d", pool.GetGrants(), want)
	}
}

func (f *fleet) awaitFlight(t *testing.T, inFlight, queue int) {
	t.Helper()
	testproc.AwaitSnapshot(t, soon, f.admin, "what is in flight", func(s *fairleadv1.Snapshot) error {
		p := s.GetPools()[0]
		if int(p.GetInFlight()) != inFlight || int(p.GetQueue()) != queue {
			return fmt.Errorf("%d in flight and %d wait, not %d and %d", p.GetInFlight(), p.GetQueue(), inFlight, queue)
		}
		return nil
	}, f.controller)
}
