package posembedcuda

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"siglab/posembed"
	"siglab/posembed/posembedtest"
)

// openGPU takes the first GPU, or skips the test.
func openGPU(tb testing.TB) *GPU {
	tb.Helper()
	gpu, err := Open(0, tb.TempDir())
	if err != nil {
		tb.Skip("no GPU: ", err)
	}
	tb.Cleanup(func() {
		if err := gpu.Close(); err != nil {
			tb.Error(err)
		}
	})
	return gpu
}

// singleBound is the error of sums in float32, in units of Σ|weight|·|value|.
const singleBound = 2 * 0x1p-23

// TestConformance runs posembed's suite over every convention and type.
func TestConformance(t *testing.T) {
	gpu := openGPU(t)
	for _, c := range posembed.Conventions() {
		t.Run(c.String()+"/f32", func(t *testing.T) { conform[float32](t, gpu, c) })
		t.Run(c.String()+"/bf16", func(t *testing.T) { conform[posembed.BFloat16](t, gpu, c) })
		t.Run(c.String()+"/f16", func(t *testing.T) { conform[posembed.Float16](t, gpu, c) })
	}
}

func conform[T interface {
	Element
	posembedtest.Element
}](t *testing.T, gpu *GPU, c posembed.Convention) {
	posembedtest.Run(t, posembedtest.Implementation[T]{
		Convention: c,
		Relative:   singleBound,
		Prepare: func(src []T, from, to posembed.Grid, dim int) (func(dst []T) error, error) {
			plan, err := posembed.NewPlan(from, to, c)
			if err != nil {
				return nil, err
			}
			return once(gpu, src, from, dim, func(table *Table) (*Work, error) { return table.Apply(plan) }), nil
		},
	})
}

// once uploads a table, does one work and reads its result, every time.
func once[T Element](gpu *GPU, src []T, from posembed.Grid, dim int, prepare func(*Table) (*Work, error)) func(dst []T) error {
	return func(dst []T) error {
		table, err := Upload(gpu, src, from, dim)
		if err != nil {
			return err
		}
		work, err := prepare(table)
		if err != nil {
			return errors.Join(err, table.Close())
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return errors.Join(Read(ctx, work, dst), work.Close(), table.Close())
	}
}

// TestModes runs the suite over every mode; the two that imitate torch have its
// errors.
func TestModes(t *testing.T) {
	gpu := openGPU(t)
	tolerance := map[posembed.Mode]float64{posembed.Reference: 1e-5, posembed.BilinearGather: 1e-5}
	for _, mode := range posembed.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			posembedtest.Run(t, posembedtest.Implementation[float32]{
				Convention: mode.Convention(), Tolerance: tolerance[mode], Relative: singleBound,
				Prepare: func(src []float32, from, to posembed.Grid, dim int) (func(dst []float32) error, error) {
					return once(gpu, src, from, dim, func(table *Table) (*Work, error) { return table.Mode(mode, to) }), nil
				},
			})
		})
	}
}

// TestBatch: the results of a batch are those of its plans, identities among them.
func TestBatch(t *testing.T) {
	gpu := openGPU(t)
	from := posembed.Grid{Rows: 9, Cols: 7}
	for _, dim := range []int{5, 64} {
		src := posembedtest.Normals[posembed.BFloat16](posembedtest.Seeded(1), from.Len()*dim)
		for _, c := range posembed.Conventions() {
			var plans []*posembed.Plan
			var want []posembed.BFloat16
			for _, to := range []posembed.Grid{{Rows: 3, Cols: 20}, from, {Rows: 40, Cols: 2}, {Rows: 1, Cols: 1}, {Rows: 17, Cols: 16}} {
				plan, err := posembed.NewPlan(from, to, c)
				if err != nil {
					t.Fatal(err)
				}
				one := make([]posembed.BFloat16, to.Len()*dim)
				if err := once(gpu, src, from, dim, func(table *Table) (*Work, error) { return table.Apply(plan) })(one); err != nil {
					t.Fatal(err)
				}
				plans, want = append(plans, plan), append(want, one...)
			}
			got := make([]posembed.BFloat16, len(want))
			if err := once(gpu, src, from, dim, func(table *Table) (*Work, error) { return table.Batch(plans...) })(got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v, dim %d: the batch differs from its plans", c, dim)
			}
		}
	}
}

