package posembed

import (
	"fmt"
	"sync"
)

// What a Resampler keeps: the plans of the last 64 grids (8 KB each at 64x64) and,
// in mode Cached, results of up to 2²⁶ values together (256 MiB).
const (
	plansKept   = 64
	resultsKept = 1 << 26
)

// Resampler resamples one table in one mode. It is safe for concurrent use.
type Resampler struct {
	mode  Mode
	table []float32 // [from.Rows, from.Cols, dim]
	from  Grid
	dim   int

	execution   Execution
	plans       *lru[*Plan]
	results     *lru[[]float32]
	temporaries sync.Pool // of *gatherTemporaries
}

// NewResampler binds a table [from.Rows, from.Cols, dim] to a mode. The table is
// not copied and must not change while the Resampler is in use.
func NewResampler(m Mode, table []float32, from Grid, dim int) (*Resampler, error) {
	err := m.check()
	if err == nil {
		err = from.checkTable("table", len(table), dim)
	}
	if err != nil {
		return nil, fmt.Errorf("resampler: %w", err)
	}
	return newResampler(m, table, from, dim, Execution{}), nil
}

func newResampler(m Mode, table []float32, from Grid, dim int, e Execution) *Resampler {
	r := &Resampler{mode: m, table: table, from: from, dim: dim, execution: e}
	r.plans = newLRU(plansKept, r.newPlan)
	r.results = newLRU(resultsKept, r.newResult)
	return r
}

// With is a Resampler of the same table whose plans are applied in another way. It
// has caches of its own. Reference and BilinearGather, which imitate others, stay
// as they are.
func (r *Resampler) With(e Execution) (*Resampler, error) {
	e, err := e.resolved()
	if err != nil {
		return nil, fmt.Errorf("resampler: %w", err)
	}
	return newResampler(r.mode, r.table, r.from, r.dim, e), nil
}

// Stats counts what was asked of the Resampler's two caches: the plans of its
// grids, and in mode Cached their results.
func (r *Resampler) Stats() (plans, results CacheStats) {
	return r.plans.counted(), r.results.counted()
}

// Mode is how the table is resampled.
func (r *Resampler) Mode() Mode { return r.mode }

// Identity reports whether Resample to the grid is a copy of the table.
func (r *Resampler) Identity(to Grid) bool {
	return to == r.from && r.mode.Convention().copies()
}

// Resample writes the table, resampled to a grid, to dst [to.Rows, to.Cols, dim],
// in the way of the Resampler's mode. dst must not overlap the table.
func (r *Resampler) Resample(dst []float32, to Grid) error {
	if err := to.checkTable("destination", len(dst), r.dim); err != nil {
		return fmt.Errorf("resample %v to %v in mode %v: %w", r.from, to, r.mode, err)
	}
	if r.Identity(to) {
		copy(dst, r.table)
		return nil
	}
	switch r.mode {
	case Reference:
		referenceBicubic(dst, r.table, r.from, to, r.dim)
		return nil
	case BilinearGather:
		r.gather(dst, to)
		return nil
	case Cached:
		return r.copyResult(dst, to)
	default:
		return r.apply(dst, to)
	}
}

// newPlan is the plan to a grid.
func (r *Resampler) newPlan(to Grid) (*Plan, error) {
	p, err := NewPlan(r.from, to, r.mode.Convention())
	if err != nil {
		return nil, err
	}
	return p.With(r.execution)
}

// newResult is the table resampled to a grid.
func (r *Resampler) newResult(to Grid) ([]float32, error) {
	result := make([]float32, to.Len()*r.dim)
	return result, r.apply(result, to)
}

// apply resamples in one pass, by the grid's plan.
func (r *Resampler) apply(dst []float32, to Grid) error {
	plan, err := r.plans.get(to, 1)
	if err != nil {
		return err
	}
	return plan.Apply(dst, r.table, r.dim)
}

// copyResult copies the grid's result, computed by apply the first time.
func (r *Resampler) copyResult(dst []float32, to Grid) error {
	result, err := r.results.get(to, len(dst))
	copy(dst, result)
	return err
}

// gather resamples in separate passes, with temporaries that no other call uses.
func (r *Resampler) gather(dst []float32, to Grid) {
	temp, ok := r.temporaries.Get().(*gatherTemporaries)
	if !ok {
		temp = new(gatherTemporaries)
	}
	defer r.temporaries.Put(temp)
	gatherBilinear(dst, r.table, r.from, to, r.dim, temp)
}
