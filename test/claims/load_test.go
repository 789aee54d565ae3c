//go:build unix

package claims

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
	"github.com/fairlead/fairlead/test/tap"
)

// inFlight is the named metric that says how many requests a backend has in hand.
const inFlight = "in_flight"

// C3: each backend tells several load metrics, and the controller takes them in.
func severalMetricsEach(t *testing.T, f *fleet) {
	mark := f.tap.Mark()
	for _, b := range f.backends {
		first := await(t, f, mark, b.web, "a report", reportsIn, whatever)
		await(t, f, first.Place+1, b.web, "a second report", reportsIn, whatever)
		tellsHost(t, b.name, all(f, 0, b.web, reportsIn))
	}
	testproc.AwaitSnapshot(t, soon, f.admin, "the new reports to be taken in", func(s *fairleadv1.Snapshot) error {
		for i, b := range f.backends {
			shown := poolIn(s, web).GetBackends()[i].GetReport()
			if !heardSince(f, mark, b, shown) {
				return fmt.Errorf("%s did not report %v of late", b.name, shown)
			}
		}
		return nil
	})
}

// tellsHost wants memory and the run queue in each report, and the CPU in one at least:
// between two looks the host may have been idle.
func tellsHost(t *testing.T, name string, reports []said[*fairleadv1.OrcaLoadReport]) {
	t.Helper()
	busy := false
	for _, r := range reports {
		if _, ok := r.it.GetNamedMetrics()["load1"]; !ok || r.it.GetMemUtilization() <= 0 {
			t.Errorf("%s: memory or run queue is missing in %v", name, r.it)
			return
		}
		busy = busy || r.it.GetCpuUtilization() > 0
	}
	if !busy {
		t.Errorf("no report of %s tells of the CPU", name)
	}
}

// heardSince tells whether a backend reported so.
func heardSince(f *fleet, mark int, b *backend, shown *fairleadv1.OrcaLoadReport) bool {
	for _, r := range all(f, mark, b.web, reportsIn) {
		if r.it.GetCpuUtilization() == shown.GetCpuUtilization() &&
			r.it.GetMemUtilization() == shown.GetMemUtilization() &&
			r.it.GetNamedMetrics()["load1"] == shown.GetNamedMetrics()["load1"] {
			return true
		}
	}
	return false
}

// C4: a load metric travels with the ask, and the controller uses it.
func askCarriesLoad(t *testing.T) {
	f := start(t, plan{proxies: 2, backends: 2, slots: 4, queue: 4, reports: byNobody})
	// First the counterproof: without the metric the loaded backend is not avoided. Held
	// requests are ended by their clients, so that nothing is learnt from one part to
	// the next.
	t.Run("counterproof", func(t *testing.T) {
		f.edit(t, stripSeen)
		t.Cleanup(func() { f.awaitLoads(t, 0, 0) }) // the last word of this part is stripped too
		if n := loadedGets(t, f); n == 0 {
			t.Error("the controller cannot know of the load, and avoids the backend")
		}
	})
	for _, b := range f.backends {
		b.order(t, "/orca", url.Values{"text": {""}})
	}
	if n := loadedGets(t, f); n != 0 {
		t.Errorf("an ask told that others load a backend, and it was granted %d of the 3 next requests", n)
	}
}

// stripSeen takes what proxies saw out of all that they say.
func stripSeen(h tap.Heard) {
	for _, a := range asksIn(h) {
		a.Seen = nil
	}
	for _, d := range donesIn(h) {
		d.Seen = nil
	}
}

// loadedGets has one of two backends say in the head of an answer that it has 100
// requests in hand, and returns how many of the next three it is granted while that
// answer is still open. It would be one or two: both backends have four slots.
func loadedGets(t *testing.T, f *fleet) int {
	t.Helper()
	p1, p2 := f.proxies[0], f.proxies[1]
	free := f.hold(t, p1).backend(t, f)
	loaded := f.backends[0]
	if loaded == free {
		loaded = f.backends[1]
	}
	loaded.order(t, "/orca", url.Values{"text": {"named_metrics." + inFlight + "=100"}})
	open := f.hold(t, p1)
	if open.backend(t, f) != loaded {
		t.Fatal("of two equal backends the one that is busy was selected")
	}
	granted := f.decided(t, open.place, p1, web).grant.it
	n := 0
	for i, p := range []*proxy{p1, p2, p1} {
		c := f.hold(t, p)
		if i == 0 {
			ask := f.decided(t, c.place, p, web).ask
			wantSeen(t, ask.it, loaded)
		}
		if c.backend(t, f) == loaded {
			n++
		}
	}
	for _, d := range all(f, open.place, p1.Name(), donesIn) {
		if d.it.GetGrant().GetNumber() == granted.GetId().GetNumber() {
			t.Error("the loaded backend's answer is not open any more")
		}
	}
	return n
}

