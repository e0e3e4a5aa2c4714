package optest

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"siglab/engine/tensor"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// products are shapes of matrix products.
var products = []struct {
	why           string
	rows, in, out int
	threads       int
}{
	{"the smallest", 1, 1, 1, 4},
	{"one row, as in a decode step", 1, 96, 256, 1},
	{"one row, an odd number of inputs", 1, 97, 40, 1},
	{"one row, its columns on two threads", 1, 700, 1031, 2},
	{"two rows", 2, 64, 64, 1},
	{"three rows: no tile is as high", 3, 17, 500, 1},
	{"five rows, fewer columns than a register has values", 5, 33, 5, 1},
	{"eight rows, as in a batch of decode steps", 8, 300, 96, 2},
	{"a few rows more than the highest tile", 15, 40, 48, 1},
	{"a column more than a panel", 16, 50, 33, 1},
	{"more inputs than a block, an odd number of them", 16, 1153, 40, 1},
	{"so many inputs that blocks are laid out one by one", 30, 3001, 5, 1},
	{"rows on four threads", 120, 129, 35, 4},
	{"rows of a tower", 129, 72, 40, 2},
}

// weightTypes are what checkpoints hold.
var weightTypes = []safetensors.DType{safetensors.F32, safetensors.BF16, safetensors.F16}

// roundoff is how far a float32 chain may be off, relative to the magnitude of its
// terms: eight roundings where one is certain and the others are random.
const roundoff = 8.0 / (1 << 24)

// weights are seeded values [out, in] of a type, and the tensor that has them.
func weights(seed uint64, dtype safetensors.DType, out, in int) ([]float32, safetensors.Tensor) {
	values := normals(seed, out*in)
	w := safetensors.Tensor{Name: "weight", DType: dtype, Shape: []int{out, in}}
	for i, v := range values {
		switch dtype {
		case safetensors.BF16:
			half := posembed.RoundToBFloat16(float64(v))
			values[i], w.Data = half.Float32(), binary.LittleEndian.AppendUint16(w.Data, uint16(half))
		case safetensors.F16:
			half := posembed.RoundToFloat16(float64(v))
			values[i], w.Data = half.Float32(), binary.LittleEndian.AppendUint16(w.Data, uint16(half))
		default:
			w.Data = binary.LittleEndian.AppendUint32(w.Data, math.Float32bits(v))
		}
	}
	return values, w
}

// rounded is x as the implementation's products take it.
func (i Implementation) rounded(x []float32) []float32 {
	if !i.Rounded {
		return x
	}
	y := make([]float32, len(x))
	for k, v := range x {
		y[k] = posembed.RoundToBFloat16(float64(v)).Float32()
	}
	return y
}

func pack(t testing.TB, d Device, w safetensors.Tensor) tensor.Matrix {
	t.Helper()
	m, err := d.Pack(w)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// checkLinear compares products with the definition.
func checkLinear(t *testing.T, i Implementation) {
	for n, s := range products {
		for _, dtype := range weightTypes {
			why := fmt.Sprintf("%s, %v", s.why, dtype)
			d := i.Open(t, s.threads)
			values, w := weights(uint64(n), dtype, s.out, s.in)
			m := pack(t, d, w)
			x, bias, start := normals(1, s.rows*s.in), normals(3, s.out), normals(4, s.rows*s.out)
			products, sizes := linear(i.rounded(x), i.rounded(values), s.in, s.out)
			for _, c := range []struct {
				what        string
				start, bias []float32
			}{{"no bias", nil, nil}, {"bias", nil, bias}, {"residual", start, nil}, {"residual and bias", start, bias}} {
				y := guardedCopy(start)
				if c.start == nil {
					d.Linear(y.x, x, m, c.bias)
				} else {
					d.LinearAdd(y.x, x, m, c.bias)
				}
				want, size := plus(products, sizes, c.start, c.bias)
				near(t, why+", "+c.what, y.x, want, func(i int) float64 { return roundoff * size[i] })
				y.check(t, why+", "+c.what)
			}
		}
	}
}

// checkLinearHazards: a value that is not finite reaches its own row, or its own
// output, as the definition says, and no other.
func checkLinearHazards(t *testing.T, i Implementation) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	const in, out = 37, 45
	for _, rows := range []int{1, 3, 20} {
		for _, dtype := range weightTypes {
			d := i.Open(t, 1)
			values, w := weights(5, dtype, out, in)
			x := normals(6, rows*in)
			x[in-1], x[(rows/2)*in] = inf, nan
			if rows > 2 {
				x[(rows-1)*in+3], x[(rows-1)*in+4] = -inf, inf
			}
			y := guardedCopy(make([]float32, rows*out))
			d.Linear(y.x, x, pack(t, d, w), nil)
			want, size := linear(i.rounded(x), i.rounded(values), in, out)
			near(t, fmt.Sprintf("%d rows, %v", rows, dtype), y.x, want, func(i int) float64 { return roundoff * size[i] })
		}
	}
}

