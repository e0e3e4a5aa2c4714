package posembed_test

import (
	"fmt"
	"math"
	"testing"

	"siglab/posembed"
)

// TestConstants resamples constants to many grids: they come back within two units
// in the last place of float32, and to the bit in 16-bit types.
func TestConstants(t *testing.T) {
	const dim = 16
	value := func(channel int) float64 { return 1 + float64(channel)/16.1 }
	for _, c := range posembed.Conventions() {
		for _, side := range []int{5, 16, 27} {
			from := posembed.Grid{Rows: side, Cols: side}
			src := make([]float32, from.Len()*dim)
			bsrc, hsrc := make([]posembed.BFloat16, len(src)), make([]posembed.Float16, len(src))
			for i := range src {
				v := value(i % dim)
				src[i], bsrc[i], hsrc[i] = float32(v), posembed.RoundToBFloat16(v), posembed.RoundToFloat16(v)
			}
			for n := 1; n <= 44; n += 1 + n/16 {
				to := posembed.Grid{Rows: n, Cols: 45 - n}
				plan, err := posembed.NewPlan(from, to, c)
				if err != nil {
					t.Fatal(err)
				}
				dst := make([]float32, to.Len()*dim)
				bdst, hdst := make([]posembed.BFloat16, len(dst)), make([]posembed.Float16, len(dst))
				if err := firstError(plan.Apply(dst, src, dim), plan.ApplyBFloat16(bdst, bsrc, dim), plan.ApplyFloat16(hdst, hsrc, dim)); err != nil {
					t.Fatal(err)
				}
				for i, v := range dst {
					want := src[i%dim]
					if d := math.Abs(float64(v) - float64(want)); d > 2*0x1p-23 || bdst[i] != bsrc[i%dim] || hdst[i] != hsrc[i%dim] {
						t.Fatalf("%v %v to %v: constant %v becomes %v (%v ulp), %v as bfloat16, %v as float16",
							c, from, to, want, v, d/0x1p-23, bdst[i].Float32(), hdst[i].Float32())
					}
				}
			}
		}
	}
}

// TestCorrectlyRounded counts the 16-bit results that are the nearest to the truth.
// The bounds are those that doc/numerics.md states. Where the truth lies halfway
// between two values, which (a+5b)/6 of short numbers often does, both are nearest:
// in float64, too, it is chance which one is.
func TestCorrectlyRounded(t *testing.T) {
	const dim = 64
	from := posembed.Grid{Rows: 32, Cols: 32}
	src := normals(from.Len()*dim, 1)
	wide := make([]float64, len(src))
	bsrc, hsrc := make([]posembed.BFloat16, len(src)), make([]posembed.Float16, len(src))
	for i, v := range src {
		bsrc[i], hsrc[i] = posembed.RoundToBFloat16(float64(v)), posembed.RoundToFloat16(float64(v))
	}
	for _, c := range posembed.Conventions() {
		for _, to := range []posembed.Grid{{Rows: 24, Cols: 24}, {Rows: 37, Cols: 50}} {
			plan, err := posembed.NewPlan(from, to, c)
			if err != nil {
				t.Fatal(err)
			}
			n := to.Len() * dim
			truth, bdst, hdst := make([]float64, n), make([]posembed.BFloat16, n), make([]posembed.Float16, n)
			if err := firstError(plan.ApplyBFloat16(bdst, bsrc, dim), plan.ApplyFloat16(hdst, hsrc, dim)); err != nil {
				t.Fatal(err)
			}
			share := func(got, nearest func(i int) float32) float64 {
				count := 0
				for i, v := range truth {
					if math.Abs(float64(got(i))-v) <= math.Abs(float64(nearest(i))-v)+1e-12 {
						count++
					}
				}
				return float64(count) / float64(n)
			}
			for i, v := range bsrc {
				wide[i] = float64(v.Float32())
			}
			if err := plan.ApplyFloat64(truth, wide, dim); err != nil {
				t.Fatal(err)
			}
			if got := share(func(i int) float32 { return bdst[i].Float32() },
				func(i int) float32 { return posembed.RoundToBFloat16(truth[i]).Float32() }); got < 0.999 {
				t.Errorf("%v to %v: %.3f %% of bfloat16 results are correctly rounded, want 99.9 %%", c, to, 100*got)
			}
			for i, v := range hsrc {
				wide[i] = float64(v.Float32())
			}
			if err := plan.ApplyFloat64(truth, wide, dim); err != nil {
				t.Fatal(err)
			}
			if got := share(func(i int) float32 { return hdst[i].Float32() },
				func(i int) float32 { return posembed.RoundToFloat16(truth[i]).Float32() }); got < 0.995 {
				t.Errorf("%v to %v: %.3f %% of float16 results are correctly rounded, want 99.5 %%", c, to, 100*got)
			}
		}
	}
}

