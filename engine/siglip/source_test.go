package siglip_test

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/siglip"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// drawn is the source of the golden towers' weights: every tensor is drawn by a
// generator that depends on its name alone.
type drawn struct {
	t      *testing.T
	device *cpu.Device
}

// size is the spread of a tensor's values, and their middle.
func (d drawn) size(name string, inputs int) (amplitude, base float64) {
	switch {
	case strings.HasSuffix(name, "bias"):
		return 0.15, 0
	case strings.Contains(name, "norm"):
		return 0.3, 1
	case strings.Contains(name, "position_embedding"):
		return 0.8, 0
	case strings.Contains(name, "probe"):
		return 1, 0
	case strings.Contains(name, "q_proj"), strings.Contains(name, "k_proj"), strings.Contains(name, "in_proj"):
		return 1.6 * math.Sqrt(3/float64(inputs)), 0
	}
	return math.Sqrt(3 / float64(inputs)), 0
}

func (d drawn) Vector(name string, shape ...int) []float32 {
	n := 1
	for _, side := range shape {
		n *= side
	}
	amplitude, base := d.size(name, 1)
	return pseudo(name, n, amplitude, base)
}

func (d drawn) Matrix(name string, out int, in ...int) tensor.Matrix {
	inputs := 1
	for _, side := range in {
		inputs *= side
	}
	return d.Rows(name, out, inputs, 0, out)
}

func (d drawn) Rows(name string, total, in, first, count int) tensor.Matrix {
	d.t.Helper()
	amplitude, base := d.size(name, in)
	values := pseudo(name, total*in, amplitude, base)[first*in : (first+count)*in]
	m, err := d.device.Pack(safetensors.NewF32(name, values, count, in))
	if err != nil {
		d.t.Fatal(err)
	}
	return m
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

// newTower is a golden tower in a mode.
func newTower(t *testing.T, c siglip.Config, mode posembed.Mode) *siglip.Tower {
	t.Helper()
	d := cpu.New(cpu.Options{Threads: 2})
	t.Cleanup(d.Close)
	tower, err := siglip.New(c, siglip.Load(drawn{t, d}, c, ""), mode, d)
	if err != nil {
		t.Fatal(err)
	}
	return tower
}

// unfold are an image's patches, which belong to the test.
func unfold(t *testing.T, tower *siglip.Tower, pixels []float32, height, width int) siglip.Patches {
	t.Helper()
	p, err := tower.Unfold(pixels, height, width)
	if err != nil {
		t.Fatal(err)
	}
	p.Values = slices.Clone(p.Values)
	return p
}

// The golden towers.
func h72() siglip.Config {
	return siglip.Config{Hidden: 72, Layers: 2, Heads: 4, MLP: 150, Eps: 1e-6, Patch: 8, Trained: posembed.Grid{Rows: 5, Cols: 5}}
}

func withHead() siglip.Config {
	return siglip.Config{Hidden: 64, Layers: 3, Heads: 4, MLP: 128, Eps: 1e-6, Patch: 14, Trained: posembed.Grid{Rows: 4, Cols: 4}, Head: true}
}

func so400m() siglip.Config {
	return siglip.Config{Hidden: 1152, Layers: 1, Heads: 16, MLP: 4304, Eps: 1e-6, Patch: 14, Trained: posembed.Grid{Rows: 8, Cols: 8}}
}

func naflex() siglip.Config {
	return siglip.Config{Hidden: 64, Layers: 2, Heads: 4, MLP: 128, Eps: 1e-6, Patch: 8, Order: siglip.ByPixel, Trained: posembed.Grid{Rows: 8, Cols: 8}, Head: true}
}
