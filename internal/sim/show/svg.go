package show

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The look of charts. Colours are Okabe and Ito's, which the colour-blind can tell apart,
// darkened where they would be pale on the ground; the ground is drawn, so that a chart
// reads on dark pages too.
const (
	ground = "#fbfaf7"
	ink    = "#1f2933"
	faint  = "#616e7c"
	rule   = "#e1dfd8"
	rule1  = "#8a8f98" // the bound
	blue   = "#0072b2"
	orange = "#c75b00"
	green  = "#00795a"
	purple = "#9b4f83"
)

// canvas is an SVG drawing, written by hand: a few lines, circles and texts.
type canvas struct {
	b             strings.Builder
	width, height float64
}

func (c *canvas) rect(x, y, w, h float64, fill string) {
	fmt.Fprintf(&c.b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, w, h, fill)
}

func (c *canvas) line(x1, y1, x2, y2 float64, stroke string, width float64) {
	fmt.Fprintf(&c.b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>`+"\n", x1, y1, x2, y2, stroke, width)
}

// mark draws a data point in one of four shapes, so that colour is not all that tells.
func (c *canvas) mark(shape int, x, y float64, fill, tip string) {
	tip = "<title>" + html.EscapeString(tip) + "</title>"
	edge := `stroke="` + ground + `" stroke-width="1"`
	switch shape {
	case 1:
		fmt.Fprintf(&c.b, `<rect x="%.1f" y="%.1f" width="8.4" height="8.4" fill="%s" %s>%s</rect>`+"\n", x-4.2, y-4.2, fill, edge, tip)
	case 2:
		fmt.Fprintf(&c.b, `<path d="M%.1f %.1fl5.6 5.6l-5.6 5.6l-5.6 -5.6z" fill="%s" %s>%s</path>`+"\n", x, y-5.6, fill, edge, tip)
	case 3:
		fmt.Fprintf(&c.b, `<path d="M%.1f %.1fl5.4 9.2h-10.8z" fill="%s" %s>%s</path>`+"\n", x, y-5.4, fill, edge, tip)
	default:
		fmt.Fprintf(&c.b, `<circle cx="%.1f" cy="%.1f" r="4.9" fill="%s" %s>%s</circle>`+"\n", x, y, fill, edge, tip)
	}
}

func (c *canvas) dot(x, y, r float64, fill, tip string) {
	fmt.Fprintf(&c.b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s" fill-opacity="0.55"><title>%s</title></circle>`+"\n",
		x, y, r, fill, html.EscapeString(tip))
}

// text writes s; anchor is start, middle or end, style more attributes.
func (c *canvas) text(x, y float64, anchor, style, s string) {
	fmt.Fprintf(&c.b, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`+"\n", x, y, anchor, style, html.EscapeString(s))
}

func style(size float64, fill string, bold bool) string {
	weight := ""
	if bold {
		weight = ` font-weight="600"`
	}
	return fmt.Sprintf(`font-size="%.4g" fill="%s"%s`, size, fill, weight)
}

// String returns the file, which a screen reader can tell by its title.
func (c *canvas) String(title string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">
<title>%s</title>
<rect width="100%%" height="100%%" rx="8" fill="%s"/>
%s</svg>
`, c.width, c.height, c.width, c.height, html.EscapeString(title), ground, c.b.String())
}

// scale maps ratios to places along the x axis, by their logarithm.
type scale struct {
	low, high   float64
	left, right float64
}

// newScale holds the ratios from low to high, with a little air.
func newScale(low, high, left, right float64) scale {
	low, high = min(low, 1), max(high, 1.5)
	air := math.Pow(high/low, .03)
	return scale{low / air, high * air, left, right}
}

func (s scale) at(v float64) float64 {
	v = min(max(v, s.low), s.high)
	return s.left + (s.right-s.left)*math.Log(v/s.low)/math.Log(s.high/s.low)
}

// ticks returns round ratios, dense enough to read values by.
func (s scale) ticks() (all []float64) {
	steps := []float64{1, 2, 5}
	switch reach := s.high / s.low; {
	case reach < 2:
		steps = []float64{1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 9, 9.5}
	case reach < 6:
		steps = []float64{1, 1.2, 1.5, 2, 3, 4, 5, 8}
	case reach > 3000:
		steps = []float64{1}
	}
	for decade := math.Pow(10, math.Floor(math.Log10(s.low))); decade <= s.high; decade *= 10 {
		for _, step := range steps {
			if v := decade * step; v >= s.low && v <= s.high {
				all = append(all, v)
			}
		}
	}
	return all
}

// axis draws ticks from top to bottom, with their values above.
func (c *canvas) axis(s scale, top, bottom float64) {
	for _, v := range s.ticks() {
		stroke, width := rule, 1.0
		if v == 1 {
			stroke, width = rule1, 1.5
		}
		c.line(s.at(v), top, s.at(v), bottom, stroke, width)
		c.text(s.at(v), top-8, "middle", style(12, faint, v == 1), fmt.Sprintf("×%.4g", v))
	}
}

// wrap breaks a text into lines of at most n characters, where it has spaces.
func wrap(s string, n int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > n {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
