package show_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/sim"
	"github.com/fairlead/fairlead/internal/sim/show"
)

// report is of a scenario with an awkward name.
func report(name string, ratio float64) *sim.Report {
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	return &sim.Report{
		Scenario: &sim.Scenario{
			Name: name, Requests: 1000, Seeds: []uint64{1, 2}, Arrivals: sim.Arrivals{Load: .9},
			Service: sim.Service{Law: sim.Pareto, Mean: ms(10)},
			Proxies: []sim.ProxyGroup{{Count: 16}}, Backends: []sim.BackendGroup{{Count: 70}, {Count: 30}},
		},
		Results: []sim.Result{
			{Policy: sim.Fairlead, Requests: 2000, Served: 1990, Refused: 10, Mean: ms(11), P50: ms(5), P99: ms(100 * ratio), P999: ms(250), Excess99: ms(3), MostIn: 6, Bound: 6, Goodput: .899,
				ByClass: map[string]sim.Part{"critical": {Requests: 200, Served: 200, Mean: ms(9), P99: ms(90)}}},
			{Policy: sim.Random, Requests: 2000, Served: 1, TimedOut: 1999, Mean: ms(300), P50: ms(50), P99: ms(24_700), P999: ms(90_000), MostIn: 6700, Goodput: math.NaN()},
			{Policy: sim.Central, Requests: 2000, Served: 2000, Mean: ms(10), P50: ms(4), P99: ms(100), P999: ms(240), MostIn: 4, Goodput: .9},
		},
	}
}

const awkward = `a <b> & "c"`

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := show.Table(&b, []*sim.Report{report(awkward, 1.05), report("other", 1.3)}); err != nil {
		t.Fatal(err)
	}
	squeezed := regexp.MustCompile(` +`).ReplaceAllString(b.String(), " ")
	for _, want := range []string{
		awkward + ": 16 proxies, 100 backends, load 90%, pareto work of 10ms, 1000 requests of 2 seeds\n",
		"fairlead 5.00ms x1.25 105ms x1.05 250ms x1.04 11.0ms x1.10 3.00ms 6/6 89.9% 0.5% 0 0\n",
		"random 50.0ms x12.5 24.7s x247 90.0s x375 300ms x30.0 - 6700 - 0 0 99.9%\n",
		"fairlead critical 200 100% 0 9.00ms 90.0ms\n",
		"POLICY SCENARIOS BEST MEDIAN WORST WORST-IN\nfairlead 2 x1.05 x1.18 x1.30 other\nrandom 2 x247 x247 x247",
	} {
		if !strings.Contains(squeezed, want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := show.JSON(&b, []*sim.Report{report(awkward, 1.05)}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Scenarios []struct {
			Name    string           `json:"name"`
			Results []map[string]any `json:"results"`
		} `json:"scenarios"`
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	s := got.Scenarios[0]
	if s.Name != awkward || s.Results[0]["p99_ms"] != 105.0 || s.Results[0]["most_in_flight_bound"] != 6.0 || s.Results[1]["most_in_flight_bound"] != nil ||
		s.Results[0]["ratio_to_central"].(map[string]any)["p99"] != 1.05 || s.Results[1]["goodput"] != 0.0 {
		t.Errorf("%s", b.String())
	}
}

func TestPlot(t *testing.T) {
	for _, reports := range [][]*sim.Report{{report(awkward, 1.05)}, {report(awkward, 1.05), report("other", 1.3)}} {
		var b bytes.Buffer
		if err := show.Plot(&b, reports); err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(&b)
		var text strings.Builder
		for {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("not XML: %v", err)
			}
			if c, ok := tok.(xml.CharData); ok {
				text.Write(c)
			}
		}
		for _, want := range []string{awkward, "fairlead", "random", "×1.05", "best possible"} {
			if len(reports) > 1 && want == "×1.05" {
				want = "×1.30" // the worst is told
			}
			if !strings.Contains(text.String(), want) {
				t.Errorf("the chart lacks %q: %s", want, text.String())
			}
		}
	}
	alone := report("x", 1)
	alone.Results = alone.Results[:2]
	if err := show.Plot(io.Discard, []*sim.Report{alone}); err == nil || !strings.Contains(err.Error(), "central") {
		t.Errorf("without a bound: %v", err)
	}
}
