package posembedtest

import (
	"math"
	"testing"

	"siglab/posembed"
)

// check compares a result [to.Rows, to.Cols, dim] with the truth: the tolerance
// and one rounding to T apart.
func (impl Implementation[T]) check(t *testing.T, got []T, want []float64, from, to posembed.Grid, dim int) {
	t.Helper()
	f := formatOf[T]()
	checkWithin(t, got, want, from, to, dim, func(want float64) float64 {
		return impl.Tolerance + max(f.unit*math.Abs(want), f.tiny)
	})
}

// checkWithin compares a result with what is wanted and reports the worst value
// beyond its tolerance.
func checkWithin[T Element](t *testing.T, got []T, want []float64, from, to posembed.Grid, dim int, tolerance func(want float64) float64) {
	t.Helper()
	worst, at := 0.0, -1
	for i, w := range want {
		excess := math.Abs(toFloat64(got[i])-w) - tolerance(w)
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
			toFloat64(got[at]), want[at], tolerance(want[at]))
	}
}

// checkSame compares two results bit by bit.
func checkSame[T Element](t *testing.T, what string, got, want []T) {
	t.Helper()
	if i, same := sameBits(got, want); !same {
		t.Errorf("%s: value %d is %v, want the bits of %v", what, i, toFloat64(got[i]), toFloat64(want[i]))
	}
}
