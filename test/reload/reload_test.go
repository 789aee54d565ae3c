//go:build unix

// Package reload changes a controller's config again and again under a steady load, and
// counts what fails.
package reload

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/testproc"
	"github.com/fairlead/fairlead/test/faults/harness"
)

func TestMain(m *testing.M) { testproc.Main(m) }

const (
	slots = 2
	mean  = 40 * time.Millisecond
)

// replaced returns a change of one text in the config, which has to be there.
func replaced(t *testing.T, old, with string) func(string) string {
	return func(text string) string {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("the config has no %q:\n%s", old, text)
		}
		return strings.Replace(text, old, with, 1)
	}
}

// TestReload: a change touches only what changed. No request fails, counters go on, slots
// are never exceeded, and a config that is not good changes nothing.
func TestReload(t *testing.T) {
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	f := harness.New(t, harness.Options{
		Controllers: 1, Proxies: 2, Backends: 6, Slots: slots, Direct: true, Fairlead: testproc.Fairlead(t),
		Backend: testproc.Binary(t, "github.com/fairlead/fairlead/test/faults/backend"),
	})
	l := f.Load(0.5*f.Capacity(mean), mean, 1)
	l.Answers(50)
	line := func(i int) string { return fmt.Sprintf("      - {address: %q}\n", f.Backends[i].Address) }
	same := func(text string) string { return text }
	changes := []struct {
		change func(string) string
		says   string
		fails  bool
	}{
		{same, "nothing changed", false},
		{replaced(t, "limit: 100000", "limit: 90000"), "pools changed: work", false},
		{replaced(t, line(5), ""), "backends removed: work/" + f.Backends[5].Address, false},
		{same, "backends added: work/" + f.Backends[5].Address, false},
		{replaced(t, "    slots: 2\n", "    slots: 1\n"), "pools changed: work", false},
		{same, "pools changed: work", false},
		{replaced(t, "routes:", "rootes:"), "rootes", true},
		{replaced(t, line(0)+line(1)+line(2)+line(3), ""), "removes 4 of 6 backends", true},
		{replaced(t, "slots: 2\n", "workers: 2\n"), "cannot change while the controller runs", true},
		{func(text string) string {
			return text + fmt.Sprintf("  - {name: extra, slots: 1, backends: [{address: %q}]}\n", f.Backends[0].Address)
		}, "pools added: extra", false},
		{same, "the file removes pool \"extra\", which has backends up", true},
	}
	var grants uint64
	for range 2 {
		for _, c := range changes {
			said, err := f.Reconfigure(c.change)
			if !strings.Contains(said, c.says) || (err != nil) != c.fails {
				t.Errorf("a reload said %q (%v), want %q", said, err, c.says)
			}
			l.Answers(20)
			if now := f.Status().GetGrants(); now < grants {
				t.Errorf("%d grants after %d", now, grants)
			} else {
				grants = now
			}
		}
		if said, err := f.Reconfigure(same, "--force"); err != nil || !strings.Contains(said, "pools removed: extra") {
			t.Errorf("a forced reload said %q, %v", said, err)
		}
	}
	l.Answers(50)
	all := l.Stop()
	f.AwaitIdle()
	f.EachServes()
	counts, failed, _ := harness.Failed(all)
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %s", failed, len(all), harness.List(counts))
	}
	if most := f.Most(); most > slots {
		t.Errorf("a backend had %d requests at once on %d slots", most, slots)
	}
	t.Logf("%d requests through %d reloads, p99 %v", len(all), 2*len(changes)+2, harness.P99(all).Round(time.Millisecond))
}
