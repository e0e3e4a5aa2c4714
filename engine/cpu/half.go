package cpu

import "siglab/posembed"

// widenBF16 and widenF16 are the values of 16-bit weights, exactly.
func widenBF16(v uint16) float32 { return posembed.BFloat16(v).Float32() }
func widenF16(v uint16) float32  { return posembed.Float16(v).Float32() }

// roundBF16 is the nearest bfloat16, ties to even.
func roundBF16(v float32) uint16 { return uint16(posembed.RoundToBFloat16(float64(v))) }