// checkRowsIndependent: a row's bits are the same alone and among others, on any number
// of threads.
func checkRowsIndependent(t *testing.T, i Implementation) {
	const most = 60
	for _, s := range []struct{ in, out int }{{7, 3}, {96, 256}, {769, 64}, {96, 500}} {
		for _, dtype := range weightTypes {
			x, bias, alone := normals(1, most*s.in), normals(3, s.out), make([]float32, most*s.out)
			_, w := weights(2, dtype, s.out, s.in)
			one := i.Open(t, 1)
			m := pack(t, one, w)
			for r := range most {
				one.Linear(alone[r*s.out:][:s.out], x[r*s.in:][:s.in], m, bias)
			}
			for _, threads := range []int{1, 3} {
				d := i.Open(t, threads)
				m := pack(t, d, w)
				for _, rows := range []int{2, 3, 4, 5, 7, 8, 9, 13, 15, 17, most} {
					y := make([]float32, rows*s.out)
					d.Linear(y, x[:rows*s.in], m, bias)
					if !same(y, alone[:len(y)]) {
						t.Errorf("[%d, %d]·[%d, %d] %v on %d threads differs from its rows one by one", rows, s.in, s.out, s.in, dtype, threads)
					}
				}
			}
		}
	}
}

// checkPack: rows come back as they were, and what is no matrix is refused.
func checkPack(t *testing.T, i Implementation) {
	d := i.Open(t, 2)
	for _, s := range []struct{ out, in int }{{1, 1}, {33, 7}, {70, 64}} {
		for _, dtype := range weightTypes {
			values, w := weights(1, dtype, s.out, s.in)
			m := pack(t, d, w)
			if m.In() != s.in || m.Out() != s.out {
				t.Errorf("a matrix [%d, %d] is packed as [%d, %d]", s.out, s.in, m.Out(), m.In())
			}
			for out := range s.out {
				row := guardedCopy(make([]float32, s.in))
				d.Row(row.x, m, out)
				row.check(t, "Row")
				if !same(row.x, i.rounded(values[out*s.in:][:s.in])) {
					t.Errorf("row %d of [%d, %d] %v is not what was packed", out, s.out, s.in, dtype)
				}
			}
		}
	}
	kernel, err := d.Pack(safetensors.NewF32("patches", make([]float32, 5*3*2*2), 5, 3, 2, 2))
	if err != nil || kernel.Out() != 5 || kernel.In() != 12 {
		t.Errorf("a kernel [5, 3, 2, 2] is packed as %v, %v; want [5, 12]", kernel, err)
	}
	for why, w := range map[string]safetensors.Tensor{
		"a vector":   safetensors.NewF32("w", make([]float32, 4), 4),
		"no outputs": safetensors.NewF32("w", nil, 0, 4),
		"integers":   {Name: "w", DType: safetensors.I32, Shape: []int{1, 1}, Data: make([]byte, 4)},
		"short data": safetensors.NewF32("w", make([]float32, 5), 2, 3),
	} {
		if _, err := d.Pack(w); err == nil {
			t.Errorf("%s: no error", why)
		}
	}
}
