package siglip_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siglab/engine/cpu"
	"siglab/engine/modelconfig"
	"siglab/engine/siglip"
	"siglab/posembed"
)

// features are those of an image of pseudo-random pixels.
func features(t *testing.T, tower *siglip.Tower, height, width int) ([]float32, siglip.Resample) {
	t.Helper()
	p := unfold(t, tower, pseudo("some image", 3*height*width, 1, 0), height, width)
	x, resample, err := tower.Features(p)
	if err != nil {
		t.Fatal(err)
	}
	return x, resample
}

// TestResample: what a tower says about the position table.
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
		_, got := features(t, newTower(t, h72(), test.mode), test.height, test.width)
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
	in := func(mode posembed.Mode) []float32 {
		x, _ := features(t, newTower(t, h72(), mode), 64, 48)
		return x
	}
	reference := in(posembed.Reference)
	if d := distance(t, in(posembed.Exact), reference); d == 0 || d > 1e-4 {
		t.Errorf("exact and reference differ by %g, want rounding", d)
	}
	if d := distance(t, in(posembed.BilinearGather), reference); d < 0.05 {
		t.Errorf("bilinear and reference differ by %g, want more", d)
	}
}

// TestStates: features of chosen hidden states are those states, side by side.
func TestStates(t *testing.T) {
	c := h72()
	tower := newTower(t, c, posembed.Exact)
	out, err := tower.Encode(unfold(t, tower, pseudo("some image", 3*40*24, 1, 0), 40, 24))
	if err != nil {
		t.Fatal(err)
	}
	for _, states := range [][]int{{2}, {1}, {0}, {2, 0, 1}} {
		c.States = states
		chosen := newTower(t, c, posembed.Exact)
		got, _ := features(t, chosen, 40, 24)
		var want []float32
		for r := 0; r < len(out.Last); r += c.Hidden {
			for _, s := range states {
				want = append(want, out.States[s][r:][:c.Hidden]...)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("states %v are not what Encode gives", states)
		}
		if n := c.FeatureSize(); n != len(states)*c.Hidden || c.Blocks() != slices.Max(states) {
			t.Errorf("states %v: %d values of a feature, %d blocks", states, n, c.Blocks())
		}
	}
}

// TestTrailingPixels: the edge that fills no patch changes nothing.
func TestTrailingPixels(t *testing.T) {
	for _, c := range []siglip.Config{h72(), naflex()} {
		tower := newTower(t, c, posembed.Exact)
		const height, width, wide = 16, 24, 31
		small := pseudo("some image", 3*height*width, 1, 0)
		large := pseudo("edges", 3*(height+3)*wide, 1, 0)
		for i, v := range small {
			channel, y, x := i/(height*width), i/width%height, i%width
			large[(channel*(height+3)+y)*wide+x] = v
		}
		if diff := cmp.Diff(unfold(t, tower, small, height, width), unfold(t, tower, large, height+3, wide)); diff != "" {
			t.Errorf("patches differ (-want +got):\n%s", diff)
		}
	}
}

// TestByPixel: the two orders of a patch's values hold the same pixels.
func TestByPixel(t *testing.T) {
	const patch, height, width = 8, 16, 24
	pixels := pseudo("some image", 3*height*width, 1, 0)
	planes := unfold(t, newTower(t, h72(), posembed.Exact), pixels, height, width)
	triples := unfold(t, newTower(t, naflex(), posembed.Exact), pixels, height, width)
	const size = 3 * patch * patch
	for i, v := range planes.Values {
		row, channel, at := i/size, i%size/(patch*patch), i%(patch*patch)
		if triples.Values[row*size+at*3+channel] != v {
			t.Fatalf("value %d of patch %d differs", i%size, row)
		}
	}
}

// TestErrors: what cannot be computed is refused, by name and number.
func TestErrors(t *testing.T) {
	tower := newTower(t, h72(), posembed.Exact)
	for _, test := range []struct {
		why                   string
		values, height, width int
		want                  string
	}{
		{"lower than a patch", 3 * 7 * 80, 7, 80, "7x80"},
		{"a size that is not the data's", 100, 40, 40, "want 4800"},
		{"nothing", 0, 0, 0, "at least one patch of 8x8"},
	} {
		if _, err := tower.Unfold(make([]float32, test.values), test.height, test.width); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
	for _, p := range []siglip.Patches{
		{Values: make([]float32, 2*192), Grid: posembed.Grid{Rows: 1, Cols: 3}},
		{Values: make([]float32, 3*192+1), Grid: posembed.Grid{Rows: 1, Cols: 3}},
		{Values: make([]float32, 192)},
	} {
		if _, err := tower.Encode(p); err == nil || !strings.Contains(err.Error(), "want 192 for each") {
			t.Errorf("%d values on %v: error %v, want one with the size of a patch", len(p.Values), p.Grid, err)
		}
	}
}

// TestText: the last position of the filled-up text is what counts, and what does not
// fit is refused. Its golden results are tested where checkpoints are read.
func TestText(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	c := siglip.TextConfig{Hidden: 24, Layers: 2, Heads: 3, MLP: 40, Eps: 1e-6, Vocab: 30, Length: 5, Projection: 24, Pad: 1}
	text := siglip.NewText(c, siglip.LoadText(drawn{t, d}, c, ""), d)
	encode := func(tokens ...int) []float32 {
		x, err := text.Encode(tokens)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if !slices.Equal(encode(7, 8), encode(7, 8, 1, 1, 1)) {
		t.Error("a text is not filled up with the pad token")
	}
	if slices.Equal(encode(7, 8), encode(8, 7)) {
		t.Error("the order of tokens does not matter")
	}
	for _, tokens := range [][]int{{30}, {-1}, {1, 2, 3, 4, 5, 6}} {
		if _, err := text.Encode(tokens); err == nil {
			t.Errorf("tokens %v: no error", tokens)
		}
	}
}

// TestParseConfig: a configuration is a shape, or its error names what is wrong.
func TestParseConfig(t *testing.T) {
	parse := func(data string) (siglip.Config, error) {
		o, err := modelconfig.Parse([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		c := siglip.ParseConfig(o)
		return c, o.Err()
	}
	got, err := parse(`{"model_type": "siglip_vision_model", "hidden_size": 1152, "image_size": 384, "patch_size": 14, "num_attention_heads": 16,
		"num_hidden_layers": 27, "intermediate_size": 4304, "vision_use_head": false, "hidden_act": "gelu"}`)
	want := siglip.Config{Hidden: 1152, Layers: 27, Heads: 16, MLP: 4304, Eps: 1e-6, Patch: 14, Activation: siglip.GELU, Side: 384, Trained: posembed.Grid{Rows: 27, Cols: 27}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	for _, test := range []struct{ why, data, want string }{
		{"heads that do not divide", `{"hidden_size": 8, "num_attention_heads": 3}`, "num_attention_heads = 3"},
		{"no heads", `{"num_attention_heads": 0}`, "num_attention_heads = 0"},
		{"negative layers", `{"num_hidden_layers": -1}`, "num_hidden_layers = -1"},
		{"a patch larger than the image", `{"image_size": 14, "patch_size": 28}`, "image_size = 14"},
		{"a table that is no square", `{"model_type": "siglip2_vision_model", "num_patches": 60}`, "num_patches = 60"},
		{"gray images", `{"num_channels": 1}`, "num_channels = 1"},
		{"an unknown activation", `{"hidden_act": "quick_gelu"}`, `hidden_act = "quick_gelu"`},
		{"another tower", `{"model_type": "clip_vision_model"}`, `model_type = "clip_vision_model"`},
		{"a huge tower", `{"hidden_size": 1e15}`, "hidden_size = 1e15"},
	} {
		if _, err := parse(test.data); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
}
