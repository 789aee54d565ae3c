package control

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// TestChooser plays durations to a chooser. Each line is a time at which so many requests
// that each took so long became known, after which it thinks.
func TestChooser(t *testing.T) {
	const ms = time.Millisecond
	type line struct {
		at        time.Duration
		n         uint64
		took      time.Duration
		trip      time.Duration
		byProxies bool
	}
	for _, c := range []struct {
		name   string
		decide config.Decide
		play   []line
	}{
		{"the controller decides", config.DecideController, []line{{0, 1000, ms, 10 * ms, false}}},
		{"proxies decide", config.DecideProxy, []line{{0, 1000, time.Second, ms, true}}},
		{"long requests", config.DecideAuto, []line{{0, 100, 10 * ms, ms, false}, {10 * time.Second, 100, 5 * ms, ms, false}}},
		{"at the bounds", config.DecideAuto, []line{{0, 100, 4 * ms, ms, false}, {0, 100, 3 * ms, ms, true}}},
		{"too few", config.DecideAuto, []line{{0, 19, ms, ms, false}, {0, 2, ms, ms, true}}},
		{"no round trip known", config.DecideAuto, []line{{0, 100, ms, 0, false}, {time.Second, 0, 0, ms, true}}},
		{"no durations known", config.DecideAuto, []line{{0, 100, 0, ms, false}}},
		{"there and back", config.DecideAuto, []line{
			{0, 100, 2 * ms, ms, true},
			{60 * time.Second, 100, 5 * ms, ms, true},
			{120 * time.Second, 100, 7 * ms, ms, false},
			{180 * time.Second, 100, 5 * ms, ms, false},
			{240 * time.Second, 100, 3 * ms, ms, true},
		}},
		{"not in a hurry", config.DecideAuto, []line{
			{time.Second, 100, ms, ms, true},
			{6*time.Second - 1, 1e6, 100 * ms, ms, true},
			{6 * time.Second, 0, 0, 0, false},
			{11*time.Second - 1, 1e9, ms, ms, false},
			{11 * time.Second, 0, 0, 0, true},
		}},
		{"what is long ago counts no more", config.DecideAuto, []line{
			{time.Second, 100, ms, ms, true},
			{time.Minute, 10, 100 * ms, ms, true}, // and 10 are too few
			{time.Minute, 10, 100 * ms, ms, false},
		}},
		{"nothing for long", config.DecideAuto, []line{{time.Second, 100, ms, ms, true}, {time.Hour, 0, 0, 0, true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := newChooser(c.decide)
			for i, l := range c.play {
				now, was := fleet.Time(1).Add(l.at), who.byProxies
				who.served(now, l.n, time.Duration(l.n)*l.took)
				who.tripped(now, l.trip)
				if changed := who.think(now); who.byProxies != l.byProxies || changed != (was != who.byProxies) {
					t.Errorf("line %d: proxies decide: %v, changed: %v; want %v", i+1, who.byProxies, changed, l.byProxies)
				}
			}
		})
	}
}

func TestChooserAdopts(t *testing.T) {
	for decide, want := range map[config.Decide]bool{
		config.DecideController: false, config.DecideProxy: true, config.DecideAuto: true,
	} {
		who := newChooser(decide)
		if who.adopt(); who.byProxies != want {
			t.Errorf("%s: proxies decide: %v after one that did has come", decide, who.byProxies)
		}
	}
}
