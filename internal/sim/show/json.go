package show

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/fairlead/fairlead/internal/sim"
)

// The names of fields are stable: scripts read them. Units stand in the names.
type outcome struct {
	Scenarios []scenario `json:"scenarios"`
}

type scenario struct {
	Name     string   `json:"name"`
	Note     string   `json:"note,omitempty"`
	Proxies  int      `json:"proxies"`
	Backends int      `json:"backends"`
	Seeds    []uint64 `json:"seeds"`
	Requests int      `json:"requests_per_seed"`
	Results  []result `json:"results"`
}

type result struct {
	Policy    sim.Policy      `json:"policy"`
	Requests  int             `json:"requests"`
	Served    int             `json:"served"`
	Failed    int             `json:"failed"`
	Refused   int             `json:"refused"`
	TimedOut  int             `json:"timed_out"`
	Mean      float64         `json:"mean_ms"`
	P50       float64         `json:"p50_ms"`
	P99       float64         `json:"p99_ms"`
	P999      float64         `json:"p999_ms"`
	Excess99  float64         `json:"excess_p99_ms"`
	MostIn    int             `json:"most_in_flight"`
	Bound     *int            `json:"most_in_flight_bound"` // null: none
	Goodput   float64         `json:"goodput"`
	Work      float64         `json:"goodput_work"`
	Capacity  float64         `json:"capacity_per_second"`
	Moved     int             `json:"moved"`
	FromHand  int             `json:"from_hand"`
	Violation string          `json:"violation"` // empty: none
	Ratio     *ratios         `json:"ratio_to_central"`
	ByClass   map[string]part `json:"by_class,omitempty"`
	ByFlow    map[string]part `json:"by_flow,omitempty"`
}

type ratios struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
}

type part struct {
	Requests int     `json:"requests"`
	Served   int     `json:"served"`
	Refused  int     `json:"refused"`
	Mean     float64 `json:"mean_ms"`
	P99      float64 `json:"p99_ms"`
}

// JSON writes all that the reports hold as one object.
func JSON(out io.Writer, reports []*sim.Report) error {
	o := outcome{Scenarios: []scenario{}}
	for _, r := range reports {
		proxies, backends := r.Scenario.Count()
		s := scenario{
			Name: r.Scenario.Name, Note: r.Scenario.Note, Proxies: proxies, Backends: backends,
			Seeds: r.Scenario.Seeds, Requests: r.Scenario.Requests, Results: []result{},
		}
		base := central(r)
		for i := range r.Results {
			s.Results = append(s.Results, newResult(&r.Results[i], base))
		}
		o.Scenarios = append(o.Scenarios, s)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(o)
}

func newResult(r, base *sim.Result) result {
	res := result{
		Policy: r.Policy, Requests: r.Requests, Served: r.Served, Failed: r.Failed, Refused: r.Refused, TimedOut: r.TimedOut,
		Mean: ms(r.Mean), P50: ms(r.P50), P99: ms(r.P99), P999: ms(r.P999), Excess99: ms(r.Excess99),
		MostIn: r.MostIn, Goodput: finite(r.Goodput), Work: finite(r.Work), Capacity: finite(r.Capacity), Moved: r.Moved, FromHand: r.FromHand, Violation: r.Violation,
		ByClass: newParts(r.ByClass), ByFlow: newParts(r.ByFlow),
	}
	if r.Bound > 0 {
		res.Bound = &r.Bound
	}
	if base != nil {
		res.Ratio = &ratios{
			Mean: ratio(r, base, func(r *sim.Result) time.Duration { return r.Mean }),
			P50:  ratio(r, base, func(r *sim.Result) time.Duration { return r.P50 }),
			P99:  ratio(r, base, p99),
			P999: ratio(r, base, func(r *sim.Result) time.Duration { return r.P999 }),
		}
	}
	return res
}

func newParts(from map[string]sim.Part) map[string]part {
	to := map[string]part{}
	for name, p := range from {
		to[name] = part{p.Requests, p.Served, p.Refused, ms(p.Mean), ms(p.P99)}
	}
	return to
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// finite makes 0 of what JSON has no word for.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
