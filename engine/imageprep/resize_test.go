package imageprep

import (
	"encoding/json"
	"fmt"
	"testing"
)

// noise is the image that testdata/make_goldens.py makes of the same name.
func noise(height, width int) *RGB {
	p := NewRGB(height, width)
	for i := range p.Pix {
		v := uint32(i) * 2654435761
		v ^= v >> 15
		v *= 2246822519
		v ^= v >> 13
		p.Pix[i] = uint8(v >> 24)
	}
	return p
}

func readJSON(t testing.TB, name string, v any) {
	t.Helper()
	if err := json.Unmarshal(read(t, name), v); err != nil {
		t.Fatal(err)
	}
}

// TestResizeGoldens: every filter is equal to Pillow 13's, bit for bit, on either
// side of the rule which pass comes first, and for sides of one pixel.
func TestResizeGoldens(t *testing.T) {
	var goldens []struct {
		From, To [2]int // height, width
		Filter   Filter
		SHA256   string // first half, of the pixels
	}
	readJSON(t, "resize.json", &goldens)
	for _, g := range goldens {
		t.Run(fmt.Sprintf("%v/%v-%v", g.Filter, g.From, g.To), func(t *testing.T) {
			got := noise(g.From[0], g.From[1]).Resize(g.To[0], g.To[1], g.Filter)
			if h := hash(got.Pix)[:32]; h != g.SHA256 {
				t.Errorf("pixels have hash %s, want %s", h, g.SHA256)
			}
		})
	}
}

// TestResizeConstant: weights add up to one, in fixed point as well.
func TestResizeConstant(t *testing.T) {
	for _, size := range [][4]int{{7, 5, 192, 192}, {300, 200, 16, 24}, {1, 1, 33, 2}, {64, 64, 64, 64}} {
		for f := Nearest; f.valid(); f++ {
			p := NewRGB(size[0], size[1])
			for i := range p.Pix {
				p.Pix[i] = uint8(100 + i%3)
			}
			for i, v := range p.Resize(size[2], size[3], f).Pix {
				if v != uint8(100+i%3) {
					t.Fatalf("%v %v: value %d is %d", f, size, i, v)
				}
			}
		}
	}
}

func BenchmarkResize(b *testing.B) {
	for _, f := range []Filter{Bilinear, Bicubic} {
		b.Run("from=1000x1000/to=384x384/filter="+f.String(), func(b *testing.B) {
			p := noise(1000, 1000)
			for b.Loop() {
				p.Resize(384, 384, f)
			}
		})
	}
}
