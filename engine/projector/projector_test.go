package projector_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/projector"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// normals are n seeded values of standard deviation 1.
func normals(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// pack is values [out, in] in the device's layout.
func pack(t *testing.T, d *cpu.Device, values []float32, out, in int) tensor.Matrix {
	t.Helper()
	m, err := d.Pack(safetensors.NewF32("weight", values, out, in))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestForward compares with the definition in float64: linear, exact GELU, linear.
func TestForward(t *testing.T) {
	const vision, hidden, rows = 6, 10, 3
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	in, out := normals(1, hidden*vision), normals(3, hidden*hidden)
	w := &projector.Weights{
		In: pack(t, d, in, hidden, vision), InBias: normals(2, hidden),
		Out: pack(t, d, out, hidden, hidden), OutBias: normals(4, hidden),
	}
	p, err := projector.New(vision, hidden, w, d)
	if err != nil {
		t.Fatal(err)
	}
	x := normals(5, rows*vision)
	got := p.Forward(x)
	for r := range rows {
		var middle [hidden]float64
		for c := range middle {
			v := float64(w.InBias[c])
			for k := range vision {
				v += float64(x[r*vision+k]) * float64(in[c*vision+k])
			}
			middle[c] = v / 2 * math.Erfc(-v/math.Sqrt2)
		}
		for c := range hidden {
			want := float64(w.OutBias[c])
			for k, v := range middle {
				want += v * float64(out[c*hidden+k])
			}
			if g := float64(got[r*hidden+c]); math.Abs(g-want) > 1e-5 {
				t.Errorf("row %d, value %d: %v, want %v", r, c, g, want)
			}
		}
	}
}

// TestNew names the tensor that does not fit.
func TestNew(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	bias := make([]float32, 10)
	for _, test := range []struct {
		weights projector.Weights
		want    string
	}{
		{projector.Weights{OutBias: bias}, "InBias has 0 values, want 10"},
		{projector.Weights{InBias: bias, OutBias: bias}, "In is missing, want [10, 6]"},
		{projector.Weights{InBias: bias, OutBias: bias, In: pack(t, d, make([]float32, 60), 6, 10)}, "In is [6, 10], want [10, 6]"},
	} {
		_, err := projector.New(6, 10, &test.weights, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want one with %q", err, test.want)
		}
	}
}
