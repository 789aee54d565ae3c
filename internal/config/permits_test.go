package config_test

import (
	"testing"

	"github.com/fairlead/fairlead/internal/config"
)

// TestPermits checks where proxies may keep slots, by default and by word.
func TestPermits(t *testing.T) {
	for _, c := range []struct {
		pool string
		want bool
		bad  string
	}{
		{"slots: 2", true, ""},
		{"slots: 2, permits: false", false, ""},
		{"workers: 2", false, ""},
		{"slots: 2, assign: notify", false, ""},
		{"slots: 2, tickets: true", false, ""},
		{"workers: 2, permits: true", false, "1:54: pools[0].permits: has no meaning for a pool with workers: a permit is a slot that a proxy keeps; decide: auto saves the way to the controller there; remove the key, or write permits: false"},
		{"slots: 2, permits: true, assign: notify", false, "1:52: pools[0].permits: has no meaning for a pool that assigns, as its backends are told of each grant; remove the key, or write permits: false"},
		{"slots: 2, permits: true, tickets: true", false, "1:52: pools[0].permits: has no meaning for a pool with tickets, as each is good once; remove the key, or write permits: false"},
		{"slots: 2, prefer: zone", false, ""},
		{"slots: 2, permits: true, prefer: zone", false, "1:52: pools[0].permits: has no meaning for a pool that prefers the client's zone, as the slot that a proxy keeps may be in another; remove the key, or write permits: false"},
		{"slots: 2, permits: true, link: direct", false, "1:52: pools[0].permits: has no meaning for a pool with direct links, as the grant is its backend's; remove the key, or write permits: false"},
	} {
		file, err := config.Parse("f.yaml", []byte("pools: [{name: p, agents: true, "+c.pool+"}]\n"))
		switch {
		case c.bad == "" && err != nil:
			t.Errorf("%s: %v", c.pool, err)
		case c.bad == "" && file.Pools[0].Permits != c.want:
			t.Errorf("%s: permits are %v", c.pool, !c.want)
		case c.bad != "" && (err == nil || err.Error() != "f.yaml:"+c.bad):
			t.Errorf("%s:\n%v\nwant\n%v", c.pool, err, c.bad)
		}
	}
}
