package cpu_test

import (
	"testing"

	"siglab/engine/cpu"
)

// TestPeak: every instruction set but Generic computes, and counts what it does.
func TestPeak(t *testing.T) {
	for _, isa := range cpu.ISAs() {
		one, ten := isa.Peak(1), isa.Peak(10)
		if ten != 10*one || (one == 0) != (isa == cpu.Generic) || isa.Peak(0) != 0 {
			t.Errorf("%v: %d operations in a round, %d in ten", isa, one, ten)
		}
	}
}
