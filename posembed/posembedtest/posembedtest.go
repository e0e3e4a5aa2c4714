// Package posembedtest is the conformance suite of position-table resamplers:
// every implementation of a convention, on any processor and in any number type,
// passes [Run].
//
// What is right is said twice, independently of package posembed: by golden values
// of torch and of a float64 implementation (testdata), and by [Direct], the
// definition computed the slow way.
package posembedtest

import (
	"testing"

	"siglab/posembed"
)

// Implementation is what the suite tests.
type Implementation[T Element] struct {
	// Convention is what it claims to compute.
	Convention posembed.Convention

	// Prepare binds it to a table src [from.Rows, from.Cols, dim] and a target
	// grid. The function that it returns writes the result [to.Rows, to.Cols, dim]
	// and is called several times, also concurrently with different dst.
	Prepare func(src []T, from, to posembed.Grid, dim int) (func(dst []T) error, error)

	// Tolerance and Relative bound the error before the result is rounded to T:
	// Tolerance, for tables of magnitude 1, and Relative times Σ|weight|·|value|
	// over the taps of the result.
	Tolerance, Relative float64
}

// wide is a number of channels that no vector length divides and that is more than
// the largest of them.
const wide = 37

// Run tests an implementation. It takes about a tenth of a second on a CPU.
func Run[T Element](t *testing.T, impl Implementation[T]) {
	t.Run("goldens", impl.testGoldens)
	t.Run("random grids", impl.testRandomGrids)
	t.Run("equal grids", impl.testEqualGrids)
	t.Run("large result", impl.testLargeResult)
	t.Run("thin grids", impl.testThinGrids)
	t.Run("constant tables", impl.testConstantTables)
	t.Run("ramps", impl.testRamps)
	t.Run("flips", impl.testFlips)
	t.Run("transposition", impl.testTransposition)
	t.Run("not finite", impl.testNotFinite)
	t.Run("guards", impl.testGuards)
	t.Run("misaligned", impl.testMisaligned)
	t.Run("concurrent", impl.testConcurrent)
}

// resample runs the implementation once. The result is filled with NaN before, so
// that a value that is not written is found.
func (impl Implementation[T]) resample(t *testing.T, src []T, from, to posembed.Grid, dim int) []T {
	t.Helper()
	dst := filled[T](to.Len()*dim, notANumber[T]())
	impl.resampleTo(t, dst, src, from, to, dim)
	return dst
}

// resampleTo runs the implementation once into dst.
func (impl Implementation[T]) resampleTo(t *testing.T, dst, src []T, from, to posembed.Grid, dim int) {
	t.Helper()
	run, err := impl.Prepare(src, from, to, dim)
	if err == nil {
		err = run(dst)
	}
	if err != nil {
		t.Fatalf("%v to %v, dim %d: %v", from, to, dim, err)
	}
}

// copies reports whether the convention keeps a table on an equal grid.
func (impl Implementation[T]) copies() bool { return impl.Convention != posembed.BicubicOffset }
