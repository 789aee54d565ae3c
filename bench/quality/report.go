package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report is all that was measured.
type report struct {
	Options     options   `json:"options"`
	Rate        float64   `json:"requests_per_second"`
	HAProxy     string    `json:"haproxy,omitempty"`
	Go          string    `json:"go"`
	Cores       int       `json:"cores"`
	Date        time.Time `json:"date"`
	Contestants []outcome `json:"contestants"`
}

// outcome is one contestant's rounds, and what stands for them.
type outcome struct {
	Name    string   `json:"name"`
	Summary result   `json:"summary"`
	Rounds  []result `json:"rounds"`
}

// result is what one round gave. Times are milliseconds, from when a request was due
// until its answer was read, of answered requests.
type result struct {
	Mean         float64 `json:"mean_ms"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	P999         float64 `json:"p999_ms"`
	MostInFlight int     `json:"most_in_flight"` // on one backend, the warm-up included
	Answered     int     `json:"answered"`
	Failed       int     `json:"failed"`
	Refused      int     `json:"refused"` // status 429 or 503
	Unsent       int     `json:"unsent"`  // of failed, because too many were under way
	FirstFailure string  `json:"first_failure,omitempty"`
	LateP99      float64 `json:"late_p99_ms"`   // from due to sent: the generator's own fault
	CPU          float64 `json:"cpu_cores"`     // of the contestant's processes
	Machine      float64 `json:"machine_cores"` // of everything that ran, this program included
	LoadAverage  float64 `json:"load_average"`  // of one minute, at the end
}

func (r *report) summarize() {
	for i := range r.Contestants {
		r.Contestants[i].Summary = summary(r.Contestants[i].Rounds)
	}
}

// summary has the median of each time; of what must not happen the worst, and the sum of
// what is counted: a median would hide the one request that failed.
func summary(rounds []result) (s result) {
	mid := func(f func(result) float64) float64 {
		var all []float64
		for _, r := range rounds {
			all = append(all, f(r))
		}
		return median(all)
	}
	s.Mean = mid(func(r result) float64 { return r.Mean })
	s.P50 = mid(func(r result) float64 { return r.P50 })
	s.P99 = mid(func(r result) float64 { return r.P99 })
	s.P999 = mid(func(r result) float64 { return r.P999 })
	s.CPU = mid(func(r result) float64 { return r.CPU })
	s.Machine = mid(func(r result) float64 { return r.Machine })
	for _, r := range rounds {
		s.MostInFlight = max(s.MostInFlight, r.MostInFlight)
		s.LateP99 = max(s.LateP99, r.LateP99)
		s.LoadAverage = max(s.LoadAverage, r.LoadAverage)
		s.Answered += r.Answered
		s.Failed += r.Failed
		s.Refused += r.Refused
		s.Unsent += r.Unsent
		if s.FirstFailure == "" {
			s.FirstFailure = r.FirstFailure
		}
	}
	return s
}

// median of an even number is the middle between two.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	n := len(all) / 2
	if len(all)%2 == 1 {
		return all[n]
	}
	return (all[n-1] + all[n]) / 2
}

// columns of the tables, after the contestant's name.
var columns = []string{
	"mean ms", "p50 ms", "p99 ms", "p99.9 ms", "most in flight on one", "answered", "failed", "refused",
	"sent late p99 ms", "its cores", "all cores",
}

func (r result) cells() []string {
	ms := func(v float64) string { return fmt.Sprintf("%.1f", v) }
	two := func(v float64) string { return fmt.Sprintf("%.2f", v) }
	return []string{
		ms(r.Mean), ms(r.P50), ms(r.P99), ms(r.P999), strconv.Itoa(r.MostInFlight),
		strconv.Itoa(r.Answered), strconv.Itoa(r.Failed), strconv.Itoa(r.Refused),
		two(r.LateP99), two(r.CPU), two(r.Machine),
	}
}

func (r *report) write(out io.Writer) error {
	if r.Options.json {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	var b strings.Builder
	b.WriteString(r.header() + "\n\n")
	if r.Options.markdown {
		fmt.Fprintf(&b, "| | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
		for _, c := range r.Contestants {
			fmt.Fprintf(&b, "| %s | %s |\n", c.Name, strings.Join(c.Summary.cells(), " | "))
		}
	} else {
		r.text(&b)
	}
	for _, c := range r.Contestants {
		if f := c.Summary.FirstFailure; f != "" {
			fmt.Fprintf(&b, "\n%s: the first failure: %s\n", c.Name, f)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// text writes a table with names to the left and figures to the right.
func (r *report) text(b *strings.Builder) {
	name := 0
	for _, c := range r.Contestants {
		name = max(name, len(c.Name))
	}
	line := func(first string, cells []string) {
		fmt.Fprintf(b, "%-*s", name, first)
		for i, c := range cells {
			fmt.Fprintf(b, "  %*s", max(len(columns[i]), 6), c)
		}
		b.WriteByte('\n')
	}
	line("", columns)
	for _, c := range r.Contestants {
		line(c.Name, c.Summary.cells())
	}
}

// header says what was measured, with what, where and when.
func (r *report) header() string {
	o := r.Options
	haproxy := r.HAProxy
	if haproxy == "" {
		haproxy = "no HAProxy"
	}
	return fmt.Sprintf("%s; %s, GOMAXPROCS %d; %d cores; %s\n"+
		"%d backends of %d workers; work %s, mean %v; load %.2f of capacity: %.0f requests/s; %d x %v after %v; seed %d",
		haproxy, r.Go, o.GoMaxProcs, r.Cores, r.Date.Format(time.RFC3339),
		o.Backends, o.Slots, o.Law, o.Mean, o.Rho, r.Rate, o.Rounds, o.Duration, o.Warmup, o.Seed)
}
