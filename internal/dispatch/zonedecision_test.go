package dispatch

import (
	"math"
	"strings"
	"testing"
)

// TestZoneDecision checks that a decision tells of the zone and of what it cost, also when
// the backend is asked first, and when the ask has waited.
func TestZoneDecision(t *testing.T) {
	for _, assign := range []string{"none", "confirm"} {
		s := &script{t: t}
		for _, line := range strings.Split(`pool prefer=zone timeout=1m assign=`+assign+`
0s join a zone west by agent assigns
0s join b zone east by agent assigns
0s up a
0s up b
0s session p1 0.1@a:1s 0.2@b:1s
0s done p1 0.1 ok after 10ms
0s done p1 0.2 ok after 15ms
1ms ask p1 #1 zone east
2ms answer b 1.1 accepted
3ms ask p1 #2 zone west
4ms answer a 1.2 accepted
5ms ask p1 #3 zone east
6ms done p1 1.1 cancelled
7ms answer b 1.3 accepted
8ms done p1 1.2 cancelled
9ms done p1 1.3 cancelled
10ms ask p1 #4
11ms answer a 1.4 accepted
12ms done p1 1.4 cancelled`, "\n") {
			s.command(line)
		}
		want := []Decision{
			{Ask: 4, Backend: "a"}, {Ask: 3, Backend: "b", Zone: "east"}, {Ask: 2, Backend: "a", Zone: "west"},
			{Ask: 1, Backend: "b", Zone: "east", ZoneCost: math.Log(1.5)},
		}
		latest := s.pool.Explain(Hypothetical{}, 10).Latest
		if len(latest) != len(want) {
			t.Fatalf("assign=%s: %d decisions: %+v", assign, len(latest), latest)
		}
		for i, w := range want {
			got := latest[i]
			if got.Ask != w.Ask || got.Backend != w.Backend || got.Zone != w.Zone || math.Abs(got.ZoneCost-w.ZoneCost) > 1e-6 {
				t.Errorf("assign=%s: %+v, should be %+v", assign, got, w)
			}
		}
	}
}
