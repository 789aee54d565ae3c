package agent

import "testing"

func TestParseStat(t *testing.T) {
	got, err := parseStat("cpu  10 20 30 400 50 6 7 8 9 9\ncpu0 1 2 3 4\n")
	if want := (cpuTimes{busy: 81, total: 531}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	got, err = parseStat("cpu 10 20 30 40") // as the oldest kernels say it
	if want := (cpuTimes{busy: 60, total: 100}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, text := range []string{"", "cpu0 1 2 3 4", "cpu 1 2 3", "cpu 1 2 x 4"} {
		if got, err := parseStat(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("cpu  10 20 30 400 50 6 7 8 9 9\ncpu0 1 2 3 4\n")
	f.Add("cpu 18446744073709551615 18446744073709551615 0 0 0")
	f.Fuzz(func(t *testing.T, text string) {
		if times, err := parseStat(text); err == nil && (times.busy < 0 || times.busy > times.total) {
			t.Errorf("%q is %v", text, times)
		}
	})
}
