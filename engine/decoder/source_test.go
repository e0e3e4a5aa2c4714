package decoder_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/decoder"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// drawn is a source of random tensors, which remembers them by name; matrices as
// [out, in].
type drawn struct {
	t      *testing.T
	device *cpu.Device
	values map[string][]float32
}

func (d drawn) draw(name string, n int, deviation float64) []float32 {
	rng := rand.New(rand.NewPCG(uint64(len(d.values)), 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(deviation * rng.NormFloat64())
	}
	d.values[name] = x
	return append([]float32(nil), x...)
}

func (d drawn) Vector(name string, shape ...int) []float32 { return d.draw(name, shape[0], 0.3) }

func (d drawn) Matrix(name string, out int, in ...int) tensor.Matrix {
	d.t.Helper()
	m, err := d.device.Pack(safetensors.NewF32(name, d.draw(name, out*in[0], 1.5/math.Sqrt(float64(in[0]))), out, in[0]))
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

// newDecoder is a decoder of random weights, which are also returned.
func newDecoder(t *testing.T, c decoder.Config, threads int) (*decoder.Decoder, map[string][]float32) {
	t.Helper()
	device := cpu.New(cpu.Options{Threads: threads})
	t.Cleanup(device.Close)
	source := drawn{t, device, map[string][]float32{}}
	return decoder.New(c, decoder.Load(source, c, ""), device), source.values
}

// The shapes of these tests, one for each family.
func qwen2() decoder.Config {
	return decoder.Config{
		Hidden: 24, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 6, MLP: 40, Vocab: 50, MaxPositions: 64,
		Eps: 1e-6, EmbeddingScale: 1, Biases: decoder.QueryKeyValue, Scale: 0.4, Rotary: decoder.Rotary{Theta: 1e6},
	}
}

func llama() decoder.Config {
	c := qwen2()
	c.Biases = decoder.QueryKeyValue | decoder.AttentionOut | decoder.GatedMLP
	c.HeadDim, c.KVHeads = 8, 4
	c.Rotary = decoder.Rotary{Theta: 1e4, Scaling: decoder.Llama3, Factor: 8, Low: 1, High: 4, Original: 32}
	return c
}

func gemma() decoder.Config {
	c := qwen2()
	c.Biases, c.KVHeads, c.TiedHead, c.NormOffset = decoder.NoBias, 1, true, 1
	c.Activation, c.EmbeddingScale, c.FirstPosition = decoder.GELUTanh, 4.9, 1
	return c
}

func gemma3() decoder.Config {
	c := gemma()
	c.Layers, c.KVHeads, c.FirstPosition = 3, 2, 0
	c.Norms, c.Windows = decoder.SandwichNorm, []int{5, 5, 0}
	c.Local = decoder.Rotary{Theta: 1e4}
	c.Rotary = decoder.Rotary{Theta: 1e6, Scaling: decoder.Linear, Factor: 8}
	return c
}
