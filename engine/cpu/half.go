package cpu

import (
	"math"

	"siglab/posembed"
)

// widenBF16 and widenF16 are the values of 16-bit weights, exactly.
func widenBF16(v uint16) float32 { return posembed.BFloat16(v).Float32() }
func widenF16(v uint16) float32  { return posembed.Float16(v).Float32() }

// roundBF16 is the nearest bfloat16, ties to even: the upper half of the bits after
// adding just less than half of its last place, or half where that is odd. NaN stays
// NaN.
func roundBF16(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		const quiet = 0x40
		return uint16(bits>>16) | quiet
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