// TestErrorGrowsWithType: the more bits a type has, the nearer its result is to the
// truth.
func TestErrorGrowsWithType(t *testing.T) {
	const dim = 32
	from, to := posembed.Grid{Rows: 9, Cols: 9}, posembed.Grid{Rows: 14, Cols: 11}
	src := make([]float64, from.Len()*dim) // values that every type holds
	for i, v := range normals(len(src), 2) {
		src[i] = float64(posembed.RoundToBFloat16(float64(posembed.RoundToFloat16(float64(v)).Float32())).Float32())
	}
	single := make([]float32, len(src))
	bsrc, hsrc := make([]posembed.BFloat16, len(src)), make([]posembed.Float16, len(src))
	for i, v := range src {
		single[i], bsrc[i], hsrc[i] = float32(v), posembed.RoundToBFloat16(v), posembed.RoundToFloat16(v)
	}
	for _, c := range posembed.Conventions() {
		for _, i := range posembed.Implementations() {
			plan, err := planWith(from, to, c, posembed.Execution{Implementation: i})
			if err != nil {
				t.Fatal(err)
			}
			n := to.Len() * dim
			truth, dst := make([]float64, n), make([]float32, n)
			bdst, hdst := make([]posembed.BFloat16, n), make([]posembed.Float16, n)
			if err := firstError(plan.ApplyFloat64(truth, src, dim), plan.Apply(dst, single, dim),
				plan.ApplyBFloat16(bdst, bsrc, dim), plan.ApplyFloat16(hdst, hsrc, dim)); err != nil {
				t.Fatal(err)
			}
			worst := func(value func(i int) float32) (w float64) {
				for i, v := range truth {
					w = max(w, math.Abs(float64(value(i))-v))
				}
				return w
			}
			f := worst(func(i int) float32 { return dst[i] })
			h := worst(func(i int) float32 { return hdst[i].Float32() })
			b := worst(func(i int) float32 { return bdst[i].Float32() })
			if !(f < 1e-6 && f < h && h < b && b < 0.05) {
				t.Errorf("%v %v: largest errors %.3g in float32, %.3g in float16, %.3g in bfloat16: want them to grow", i, c, f, h, b)
			}
		}
	}
}

// TestApplyAllocatesNothing after the first call, on one goroutine and on two.
func TestApplyAllocatesNothing(t *testing.T) {
	const dim = 48
	from, to := posembed.Grid{Rows: 8, Cols: 8}, posembed.Grid{Rows: 12, Cols: 10}
	src, dst := normals(from.Len()*dim, 1), make([]float32, to.Len()*dim)
	hsrc, hdst := make([]posembed.Float16, len(src)), make([]posembed.Float16, len(dst))
	for _, i := range posembed.Implementations() {
		for _, threads := range []int{1, 2} {
			plan, err := planWith(from, to, posembed.Bicubic, posembed.Execution{Implementation: i, Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			batch, err := posembed.NewBatch(plan)
			if err != nil {
				t.Fatal(err)
			}
			for name, apply := range map[string]func() error{
				"Apply":        func() error { return plan.Apply(dst, src, dim) },
				"ApplyFloat16": func() error { return plan.ApplyFloat16(hdst, hsrc, dim) },
				"Batch.Apply":  func() error { return batch.Apply(dst, src, dim) },
			} {
				// A collection may empty the pools between two calls, hence less than 1.
				if n := testing.AllocsPerRun(200, func() {
					if err := apply(); err != nil {
						t.Fatal(err)
					}
				}); n >= 1 && !raceEnabled {
					t.Errorf("%v, %d threads: %s allocates %v times", i, threads, name, n)
				}
			}
		}
	}
}

// TestThreads wants the bits of one goroutine from any number of them.
func TestThreads(t *testing.T) {
	const dim = 40
	from := posembed.Grid{Rows: 7, Cols: 5}
	src := normals(from.Len()*dim, 3)
	for _, to := range []posembed.Grid{{Rows: 1, Cols: 9}, {Rows: 2, Cols: 3}, {Rows: 31, Cols: 8}} {
		var want []float32
		for _, threads := range []int{0, 1, 2, 3, 5, 64} {
			t.Run(fmt.Sprintf("%v/%d", to, threads), func(t *testing.T) {
				plan, err := planWith(from, to, posembed.Bicubic, posembed.Execution{Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				got := make([]float32, to.Len()*dim)
				if err := plan.Apply(got, src, dim); err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = got
				}
				for i := range got {
					if got[i] != want[i] {
						t.Fatalf("value %d is %v, want %v", i, got[i], want[i])
					}
				}
			})
		}
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
