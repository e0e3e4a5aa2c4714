package posembed_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"siglab/posembed"
	"siglab/posembed/posembedtest"
)

// shapes are a small table and the one of SigLIP-So400m at 448 pixels, shrunk and
// enlarged.
func shapes() []shape {
	table := posembed.Grid{Rows: 32, Cols: 32}
	return []shape{
		{from: posembed.Grid{Rows: 8, Cols: 8}, to: posembed.Grid{Rows: 12, Cols: 12}, dim: 64},
		{from: table, to: posembed.Grid{Rows: 24, Cols: 24}, dim: 1152},
		{from: table, to: posembed.Grid{Rows: 36, Cols: 36}, dim: 1152},
		{from: table, to: posembed.Grid{Rows: 64, Cols: 64}, dim: 1152},
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

// BenchmarkResample times every mode, and the copy of the result.
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
		benchmarkCopy(b, "mode=copy/"+s.String()+"/dtype=f32", dst)
	}
}

// BenchmarkApply times bicubic by every implementation and type on one goroutine
// and on two, and beside it the floor: a copy of the result, which reads as many
// bytes as it writes.
func BenchmarkApply(b *testing.B) {
	for _, s := range shapes() {
		for _, i := range posembed.Implementations() {
			for _, threads := range []int{1, 2} {
				plan, err := planWith(s.from, s.to, posembed.Bicubic, posembed.Execution{Implementation: i, Threads: threads})
				if err != nil {
					b.Fatal(err)
				}
				name := func(dtype string) string {
					return fmt.Sprintf("convention=bicubic/implementation=%v/threads=%d/%v/dtype=%s", i, threads, s, dtype)
				}
				benchmarkApply(b, name("f32"), s, plan.Apply)
				benchmarkApply(b, name("bf16"), s, plan.ApplyBFloat16)
				benchmarkApply(b, name("f16"), s, plan.ApplyFloat16)
			}
		}
		benchmarkCopy(b, "copy/"+s.String()+"/dtype=f32", make([]float32, s.to.Len()*s.dim))
		benchmarkCopy(b, "copy/"+s.String()+"/dtype=bf16", make([]posembed.BFloat16, s.to.Len()*s.dim))
	}
}

// BenchmarkConventions times the conventions, which differ in the number of taps.
func BenchmarkConventions(b *testing.B) {
	s := shapes()[1]
	for _, c := range posembed.Conventions() {
		plan, err := posembed.NewPlan(s.from, s.to, c)
		if err != nil {
			b.Fatal(err)
		}
		benchmarkApply(b, fmt.Sprintf("convention=%v/%v/dtype=f32", c, s), s, plan.Apply)
	}
}

// BenchmarkBatch times eight images of different grids in one call and one by one.
func BenchmarkBatch(b *testing.B) {
	from, dim := posembed.Grid{Rows: 16, Cols: 16}, 768
	table := normals(from.Len()*dim, 1)
	var plans []*posembed.Plan
	for i := range 8 {
		plan, err := planWith(from, posembed.Grid{Rows: 10 + i, Cols: 24 - i}, posembed.BilinearAntialias, posembed.Execution{Threads: 2})
		if err != nil {
			b.Fatal(err)
		}
		plans = append(plans, plan)
	}
	batch, err := posembed.NewBatch(plans...)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]float32, batch.Len()*dim)
	b.Run("calls=1/threads=2/images=8", func(b *testing.B) {
		for b.Loop() {
			if err := batch.Apply(dst, table, dim); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("calls=8/threads=2/images=8", func(b *testing.B) {
		for b.Loop() {
			rest := dst
			for _, p := range plans {
				n := p.To().Len() * dim
				if err := p.Apply(rest[:n], table, dim); err != nil {
					b.Fatal(err)
				}
				rest = rest[n:]
			}
		}
	})
}

func benchmarkApply[T posembedtest.Element](b *testing.B, name string, s shape, apply func(dst, src []T, dim int) error) {
	b.Run(name, func(b *testing.B) {
		src := posembedtest.Normals[T](rand.New(rand.NewPCG(1, 0)), s.from.Len()*s.dim)
		dst := make([]T, s.to.Len()*s.dim)
		b.ReportAllocs()
		for b.Loop() {
			if err := apply(dst, src, s.dim); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchmarkCopy times the built-in copy to dst.
func benchmarkCopy[T posembedtest.Element](b *testing.B, name string, dst []T) {
	b.Run(name, func(b *testing.B) {
		// Pages that were never written would all be one page of zeros.
		src := posembedtest.Normals[T](rand.New(rand.NewPCG(1, 0)), len(dst))
		for b.Loop() {
			copy(dst, src)
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