func wantSeen(t *testing.T, a *fairleadv1.Ask, b *backend) {
	t.Helper()
	for _, s := range a.GetSeen() {
		if s.GetBackend() == b.web && s.GetLoad().GetNamedMetrics()[inFlight] == 100 {
			return
		}
	}
	t.Errorf("an answer's head has told that %s has 100 requests, and the next ask does not: %v", b.name, a)
}

// C7: the load that the controller goes by is the backends' own word.
func loadComesFromBackends(t *testing.T) {
	f := start(t, plan{proxies: 2, backends: 3, slots: 4, queue: 4, reports: bySDK})
	loaded := f.backends[0]
	const others = 20
	mark := f.tap.Mark()
	loaded.order(t, "/foreign", url.Values{"n": {strconv.Itoa(others)}})
	t.Run("counterproof", func(t *testing.T) { wordIsChanged(t, f, loaded, others) })
	f.awaitLoads(t, 0, 0, 0)
	for _, b := range f.backends {
		b.awaitRequests(t, 0)
	}
	said := await(t, f, mark, loaded.web, "its load", reportsIn, func(r *fairleadv1.OrcaLoadReport) bool {
		return r.GetNamedMetrics()[inFlight] == others
	})
	if !said.Up {
		t.Errorf("it was not the backend that said %v", said.it)
	}
	f.awaitForeign(t, others/2, 2*others)
	for i := range 8 {
		if b := f.hold(t, f.proxies[i%2]).backend(t, f); b == loaded {
			t.Errorf("%s says that others load it, and was selected while others were free", b.name)
		}
	}
	f.awaitLoads(t, 0, 4, 4)
	loaded.order(t, "/foreign", url.Values{"n": {"0"}})
	for i := range 4 {
		if b := f.hold(t, f.proxies[i%2]).backend(t, f); b != loaded {
			t.Errorf("%s is full, and was selected", b.name)
		}
	}
	f.awaitLoads(t, 4, 4, 4)
}

// wordIsChanged takes the load by others out of a backend's word on its way: the
// controller goes by what it gets, and the backend is used like the rest.
func wordIsChanged(t *testing.T, f *fleet, loaded *backend, others float64) {
	f.edit(t, func(h tap.Heard) {
		if named := firstNamed(h); h.Who == loaded.web && named[inFlight] >= others {
			named[inFlight] -= others
		}
	})
	f.awaitForeign(t, 0, 0.3)
	for i := range f.backends {
		f.hold(t, f.proxies[i%2])
	}
	f.awaitLoads(t, 1, 1, 1)
}

func firstNamed(h tap.Heard) map[string]float64 {
	for _, r := range reportsIn(h) {
		return r.GetNamedMetrics()
	}
	return nil
}

// awaitForeign waits until the controller thinks that others take so many slots of the
// first backend, and about none of the rest.
func (f *fleet) awaitForeign(t *testing.T, least, most float64) {
	t.Helper()
	testproc.AwaitSnapshot(t, soon, f.admin, "the reports to be heeded", func(s *fairleadv1.Snapshot) error {
		for i, b := range poolIn(s, web).GetBackends() {
			low, high := 0.0, 0.3
			if i == 0 {
				low, high = least, most
			}
			if got := b.GetForeign(); got < low || got > high {
				return fmt.Errorf("others take %.2f slots of %s, not %.2f to %.2f", got, f.backends[i].name, low, high)
			}
		}
		return nil
	})
}

// C8: the ask tells how many links the proxy holds in the pool.
func askTellsInFlight(t *testing.T, f *fleet) {
	p1, p2 := f.proxies[0], f.proxies[1]
	tells := func(c *call, want uint32) {
		t.Helper()
		if a := f.decided(t, c.place, c.by, web).ask.it; a.GetInFlight() != want {
			t.Errorf("%s holds %d links, and its ask tells %d", c.by.Name(), want, a.GetInFlight())
		}
	}
	first := f.hold(t, p1)
	tells(first, 0)
	tells(f.hold(t, p2), 0)
	tells(f.hold(t, p1), 1)
	tells(f.hold(t, p1), 2)
	tells(f.hold(t, p2), 1)
	line := f.dial(t, p1)
	if a := f.decided(t, line.place, p1, raw).ask.it; a.GetInFlight() != 0 {
		t.Errorf("%s holds no link in %s, and its ask tells %d", p1.Name(), raw, a.GetInFlight())
	}
	mark := f.tap.Mark()
	first.end()
	await(t, f, mark, p1.Name(), "that a link is over", donesIn, whatever)
	tells(f.hold(t, p1), 2)
}
