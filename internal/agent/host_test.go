package agent

import (
	"maps"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fairlead/fairlead/sdk/backend"
)

func TestPressure(t *testing.T) {
	const good = "some avg10=12.50 avg60=0.04 avg300=0.39 total=36941176\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=0\n"
	got, err := readPressure(fstest.MapFS{
		"pressure/cpu": {Data: []byte(good)},
		"pressure/io":  {Data: []byte("some avg10=100.00 avg60=0.00\n")},
	})
	if want := map[string]float64{"psi_cpu": 0.125, "psi_io": 1}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	got, err = readPressure(fstest.MapFS{"pressure/memory": {Data: []byte("full avg10=1.00\n")}})
	if err == nil || !strings.Contains(err.Error(), "/proc/pressure/memory") || len(got) != 0 {
		t.Errorf("got %v, %v, want an error that names the file", got, err)
	}
	if got, err = readPressure(fstest.MapFS{}); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v of a kernel that tells nothing", got, err)
	}
}

func FuzzParsePressure(f *testing.F) {
	f.Add("some avg10=0.00 avg60=0.04 avg300=0.39 total=36941176\nfull avg10=0.00\n")
	f.Add("full avg10=1.00\nsome total=1 avg10=99.99")
	f.Add("some avg10=NaN")
	f.Add("some avg10=-1")
	f.Add("some avg10=1e309")
	f.Fuzz(func(t *testing.T, text string) {
		share, err := parsePressure(text)
		if math.IsNaN(share) || share < 0 || share > 1 || err != nil && share != 0 {
			t.Errorf("%q is %v, %v", text, share, err)
		}
	})
}

func TestHostSamples(t *testing.T) {
	h := NewHost()
	l, err := h.Sample()
	if err != nil {
		t.Fatal(err)
	}
	if l.CPU < 0 || l.CPU > 1 || l.Memory <= 0 || l.Memory >= 1 {
		t.Errorf("CPU %v, memory %v; want shares", l.CPU, l.Memory)
	}
	if run, ok := l.Named[backend.Load1]; !ok || run < 0 {
		t.Errorf("the run queue is %v", l.Named)
	}
}

func TestHostTellsWhatItCannotMeasure(t *testing.T) {
	h := NewHost()
	h.proc = fstest.MapFS{"pressure/cpu": {Data: []byte("gibberish")}}
	l, err := h.Sample()
	if err == nil || !strings.Contains(err.Error(), "pressure/cpu") {
		t.Errorf("error %v", err)
	}
	if l.Memory <= 0 {
		t.Error("what can be measured is missing")
	}
}

func TestBusyShare(t *testing.T) {
	for name, c := range map[string]struct {
		last, now cpuTimes
		share     float64
		ok        bool
	}{
		"half":            {cpuTimes{10, 100}, cpuTimes{60, 200}, 0.5, true},
		"no time passed":  {cpuTimes{10, 100}, cpuTimes{10, 100}, 0, false},
		"time taken back": {cpuTimes{10, 100}, cpuTimes{9, 101}, 0, true},
		"idle taken back": {cpuTimes{10, 100}, cpuTimes{20, 105}, 1, true},
	} {
		if share, ok := c.now.since(c.last); share != c.share || ok != c.ok {
			t.Errorf("%s: %v, %v, want %v, %v", name, share, ok, c.share, c.ok)
		}
	}
}
