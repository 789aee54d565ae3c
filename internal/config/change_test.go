package config_test

import (
	"testing"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

func poolOf(name string, slots int, addresses ...string) config.Pool {
	p := config.Pool{Name: fleet.PoolName(name), Slots: slots}
	for _, a := range addresses {
		p.Backends = append(p.Backends, config.Backend{Address: a})
	}
	return p
}

func TestCompare(t *testing.T) {
	old := &config.Config{
		Listeners: []config.Listener{{Name: "web", Address: "127.0.0.1:80"}},
		Pools:     []config.Pool{poolOf("a", 1, "h:1", "h:2", "h:3"), poolOf("b", 1, "h:4"), poolOf("c", 1, "h:5")},
	}
	workers := poolOf("a", 0, "h:1", "h:2", "h:3")
	workers.Workers = 2
	b, c := old.Pools[1], old.Pools[2]
	moved := config.Controller{Listen: "127.0.0.1:1"}
	const how = "; if that is meant, run fairlead reload --force"
	for _, x := range []struct {
		name, says, refusal, forced string
		next                        config.Config
	}{
		{"nothing", "nothing changed", "", "", *old},
		{"in place", "pools changed: a; backends added: a/h:9; backends removed: a/h:3", "", "",
			config.Config{Listeners: old.Listeners, Pools: []config.Pool{poolOf("a", 4, "h:1", "h:2", "h:9"), b, c}}},
		{"replaced", "pools changed: a; pools replaced: a", "", "",
			config.Config{Listeners: old.Listeners, Pools: []config.Pool{workers, b, c}}},
		{"most backends", "pools changed: a; backends removed: a/h:2, a/h:3", `the file removes 2 of 3 backends of pool "a"` + how, "",
			config.Config{Listeners: old.Listeners, Pools: []config.Pool{poolOf("a", 1, "h:1"), b, c}}},
		{"a pool that is up", "pools removed: b", `the file removes pool "b", which has backends up` + how, "",
			config.Config{Listeners: old.Listeners, Pools: []config.Pool{old.Pools[0], c}}},
		{"a pool that is down", "pools removed: c", "", "",
			config.Config{Listeners: old.Listeners, Pools: []config.Pool{old.Pools[0], b}}},
		{"most pools", "pools removed: a, b", "the file removes 2 of 3 pools" + how, "",
			config.Config{Listeners: old.Listeners, Pools: []config.Pool{c}}},
		{"listeners and routes", "listeners added: tcp; listeners removed: web; routes changed", "", "",
			config.Config{Listeners: []config.Listener{{Name: "tcp"}}, Routes: []config.Route{{Listener: "tcp"}}, Pools: old.Pools}},
		{"restart", "nothing changed", "controller.listen cannot change while the controller runs; restart it, or take the change back",
			"controller.listen cannot change while the controller runs; restart it, or take the change back",
			config.Config{Controller: moved, Listeners: old.Listeners, Pools: old.Pools}},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := config.Compare(old, &x.next)
			up := func(n fleet.PoolName) bool { return n == "b" }
			if s := got.String(); s != x.says {
				t.Errorf("says %q, want %q", s, x.says)
			}
			if s := got.Refusal(up, false); s != x.refusal {
				t.Errorf("refuses with %q, want %q", s, x.refusal)
			}
			if s := got.Refusal(up, true); s != x.forced {
				t.Errorf("when forced, refuses with %q, want %q", s, x.forced)
			}
			if e := got.Empty(); e != (x.name == "nothing") {
				t.Errorf("empty: %v", e)
			}
		})
	}
}
