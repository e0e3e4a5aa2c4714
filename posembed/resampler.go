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

	plans       lru[*Plan]
	results     lru[[]float32]
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
	r := &Resampler{mode: m, table: table, from: from, dim: dim}
	r.plans.budget = plansKept
	r.results.budget = resultsKept
	return r, nil
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

// apply resamples in one pass, by the grid's plan.
func (r *Resampler) apply(dst []float32, to Grid) error {
	plan, err := r.plans.get(to, 1, func() (*Plan, error) {
		return NewPlan(r.from, to, r.mode.Convention())
	})
	if err != nil {
		return err
	}
	return plan.Apply(dst, r.table, r.dim)
}

// copyResult copies the grid's result, computed by apply the first time.
func (r *Resampler) copyResult(dst []float32, to Grid) error {
	result, err := r.results.get(to, len(dst), func() ([]float32, error) {
		result := make([]float32, len(dst))
		return result, r.apply(result, to)
	})
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
