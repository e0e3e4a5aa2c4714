package report

import (
	"fmt"
	"testing"
)

// TestRoundTicks: an axis has two to seven round numbers, and no empty end.
func TestRoundTicks(t *testing.T) {
	for _, low := range []float64{0, -37, 1234.5} {
		for span := 0.0011; span < 5e6; span *= 1.07 {
			at := roundTicks("%g")(low, low+span)
			if len(at) < 2 || len(at) > 7 {
				t.Errorf("%g to %g: %d ticks", low, low+span, len(at))
				continue
			}
			step := at[1].Value - at[0].Value
			if last := at[len(at)-1].Value; low+span-last > 1.01*step || at[0].Value-low > 1.01*step {
				t.Errorf("%g to %g: %v", low, low+span, at)
			}
		}
	}
	if at := roundTicks("%g%%")(0, 94); fmt.Sprint(at) != "[{0 0%} {20 20%} {40 40%} {60 60%} {80 80%}]" {
		t.Errorf("0 to 94: %v", at)
	}
}
