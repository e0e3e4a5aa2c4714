package posembed_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"siglab/posembed"
)

// shapes are the resamplings that benchmarks time: a small tower's, and So400m at
// 448 pixels (32x32x1152) going up and down.
func shapes() []shape {
	return []shape{
		{from: posembed.Grid{Rows: 8, Cols: 8}, to: posembed.Grid{Rows: 12, Cols: 12}, dim: 64},
		{from: posembed.Grid{Rows: 32, Cols: 32}, to: posembed.Grid{Rows: 24, Cols: 24}, dim: 1152},
		{from: posembed.Grid{Rows: 32, Cols: 32}, to: posembed.Grid{Rows: 64, Cols: 64}, dim: 1152},
	}
}

type shape struct {
	from, to posembed.Grid
	dim      int
}

func (s shape) String() string { return fmt.Sprintf("from=%v/to=%v/dim=%d", s.from, s.to, s.dim) }

// normals is a table of n standard normal values.
func normals(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	table := make([]float32, n)
	for i := range table {
		table[i] = float32(rng.NormFloat64())
	}
	return table
}

// BenchmarkResample times every mode, the copy of the result among them as the
// floor: no mode can be faster.
func BenchmarkResample(b *testing.B) {
	for _, s := range shapes() {
		table := normals(s.from.Len()*s.dim, 1)
		dst := make([]float32, s.to.Len()*s.dim)
		for _, mode := range posembed.Modes() {
			b.Run(fmt.Sprintf("mode=%v/%v/dtype=f32", mode, s), func(b *testing.B) {
				r, err := posembed.NewResampler(mode, table, s.from, s.dim)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(4 * len(dst)))
				for b.Loop() {
					if err := r.Resample(dst, s.to); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("mode=copy/%v/dtype=f32", s), func(b *testing.B) {
			src := make([]float32, len(dst))
			b.SetBytes(int64(4 * len(dst)))
			for b.Loop() {
				copy(dst, src)
			}
		})
	}
}

// BenchmarkApply times the types and conventions of Plan.Apply.
func BenchmarkApply(b *testing.B) {
	s := shapes()[1]
	for _, c := range posembed.Conventions() {
		plan, err := posembed.NewPlan(s.from, s.to, c)
		if err != nil {
			b.Fatal(err)
		}
		benchmarkApply(b, plan, s, "f32", plan.Apply)
		if c == posembed.Bicubic {
			benchmarkApply(b, plan, s, "f64", plan.ApplyFloat64)
			benchmarkApply(b, plan, s, "bf16", plan.ApplyBFloat16)
			benchmarkApply(b, plan, s, "f16", plan.ApplyFloat16)
		}
	}
}

func benchmarkApply[T any](b *testing.B, plan *posembed.Plan, s shape, dtype string, apply func(dst, src []T, dim int) error) {
	b.Run(fmt.Sprintf("convention=%v/%v/dtype=%s", plan.Convention(), s, dtype), func(b *testing.B) {
		src := make([]T, s.from.Len()*s.dim)
		dst := make([]T, s.to.Len()*s.dim)
		for b.Loop() {
			if err := apply(dst, src, s.dim); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkNewPlan times what a grid costs once.
func BenchmarkNewPlan(b *testing.B) {
	for _, s := range shapes() {
		for _, c := range []posembed.Convention{posembed.Bicubic, posembed.BilinearAntialias} {
			b.Run(fmt.Sprintf("convention=%v/from=%v/to=%v", c, s.from, s.to), func(b *testing.B) {
				for b.Loop() {
					if _, err := posembed.NewPlan(s.from, s.to, c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
