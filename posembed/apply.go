package posembed

import "fmt"

// Apply writes the table src [From.Rows, From.Cols, dim], resampled, to dst
// [To.Rows, To.Cols, dim]. Sums are taken in float32 by the vector implementations
// and in float64 by Generic, with one rounding to the type of the table.
//
// dst and src must not overlap: the table is read while the result is written. If
// they do, the values in dst are unspecified (but for an Identity plan, which
// copies as the built-in copy does). Nothing but dst is written.
//
// The time is in proportion to To.Rows·(From.Cols + To.Cols)·dim and the number of
// taps (4 for the cubic kernels, 2 for the linear ones, more where antialiasing
// shrinks). Nothing is allocated but working memory, which is kept for later calls.
func (p *Plan) Apply(dst, src []float32, dim int) error {
	return apply(p, &float32Table, dst, src, dim)
}

// ApplyFloat64 is Apply for tables of float64. It is Generic whatever the plan's
// implementation.
func (p *Plan) ApplyFloat64(dst, src []float64, dim int) error {
	return apply(p, &float64Table, dst, src, dim)
}

// ApplyBFloat16 is Apply for tables of BFloat16.
func (p *Plan) ApplyBFloat16(dst, src []BFloat16, dim int) error {
	return apply(p, &bfloat16Table, dst, src, dim)
}

// ApplyFloat16 is Apply for tables of Float16.
func (p *Plan) ApplyFloat16(dst, src []Float16, dim int) error {
	return apply(p, &float16Table, dst, src, dim)
}

// apply resamples a table of any type.
func apply[T any](p *Plan, t *table[T], dst, src []T, dim int) error {
	if err := p.check(len(dst), len(src), dim); err != nil {
		return err
	}
	t.resample(p.execution, p.alone, dst, src, dim)
	return nil
}

// check reports whether the lengths are those of the plan's grids.
func (p *Plan) check(dst, src, dim int) error {
	err := p.from.checkTable("source", src, dim)
	if err == nil {
		err = p.to.checkTable("destination", dst, dim)
	}
	if err != nil {
		return fmt.Errorf("resample %v to %v: %w", p.from, p.to, err)
	}
	return nil
}
