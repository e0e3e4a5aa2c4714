package cpu_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// device is one that ends with the test.
func device(t *testing.T, threads int) *cpu.Device {
	d := cpu.New(cpu.Options{Threads: threads})
	t.Cleanup(d.Close)
	return d
}

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
func pack(t testing.TB, d *cpu.Device, values []float32, out, in int) tensor.Matrix {
	t.Helper()
	m, err := d.Pack(safetensors.NewF32("weight", values, out, in))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// near wants got to differ from want by at most the tolerance times 1 + |want|.
func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tolerance*(1+math.Abs(w))) {
			t.Errorf("%s: element %d is %v, want %v", what, i, got[i], w)
			return
		}
	}
}

// TestLinear compares products with the definition. The tolerance is that of a sum
// of in products in float32: about √in roundings of terms of size 1.
func TestLinear(t *testing.T) {
	tests := []struct {
		why           string
		rows, in, out int
		threads       int
	}{
		{"one row, as in a decode step", 1, 96, 256, 1},
		{"one row, its columns on two threads", 1, 700, 1031, 2},
		{"more rows than a tile, fewer columns", 70, 33, 5, 1},
		{"many columns", 3, 17, 1024, 1},
		{"rows on four threads", 200, 129, 65, 4},
		{"the smallest", 1, 1, 1, 4},
	}
	for _, test := range tests {
		d := device(t, test.threads)
		x, w := normals(1, test.rows*test.in), normals(2, test.in*test.out)
		bias, start := normals(3, test.out), normals(4, test.rows*test.out)
		m := pack(t, d, w, test.out, test.in)
		tolerance := 2e-7 * math.Sqrt(float64(test.in)) * 4
		y := append([]float32(nil), start...)
		d.Linear(y, x, m, nil)
		near(t, test.why+", no bias", y, linear(nil, x, w, nil, test.in, test.out), tolerance)
		d.Linear(y, x, m, bias)
		near(t, test.why+", bias", y, linear(nil, x, w, bias, test.in, test.out), tolerance)
		copy(y, start)
		d.LinearAdd(y, x, m, bias)
		near(t, test.why+", residual and bias", y, linear(start, x, w, bias, test.in, test.out), tolerance)
		copy(y, start)
		d.LinearAdd(y, x, m, nil)
		near(t, test.why+", residual", y, linear(start, x, w, nil, test.in, test.out), tolerance)
	}
}

// TestNorms compares both norms with the definition, also where a mean would cancel
// most digits.
func TestNorms(t *testing.T) {
	const n, rows = 96, 5
	d := device(t, 1)
	weight, bias := normals(2, n), normals(3, n)
	for _, test := range []struct {
		why           string
		offset, scale float32
		tolerance     float64
	}{
		{"values around zero", 0, 1, 1e-6},
		{"an offset much larger than the spread", 1000, 1, 1e-6},
		{"values so small that eps decides", 0, 1e-4, 1e-6},
	} {
		x := normals(1, rows*n)
		for i := range x {
			x[i] = x[i]*test.scale + test.offset
		}
		layer, rms := make([]float32, len(x)), make([]float32, len(x))
		d.LayerNorm(layer, x, weight, bias, 1e-6)
		d.RMSNorm(rms, x, weight, 1e-6)
		for r := range rows {
			row := x[r*n:][:n]
			near(t, "LayerNorm, "+test.why, layer[r*n:], normalise(row, weight, bias, true, 1e-6), test.tolerance)
			near(t, "RMSNorm, "+test.why, rms[r*n:], normalise(row, weight, nil, false, 1e-6), test.tolerance)
		}
	}
}

// TestActivations compares the activations with the definition between −20 and 20.
func TestActivations(t *testing.T) {
	d := device(t, 1)
	var x []float32
	for v := float32(-20); v <= 20; v += 1.0 / 64 {
		x = append(x, v)
	}
	up := normals(1, len(x))
	tanh, exact, gated := append([]float32(nil), x...), append([]float32(nil), x...), append([]float32(nil), x...)
	d.GELUTanh(tanh)
	d.GELU(exact)
	d.SiLUMul(gated, up)
	for i, v := range x {
		v64 := float64(v)
		near(t, "GELUTanh", tanh[i:], []float64{geluTanh(v64)}, 1e-6)
		near(t, "GELU", exact[i:], []float64{geluExact(v64)}, 1e-6)
		near(t, "SiLUMul", gated[i:], []float64{silu(v64) * float64(up[i])}, 1e-6)
	}
}

// TestRoPE compares rotations with the definition, positions in any order.
func TestRoPE(t *testing.T) {
	const heads, dim, theta = 3, 8, 1e6
	positions := []int{7, 0, 0, 1000}
	cos, sin := make([]float32, 1001*dim/2), make([]float32, 1001*dim/2)
	for i := range cos {
		s, c := math.Sincos(float64(i/(dim/2)) * math.Pow(theta, -2*float64(i%(dim/2))/dim))
		cos[i], sin[i] = float32(c), float32(s)
	}
	x := normals(1, len(positions)*heads*dim)
	got := append([]float32(nil), x...)
	device(t, 1).RoPE(got, cos, sin, positions, heads, dim)
	for r, p := range positions {
		width := heads * dim
		near(t, "RoPE", got[r*width:], rotate(x[r*width:][:width], p, dim, theta), 1e-6)
	}
}

// TestAttention compares both kinds of attention with the definition.
func TestAttention(t *testing.T) {
	const heads, dim, rows = 4, 6, 37
	d := device(t, 2)
	q, k, v := normals(1, rows*heads*dim), normals(2, rows*heads*dim), normals(3, rows*heads*dim)
	out := make([]float32, len(q))
	d.Attention(out, q, k, v, heads, dim)
	near(t, "every row sees every row", out, attention(q, k, v, heads, heads, dim, func(int) int { return rows }), 1e-6)

	for _, test := range []struct {
		why     string
		kvHeads int
		first   int
	}{
		{"a prefill, two query heads to a head of the cache", 2, 0},
		{"rows that continue a sequence", 2, 11},
		{"a head of the cache for each", 4, 1},
		{"one head of the cache for all", 1, 5},
	} {
		const capacity = 64
		kvWidth := test.kvHeads * dim
		k, v := normals(4, (test.first+rows)*kvWidth), normals(5, (test.first+rows)*kvWidth)
		kv := d.NewKeyValues(test.kvHeads, dim, capacity)
		d.Store(kv, k, v, 0)
		d.CachedAttention(out, q, kv, causal(test.first, rows), heads, float32(1/math.Sqrt(dim)))
		want := attention(q, k, v, heads, test.kvHeads, dim, func(row int) int { return test.first + row + 1 })
		near(t, test.why, out, want, 1e-6)
	}
}

// causal are the spans of rows at the positions first, first+1, …
func causal(first, rows int) []tensor.Span {
	visible := make([]tensor.Span, rows)
	for r := range visible {
		visible[r].End = first + r + 1
	}
	return visible
}
