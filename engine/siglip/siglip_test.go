package siglip_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siglab/engine/cpu"
	"siglab/engine/siglip"
	"siglab/posembed"
)

// newTower is the golden tower in a mode.
func newTower(t *testing.T, mode posembed.Mode) *siglip.Tower {
	t.Helper()
	d := cpu.New(cpu.Options{Threads: 1})
	t.Cleanup(d.Close)
	c, w := golden(t, d)
	tower, err := siglip.New(c, w, mode, d)
	if err != nil {
		t.Fatal(err)
	}
	return tower
}

// TestResample: what Forward says about the position table.
func TestResample(t *testing.T) {
	trained := posembed.Grid{Rows: 5, Cols: 5}
	for _, test := range []struct {
		why           string
		mode          posembed.Mode
		height, width int
		want          siglip.Resample
	}{
		{"the trained size needs nothing", posembed.Reference, 40, 40,
			siglip.Resample{Mode: posembed.Reference, From: trained, To: trained, Skipped: true}},
		{"another size is resampled", posembed.Exact, 24, 56,
			siglip.Resample{Mode: posembed.Exact, From: trained, To: posembed.Grid{Rows: 3, Cols: 7}}},
		{"pixels that fill no patch do not count", posembed.BilinearGather, 47, 41,
			siglip.Resample{Mode: posembed.BilinearGather, From: trained, To: trained, Skipped: true}},
	} {
		_, got, err := newTower(t, test.mode).Forward(make([]float32, 3*test.height*test.width), test.height, test.width)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(siglip.Resample{}, "Took")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.why, diff)
		}
		if got.Took < 0 {
			t.Errorf("%s: took %v", test.why, got.Took)
		}
	}
}

// TestModes: exact and reference compute one convention, bilinear another.
func TestModes(t *testing.T) {
	const height, width = 64, 48
	pixels := pseudo("some image", 3*height*width, 1, 0)
	features := func(mode posembed.Mode) []float32 {
		x, _, err := newTower(t, mode).Forward(pixels, height, width)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	reference := features(posembed.Reference)
	if d := distance(t, features(posembed.Exact), reference); d == 0 || d > 1e-4 {
		t.Errorf("exact and reference differ by %g, want rounding", d)
	}
	if d := distance(t, features(posembed.BilinearGather), reference); d < 0.05 {
		t.Errorf("bilinear and reference differ by %g, want more", d)
	}
}

// TestTrailingPixels: the edge that fills no patch changes nothing.
func TestTrailingPixels(t *testing.T) {
	tower := newTower(t, posembed.Exact)
	const height, width, wide = 16, 24, 31
	small := pseudo("some image", 3*height*width, 1, 0)
	large := pseudo("edges", 3*(height+3)*wide, 1, 0)
	for i, v := range small {
		channel, y, x := i/(height*width), i/width%height, i%width
		large[(channel*(height+3)+y)*wide+x] = v
	}
	want, _, err := tower.Forward(small, height, width)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := tower.Forward(large, height+3, wide)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("features differ (-want +got):\n%s", diff)
	}
}

// TestErrors: what cannot be computed is refused, by name and number.
func TestErrors(t *testing.T) {
	tower := newTower(t, posembed.Exact)
	for _, test := range []struct {
		why                   string
		values, height, width int
		want                  string
	}{
		{"lower than a patch", 3 * 7 * 80, 7, 80, "7x80"},
		{"a size that is not the data's", 100, 40, 40, "want 4800"},
		{"nothing", 0, 0, 0, "at least one patch of 8x8"},
	} {
		if _, _, err := tower.Forward(make([]float32, test.values), test.height, test.width); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	for _, test := range []struct {
		why    string
		change func(*siglip.Config, *siglip.Weights)
		want   string
	}{
		{"a matrix that is not there", func(_ *siglip.Config, w *siglip.Weights) { w.Blocks[1].Down = nil }, "Blocks[1].Down is missing, want [72, 150]"},
		{"a matrix of another shape", func(_ *siglip.Config, w *siglip.Weights) { w.Patch = w.Blocks[1].Up }, "Patch is [150, 72], want [72, 192]"},
		{"a vector of another size", func(_ *siglip.Config, w *siglip.Weights) { w.Blocks[0].UpBias = nil }, "Blocks[0].UpBias has 0 values, want 150"},
		{"a block too few", func(c *siglip.Config, _ *siglip.Weights) { c.Layers = 3 }, "2 blocks, want 3"},
		{"heads that do not divide", func(c *siglip.Config, _ *siglip.Weights) { c.Heads = 5 }, "5 heads"},
		{"no patch", func(c *siglip.Config, _ *siglip.Weights) { c.Patch = 0 }, "patches of 0 pixels"},
	} {
		c, w := golden(t, d)
		test.change(&c, w)
		if _, err := siglip.New(c, w, posembed.Exact, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
}