// TestCorrectlyRounded counts, as posembed's test of that name does.
func TestCorrectlyRounded(t *testing.T) {
	gpu := openGPU(t)
	const dim = 1152
	from := posembed.Grid{Rows: 32, Cols: 32}
	src := posembedtest.Normals[posembed.BFloat16](posembedtest.Seeded(2), from.Len()*dim)
	wide := make([]float64, len(src))
	for i, v := range src {
		wide[i] = float64(v.Float32())
	}
	for _, n := range []int{24, 36, 64, 73, 128} {
		to := posembed.Grid{Rows: n, Cols: n}
		plan, err := posembed.NewPlan(from, to, posembed.Bicubic)
		if err != nil {
			t.Fatal(err)
		}
		got, truth := make([]posembed.BFloat16, to.Len()*dim), make([]float64, to.Len()*dim)
		if err := errors.Join(plan.ApplyFloat64(truth, wide, dim),
			once(gpu, src, from, dim, func(table *Table) (*Work, error) { return table.Apply(plan) })(got)); err != nil {
			t.Fatal(err)
		}
		right := 0
		for i, v := range truth {
			if math.Abs(float64(got[i].Float32())-v) <= math.Abs(float64(posembed.RoundToBFloat16(v).Float32())-v)+1e-12 {
				right++
			}
		}
		share := 100 * float64(right) / float64(len(truth))
		t.Logf("%v: %.4f %% of bfloat16 results are correctly rounded", to, share)
		if share < 99.9 {
			t.Errorf("%v: %.4f %% of bfloat16 results are correctly rounded, want 99.9 %%", to, share)
		}
	}
}

func TestErrors(t *testing.T) {
	gpu := openGPU(t)
	grid := posembed.Grid{Rows: 2, Cols: 3}
	for _, test := range []struct {
		grid   posembed.Grid
		length int
		dim    int
		want   string
	}{
		{posembed.Grid{Rows: 0, Cols: 3}, 0, 1, "grid 0x3"},
		{grid, 11, 2, "11 values for [2, 3, 2]"},
		{grid, 0, 0, "0 values for [2, 3, 0]"},
	} {
		if _, err := Upload(gpu, make([]float32, test.length), test.grid, test.dim); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("upload: %v, want %q", err, test.want)
		}
	}
	table, err := Upload(gpu, make([]float32, 12), grid, 2)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := posembed.NewPlan(posembed.Grid{Rows: 3, Cols: 3}, grid, posembed.Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Apply(plan); err == nil || !strings.Contains(err.Error(), "plan from 3x3 to a table of 2x3") {
		t.Errorf("a plan for another table: %v", err)
	}
	if _, err := table.Batch(); err == nil {
		t.Error("an empty batch: no error")
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
}

// microseconds is the time of one launch in a graph.
func microseconds(tb testing.TB, gpu *GPU, w *Work) float64 {
	tb.Helper()
	times, err := Time(context.Background(), gpu, []*Work{w}, 100, 9)
	if err != nil {
		tb.Fatal(err)
	}
	return float64(times[0]) / 1000
}

// BenchmarkShapes measures bicubic of SigLIP-So400m's table at 448 pixels with
// blocks of many shapes, the copy of the result beside it: what Table.choose is
// made from.
func BenchmarkShapes(b *testing.B) {
	gpu := openGPU(b)
	const dim = 1152
	from := posembed.Grid{Rows: 32, Cols: 32}
	table, err := Upload(gpu, posembedtest.Normals[posembed.BFloat16](posembedtest.Seeded(3), from.Len()*dim), from, dim)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{24, 36, 64, 73, 128} {
		to := posembed.Grid{Rows: n, Cols: n}
		floor, err := table.Copy(to.Len() * dim * 2)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("to=%v/copy", to), func(b *testing.B) { b.ReportMetric(microseconds(b, gpu, floor), "µs/launch") })
		plan, err := posembed.NewPlan(from, to, posembed.Bicubic)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("to=%v/shapes", to), func(b *testing.B) {
			type result struct {
				shape
				us float64
			}
			var results []result
			for _, groups := range []int{8, 16, 24, 36, 48, 72} {
				for _, cols := range []int{1, 2, 4, 8} {
					for _, strips := range []int{1, 2, 4} {
						for _, strip := range []int{1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 16, 22, 32} {
							for _, ahead := range []int{1, 2, 4} {
								threads := groups * cols * strips
								if threads < 32 || threads > 192 || n < 40 && strip > 4 || n > 40 && strip < 6 {
									continue
								}
								for stream := range 1 + n/65 {
									results = append(results, result{shape: shape{groups, cols, strips, strip, ahead, stream}})
								}
							}
						}
					}
				}
			}
			for i := range results {
				w, err := table.applyShaped(plan, results[i].shape)
				if err != nil {
					b.Fatal(err)
				}
				results[i].us = microseconds(b, gpu, w)
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			slices.SortFunc(results, func(x, y result) int { return int(math.Copysign(1, x.us-y.us)) })
			for _, r := range results[:12] {
				b.Logf("%v: %.2f µs with %+v", to, r.us, r.shape)
			}
			b.ReportMetric(results[0].us, "µs/launch")
		})
		if err := floor.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if err := table.Close(); err != nil {
		b.Fatal(err)
	}
}
