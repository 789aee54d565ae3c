package sim_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/fairlead/fairlead/internal/sim"
)

// TestBenchFiles keeps the scenarios that the documentation's figures are from.
func TestBenchFiles(t *testing.T) {
	want := map[string]int{"headline": 1, "more-proxies": 5, "overload": 5, "outage": 13, "features": 11, "robustness": 40, "permits": 8}
	files, err := filepath.Glob("../../bench/sim/*.yaml")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		all, err := sim.Read(file, f)
		f.Close()
		if name := filepath.Base(file); err != nil || len(all) != want[name[:len(name)-len(".yaml")]] {
			t.Errorf("%s: %d scenarios, %v", file, len(all), err)
		}
		for _, sc := range all {
			again(t, sc)
		}
	}
}
