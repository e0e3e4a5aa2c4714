package posembed

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Batch is several plans applied to one table in one call: the images of a request
// or of a scheduler's step, each with its own grid (SigLIP2's NaFlex, Ovis2.5,
// Qwen-VL). Its threads share the rows of all results, so that small images do not
// leave them idle. A Batch is immutable, as a Plan is.
type Batch struct {
	plans     []*Plan
	positions int // of all results
	execution Execution
}

// NewBatch joins plans from one grid. It is executed as the first of them is.
func NewBatch(plans ...*Plan) (*Batch, error) {
	if len(plans) == 0 {
		return nil, errors.New("batch of no plans: want at least one")
	}
	b := &Batch{plans: slices.Clone(plans), execution: plans[0].execution}
	for i, p := range plans {
		if p.from != plans[0].from {
			return nil, fmt.Errorf("batch: plan %d is from %v, plan 0 from %v: want one table", i, p.from, plans[0].from)
		}
		if p.to.Len() > math.MaxInt-b.positions {
			return nil, fmt.Errorf("batch: the results of %d plans together are larger than the address space", i+1)
		}
		b.positions += p.to.Len()
	}
	return b, nil
}

// With is the batch executed in another way.
func (b *Batch) With(e Execution) (*Batch, error) {
	e, err := e.resolved()
	if err != nil {
		return nil, fmt.Errorf("batch of %d plans: %w", len(b.plans), err)
	}
	c := *b
	c.execution = e
	return &c, nil
}

// Len is the number of positions of all results.
func (b *Batch) Len() int { return b.positions }

// Apply writes the results of the plans, one after another, to dst [b.Len(), dim].
// Each is what its plan's Apply gives, to the bit.
func (b *Batch) Apply(dst, src []float32, dim int) error {
	return applyBatch(b, &float32Table, dst, src, dim)
}

// ApplyFloat64 is Apply for tables of float64.
func (b *Batch) ApplyFloat64(dst, src []float64, dim int) error {
	return applyBatch(b, &float64Table, dst, src, dim)
}

// ApplyBFloat16 is Apply for tables of BFloat16.
func (b *Batch) ApplyBFloat16(dst, src []BFloat16, dim int) error {
	return applyBatch(b, &bfloat16Table, dst, src, dim)
}

// ApplyFloat16 is Apply for tables of Float16.
func (b *Batch) ApplyFloat16(dst, src []Float16, dim int) error {
	return applyBatch(b, &float16Table, dst, src, dim)
}

// applyBatch resamples a table of any type.
func applyBatch[T any](b *Batch, t *table[T], dst, src []T, dim int) error {
	if len(b.plans) == 0 {
		return errors.New("batch of no plans: make it with NewBatch")
	}
	from := b.plans[0].from
	if err := from.checkTable("source", len(src), dim); err != nil {
		return fmt.Errorf("resample %v to %d grids: %w", from, len(b.plans), err)
	}
	if b.positions > math.MaxInt/dim || len(dst) != b.positions*dim {
		return fmt.Errorf("resample %v to %d grids: destination has %d values: want %d positions of %d channels",
			from, len(b.plans), len(dst), b.positions, dim)
	}
	t.resample(b.execution, b.plans, dst, src, dim)
	return nil
}
