package demo

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/url"
	"strconv"
)

const (
	minSize = 16  // pixels a side
	maxSize = 256 // pixels a side
	maxZoom = 20  // beyond it, pixels of neighbours look the same

	// depth is how many iterations a pixel may take. All pixels of a tile together never
	// take more than Least: 256 * 256 * 128 = 8 << 20.
	depth = 128

	burst = 1 << 14 // iterations between two looks at the context: tens of microseconds
)

// tile is a square of the Mandelbrot set, in the numbering that web maps use: at zoom z
// there are 2^z by 2^z tiles, and 0/0/0 is all of the set.
type tile struct {
	z, x, y int
	size    int // pixels a side
}

// parseTile reads the query of a request and checks it. A query without size means the
// largest.
func parseTile(q url.Values) (tile, error) {
	t := tile{size: maxSize}
	for _, p := range []struct {
		name string
		into *int
	}{{"z", &t.z}, {"x", &t.x}, {"y", &t.y}, {"size", &t.size}} {
		text := q.Get(p.name)
		if text == "" && p.name == "size" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return tile{}, fmt.Errorf("%s=%.20q is not a whole number", p.name, text)
		}
		*p.into = n
	}
	if t.z < 0 || t.z > maxZoom {
		return tile{}, fmt.Errorf("z is %d; it may be 0 to %d", t.z, maxZoom)
	}
	if last := 1<<t.z - 1; t.x < 0 || t.x > last || t.y < 0 || t.y > last {
		return tile{}, fmt.Errorf("x, y are %d, %d; at z %d they may be 0 to %d", t.x, t.y, t.z, last)
	}
	if t.size < minSize || t.size > maxSize {
		return tile{}, fmt.Errorf("size is %d; it may be %d to %d", t.size, minSize, maxSize)
	}
	return t, nil
}

// png draws the tile and then goes on iterating until exactly so many iterations are
// done: a tile out in the plane costs as much as one in the depth of the set. The error
// is the context's.
func (t tile) png(ctx context.Context, cost Cost) ([]byte, error) {
	picture := image.NewPaletted(image.Rect(0, 0, t.size, t.size), palette)
	left := int64(cost)
	// The set lies within 3 by 3 around -0.65. Whole rows are computed from the tile's
	// own corner, so the same tile is the same bytes wherever it is drawn.
	side := 3 / math.Exp2(float64(t.z))
	left0, top0 := -2.15+float64(side*float64(t.x)), -1.5+float64(side*float64(t.y))
	step := side / float64(t.size)
	for row := range t.size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		im := top0 + float64(step*(float64(row)+0.5))
		for column := range t.size {
			n := escape(left0+float64(step*(float64(column)+0.5)), im, depth)
			left -= int64(n)
			picture.Pix[row*picture.Stride+column] = shade(n)
		}
	}
	if err := spend(ctx, left); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("writing the tile: %w", err)
	}
	return b.Bytes(), nil
}

// escape returns after how many iterations of z = z*z + c the point c has left the set,
// at most limit. The conversions keep compilers from fusing a product and a sum, which
// some processors would round differently.
func escape(re, im float64, limit int) int {
	var x, y float64
	for n := range limit {
		x2, y2 := float64(x*x), float64(y*y)
		if x2+y2 > 4 {
			return n
		}
		x, y = x2-y2+re, float64(2*x*y)+im
	}
	return limit
}

// spend does so many iterations, on a point that never leaves the set.
func spend(ctx context.Context, iterations int64) error {
	for iterations > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		iterations -= int64(escape(-0.1, 0.1, int(min(iterations, burst))))
	}
	return nil
}

// palette goes from a dark blue by gold to white, and ends in black for the set itself.
var palette = shades()

// inside is the palette's place of points that do not leave.
const inside = 255

func shade(n int) uint8 {
	if n >= depth {
		return inside
	}
	return uint8(n * (inside - 1) / (depth - 1))
}

func shades() color.Palette {
	stops := []struct{ r, g, b float64 }{{8, 16, 48}, {24, 84, 150}, {96, 170, 200}, {250, 200, 90}, {255, 255, 240}}
	p := make(color.Palette, inside+1)
	for i := range inside {
		// The square root spends most colours where most points are: they leave early.
		at := math.Sqrt(float64(i)/inside) * float64(len(stops)-1)
		k := min(int(at), len(stops)-2)
		f, a, b := at-float64(k), stops[k], stops[k+1]
		mix := func(from, to float64) uint8 { return uint8(math.Round(from + float64(f*(to-from)))) }
		p[i] = color.RGBA{mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b), 255}
	}
	p[inside] = color.RGBA{0, 0, 0, 255}
	return p
}
