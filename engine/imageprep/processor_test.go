package imageprep

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// floatHash is the first half of the hash of little-endian float32 values.
func floatHash(t testing.TB, v []float32) string {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
		t.Fatal(err)
	}
	return hash(b.Bytes())[:32]
}

func shape(in Input) []int {
	switch in.Layout {
	case Tiled:
		return []int{in.Tiles, 3, in.Height, in.Width}
	case Patched:
		return []int{len(in.Mask), len(in.Data) / len(in.Mask)}
	}
	return []int{3, in.Height, in.Width}
}

// TestProcessorGoldens: values, shapes and grids are those of transformers' processors
// on the PIL backend, for configurations with every key and images of many shapes.
func TestProcessorGoldens(t *testing.T) {
	var goldens []struct {
		Config  json.RawMessage
		Image   [2]int   // height, width
		Several [][2]int // or several images in one prompt
		Shape   []int
		Grid    []int // Patched
		Ones    int   `json:"mask_sum"`
		SHA256  string
	}
	readJSON(t, "processors.json", &goldens)
	if len(goldens) < 150 {
		t.Fatalf("only %d golden values", len(goldens))
	}
	for _, g := range goldens {
		name := fmt.Sprintf("%s on %v%v", g.Config, g.Image, g.Several)
		p, err := ParseConfig(g.Config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(g.Several) > 0 {
			var images []image.Image
			for _, s := range g.Several {
				images = append(images, noise(s[0], s[1]))
			}
			inputs, err := p.ProcessPrompt(images)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var all []float32
			for _, in := range inputs {
				all = append(all, in.Data...)
			}
			if floatHash(t, all) != g.SHA256 {
				t.Errorf("%s: the values differ", name)
			}
			continue
		}
		in, err := p.Process(noise(g.Image[0], g.Image[1]))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(g.Shape, shape(in)); diff != "" {
			t.Errorf("%s: shape (-want +got):\n%s", name, diff)
		}
		if floatHash(t, in.Data) != g.SHA256 {
			t.Errorf("%s: the values differ", name)
		}
		if g.Grid != nil {
			ones := 0
			for _, m := range in.Mask {
				ones += int(m)
			}
			if in.Rows != g.Grid[0] || in.Cols != g.Grid[1] || ones != g.Ones {
				t.Errorf("%s: %dx%d patches, %d in the mask, want %v and %d", name, in.Rows, in.Cols, ones, g.Grid, g.Ones)
			}
		}
		if in.ImageHeight != g.Image[0] || in.ImageWidth != g.Image[1] {
			t.Errorf("%s: the image's size is %dx%d", name, in.ImageHeight, in.ImageWidth)
		}
	}
}
