package projector_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/projector"
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

// TestForward compares with the definition in float64: linear, exact GELU, linear.
func TestForward(t *testing.T) {
	const vision, hidden, rows = 6, 10, 3
	w := &projector.Weights{
		In: normals(1, vision*hidden), InBias: normals(2, hidden),
		Out: normals(3, hidden*hidden), OutBias: normals(4, hidden),
	}
	d := cpu.New(1)
	defer d.Close()
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
				v += float64(x[r*vision+k]) * float64(w.In[k*hidden+c])
			}
			middle[c] = v / 2 * math.Erfc(-v/math.Sqrt2)
		}
		for c := range hidden {
			want := float64(w.OutBias[c])
			for k, v := range middle {
				want += v * float64(w.Out[k*hidden+c])
			}
			if g := float64(got[r*hidden+c]); math.Abs(g-want) > 1e-5 {
				t.Errorf("row %d, value %d: %v, want %v", r, c, g, want)
			}
		}
	}
}

// TestNew names the tensor that does not fit.
func TestNew(t *testing.T) {
	_, err := projector.New(6, 10, &projector.Weights{In: make([]float32, 60)}, nil)
	if err == nil || !strings.Contains(err.Error(), "InBias has 0 values, want 10") {
		t.Errorf("error %v, want one that names InBias", err)
	}
}
