// Package report turns load reports in the ORCA schema (Open Request Cost Aggregation)
// into the fleet's vocabulary and back: those that an agent or a server sends as a
// message, and those that a backend puts into the head of its answers.
package report

import (
	"fmt"
	"math"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Names in named_metrics that Fairlead reads and writes.
const (
	InFlightMetric = "in_flight" // requests that the backend has in hand
	Load1Metric    = "load1"     // its run queue over the last minute
)

// FromORCA reads a report. A value that is read and is negative, infinite or not a
// number is an error that names it; what Fairlead does not use is not looked at. A
// mem_utilization above 1 counts as 1. A nil report is one that says nothing.
func FromORCA(o *fairleadv1.OrcaLoadReport) (fleet.LoadReport, error) {
	r := fleet.LoadReport{
		CPU:         o.GetCpuUtilization(),
		Memory:      o.GetMemUtilization(),
		Application: o.GetApplicationUtilization(),
		RPS:         o.GetRpsFractional(),
		EPS:         o.GetEps(),
		Load1:       o.GetNamedMetrics()[Load1Metric],
	}
	if r.RPS == 0 {
		r.RPS = float64(o.GetRps())
	}
	r.InFlight, r.HasInFlight = o.GetNamedMetrics()[InFlightMetric]
	if err := check(&r); err != nil {
		return fleet.LoadReport{}, err
	}
	return r, nil
}

// ToORCA writes a report. FromORCA reads the same report from it.
func ToORCA(r fleet.LoadReport) *fairleadv1.OrcaLoadReport {
	o := &fairleadv1.OrcaLoadReport{
		CpuUtilization:         r.CPU,
		MemUtilization:         r.Memory,
		ApplicationUtilization: r.Application,
		RpsFractional:          r.RPS,
		Eps:                    r.EPS,
	}
	if r.HasInFlight || r.Load1 != 0 {
		o.NamedMetrics = make(map[string]float64, 2)
	}
	if r.HasInFlight {
		o.NamedMetrics[InFlightMetric] = r.InFlight
	}
	if r.Load1 != 0 {
		o.NamedMetrics[Load1Metric] = r.Load1
	}
	return o
}

// check keeps out what would poison a mean, and caps what has a natural bound.
func check(r *fleet.LoadReport) error {
	for _, f := range [...]struct {
		name  string
		value float64
	}{
		{"cpu_utilization", r.CPU},
		{"mem_utilization", r.Memory},
		{"application_utilization", r.Application},
		{"rps_fractional", r.RPS},
		{"eps", r.EPS},
		{"named_metrics." + InFlightMetric, r.InFlight},
		{"named_metrics." + Load1Metric, r.Load1},
	} {
		if math.IsNaN(f.value) || math.IsInf(f.value, 0) || f.value < 0 {
			return fmt.Errorf("load report: %s is %v; it must be a finite number, 0 or more", f.name, f.value)
		}
	}
	r.Memory = min(r.Memory, 1)
	return nil
}
