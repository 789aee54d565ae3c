package show

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fairlead/fairlead/internal/sim"
)

// Plot writes a chart as SVG: of one report how each policy did against central; of
// several the 99th percentile of each policy in all of them. It fails when central was
// not played, as nothing is then drawn against.
func Plot(out io.Writer, reports []*sim.Report) error {
	var svg string
	var err error
	if len(reports) == 1 {
		svg, err = chart(reports[0])
	} else {
		svg, err = strips(reports)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, svg)
	return err
}

var errNoBound = errors.New("a chart needs the policy central, which the others are drawn against; add it to the policies")

const (
	chartWidth  = 900.0
	chartLeft   = 160.0
	chartRight  = chartWidth - 60
	rowHeight   = 38.0
	titleHeight = 30.0
)

// measure is one of the times that are drawn.
type measure struct {
	name, fill string
	shape      int
	lift       float64 // from the row's middle, so that marks of one place can be told apart
	of         func(*sim.Result) time.Duration
}

var measures = []measure{
	{"p50", green, 2, -9, func(r *sim.Result) time.Duration { return r.P50 }},
	{"mean", orange, 1, -3, func(r *sim.Result) time.Duration { return r.Mean }},
	{"p99", blue, 0, 3, p99},
	{"p99.9", purple, 3, 9, func(r *sim.Result) time.Duration { return r.P999 }},
}

// heading draws title and subtitle, and returns where there is room again.
func (c *canvas) heading(title string, sub ...string) float64 {
	y := titleHeight + 6
	c.text(24, y, "start", style(19, ink, true), title)
	for _, s := range sub {
		if s == "" {
			continue
		}
		for _, line := range wrap(s, 112) {
			y += 20
			c.text(24, y, "start", style(13, faint, false), line)
		}
	}
	return y
}

// chart draws one report: a row a policy, best 99th percentile first.
func chart(r *sim.Report) (string, error) {
	base := central(r)
	var rows []*sim.Result
	low, high := 1.0, 1.0
	for i := range r.Results {
		res := &r.Results[i]
		if res == base || ratio(res, base, p99) == 0 {
			continue
		}
		rows = append(rows, res)
		for _, m := range measures {
			if v := ratio(res, base, m.of); v > 0 {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if base == nil || len(rows) == 0 {
		return "", errNoBound
	}
	slices.SortStableFunc(rows, func(a, b *sim.Result) int { return int(a.P99 - b.P99) })
	c := &canvas{width: chartWidth}
	y := c.heading("How long answers take, as a multiple of the best possible", r.Scenario.Name+": "+Title(r.Scenario)+".", r.Scenario.Note,
		fmt.Sprintf("Best possible (×1): one queue, no delay, true speeds; its p50 is %s, mean %s, p99 %s, p99.9 %s. Logarithmic scale.",
			brief(base.P50), brief(base.Mean), brief(base.P99), brief(base.P999)))
	y = c.legend(y + 34)
	top := y + 42
	bottom := top + rowHeight*float64(len(rows)) + 8
	c.height = bottom + 18
	s := newScale(low, high, chartLeft, chartRight-30)
	c.axis(s, top, bottom)
	for i, res := range rows {
		c.resultRow(s, res, base, top+8+rowHeight*(float64(i)+.5))
	}
	return c.String("Times of each policy as multiples of the bound: " + r.Scenario.Name), nil
}

// legend names the marks, in the order in which they mostly stand.
func (c *canvas) legend(y float64) float64 {
	x := chartLeft + 6
	for _, m := range measures {
		c.mark(m.shape, x, y, m.fill, m.name)
		c.text(x+12, y+4.5, "start", style(13, m.fill, true), m.name)
		x += 84
	}
	return y
}

func (c *canvas) resultRow(s scale, r, base *sim.Result, y float64) {
	ours := r.Policy == sim.Fairlead
	name := ink
	if ours {
		c.rect(12, y-rowHeight/2+1, chartWidth-24, rowHeight-2, "#e3eef6")
		for _, v := range s.ticks() { // the band hides them
			c.line(s.at(v), y-rowHeight/2+1, s.at(v), y+rowHeight/2-1, "#cfdde8", 1)
		}
		name = blue
	}
	c.text(chartLeft-16, y+5, "end", style(14, name, ours), string(r.Policy))
	least, most := s.high, s.low
	for _, m := range measures {
		if v := ratio(r, base, m.of); v > 0 {
			least, most = min(least, v), max(most, v)
		}
	}
	c.line(s.at(least), y, s.at(most), y, "#d5d7da", 1.5)
	for _, m := range slices.Backward(measures) {
		if v := ratio(r, base, m.of); v > 0 {
			c.mark(m.shape, s.at(v), y+m.lift, m.fill, fmt.Sprintf("%s, %s: %s, %s", r.Policy, m.name, brief(m.of(r)), times(v)))
		}
	}
	c.text(s.at(most)+13, y+5, "start", style(13, blue, ours), "p99 "+mul(ratio(r, base, p99)))
}

// strips draws many reports: a row a policy, a dot a scenario.
func strips(reports []*sim.Report) (string, error) {
	all := p99Strips(reports)
	if len(all) == 0 {
		return "", errNoBound
	}
	low, high, most := 1.0, 1.0, 0
	for _, s := range all {
		low, high, most = min(low, s.dots[0].ratio), max(high, s.dots[len(s.dots)-1].ratio), max(most, len(s.dots))
	}
	c := &canvas{width: chartWidth}
	y := c.heading("99th percentile of answer times, as a multiple of the best possible",
		fmt.Sprintf("%s; each dot is one, the bar is the median, the number on the right the worst. Best possible (×1): one queue, no delay, true speeds. Logarithmic scale.",
			count(most, "scenario", "scenarios")))
	const height = 42.0
	top := y + 48
	bottom := top + height*float64(len(all)) + 8
	c.height = bottom + 18
	sc := newScale(low, high, chartLeft, chartRight-30)
	c.axis(sc, top, bottom)
	for i, s := range all {
		c.stripRow(sc, s, top+8+height*(float64(i)+.5))
	}
	return c.String("99th percentile of each policy over all scenarios, as multiples of the bound"), nil
}

func (c *canvas) stripRow(sc scale, s *strip, y float64) {
	ours := s.policy == sim.Fairlead
	fill, name := orange, ink
	if ours {
		fill, name = blue, blue
	}
	c.text(chartLeft-16, y+5, "end", style(14, name, ours), string(s.policy))
	for i, d := range s.dots {
		// Neighbours are moved apart, up and down by turns, so that they can be counted.
		lift := float64((i*7)%5-2) * 4.2
		c.dot(sc.at(d.ratio), y+lift, 3.8, fill, fmt.Sprintf("%s, %s: %s", s.policy, d.scenario, times(d.ratio)))
	}
	m := sc.at(s.median())
	c.line(m, y-15, m, y+15, ink, 2.5)
	c.text(m, y-17, "middle", style(11.5, ink, false), mul(s.median()))
	worst := s.dots[len(s.dots)-1].ratio
	c.text(sc.at(worst)+10, y+4.5, "start", style(13, name, ours), mul(worst))
}

// mul is a ratio as charts write it.
func mul(v float64) string { return "×" + times(v)[1:] }
