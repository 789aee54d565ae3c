package sim

import (
	"bytes"
	"flag"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

var (
	chaosRuns  = flag.Int("chaos", 10_000, "how many random scenarios to play")
	chaosFirst = flag.Uint64("chaos-seed", 0, "the seed of the first random scenario")
)

// TestChaos plays random scenarios, with every promise checked after each step. One that
// fails is told as a file, which plays it again with fairlead sim FILE --check.
func TestChaos(t *testing.T) {
	const parts = 8
	n := uint64(*chaosRuns)
	if raced || testing.Short() {
		n = min(n, 1000)
	}
	for part := range uint64(parts) {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for seed := *chaosFirst + part; seed < *chaosFirst+n; seed += parts {
				s := Chaos(seed)
				report, err := Run(t.Context(), s, Options{Parallel: 1, Check: true})
				if err != nil {
					t.Fatalf("seed %d: %v\n%s", seed, err, fileOf(t, s))
				}
				if why := report.Results[0].Violation; why != "" {
					t.Errorf("%s\n%s", why, fileOf(t, s))
				}
			}
		})
	}
}

// fileOf returns the file of a scenario.
func fileOf(t *testing.T, s *Scenario) string {
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestChaosFiles checks that what a seed makes is what its file makes, or nobody could
// play it again.
func TestChaosFiles(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		s := Chaos(seed)
		read, err := Read("chaos.yaml", strings.NewReader(fileOf(t, s)))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, fileOf(t, s))
		}
		a, err := Run(t.Context(), s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Run(t.Context(), read[0], Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a.Results, b.Results) {
			t.Fatalf("seed %d:\n%+v\n%+v\n%s", seed, a.Results, b.Results, fileOf(t, s))
		}
	}
}
