package siglip_test

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/siglip"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// golden is a tower that transformers 5.19 computed on torch 2.13, in float32 on a
// CPU: its weights are drawn here again, its results are in testdata.
func golden(t *testing.T, d *cpu.Device) (siglip.Config, *siglip.Weights) {
	t.Helper()
	c := siglip.Config{Hidden: 72, Layers: 2, Heads: 4, MLP: 150, Patch: 8, Trained: posembed.Grid{Rows: 5, Cols: 5}}
	bias := func(name string, n int) []float32 { return pseudo(name+".bias", n, 0.15, 0) }
	norm := func(name string) []float32 { return pseudo(name+".weight", c.Hidden, 0.3, 1) }
	matrix := func(name string, in, out int, gain float64) tensor.Matrix {
		m, err := d.Pack(safetensors.NewF32(name, pseudo(name+".weight", out*in, gain*math.Sqrt(3/float64(in)), 0), out, in))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	w := &siglip.Weights{
		Patch:        matrix("embeddings.patch_embedding", 3*c.Patch*c.Patch, c.Hidden, 1),
		PatchBias:    bias("embeddings.patch_embedding", c.Hidden),
		Positions:    pseudo("embeddings.position_embedding.weight", c.Trained.Len()*c.Hidden, 0.8, 0),
		PostNorm:     norm("post_layernorm"),
		PostNormBias: bias("post_layernorm", c.Hidden),
	}
	for _, layer := range []string{"encoder.layers.0.", "encoder.layers.1."} {
		attention, mlp := layer+"self_attn.", layer+"mlp."
		w.Blocks = append(w.Blocks, siglip.Block{
			AttentionNorm: norm(layer + "layer_norm1"), AttentionNormBias: bias(layer+"layer_norm1", c.Hidden),
			Query: matrix(attention+"q_proj", c.Hidden, c.Hidden, 1.6), QueryBias: bias(attention+"q_proj", c.Hidden),
			Key: matrix(attention+"k_proj", c.Hidden, c.Hidden, 1.6), KeyBias: bias(attention+"k_proj", c.Hidden),
			Value: matrix(attention+"v_proj", c.Hidden, c.Hidden, 1), ValueBias: bias(attention+"v_proj", c.Hidden),
			Out: matrix(attention+"out_proj", c.Hidden, c.Hidden, 1), OutBias: bias(attention+"out_proj", c.Hidden),
			MLPNorm: norm(layer + "layer_norm2"), MLPNormBias: bias(layer+"layer_norm2", c.Hidden),
			Up: matrix(mlp+"fc1", c.Hidden, c.MLP, 1), UpBias: bias(mlp+"fc1", c.MLP),
			Down: matrix(mlp+"fc2", c.MLP, c.Hidden, 1), DownBias: bias(mlp+"fc2", c.Hidden),
		})
	}
	return c, w
}

// pseudo are n values of the generator that the golden results were made with:
// SplitMix64 from a seed that depends on the tensor's name, base ± amplitude.
func pseudo(name string, n int, amplitude, base float64) []float32 {
	const globalSeed = 5333275
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name)) // never fails
	seed := hash.Sum64() ^ globalSeed
	x := make([]float32, n)
	for i := range x {
		z := seed + uint64(i+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		x[i] = float32(base + float64(float64(int64(z>>40)-1<<23)/(1<<23)*amplitude))
	}
	return x
}

// readFloats is a file of little-endian float32.
func readFloats(t *testing.T, name string) []float32 {
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, len(data)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return x
}

// TestGolden compares whole towers with transformers' last_hidden_state, within
// 1e-4: ten times what float32 and float64 differ by there.
func TestGolden(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	c, w := golden(t, d)
	for _, test := range []struct {
		why           string
		size          string
		height, width int
		modes         []posembed.Mode
	}{
		{"the trained grid: every mode copies the table", "40x40", 40, 40, posembed.Modes()},
		{"smaller and larger at once: transformers resamples bicubically", "24x56", 24, 56, []posembed.Mode{posembed.Reference, posembed.Exact, posembed.Cached}},
	} {
		pixels := pseudo("siglip_h72.pixel_values."+test.size, 3*test.height*test.width, 1, 0)
		want := readFloats(t, "h72_"+test.size+".f32")
		for _, mode := range test.modes {
			tower, err := siglip.New(c, w, mode, d)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := tower.Forward(pixels, test.height, test.width)
			if err != nil {
				t.Fatal(err)
			}
			if worst := distance(t, got, want); worst > 1e-4 {
				t.Errorf("%s: mode %v is off by %g, want at most 1e-4", test.why, mode, worst)
			}
		}
	}
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
