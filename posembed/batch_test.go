package posembed_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/posembed"
)

// TestBatch: the results of a batch are those of its plans, one after another, equal
// grids among them, in every type and whatever the number of threads.
func TestBatch(t *testing.T) {
	t.Run("f32", func(t *testing.T) {
		testBatch(t, func(v float32) float32 { return v }, (*posembed.Plan).Apply, (*posembed.Batch).Apply)
	})
	t.Run("f64", func(t *testing.T) {
		testBatch(t, func(v float32) float64 { return float64(v) }, (*posembed.Plan).ApplyFloat64, (*posembed.Batch).ApplyFloat64)
	})
	t.Run("bf16", func(t *testing.T) {
		testBatch(t, func(v float32) posembed.BFloat16 { return posembed.RoundToBFloat16(float64(v)) }, (*posembed.Plan).ApplyBFloat16, (*posembed.Batch).ApplyBFloat16)
	})
	t.Run("f16", func(t *testing.T) {
		testBatch(t, func(v float32) posembed.Float16 { return posembed.RoundToFloat16(float64(v)) }, (*posembed.Plan).ApplyFloat16, (*posembed.Batch).ApplyFloat16)
	})
}

func testBatch[T comparable](t *testing.T, convert func(float32) T, one func(p *posembed.Plan, dst, src []T, dim int) error, all func(b *posembed.Batch, dst, src []T, dim int) error) {
	const dim = 33
	from := posembed.Grid{Rows: 6, Cols: 5}
	var src, want []T
	for _, v := range normals(from.Len()*dim, 1) {
		src = append(src, convert(v))
	}
	var plans []*posembed.Plan
	for _, to := range []posembed.Grid{{Rows: 1, Cols: 1}, {Rows: 9, Cols: 4}, from, {Rows: 2, Cols: 30}, {Rows: 9, Cols: 4}} {
		plan, err := posembed.NewPlan(from, to, posembed.BilinearAntialias)
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, plan)
		result := make([]T, to.Len()*dim)
		if err := one(plan, result, src, dim); err != nil {
			t.Fatal(err)
		}
		want = append(want, result...)
	}
	for _, threads := range []int{1, 2, 7} {
		batch, err := posembed.NewBatch(plans...)
		if err == nil {
			batch, err = batch.With(posembed.Execution{Threads: threads})
		}
		if err != nil {
			t.Fatal(err)
		}
		got := make([]T, batch.Len()*dim)
		if err := all(batch, got, src, dim); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d threads: the batch differs from its plans", threads)
		}
	}
}

func TestBatchErrors(t *testing.T) {
	plan := func(from, to posembed.Grid) *posembed.Plan {
		p, err := posembed.NewPlan(from, to, posembed.Bicubic)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a, b := posembed.Grid{Rows: 2, Cols: 2}, posembed.Grid{Rows: 3, Cols: 2}
	_, none := posembed.NewBatch()
	_, mixed := posembed.NewBatch(plan(a, b), plan(b, a))
	both, err := posembed.NewBatch(plan(a, b), plan(a, a))
	if err != nil {
		t.Fatal(err)
	}
	_, threads := both.With(posembed.Execution{Threads: -2})
	var zero posembed.Batch
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"no plans", none, "batch of no plans: want at least one"},
		{"two tables", mixed, "batch: plan 1 is from 3x2, plan 0 from 2x2: want one table"},
		{"threads", threads, "batch of 2 plans: -2 threads: want 1 to 1024, or 0 for 1"},
		{"zero batch", zero.Apply(nil, nil, 1), "batch of no plans: make it with NewBatch"},
		{"short table", both.Apply(make([]float32, 30), make([]float32, 11), 3), "resample 2x2 to 2 grids: source has 11 values: a table [2, 2, 3] has 12"},
		{"short result", both.Apply(make([]float32, 29), make([]float32, 12), 3), "resample 2x2 to 2 grids: destination has 29 values: want 10 positions of 3 channels"},
	} {
		if diff := cmp.Diff(test.want, message(test.err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestExecutionErrors has what cannot be executed, and what an implementation's
// name may be.
func TestExecutionErrors(t *testing.T) {
	plan, err := posembed.NewPlan(posembed.Grid{Rows: 2, Cols: 2}, posembed.Grid{Rows: 3, Cols: 3}, posembed.Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.With(posembed.Execution{Implementation: 77}); err == nil {
		t.Error("an implementation that does not exist was accepted")
	}
	if _, err := plan.With(posembed.Execution{Threads: 1025}); err == nil {
		t.Error("1025 threads were accepted")
	}
	all := posembed.Implementations()
	if all[0] != posembed.Generic || plan.Execution() != (posembed.Execution{Implementation: all[len(all)-1], Threads: 1}) {
		t.Errorf("implementations %v, a new plan's %v: want Generic first, and the last used", all, plan.Execution())
	}
	for _, i := range all {
		if parsed, err := posembed.ParseImplementation(i.String()); err != nil || parsed != i {
			t.Errorf("ParseImplementation(%q) = %v, %v", i, parsed, err)
		}
	}
	if _, err := posembed.ParseImplementation("sse"); err == nil {
		t.Error(`ParseImplementation("sse") succeeds`)
	}
}
