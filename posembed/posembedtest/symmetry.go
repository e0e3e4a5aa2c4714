package posembedtest

import (
	"math"
	"testing"

	"siglab/posembed"
)

// symmetryShapes are resamplings that enlarge, shrink and do one of each.
func symmetryShapes() [][2]posembed.Grid {
	return [][2]posembed.Grid{
		{{Rows: 5, Cols: 7}, {Rows: 9, Cols: 16}},
		{{Rows: 8, Cols: 6}, {Rows: 3, Cols: 4}},
		{{Rows: 4, Cols: 9}, {Rows: 11, Cols: 5}},
	}
}

// testFlips wants a table that is upside down, or left to right, to give the
// result upside down, or left to right.
func (impl Implementation[T]) testFlips(t *testing.T) {
	const dim = wide
	if impl.Convention == posembed.BicubicOffset {
		t.Skip("the offset moves all coordinates one way")
	}
	rng := Seeded(4)
	for _, shape := range symmetryShapes() {
		from, to := shape[0], shape[1]
		src := Normals[T](rng, from.Len()*dim)
		got := impl.resample(t, src, from, to, dim)
		for _, flip := range []func(g posembed.Grid, row, col int) (int, int){
			func(g posembed.Grid, row, col int) (int, int) { return g.Rows - 1 - row, col },
			func(g posembed.Grid, row, col int) (int, int) { return row, g.Cols - 1 - col },
		} {
			flipped := impl.resample(t, moved(src, from, from, dim, flip), from, to, dim)
			impl.checkEqual(t, moved(flipped, to, to, dim, flip), got, src, from, to, dim)
		}
	}
}

// testTransposition wants rows and columns to be treated alike.
func (impl Implementation[T]) testTransposition(t *testing.T) {
	const dim = wide
	rng := Seeded(5)
	swap := func(_ posembed.Grid, row, col int) (int, int) { return col, row }
	transposed := func(g posembed.Grid) posembed.Grid { return posembed.Grid{Rows: g.Cols, Cols: g.Rows} }
	for _, shape := range symmetryShapes() {
		from, to := shape[0], shape[1]
		src := Normals[T](rng, from.Len()*dim)
		got := impl.resample(t, src, from, to, dim)
		turned := impl.resample(t, moved(src, from, transposed(from), dim, swap), transposed(from), transposed(to), dim)
		impl.checkEqual(t, moved(turned, transposed(to), to, dim, swap), got, src, from, to, dim)
	}
}

// moved is a table whose position (row, col) holds what was at source(row, col).
// The grid given to source is the one of the new table.
func moved[T Element](src []T, from, to posembed.Grid, dim int, source func(g posembed.Grid, row, col int) (int, int)) []T {
	dst := make([]T, len(src))
	for row := range to.Rows {
		for col := range to.Cols {
			r, c := source(to, row, col)
			copy(dst[(row*to.Cols+col)*dim:][:dim], src[(r*from.Cols+c)*dim:][:dim])
		}
	}
	return dst
}

// checkEqual compares two results that stand for those of the table src: each may
// be off by the bound and one rounding, which differs by up to a factor of two
// between neighbouring values.
func (impl Implementation[T]) checkEqual(t *testing.T, got, want, src []T, from, to posembed.Grid, dim int) {
	t.Helper()
	f := formatOf[T]()
	_, scale := Direct(widened(src), from, to, impl.Convention, dim)
	checkWithin(t, got, widened(want), from, to, dim, func(i int) float64 {
		return 2*impl.bound(scale[i]) + 3*max(f.unit*math.Abs(toFloat64(want[i])), f.tiny)
	})
}
