package cpu

import (
	"math"
	"testing"

	"siglab/posembed"
)

// TestRoundBF16 agrees with the rounding of position tables for one float32 in 1,021.
func TestRoundBF16(t *testing.T) {
	for bits := uint64(0); bits <= math.MaxUint32; bits += 1021 {
		v := math.Float32frombits(uint32(bits))
		got, want := roundBF16(v), uint16(posembed.RoundToBFloat16(float64(v)))
		if got != want {
			t.Fatalf("%g (%#x) is rounded to %#x, want %#x", v, bits, got, want)
		}
	}
}
