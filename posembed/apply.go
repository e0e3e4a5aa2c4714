package posembed

import "fmt"

// Apply writes the table src [From.Rows, From.Cols, dim], resampled, to dst
// [To.Rows, To.Cols, dim]. Every value is a sum in float64, rounded once.
//
// dst and src must not overlap: the table is read while the result is written. If
// they do, the values in dst are unspecified (but for an Identity plan, which
// copies as the built-in copy does). Nothing but dst is written.
//
// The time is in proportion to To.Rows·(From.Cols + To.Cols)·dim and the number of
// taps (4 for the cubic kernels, 2 for the linear ones, more where antialiasing
// shrinks). One row of the source in float64 is allocated.
func (p *Plan) Apply(dst, src []float32, dim int) error { return apply(p, dst, src, dim) }

// ApplyFloat64 is Apply for tables of float64.
func (p *Plan) ApplyFloat64(dst, src []float64, dim int) error { return apply(p, dst, src, dim) }

// ApplyBFloat16 is Apply for tables of BFloat16. It allocates the table once more
// as float32.
func (p *Plan) ApplyBFloat16(dst, src []BFloat16, dim int) error {
	return applyHalf(p, dst, src, dim, RoundToBFloat16)
}

// ApplyFloat16 is Apply for tables of Float16. It allocates the table once more as
// float32.
func (p *Plan) ApplyFloat16(dst, src []Float16, dim int) error {
	return applyHalf(p, dst, src, dim, RoundToFloat16)
}

// apply resamples tables of a type that the processor calculates with.
func apply[T float](p *Plan, dst, src []T, dim int) error {
	if err := p.check(len(dst), len(src), dim); err != nil {
		return err
	}
	if p.Identity() {
		copy(dst, src)
		return nil
	}
	row := make([]float64, p.from.Cols*dim)
	width := p.to.Cols * dim
	for y := range p.to.Rows {
		resampleRowGeneric(p, dst[y*width:][:width], row, src, y)
	}
	return nil
}

// half is a 16-bit type.
type half interface {
	BFloat16 | Float16
	Float32() float32
}

// applyHalf resamples tables of a 16-bit type: widened to float32, which is exact,
// and rounded once from float64.
func applyHalf[T half](p *Plan, dst, src []T, dim int, round func(float64) T) error {
	if err := p.check(len(dst), len(src), dim); err != nil {
		return err
	}
	if p.Identity() {
		copy(dst, src)
		return nil
	}
	table := make([]float32, len(src))
	for i, v := range src {
		table[i] = v.Float32()
	}
	row := make([]float64, p.from.Cols*dim)
	width := p.to.Cols * dim
	wide := make([]float64, width) // one row of the result before it is rounded
	for y := range p.to.Rows {
		resampleRowGeneric(p, wide, row, table, y)
		out := dst[y*width:][:width]
		for i, v := range wide {
			out[i] = round(v)
		}
	}
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
