package posembed

import "sync"

// table is a type of table: how its results are computed.
type table[T any] struct {
	size    int                       // of a value, in bytes
	passes  func(*kernels) *passes[T] // nil if there are no kernels for it
	generic rowsFunc[T]
	jobs    sync.Pool // of *job[T]
}

// rowsFunc writes rows begin to end of a plan's result dst [to.Rows, to.Cols, dim].
type rowsFunc[T any] func(p *Plan, w *workspace, dst, src []T, dim, begin, end int)

var (
	float64Table  = table[float64]{size: 8, generic: genericRows[float64]}
	float32Table  = table[float32]{size: 4, generic: genericRows[float32], passes: func(k *kernels) *passes[float32] { return &k.f32 }}
	bfloat16Table = table[BFloat16]{size: 2, generic: genericHalfRows(RoundToBFloat16), passes: func(k *kernels) *passes[BFloat16] { return &k.bf16 }}
	float16Table  = table[Float16]{size: 2, generic: genericHalfRows(RoundToFloat16), passes: func(k *kernels) *passes[Float16] { return &k.f16 }}
)

// workspace is the memory that one goroutine needs to apply a plan. It grows to
// what was needed and is kept.
type workspace struct {
	window []float32 // the last columns of a blended source row, over a block of channels
	table  []float32 // Generic: a source table widened from 16 bits
	row    []float64 // Generic: one blended source row
	wide   []float64 // Generic: one row of the result before it is rounded to 16 bits
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// resize is a slice of length n, the given one if it is large enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// mostSingleTaps is the most taps of an output index along an axis that are summed
// in float32; plans with more are Generic's. It keeps the error of a constant table
// within two units in the last place, and only antialiasing that shrinks by more
// than three (cubic) or six (linear) has more.
const mostSingleTaps = 12

// rows writes rows begin to end of a plan's result, by the implementation's
// kernels where it has some for this type and number of channels.
func (t *table[T]) rows(i Implementation, p *Plan, w *workspace, dst, src []T, dim, begin, end int) {
	if p.Identity() {
		width := p.to.Cols * dim
		copy(dst[begin*width:end*width], src[begin*width:end*width])
		return
	}
	k := i.kernels()
	for k != nil && dim < k.channels {
		k = k.narrower
	}
	if k == nil || t.passes == nil || p.rows.most > mostSingleTaps || p.cols.most > mostSingleTaps {
		t.generic(p, w, dst, src, dim, begin, end)
		return
	}
	vectorRows(t.passes(k), k.channels, len(dst)*t.size >= streamedBytes, p, w, dst, src, dim, begin, end)
}
