package posembed

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAxisTaps has the taps of single outputs, worked out by hand.
func TestAxisTaps(t *testing.T) {
	tests := []struct {
		name        string
		from, to, i int
		convention  Convention
		index       []int32
		weight      []float64
	}{
		{"half-pixel, s = −0.25: t = 0.75, the edge repeated", 4, 8, 0, Bicubic, []int32{0, 0, 0, 1}, []float64{-0.03515625, 0.26171875, 0.87890625, -0.10546875}},
		{"half-pixel, s = 1.5: symmetric", 4, 1, 0, Bicubic, []int32{0, 1, 2, 3}, []float64{-0.09375, 0.59375, 0.59375, -0.09375}},
		{"corners meet: s = 3, all weight on it", 4, 7, 6, BicubicAlignCorners, []int32{2, 3, 3, 3}, []float64{0, 1, 0, 0}},
		{"s < 0 is moved to 0", 4, 8, 0, Bilinear, []int32{0, 1}, []float64{1, 0}},
		{"s = 3.25 is behind the last", 4, 8, 7, Bilinear, []int32{3, 3}, []float64{0.75, 0.25}},
		{"one output takes the first corner", 4, 1, 0, BilinearAlignCorners, []int32{0, 1}, []float64{1, 0}},
		{"shrunk by two: the triangle is four wide", 4, 2, 0, BilinearAntialias, []int32{0, 1, 2}, []float64{3. / 7, 3. / 7, 1. / 7}},
		{"shrunk by two: Keys' kernel is eight wide", 4, 2, 0, BicubicAntialias, []int32{0, 1, 2, 3}, []float64{0.8671875 / 1.890625, 0.8671875 / 1.890625, 0.2265625 / 1.890625, -0.0703125 / 1.890625}},
	}
	for _, test := range tests {
		axis := newAxis(test.from, test.to, test.convention)
		index, weight := axis.taps(test.i)
		if diff := cmp.Diff(test.index, index); diff != "" {
			t.Errorf("%s: %v %d to %d, indices of %d (-want +got):\n%s", test.name, test.convention, test.from, test.to, test.i, diff)
		}
		near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-15 })
		if diff := cmp.Diff(test.weight, weight, near); diff != "" {
			t.Errorf("%s: %v %d to %d, weights of %d (-want +got):\n%s", test.name, test.convention, test.from, test.to, test.i, diff)
		}
	}
}

// TestSourceCoordinate has the fractions of the scale offset, and an integer that
// floating point misses.
func TestSourceCoordinate(t *testing.T) {
	tests := []struct {
		i, from, to int
		convention  Convention
		floor       int
		t           float64
	}{
		{0, 4, 8, BicubicOffset, -1, 0.5 + 20./81},     // 0.5·4/8.1 − 0.5 = −0.253…
		{7, 4, 8, BicubicOffset, 3, 300./81 - 0.5 - 3}, // 7.5·4/8.1 − 0.5 = 3.203…
		{1, 49, 3, Bicubic, 24, 0},                     // 1.5·(49/3) − 0.5 = 23.999999999999996 in float64
		{0, 3, 1, BicubicAlignCorners, 0, 0},
		{2, 1, 5, BilinearAlignCorners, 0, 0},
	}
	for _, test := range tests {
		floor, fraction := sourceCoordinate(test.i, test.from, test.to, test.convention)
		if floor != test.floor || math.Abs(fraction-test.t) > 1e-15 {
			t.Errorf("%v %d to %d: output %d is at %d + %v, want %d + %v",
				test.convention, test.from, test.to, test.i, floor, fraction, test.floor, test.t)
		}
	}
}

// TestEqualAxis: along an axis that keeps its size the weights are exactly 0 and 1,
// also where the other axis changes.
func TestEqualAxis(t *testing.T) {
	for _, c := range Conventions() {
		for _, size := range []int{1, 2, 9, 32} {
			axis := newAxis(size, size, c)
			for i := range size {
				index, weight := axis.taps(i)
				for k, w := range weight {
					if c.copies() && w != 0 && (w != 1 || int(index[k]) != i) {
						t.Errorf("%v of size %d: output %d takes %v of %d", c, size, i, w, index[k])
					}
				}
			}
		}
	}
}

// FuzzNewPlan wants of every plan that can be made: indices that ascend within the
// table, weights that add up to 1, at least one and not absurdly many taps.
func FuzzNewPlan(f *testing.F) {
	f.Add(27, 27, 32, 24, uint8(Bicubic))
	f.Add(1, 9, 5, 9, uint8(BicubicOffset))
	f.Add(1000, 3, 1, 7, uint8(BicubicAntialias))
	f.Add(65536, 1, 1, 65536, uint8(BilinearAntialias))
	f.Add(0, -1, math.MaxInt, 1<<20, uint8(250))
	f.Fuzz(func(t *testing.T, fromRows, fromCols, toRows, toCols int, convention uint8) {
		from, to := Grid{fromRows, fromCols}, Grid{toRows, toCols}
		p, err := NewPlan(from, to, Convention(convention))
		if err != nil || p.Identity() {
			return
		}
		checkAxis(t, p.rows, from.Rows, to.Rows)
		checkAxis(t, p.cols, from.Cols, to.Cols)
	})
}

func checkAxis(t *testing.T, a axis, from, to int) {
	if len(a.end) != to || len(a.index) != len(a.weight) || len(a.index) > 5*max(from, to) {
		t.Fatalf("%d to %d: %d outputs, %d indices, %d weights", from, to, len(a.end), len(a.index), len(a.weight))
	}
	for i := range to {
		index, weight := a.taps(i)
		sum, last := 0.0, int32(0)
		for k, j := range index {
			if j < last || int(j) >= from {
				t.Fatalf("%d to %d: output %d reads %v", from, to, i, index)
			}
			last = j
			sum += weight[k]
		}
		if !(math.Abs(sum-1) < 1e-12) {
			t.Fatalf("%d to %d: weights of output %d add up to %v", from, to, i, sum)
		}
	}
}
