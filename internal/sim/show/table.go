// Package show tells what simulations came to: as a table for terminals, as JSON, as a
// chart. Times are told beside their ratio to the policy central where that was played,
// the bound that no real balancer reaches.
package show

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fairlead/fairlead/internal/sim"
)

// Table writes a table for each report, and, if there are several, one over all of them.
func Table(out io.Writer, reports []*sim.Report) error {
	for i, r := range reports {
		if i > 0 {
			if _, err := fmt.Fprintln(out); err != nil {
				return err
			}
		}
		if err := reportTable(out, r); err != nil {
			return err
		}
	}
	if len(reports) > 1 {
		return summaryTable(out, reports)
	}
	return nil
}

func reportTable(out io.Writer, r *sim.Report) error {
	if _, err := fmt.Fprintf(out, "%s: %s\n", r.Scenario.Name, Title(r.Scenario)); err != nil {
		return err
	}
	base := central(r)
	rows := [][]string{{"POLICY", "P50", "P99", "P99.9", "MEAN", "EXCESS-P99", "MOST-IN", "GOODPUT", "REFUSED", "FAILED", "TIMED-OUT"}}
	for i := range r.Results {
		rows = append(rows, row(&r.Results[i], base))
	}
	if err := align(out, rows); err != nil {
		return err
	}
	for _, by := range []struct {
		what string
		part func(*sim.Result) map[string]sim.Part
	}{
		{"CLASS", func(r *sim.Result) map[string]sim.Part { return r.ByClass }},
		{"FLOW", func(r *sim.Result) map[string]sim.Part { return r.ByFlow }},
	} {
		if err := partTable(out, r, by.what, by.part); err != nil {
			return err
		}
	}
	for i := range r.Results {
		if v := r.Results[i].Violation; v != "" {
			if _, err := fmt.Fprintf(out, "violation, of %s: %s\n", r.Results[i].Policy, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func row(r, base *sim.Result) []string {
	most := fmt.Sprint(r.MostIn)
	if r.Bound > 0 {
		most += fmt.Sprintf("/%d", r.Bound)
	}
	b := cmp.Or(base, &sim.Result{})
	return []string{
		string(r.Policy), beside(r.P50, b.P50), beside(r.P99, b.P99), beside(r.P999, b.P999), beside(r.Mean, b.Mean),
		beside(r.Excess99, b.Excess99), most, percent(r.Goodput), portion(r.Refused, r.Requests), portion(r.Failed, r.Requests), portion(r.TimedOut, r.Requests),
	}
}

// partTable writes what parts of the requests saw, by class or by flow.
func partTable(out io.Writer, r *sim.Report, what string, parts func(*sim.Result) map[string]sim.Part) error {
	rows := [][]string{{"POLICY", what, "REQUESTS", "SERVED", "REFUSED", "MEAN", "P99"}}
	for i := range r.Results {
		all := parts(&r.Results[i])
		for _, name := range slices.Sorted(maps.Keys(all)) {
			p := all[name]
			rows = append(rows, []string{string(r.Results[i].Policy), cmp.Or(name, "-"), fmt.Sprint(p.Requests),
				portion(p.Served, p.Requests), portion(p.Refused, p.Requests), brief(p.Mean), brief(p.P99)})
		}
	}
	if len(rows) == 1 {
		return nil
	}
	if _, err := fmt.Fprintln(out); err != nil {
		return err
	}
	return align(out, rows)
}

// summaryTable tells, over all reports that have central, how policies did against it.
func summaryTable(out io.Writer, reports []*sim.Report) error {
	strips := p99Strips(reports)
	if len(strips) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(out, "\nall scenarios: p99 as a multiple of central's\n"); err != nil {
		return err
	}
	rows := [][]string{{"POLICY", "SCENARIOS", "BEST", "MEDIAN", "WORST", "WORST-IN"}}
	for _, s := range strips {
		last := s.dots[len(s.dots)-1]
		rows = append(rows, []string{string(s.policy), fmt.Sprint(len(s.dots)), times(s.dots[0].ratio), times(s.median()), times(last.ratio), last.scenario})
	}
	return align(out, rows)
}

// strip is what one policy did in many scenarios, best first.
type strip struct {
	policy sim.Policy
	dots   []dot
}

type dot struct {
	ratio    float64
	scenario string
}

func (s *strip) median() float64 {
	n := len(s.dots)
	return (s.dots[(n-1)/2].ratio + s.dots[n/2].ratio) / 2
}

// p99Strips returns the ratio of the 99th percentile to central's, by policy, in the order
// of the medians.
func p99Strips(reports []*sim.Report) []*strip {
	by := map[sim.Policy]*strip{}
	for _, r := range reports {
		base := central(r)
		for i := range r.Results {
			res := &r.Results[i]
			if v := ratio(res, base, p99); v > 0 && res != base {
				if by[res.Policy] == nil {
					by[res.Policy] = &strip{policy: res.Policy}
				}
				by[res.Policy].dots = append(by[res.Policy].dots, dot{v, r.Scenario.Name})
			}
		}
	}
	all := slices.Collect(maps.Values(by))
	for _, s := range all {
		slices.SortStableFunc(s.dots, func(a, b dot) int { return cmp.Compare(a.ratio, b.ratio) })
	}
	slices.SortFunc(all, func(a, b *strip) int {
		return cmp.Or(cmp.Compare(a.median(), b.median()), cmp.Compare(a.policy, b.policy))
	})
	return all
}

// central returns the result that others are held against, nil if there is none.
func central(r *sim.Report) *sim.Result {
	for i := range r.Results {
		if r.Results[i].Policy == sim.Central {
			return &r.Results[i]
		}
	}
	return nil
}

func p99(r *sim.Result) time.Duration { return r.P99 }

// ratio returns how much longer r's time is than base's; 0: not known.
func ratio(r, base *sim.Result, of func(*sim.Result) time.Duration) float64 {
	if base == nil || of(base) <= 0 || of(r) <= 0 {
		return 0
	}
	return float64(of(r)) / float64(of(base))
}

// Title says in a line what a scenario is.
func Title(sc *sim.Scenario) string {
	proxies, backends := sc.Count()
	load := "by trace"
	switch a := sc.Arrivals; {
	case a.Load > 0:
		load = "load " + percent(a.Load)
	case a.Rate > 0:
		load = fmt.Sprintf("%.6g requests/s", a.Rate)
	}
	parts := []string{count(proxies, "proxy", "proxies"), count(backends, "backend", "backends"), load}
	if len(sc.Arrivals.Sizes) == 0 {
		parts = append(parts, fmt.Sprintf("%s work of %s", sc.Service.Law, sc.Service.Mean))
	}
	return strings.Join(append(parts, fmt.Sprintf("%s of %s", count(sc.Requests, "request", "requests"), count(len(sc.Seeds), "seed", "seeds"))), ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// beside is a time, and how many times the base it is.
func beside(d, base time.Duration) string {
	if base <= 0 || d <= 0 {
		return brief(d)
	}
	return brief(d) + " " + times(float64(d)/float64(base))
}

// times is a ratio with three digits that count.
func times(v float64) string {
	switch {
	case v == 0:
		return "-"
	case v < 9.995:
		return fmt.Sprintf("x%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("x%.1f", v)
	}
	return fmt.Sprintf("x%.0f", v)
}

// brief is a duration with three digits that count.
func brief(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	unit, name := time.Microsecond, "us"
	switch {
	case d >= time.Second:
		unit, name = time.Second, "s"
	case d >= time.Millisecond:
		unit, name = time.Millisecond, "ms"
	}
	v := float64(d) / float64(unit)
	digits := 2 - int(math.Floor(math.Log10(max(v, .01))))
	return fmt.Sprintf("%.*f%s", min(max(digits, 0), 2), v, name)
}

func percent(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.4g%%", math.Round(v*1000)/10)
}

// portion is n of all, such that one in a million can still be seen.
func portion(n, all int) string {
	switch {
	case n == 0:
		return "0"
	case all <= 0:
		return fmt.Sprint(n)
	case n == all:
		return "100%"
	}
	return fmt.Sprintf("%.3g%%", min(100*float64(n)/float64(all), 99.9))
}

// align writes columns.
func align(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, cells := range rows {
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}
