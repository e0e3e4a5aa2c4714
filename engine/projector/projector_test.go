package projector_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/projector"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// source draws every tensor and remembers it by name; matrices as [out, in].
type source struct {
	t      *testing.T
	device *cpu.Device
	drawn  map[string][]float32
}

// normals are n values of standard deviation 1 that depend on a name's length.
func normals(name string, n int) []float32 {
	rng := rand.New(rand.NewPCG(uint64(len(name)), 0))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func (s source) Vector(name string, shape ...int) []float32 {
	s.drawn[name] = normals(name, shape[0])
	return append([]float32(nil), s.drawn[name]...)
}

func (s source) Matrix(name string, out int, in ...int) tensor.Matrix {
	s.t.Helper()
	s.drawn[name] = normals(name, out*in[0])
	m, err := s.device.Pack(safetensors.NewF32(name, s.drawn[name], out, in[0]))
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s source) Transposed(name string, in, out int) tensor.Matrix { return s.Matrix(name, out, in) }

// linear is a layer in float64.
func linear(x []float64, w, bias []float32) []float64 {
	y := make([]float64, len(w)/len(x))
	for o := range y {
		if bias != nil {
			y[o] = float64(bias[o])
		}
		for i, v := range x {
			y[o] += v * float64(w[o*len(x)+i])
		}
	}
	return y
}

// TestForward compares with the definitions in float64.
func TestForward(t *testing.T) {
	const vision, hidden, rows, cols = 6, 10, 2, 3
	x := normals("features", rows*cols*vision)
	row := func(r int) []float64 {
		y := make([]float64, vision)
		for i := range y {
			y[i] = float64(x[r*vision+i])
		}
		return y
	}
	erf := func(v float64) float64 { return v / 2 * math.Erfc(-v/math.Sqrt2) }
	tanh := func(v float64) float64 {
		return v / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
	}
	twoLayers := func(w map[string][]float32, r int, activation func(float64) float64) []float64 {
		middle := linear(row(r), w["linear_1.weight"], w["linear_1.bias"])
		for i, v := range middle {
			middle[i] = activation(v)
		}
		return linear(middle, w["linear_2.weight"], w["linear_2.bias"])
	}
	pooled := func(w map[string][]float32, _ int) []float64 {
		mean, squares := make([]float64, vision), 0.0 // the square of the first two columns; the third fills none
		for i := range mean {
			mean[i] = (row(0)[i] + row(1)[i] + row(3)[i] + row(4)[i]) / 4
			squares += mean[i] * mean[i] / vision
		}
		for i, v := range mean {
			mean[i] = v / math.Sqrt(squares+1e-6) * (1 + float64(w["mm_soft_emb_norm.weight"][i]))
		}
		return linear(mean, w["mm_input_projection_weight"], nil)
	}
	for _, test := range []struct {
		why    string
		config projector.Config
		tokens int
		want   func(w map[string][]float32, r int) []float64
	}{
		{"LLaVA", projector.Config{Bias: true}, rows * cols,
			func(w map[string][]float32, r int) []float64 { return twoLayers(w, r, erf) }},
		{"LLaVA without bias, the other activation", projector.Config{Activation: projector.GELUTanh}, rows * cols,
			func(w map[string][]float32, r int) []float64 { return twoLayers(w, r, tanh) }},
		{"PaliGemma", projector.Config{Kind: projector.OneLayer}, rows * cols,
			func(w map[string][]float32, r int) []float64 {
				return linear(row(r), w["linear.weight"], w["linear.bias"])
			}},
		{"Gemma 3", projector.Config{Kind: projector.Pooled, Side: 2, Eps: 1e-6}, 1, pooled},
	} {
		d := cpu.New(cpu.Options{Threads: 1})
		defer d.Close()
		s := source{t, d, map[string][]float32{}}
		test.config.Vision, test.config.Hidden = vision, hidden
		p := projector.New(test.config, projector.Load(s, test.config, ""), d)
		got := p.Forward(append([]float32(nil), x...), cols)
		if len(got) != test.tokens*hidden {
			t.Fatalf("%s: %d values, want %d tokens", test.why, len(got), test.tokens)
		}
		for r := range test.tokens {
			for i, want := range test.want(s.drawn, r) {
				if g := float64(got[r*hidden+i]); math.Abs(g-want) > 2e-5 {
					t.Errorf("%s: row %d, value %d: %v, want %v", test.why, r, i, g, want)
				}
			}
		}
	}
}
