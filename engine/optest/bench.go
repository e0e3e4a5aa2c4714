package optest

import (
	"fmt"
	"testing"

	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// Bench times an implementation's operations on a number of threads, at the shapes of
// random:tiny and of a SigLIP-So400m tower. Names are key=value, for benchstat.
func Bench(b *testing.B, i Implementation, threads int) {
	for _, s := range []struct{ rows, in, out int }{
		{1, 96, 1024}, {8, 96, 256}, {144, 64, 256}, {144, 256, 64}, {144, 768, 64}, {190, 96, 256},
		{1, 1536, 8960}, {8, 1536, 8960}, {256, 1152, 1152}, {256, 1152, 4304}, {256, 4304, 1152}, {729, 1152, 4304},
	} {
		for _, dtype := range weightTypes {
			b.Run(fmt.Sprintf("op=Linear/rows=%d/in=%d/out=%d/weights=%v", s.rows, s.in, s.out, dtype), func(b *testing.B) {
				d := i.Open(b, threads)
				w := pack(b, d, safetensors.Tensor{DType: dtype, Shape: []int{s.out, s.in}, Data: make([]byte, s.in*s.out*dtype.Size())})
				x, y := normals(1, s.rows*s.in), make([]float32, s.rows*s.out)
				flops(b, 2*s.rows*s.in*s.out, func() { d.Linear(y, x, w, nil) })
			})
		}
	}
	for _, s := range []struct{ rows, heads, dim int }{{144, 4, 16}, {256, 16, 72}, {729, 16, 72}} {
		b.Run(fmt.Sprintf("op=Attention/rows=%d/heads=%d/dim=%d", s.rows, s.heads, s.dim), func(b *testing.B) {
			d, x := i.Open(b, threads), normals(1, s.rows*s.heads*s.dim)
			out := make([]float32, len(x))
			flops(b, 4*s.rows*s.rows*s.heads*s.dim, func() { d.Attention(out, x, x, x, s.heads, s.dim) })
		})
	}
	for _, s := range []struct{ first, rows, heads, kvHeads, dim int }{{0, 190, 4, 2, 24}, {200, 1, 4, 2, 24}, {1000, 1, 14, 2, 64}} {
		b.Run(fmt.Sprintf("op=CachedAttention/first=%d/rows=%d/heads=%d/kv=%d/dim=%d", s.first, s.rows, s.heads, s.kvHeads, s.dim), func(b *testing.B) {
			d, q, visible := i.Open(b, threads), normals(1, s.rows*s.heads*s.dim), causal(s.first, s.rows)
			kv, stored := d.NewKeyValues(s.kvHeads, s.dim, s.first+s.rows), normals(2, (s.first+s.rows)*s.kvHeads*s.dim)
			d.Store(kv, stored, stored, 0)
			out, pairs := make([]float32, len(q)), 0
			for _, span := range visible {
				pairs += span.End
			}
			flops(b, 4*pairs*s.heads*s.dim, func() { d.CachedAttention(out, q, kv, visible, s.heads, 0.1) })
		})
	}
	benchRows(b, i, threads)
}

// benchRows times what is done to rows or elements.
func benchRows(b *testing.B, i Implementation, threads int) {
	const rows, n = 256, 1152
	x, up, weight := make([]float32, rows*n), normals(2, rows*n), normals(3, n)
	for _, op := range []struct {
		name string
		do   func(d Device)
	}{
		{"GELUTanh", func(d Device) { d.GELUTanh(x) }},
		{"GELU", func(d Device) { d.GELU(x) }},
		{"SiLUMul", func(d Device) { d.SiLUMul(x, up) }},
		{"LayerNorm", func(d Device) { d.LayerNorm(x, up, weight, weight, 1e-6) }},
		{"RMSNorm", func(d Device) { d.RMSNorm(x, up, weight, 1e-6) }},
		{"Store", storing(rows, n)},
	} {
		b.Run(fmt.Sprintf("op=%s/rows=%d/n=%d", op.name, rows, n), func(b *testing.B) {
			d := i.Open(b, threads)
			for b.Loop() {
				op.do(d)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows*n), "ns/element")
		})
	}
}

// storing is storing keys and values of heads of 72.
func storing(rows, n int) func(d Device) {
	var kv tensor.KeyValues
	x := normals(4, rows*n)
	return func(d Device) {
		if kv == nil {
			kv = d.NewKeyValues(n/72, 72, rows)
		}
		d.Store(kv, x, x, 0)
	}
}

// flops times f and reports how many of so many floating-point operations a second it
// does.
func flops(b *testing.B, operations int, f func()) {
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(operations)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
