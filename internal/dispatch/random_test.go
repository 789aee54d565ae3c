package dispatch

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
)

var (
	seeds     = flag.Int("seeds", 10_000, "how many random scenarios to live through")
	firstSeed = flag.Int("seed", 0, "the seed of the first random scenario")
)

// TestRandom lives through scenarios in which everything that may happen does, and
// compares each step with the model.
func TestRandom(t *testing.T) {
	const parts = 8
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for seed := *firstSeed + part; seed < *firstSeed+*seeds; seed += parts {
				if err := newScenario(newDice(uint64(seed), 300)).run(); err != nil {
					t.Fatalf("seed %d: %s", seed, tell(newDice(uint64(seed), 300), err))
				}
			}
		})
	}
}

// TestLively checks that random scenarios are not barren: each thing that may become of an
// assignment or of a direct grant does, often.
func TestLively(t *testing.T) {
	var sum Counts
	takenBack, recalls, arrivals := 0, 0, 0
	for seed := range uint64(1000) {
		s := newScenario(newDice(seed, 300))
		s.record = func(_ fleet.Time, in Input, effects []Effect) {
			if _, ok := in.(*Arrival); ok && len(effects) == 0 {
				arrivals++
			}
			for _, e := range effects {
				if e.Kind == Recalled {
					recalls++
				}
			}
		}
		if err := s.run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		c := &s.pool.counts
		sum.Granted += c.Granted
		sum.Assigned += c.Assigned
		sum.Rejected += c.Rejected
		sum.Unanswered += c.Unanswered
		sum.Expired += c.Expired
		takenBack += int(s.model.undone)
	}
	for what, n := range map[string]int{
		"grants": int(sum.Granted), "assignments": int(sum.Assigned), "rejections": int(sum.Rejected),
		"unanswered": int(sum.Unanswered), "expired": int(sum.Expired), "taken back": takenBack,
		"recalls": recalls, "arrivals": arrivals,
	} {
		t.Log(n, what)
		if n < 200 {
			t.Errorf("only %d %s", n, what)
		}
	}
}

// TestReplay checks that the same inputs have the same effects, which a map's order, a
// clock or a random source would spoil.
func TestReplay(t *testing.T) {
	for seed := range uint64(50) {
		var at []fleet.Time
		var inputs []Input
		var had [][]Effect
		s := newScenario(newDice(seed, 300))
		s.record = func(now fleet.Time, in Input, effects []Effect) {
			at, inputs, had = append(at, now), append(inputs, in), append(had, slices.Clone(effects))
		}
		if err := s.run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again := New(s.model.spec, s.model.epoch)
		for i, in := range inputs {
			read, err := parseInput(proseInput(in))
			if line := proseInput(in); !strings.Contains(line, "unknown") && (err != nil || proseInput(read) != line) {
				t.Fatalf("%q is read as %v: %v", line, read, err)
			}
			if got := again.Step(at[i], in); !slices.Equal(got, had[i]) {
				t.Fatalf("seed %d, %s:\nhad %v\ngot %v", seed, prose(at[i], in), had[i], got)
			}
		}
	}
}

// FuzzStep lets a fuzzer choose what happens.
func FuzzStep(f *testing.F) {
	for seed := range uint64(8) {
		d := newDice(seed, 0)
		b := make([]byte, 300)
		for i := range b {
			b[i] = byte(d.roll(256))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return // longer ones say nothing new, slowly
		}
		d := byteDice(b)
		if err := newScenario(&d).run(); err != nil {
			again := byteDice(b)
			t.Fatal(tell(&again, err))
		}
	})
}
