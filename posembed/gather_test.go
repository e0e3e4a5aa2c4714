package posembed

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLinspace has both halves, counted from either end, and the sizes without a step.
func TestLinspace(t *testing.T) {
	for _, test := range []struct {
		size, n int
		want    []float32
	}{
		{5, 1, []float32{0}},
		{1, 3, []float32{0, 0, 0}},
		{4, 7, []float32{0, 0.5, 1, 1.5, 2, 2.5, 3}},
		{3, 4, []float32{0, 0.6666667, 1.3333333, 2}},
	} {
		if diff := cmp.Diff(test.want, linspace(test.size, test.n)); diff != "" {
			t.Errorf("linspace(%d, %d) (-want +got):\n%s", test.size, test.n, diff)
		}
	}
}
