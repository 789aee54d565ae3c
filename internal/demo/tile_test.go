package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/png"
	"testing"
)

// TestGolden pins what is drawn: pixels, not the file, whose bytes are a matter of the
// compressor's version.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		tile tile
		want string
	}{
		{tile{0, 0, 0, 256}, "52e1d4f208662d0e"},
		{tile{3, 2, 3, 100}, "8185d7c22f82fa60"},
		{tile{20, 500000, 600000, 16}, "a722aff92bfbfe0c"},
	} {
		for _, cost := range []Cost{Fast, Slow} { // slower, the same picture
			file, err := c.tile.png(t.Context(), cost)
			if err != nil {
				t.Fatal(err)
			}
			picture, err := png.Decode(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.New()
			for _, color := range picture.(*image.Paletted).Palette {
				r, g, b, a := color.RGBA()
				sum.Write([]byte{byte(r), byte(g), byte(b), byte(a)})
			}
			sum.Write(picture.(*image.Paletted).Pix)
			if got := hex.EncodeToString(sum.Sum(nil)[:8]); got != c.want {
				t.Errorf("%+v has the hash %s, want %s", c.tile, got, c.want)
			}
		}
	}
}

// TestLeastIsEnough guards the promise that every tile of one backend costs the same:
// the deepest tile may not need more than the least cost.
func TestLeastIsEnough(t *testing.T) {
	if most := maxSize * maxSize * depth; Cost(most) > Least {
		t.Errorf("a tile may take %d iterations, the least cost is %d", most, Least)
	}
}

func TestSpendEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := spend(ctx, int64(Most)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := spend(ctx, 0); err != nil {
		t.Errorf("nothing to spend: %v", err)
	}
}

func BenchmarkTile(b *testing.B) {
	for _, c := range []struct {
		name string
		tile tile
		cost Cost
	}{
		{"fast", tile{0, 0, 0, 256}, Fast},
		{"fast-plane", tile{5, 0, 0, 256}, Fast},
		{"fast-inside", tile{5, 20, 16, 256}, Fast},
		{"medium", tile{0, 0, 0, 256}, Medium},
		{"slow", tile{0, 0, 0, 256}, Slow},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.tile.png(b.Context(), c.cost); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
