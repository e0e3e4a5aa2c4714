package posembedcuda

import (
	"fmt"

	"siglab/internal/cudart"
	"siglab/posembed"
)

// Mode prepares a result in the way of one of posembed's modes. Reference has the
// arithmetic and the work split of eager torch, a thread for each output pixel that
// loops over the channels; BilinearGather is the seed's expression in nine
// launches; the others are one launch, Cached as Exact (a caller that keeps the
// result of a Work has the rest of it).
func (t *Table) Mode(m posembed.Mode, to posembed.Grid) (*Work, error) {
	plan, err := posembed.NewPlan(t.grid, to, m.Convention())
	if err != nil {
		return nil, err
	}
	if plan.Identity() || m != posembed.Reference && m != posembed.BilinearGather {
		return t.Apply(plan)
	}
	w, err := t.newWork(to.Len())
	if err == nil {
		if m == posembed.Reference {
			err = w.addReference(to)
		} else {
			err = w.addGather(to)
		}
	}
	if err != nil {
		return w.closed(fmt.Errorf("mode %v: %w", m, err))
	}
	return w, nil
}

// scalar is the variant whose kernels take one value at a time.
func (t *Table) scalar() variant { return variant{t.element, 1, 4, 1, 0} }

// addReference adds torch's launch: blocks of 1024 threads over the output pixels,
// so that a result of 24x24 occupies one multiprocessor.
func (w *Work) addReference(to posembed.Grid) error {
	const threads = 1024
	t := w.table
	return w.add(t.scalar(), "reference_bicubic", cudart.Launch{Grid: [3]int{divideUp(to.Len(), threads), 1, 1}, Block: [3]int{threads, 1, 1}},
		t.memory, w.result, int32(t.grid.Rows), int32(t.grid.Cols), int32(to.Rows), int32(to.Cols), int32(t.dim))
}

// addGather adds the launches of the seed's expression.
func (w *Work) addGather(to posembed.Grid) error {
	t, v := w.table, w.table.scalar()
	n, values := to.Len(), to.Len()*t.dim
	if values > maxValues/16 {
		return fmt.Errorf("a result of %d values needs intermediate tensors of more than %d bytes: resample fewer positions", values, maxValues)
	}
	var failed error
	alloc := func(bytes int) *cudart.Memory {
		if failed != nil {
			return nil
		}
		var m *cudart.Memory
		m, failed = w.alloc(bytes)
		return m
	}
	over := func(count int) cudart.Launch {
		return cudart.Launch{Grid: [3]int{min(divideUp(count, 256), 1<<16), 1, 1}, Block: [3]int{256, 1, 1}}
	}
	y0, y1, dy := alloc(4*to.Rows), alloc(4*to.Rows), alloc(4*to.Rows)
	x0, x1, dx := alloc(4*to.Cols), alloc(4*to.Cols), alloc(4*to.Cols)
	index, weight := alloc(4*8*n), alloc(4*4*n)
	taken, product := alloc(4*values*t.size), alloc(4*values*4)
	sum := alloc(values * 4)
	if failed != nil {
		return failed
	}
	part := func(k int) *cudart.Memory {
		m, err := product.Slice(k*values*4, values*4)
		if err != nil {
			failed = err
		}
		return m
	}
	parts := [4]*cudart.Memory{part(0), part(1), part(2), part(3)}
	if failed != nil {
		return failed
	}
	for _, step := range []struct {
		kernel string
		count  int
		args   []any
	}{
		{"gather_axis", to.Rows, []any{y0, y1, dy, int32(t.grid.Rows), int32(to.Rows)}},
		{"gather_axis", to.Cols, []any{x0, x1, dx, int32(t.grid.Cols), int32(to.Cols)}},
		{"gather_index", n, []any{y0, y1, dy, x0, x1, dx, index, weight, int32(t.grid.Cols), int32(to.Rows), int32(to.Cols)}},
		{"gather_take", 4 * values, []any{t.memory, index, taken, int64(4 * values), int32(t.dim)}},
		{"gather_multiply", 4 * values, []any{taken, weight, product, int64(4 * values), int32(t.dim)}},
		{"gather_add", values, []any{parts[0], parts[1], sum, int64(values)}},
		{"gather_add", values, []any{sum, parts[2], sum, int64(values)}},
		{"gather_add", values, []any{sum, parts[3], sum, int64(values)}},
		{"gather_round", values, []any{sum, w.result, int64(values)}},
	} {
		if err := w.add(v, step.kernel, over(step.count), step.args...); err != nil {
			return err
		}
	}
	return nil
}
