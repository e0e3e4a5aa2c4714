package cpu

import (
	"math"
	"testing"
)

// TestExp wants 2 units in the last place where float32 has normal numbers, and
// the stated values outside.
func TestExp(t *testing.T) {
	worst := 0.0
	for x := float32(expMin); x < expMax; x += 1.0 / 4096 {
		want := math.Exp(float64(x))
		ulp := float64(math.Nextafter32(float32(want), math.MaxFloat32)) - float64(float32(want))
		worst = max(worst, math.Abs(float64(exp(x))-want)/ulp)
	}
	if worst > 2 {
		t.Errorf("exp is off by %.2f units in the last place, want at most 2", worst)
	}
	t.Logf("largest error: %.2f units in the last place", worst)

	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	tests := []struct {
		why     string
		x, want float32
	}{
		{"the identity that softmax's largest element relies on", 0, 1},
		{"too small for a normal number", -90, 0},
		{"a masked score", -inf, 0},
		{"too large: the largest value that exp gives", 1000, exp(expMax)},
		{"infinite: the same", inf, exp(expMax)},
	}
	for _, test := range tests {
		if got := exp(test.x); got != test.want {
			t.Errorf("%s: exp(%v) = %v, want %v", test.why, test.x, got, test.want)
		}
	}
	if got := exp(nan); !math.IsNaN(float64(got)) {
		t.Errorf("exp(NaN) = %v, want NaN", got)
	}
}
