package siglip_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"siglab/engine/siglip"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// bicubic are the modes whose results are transformers' off the trained grid.
func bicubic() []posembed.Mode {
	return []posembed.Mode{posembed.Reference, posembed.Exact, posembed.Cached}
}

// TestGolden compares whole towers with transformers 5.19 on torch 2.13, in float32 on
// a CPU: every hidden state, the last norm's and the head's output within 1e-4, ten
// times what float32 and float64 differ by there.
func TestGolden(t *testing.T) {
	for _, test := range []struct {
		why           string
		config        siglip.Config
		name          string // of the tower, for its pixels
		file          string
		height, width int
		modes         []posembed.Mode
	}{
		{"the trained grid: every mode copies the table", h72(), "siglip_h72", "h72_40x40", 40, 40, posembed.Modes()},
		{"smaller and larger at once: resampled bicubically", h72(), "siglip_h72", "h72_24x56", 24, 56, bicubic()},
		{"with a head", withHead(), "siglip_h64_head", "head_70x112", 70, 112, bicubic()},
		{"the sizes of So400m", so400m(), "so400m_1layer", "so400m_56x84", 56, 84, []posembed.Mode{posembed.Exact}},
	} {
		pixels := pseudo(fmt.Sprintf("%s.pixel_values.%dx%d", test.name, test.height, test.width), 3*test.height*test.width, 1, 0)
		for _, mode := range test.modes {
			tower := newTower(t, test.config, mode)
			out, err := tower.Encode(unfold(t, tower, pixels, test.height, test.width))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, fmt.Sprintf("%s: mode %v", test.why, mode), out, open(t, test.file), len(out.Last))
		}
	}
}

// TestNaFlex compares an image of 5x11 patches among 64, the rest of which is padding,
// and the same image without it.
func TestNaFlex(t *testing.T) {
	file := open(t, "naflex_5x11")
	grid := posembed.Grid{Rows: 5, Cols: 11}
	pixels := floats(t, file, "pixel_values")
	tower := newTower(t, naflex(), posembed.Antialias)
	const size = 3 * 8 * 8
	for _, test := range []struct {
		why  string
		rows int
	}{
		{"with padding", 64},
		{"without padding", grid.Len()},
	} {
		out, err := tower.Encode(siglip.Patches{Values: pixels[:test.rows*size], Grid: grid})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Last) != test.rows*64 {
			t.Errorf("%s: %d values, want %d", test.why, len(out.Last), test.rows*64)
		}
		compare(t, test.why, out, file, grid.Len()*64)
		if test.rows == 64 {
			compare(t, "the padding's rows as transformers has them", out, file, 64*64)
		}
	}
}

// compare checks the first n values of every tensor that the file has of an output.
func compare(t *testing.T, why string, out siglip.Output, file *safetensors.File, n int) {
	t.Helper()
	got := map[string][]float32{"last_hidden_state": out.Last, "pooler_output": out.Pooled}
	for i, state := range out.States {
		got[fmt.Sprintf("hidden_states.%d", i)] = state
	}
	for _, name := range file.Names() {
		values, ok := got[name]
		if !ok {
			continue
		}
		want := floats(t, file, name)
		if name != "pooler_output" {
			values, want = values[:n], want[:n]
		}
		if worst := distance(t, values, want); worst > 1e-4 {
			t.Errorf("%s: %s is off by %g, want at most 1e-4", why, name, worst)
		}
	}
	if slices.Contains(file.Names(), "pooler_output") != (out.Pooled != nil) {
		t.Errorf("%s: pooled output is there: %v", why, out.Pooled != nil)
	}
}

func open(t *testing.T, name string) *safetensors.File {
	t.Helper()
	f, err := safetensors.Open(filepath.Join("testdata", name+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func floats(t *testing.T, f *safetensors.File, name string) []float32 {
	t.Helper()
	tensor, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	values, err := tensor.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// distance is the largest difference of two equally long slices.
func distance(t *testing.T, a, b []float32) float64 {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d values, want %d", len(a), len(b))
	}
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}
