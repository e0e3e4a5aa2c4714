package optest

import (
	"fmt"
	"math"
	"testing"
)

// lengths of rows that registers of any width fill, or do not.
var lengths = []int{1, 3, 8, 15, 16, 33, 96, 1152}

// checkNorms compares both norms with the definition, also where a mean would cancel
// most digits. Their sums are float64, so that only the last roundings are left.
func checkNorms(t *testing.T, i Implementation) {
	const rows = 5
	d := i.Open(t, 1)
	for _, n := range lengths {
		weight, bias := normals(2, n), normals(3, n)
		for _, test := range []struct {
			why           string
			offset, scale float32
		}{
			{"values around zero", 0, 1},
			{"an offset much larger than the spread", 1000, 1},
			{"values so small that eps decides", 0, 1e-4},
		} {
			x := normals(1, rows*n)
			for i := range x {
				x[i] = x[i]*test.scale + test.offset
			}
			layer, rms := guardedCopy(x), guardedCopy(x)
			d.LayerNorm(layer.x, layer.x, weight, bias, 1e-6)
			d.RMSNorm(rms.x, x, weight, 1e-6)
			for r := range rows {
				row := x[r*n:][:n]
				want := normalise(row, weight, bias, true, 1e-6)
				near(t, fmt.Sprintf("LayerNorm of %d, %s", n, test.why), layer.x[r*n:], want, relative(want, 1e-6))
				want = normalise(row, weight, nil, false, 1e-6)
				near(t, fmt.Sprintf("RMSNorm of %d, %s", n, test.why), rms.x[r*n:], want, relative(want, 1e-6))
			}
			layer.check(t, "LayerNorm")
			rms.check(t, "RMSNorm")
		}
	}
}

// checkActivations compares the activations with the definition between −20 and 20,
// and lets NaN through.
func checkActivations(t *testing.T, i Implementation) {
	d := i.Open(t, 1)
	all := []float32{float32(math.NaN()), 0, -1000, 1000}
	for v := float32(-20); v <= 20; v += 1.0 / 64 {
		all = append(all, v)
	}
	for _, n := range append(lengths, len(all)) {
		x, up := all[:min(n, len(all))], normals(1, len(all))
		for _, test := range []struct {
			name string
			do   func(x []float32)
			want func(x, up float64) float64
		}{
			{"GELUTanh", d.GELUTanh, func(x, _ float64) float64 { return geluTanh(x) }},
			{"GELU", d.GELU, func(x, _ float64) float64 { return gelu(x) }},
			{"SiLUMul", func(x []float32) { d.SiLUMul(x, up[:len(x)]) }, func(x, up float64) float64 { return silu(x) * up }},
			{"GELUTanhMul", func(x []float32) { d.GELUTanhMul(x, up[:len(x)]) }, func(x, up float64) float64 { return geluTanh(x) * up }},
		} {
			y, want := guardedCopy(x), make([]float64, len(x))
			for i, v := range x {
				want[i] = test.want(float64(v), float64(up[i]))
			}
			test.do(y.x)
			near(t, fmt.Sprintf("%s of %d", test.name, len(x)), y.x, want, relative(want, 1e-6))
			y.check(t, test.name)
		}
	}
}

// checkRoPE compares rotations with the definition, positions in any order.
func checkRoPE(t *testing.T, i Implementation) {
	const heads, theta = 3, 1e6
	for _, dim := range []int{2, 8, 24, 64, 72} {
		positions := []int{7, 0, 0, 1000}
		cos, sin := make([]float32, 1001*dim/2), make([]float32, 1001*dim/2)
		for i := range cos {
			s, c := math.Sincos(float64(i/(dim/2)) * math.Pow(theta, -2*float64(i%(dim/2))/float64(dim)))
			cos[i], sin[i] = float32(c), float32(s)
		}
		x := normals(1, len(positions)*heads*dim)
		got := guardedCopy(x)
		i.Open(t, 1).RoPE(got.x, cos, sin, positions, heads, dim)
		for r, p := range positions {
			width := heads * dim
			want := rotate(x[r*width:][:width], p, dim, theta)
			near(t, fmt.Sprintf("RoPE of %d", dim), got.x[r*width:], want, relative(want, 1e-6))
		}
		got.check(t, "RoPE")
	}
}

// checkThreads: operations on four threads, with work enough for all, give the bits
// that they give on one.
func checkThreads(t *testing.T, i Implementation) {
	const n, rows = 256, 300
	x, weight, bias := normals(1, rows*n), normals(2, n), normals(3, n)
	cos, positions := normals(4, rows*16), make([]int, rows)
	for r := range positions {
		positions[r] = r
	}
	run := func(threads int) [][]float32 {
		d := i.Open(t, threads)
		var results [][]float32
		for _, op := range []func(y []float32){
			func(y []float32) { d.LayerNorm(y, x, weight, bias, 1e-6) },
			func(y []float32) { d.RMSNorm(y, x, weight, 1e-6) },
			func(y []float32) { copy(y, x); d.GELU(y) },
			func(y []float32) { copy(y, x); d.GELUTanh(y) },
			func(y []float32) { copy(y, x); d.SiLUMul(y, x) },
			func(y []float32) { copy(y, x); d.GELUTanhMul(y, x) },
			func(y []float32) { copy(y, x); d.RoPE(y, cos, cos, positions, 8, n/8) },
			func(y []float32) { d.Attention(y, x, x, x, 8, n/8) },
		} {
			y := make([]float32, len(x))
			op(y)
			results = append(results, y)
		}
		return results
	}
	want := run(1)
	for i, got := range run(4) {
		if !same(got, want[i]) {
			t.Errorf("operation %d gives other bits on four threads than on one", i)
		}
	}
}
