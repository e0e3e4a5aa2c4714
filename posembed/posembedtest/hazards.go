package posembedtest

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"siglab/posembed"
)

// testNotFinite puts a NaN or an infinity into one value of the table. It must
// show wherever it has weight, and nowhere that it is out of reach.
func (impl Implementation[T]) testNotFinite(t *testing.T) {
	const dim, channel = wide, 18
	rng := Seeded(6)
	from, at := posembed.Grid{Rows: 12, Cols: 10}, posembed.Grid{Rows: 5, Cols: 7}
	for _, to := range []posembed.Grid{{Rows: 18, Cols: 23}, {Rows: 9, Cols: 8}} {
		clean := Normals[T](rng, from.Len()*dim)
		finite := impl.resample(t, clean, from, to, dim)
		wy, wx := matrix(from.Rows, to.Rows, impl.Convention), matrix(from.Cols, to.Cols, impl.Convention)
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			src := append([]T(nil), clean...)
			src[(at.Rows*from.Cols+at.Cols)*dim+channel] = fromFloat64[T](bad)
			for i, v := range impl.resample(t, src, from, to, dim) {
				y, x := wy[i/dim/to.Cols], wx[i/dim%to.Cols]
				shows := math.IsNaN(toFloat64(v)) || !math.IsNaN(bad) && math.IsInf(toFloat64(v), 0)
				switch {
				case i%dim == channel && math.Abs(y.weights[at.Rows]*x.weights[at.Cols]) > 1e-3:
					if !shows {
						t.Fatalf("%v to %v: %v in the table is lost: value %d is %v", from, to, bad, i, toFloat64(v))
					}
				case i%dim != channel || !y.reaches(at.Rows) || !x.reaches(at.Cols):
					if bitsOf(v) != bitsOf(finite[i]) {
						t.Fatalf("%v to %v: %v in the table changes value %d, out of its reach, to %v", from, to, bad, i, toFloat64(v))
					}
				}
			}
		}
	}
}

// reaches reports whether source index j may be read, with a position to spare for
// implementations whose coordinate rounds to the other side of an integer.
func (r matrixRow) reaches(j int) bool { return math.Abs(float64(j)-r.centre) < r.support+1 }

// testGuards wants nothing written beside the result, nothing read beside the
// table and nothing changed in it.
func (impl Implementation[T]) testGuards(t *testing.T) {
	rng := Seeded(7)
	for _, dim := range dims() {
		for _, shape := range symmetryShapes()[:2] {
			from, to := shape[0], shape[1]
			src := Normals[T](rng, from.Len()*dim)
			want := impl.resample(t, src, from, to, dim)

			const guard = 64
			in := filled(guard+len(src)+guard, notANumber[T]()) // shows up in the result if read
			copy(in[guard:], src)
			before := append([]T(nil), in...)
			out := filled(guard+len(want)+guard, fromFloat64[T](-77))
			got := out[guard:][:len(want)]
			impl.resampleTo(t, got, in[guard:][:len(src)], from, to, dim)

			what := fmt.Sprintf("%v to %v, dim %d", from, to, dim)
			checkSame(t, what+" between guards", got, want)
			checkSame(t, what+", the table afterwards", in, before)
			checkSame(t, what+", before the result", out[:guard], filled(guard, fromFloat64[T](-77)))
			checkSame(t, what+", behind the result", out[guard+len(want):], filled(guard, fromFloat64[T](-77)))
		}
	}
}

// testMisaligned wants the same bits wherever table and result begin.
func (impl Implementation[T]) testMisaligned(t *testing.T) {
	const dim = wide
	rng := Seeded(8)
	from, to := posembed.Grid{Rows: 5, Cols: 4}, posembed.Grid{Rows: 7, Cols: 9}
	src := Normals[T](rng, from.Len()*dim)
	want := impl.resample(t, src, from, to, dim)
	for _, in := range []int{0, 1, 2, 3, 16} {
		for _, out := range []int{0, 1, 2, 3, 16} {
			table := append(make([]T, in), src...)[in:]
			got := make([]T, out+len(want))[out:]
			impl.resampleTo(t, got, table, from, to, dim)
			checkSame(t, fmt.Sprintf("table %d and result %d values off", in, out), got, want)
		}
	}
}

// testConcurrent wants the same bits from many goroutines at once.
func (impl Implementation[T]) testConcurrent(t *testing.T) {
	const dim, workers, rounds = 33, 4, 3
	rng := Seeded(9)
	from, to := posembed.Grid{Rows: 6, Cols: 6}, posembed.Grid{Rows: 10, Cols: 8}
	src := Normals[T](rng, from.Len()*dim)
	want := impl.resample(t, src, from, to, dim)
	run, err := impl.Prepare(src, from, to, dim)
	if err != nil {
		t.Fatal(err)
	}
	results, errs := make([][]T, workers), make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		results[w] = make([]T, len(want))
		wg.Go(func() {
			for range rounds {
				errs[w] = errors.Join(errs[w], run(results[w]))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, got := range results {
		checkSame(t, "concurrent result", got, want)
	}
}
