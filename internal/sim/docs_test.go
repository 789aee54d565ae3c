package sim_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/sim"
)

// TestDocs reads the examples of docs/sim.md, and looks for every policy there.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/sim.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(examples) < 2 {
		t.Fatalf("found %d examples", len(examples))
	}
	for _, e := range examples {
		read(t, e[1])
	}
	for _, p := range sim.Policies() {
		if !strings.Contains(string(text), "`"+string(p)+"`") {
			t.Errorf("docs/sim.md does not say what %s is", p)
		}
	}
	for _, k := range sim.FaultKinds() {
		if !strings.Contains(string(text), "`"+string(k)+"`") {
			t.Errorf("docs/sim.md does not name the fault %s", k)
		}
	}
	// What a mistake at each level is told, names all keys that are known there.
	for _, bad := range []string{"", "pool: ", "network: ", "arrivals: ", "each_backend: "} {
		nothing := "zzzzzzzzzz: 1\n"
		if bad != "" {
			nothing = bad + "{zzzzzzzzzz: 1}\n"
		}
		_, err := sim.Read("x.yaml", strings.NewReader(nothing))
		_, known, ok := strings.Cut(err.Error(), "known here are ")
		if !ok {
			t.Fatalf("%q: %v", nothing, err)
		}
		known, _, _ = strings.Cut(known, "\n")
		for _, key := range strings.Split(known, ", ") {
			if !regexp.MustCompile(`\b` + key + `\b`).MatchString(string(text)) {
				t.Errorf("docs/sim.md does not have the key %s", key)
			}
		}
	}
}
