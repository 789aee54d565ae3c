package config_test

import (
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/config"
)

// queueing is a pool whose backends queue requests themselves; the next line is line 5.
const queueing = `pools:
  - name: p
    workers: 4
    agents: true
`

var decideCases = []bad{
	{"proxies over slots", pool + "    decide: proxy\n", `
5:13: pools[0].decide: proxies that decide for themselves could together exceed the slots, which bound what all of them send a backend; if its backends may queue requests themselves, write workers in place of slots; else set decide to controller`},
	{"slots and workers", pool + "    workers: 3\n    decide: proxy\n", `
5:14: pools[0].workers: the pool has slots, in line 3, which bound its backends already; keep slots for backends that must never have more, or workers for backends that have a queue of their own`},
	{"no workers", "pools:\n  - {name: p, workers: 0, agents: true, decide: auto}\n", `
2:24: pools[0].workers: must be at least 1, got 0; set workers to the number of requests that one backend works on at once, or to auto`},
	{"proxies and tickets", queueing + "    decide: proxy\n    tickets: true\n", `
5:13: pools[0].decide: must be controller for a pool with tickets, got proxy: only the controller signs them; remove tickets, or set decide to controller`},
	{"proxies and assignments", queueing + "    decide: auto\n    assign: notify\n", `
5:13: pools[0].decide: must be controller for a pool that assigns, got auto: only the controller can tell a backend of a request; remove assign, or set decide to controller`},
	{"proxies and direct links", queueing + "    decide: auto\n    link: direct\n", `
5:13: pools[0].decide: must be controller for a pool with direct links, got auto: its clients need grants; set link to proxied, or set decide to controller`},
}

func TestWhoDecides(t *testing.T) {
	for _, c := range []struct {
		text string
		want config.Decide
		may  bool
		note string
	}{
		{queueing, config.DecideController, false, ""},
		{queueing + "    decide: controller\n", config.DecideController, false, ""},
		{queueing + "    decide: proxy\n", config.DecideProxy, true, ""},
		{queueing + "    decide: auto\n", config.DecideAuto, true, ""},
		{pool + "    decide: auto\n", config.DecideAuto, false, "has slots, so that decide: auto is the controller always"},
		{queueing + "    decide: proxy\n    prefer: zone\n    backends: [{address: \"a:1\", zone: x}]\n",
			config.DecideProxy, true, "which proxies do not heed"},
	} {
		got, err := config.Parse(file, []byte(c.text))
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if p := got.Pools[0]; p.Decide != c.want || p.MayProxiesDecide() != c.may {
			t.Errorf("of\n%s\ndecide is %q, proxies may: %v", c.text, p.Decide, p.MayProxiesDecide())
		}
		if notes := strings.Join(got.Notes(), "\n"); !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("of\n%s\nthe notes are %q, want %q", c.text, notes, c.note)
		}
	}
}
