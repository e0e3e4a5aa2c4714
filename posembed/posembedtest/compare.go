package posembedtest

import (
	"math"
	"testing"

	"siglab/posembed"
)

// check compares a table's result [to.Rows, to.Cols, dim] with Direct's: the bound
// of the implementation and one rounding to T apart.
func (impl Implementation[T]) check(t *testing.T, got, src []T, from, to posembed.Grid, dim int) {
	t.Helper()
	f := formatOf[T]()
	want, scale := Direct(widened(src), from, to, impl.Convention, dim)
	checkWithin(t, got, want, from, to, dim, func(i int) float64 {
		return impl.bound(scale[i]) + max(f.unit*math.Abs(want[i]), f.tiny)
	})
}

// bound is the largest error before the result is rounded to T.
func (impl Implementation[T]) bound(scale float64) float64 {
	return impl.Tolerance + impl.Relative*scale
}

// checkWithin compares a result with what is wanted and reports the worst value
// beyond its tolerance.
func checkWithin[T Element](t *testing.T, got []T, want []float64, from, to posembed.Grid, dim int, tolerance func(i int) float64) {
	t.Helper()
	worst, at := 0.0, -1
	for i, w := range want {
		excess := math.Abs(toFloat64(got[i])-w) - tolerance(i)
		if math.IsNaN(excess) {
			excess = math.Inf(1)
		}
		if excess > worst {
			worst, at = excess, i
		}
	}
	if at >= 0 {
		position := at / dim
		t.Errorf("%v to %v, dim %d: row %d, column %d, channel %d is %v, want %v ± %.2g",
			from, to, dim, position/to.Cols, position%to.Cols, at%dim,
			toFloat64(got[at]), want[at], tolerance(at))
	}
}

// checkSame compares two results bit by bit.
func checkSame[T Element](t *testing.T, what string, got, want []T) {
	t.Helper()
	if i, same := sameBits(got, want); !same {
		t.Errorf("%s: value %d is %v, want the bits of %v", what, i, toFloat64(got[i]), toFloat64(want[i]))
	}
}
