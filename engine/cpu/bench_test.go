package cpu_test

import (
	"fmt"
	"testing"

	"siglab/engine/cpu"
)

// BenchmarkLinear times the matrix products of the tiny model: a tower's, the
// decoder's prefill and its single step.
func BenchmarkLinear(b *testing.B) {
	for _, s := range []struct{ rows, in, out int }{
		{144, 64, 64}, {144, 64, 256}, {144, 256, 64}, {144, 768, 64}, {190, 96, 256}, {190, 256, 96}, {1, 96, 256}, {1, 96, 1024},
	} {
		b.Run(fmt.Sprintf("rows=%d/in=%d/out=%d", s.rows, s.in, s.out), func(b *testing.B) {
			d := cpu.New(cpu.Options{Threads: 1})
			defer d.Close()
			x, y := make([]float32, s.rows*s.in), make([]float32, s.rows*s.out)
			w := pack(b, d, make([]float32, s.in*s.out), s.out, s.in)
			for i := range x {
				x[i] = 1
			}
			for b.Loop() {
				d.Linear(y, x, w, nil)
			}
			flops := 2 * float64(s.rows) * float64(s.in) * float64(s.out)
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// BenchmarkAttention times the tiny model's tower and prefill.
func BenchmarkAttention(b *testing.B) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	b.Run("full/rows=144/heads=4/dim=16", func(b *testing.B) {
		q, out := make([]float32, 144*64), make([]float32, 144*64)
		for b.Loop() {
			d.Attention(out, q, q, q, 4, 16)
		}
	})
	b.Run("causal/rows=190/heads=4/dim=24", func(b *testing.B) {
		q, out := make([]float32, 190*96), make([]float32, 190*96)
		kv := d.NewKeyValues(2, 24, 256)
		d.Store(kv, make([]float32, 190*48), make([]float32, 190*48), 0)
		visible := causal(0, 190)
		for i := range q {
			q[i] = 1
		}
		for b.Loop() {
			d.CachedAttention(out, q, kv, visible, 4, 0.2)
		}
	})
}

// BenchmarkGELUTanh times the tower's activation, per element.
func BenchmarkGELUTanh(b *testing.B) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	x := make([]float32, 144*256)
	for b.Loop() {
		d.GELUTanh(x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x)), "ns/element")
}
