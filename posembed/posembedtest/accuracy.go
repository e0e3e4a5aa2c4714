package posembedtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"siglab/posembed"
)

// dims are channel counts around the vector lengths of processors.
func dims() []int { return []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 130} }

// testRandomGrids compares random tables between random grids with Direct.
func (impl Implementation[T]) testRandomGrids(t *testing.T) {
	rng := Seeded(1)
	for _, dim := range dims() {
		side := 20
		if dim > 33 {
			side = 9
		}
		from := posembed.Grid{Rows: 1 + rng.IntN(side), Cols: 1 + rng.IntN(side)}
		to := posembed.Grid{Rows: 1 + rng.IntN(side), Cols: 1 + rng.IntN(side)}
		impl.checkDirect(t, rng, from, to, dim)
	}
}

// testLargeResult has a result of more than a megabyte in every type, which
// implementations may write in another way, and positions of whole cache lines.
func (impl Implementation[T]) testLargeResult(t *testing.T) {
	impl.checkDirect(t, Seeded(10), posembed.Grid{Rows: 5, Cols: 6}, posembed.Grid{Rows: 23, Cols: 20}, 1152)
}

// testThinGrids has tables and results with one row, one column or both.
func (impl Implementation[T]) testThinGrids(t *testing.T) {
	rng := Seeded(2)
	grids := []posembed.Grid{{Rows: 1, Cols: 1}, {Rows: 1, Cols: 2}, {Rows: 1, Cols: 9}, {Rows: 7, Cols: 1}, {Rows: 4, Cols: 3}}
	for _, from := range grids {
		for _, to := range grids {
			impl.checkDirect(t, rng, from, to, 3)
			impl.checkDirect(t, rng, from, to, wide)
		}
	}
}

// checkDirect compares a random table's result with Direct.
func (impl Implementation[T]) checkDirect(t *testing.T, rng *rand.Rand, from, to posembed.Grid, dim int) {
	t.Helper()
	src := Normals[T](rng, from.Len()*dim)
	got := impl.resample(t, src, from, to, dim)
	impl.check(t, got, src, from, to, dim)
}

// testEqualGrids wants every bit of the table back, NaNs and signed zeros too,
// where the convention keeps equal grids, and otherwise the computed result.
func (impl Implementation[T]) testEqualGrids(t *testing.T) {
	rng := Seeded(3)
	for _, g := range []posembed.Grid{{Rows: 1, Cols: 1}, {Rows: 1, Cols: 6}, {Rows: 5, Cols: 1}, {Rows: 7, Cols: 5}, {Rows: 16, Cols: 16}} {
		if !impl.copies() {
			impl.checkDirect(t, rng, g, g, wide)
			continue
		}
		src := Normals[T](rng, g.Len()*wide)
		for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0x1p-149, math.MaxFloat64} {
			src[i] = fromFloat64[T](v)
		}
		checkSame(t, fmt.Sprintf("%v to itself", g), impl.resample(t, src, g, g, wide), src)
	}
}

// testConstantTables wants constants back, but for the rounding of weights and
// sums: to the bit in 16-bit types, within two units in the last place in the
// others, or within the implementation's tolerance.
func (impl Implementation[T]) testConstantTables(t *testing.T) {
	from := posembed.Grid{Rows: 7, Cols: 9}
	f := formatOf[T]()
	for _, to := range []posembed.Grid{{Rows: 14, Cols: 9}, {Rows: 11, Cols: 23}, {Rows: 3, Cols: 4}, {Rows: 1, Cols: 30}, {Rows: 24, Cols: 31}} {
		for _, v := range []float64{1, -0.1, 3.7, 1e-3, 1000, 1.99} {
			want := fromFloat64[T](v)
			src := filled(from.Len()*wide, want)
			value := toFloat64(want)
			limit := f.constant * f.ulp(value)
			if limit > 0 {
				limit += impl.Tolerance * math.Abs(value)
			}
			got := impl.resample(t, src, from, to, wide)
			checkWithin(t, got, filled(len(got), value), from, to, wide, func(int) float64 { return limit })
		}
	}
}

// testRamps wants linear functions of the position back from the linear kernels.
// The antialiased one reproduces them only where it does not shrink; Keys' kernel
// with A = −0.75 does not at all.
func (impl Implementation[T]) testRamps(t *testing.T) {
	c := impl.Convention
	if c != posembed.Bilinear && c != posembed.BilinearAlignCorners && c != posembed.BilinearAntialias {
		t.Skipf("%v does not reproduce linear functions", c)
	}
	from := posembed.Grid{Rows: 6, Cols: 8}
	for _, to := range []posembed.Grid{{Rows: 6, Cols: 8}, {Rows: 12, Cols: 8}, {Rows: 7, Cols: 31}, {Rows: 3, Cols: 5}, {Rows: 1, Cols: 1}} {
		if c == posembed.BilinearAntialias && (to.Rows < from.Rows || to.Cols < from.Cols) {
			continue
		}
		src := make([]T, 0, from.Len()*wide)
		for row := range from.Rows {
			for col := range from.Cols { // small integers, which every type holds
				for channel := range wide {
					src = append(src, fromFloat64[T](float64(channel%3-4*row+2*col)))
				}
			}
		}
		want := make([]float64, 0, to.Len()*wide)
		for i := range to.Rows {
			y := min(max(coordinate(i, from.Rows, to.Rows, c), 0), float64(from.Rows-1))
			for j := range to.Cols {
				x := min(max(coordinate(j, from.Cols, to.Cols, c), 0), float64(from.Cols-1))
				for channel := range wide {
					want = append(want, float64(channel%3)-4*y+2*x)
				}
			}
		}
		got := impl.resample(t, src, from, to, wide)
		f := formatOf[T]()
		checkWithin(t, got, want, from, to, wide, func(i int) float64 {
			return 20*(impl.Tolerance+impl.Relative) + f.unit*math.Abs(want[i]) // the values are up to 20
		})
	}
}
