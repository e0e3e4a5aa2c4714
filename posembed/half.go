package posembed

import "math"

// BFloat16 is the upper half of a float32: 8 bits of exponent, 7 of fraction.
type BFloat16 uint16

// Float16 is IEEE 754 binary16: 5 bits of exponent, 10 of fraction.
type Float16 uint16

// RoundToBFloat16 is the BFloat16 nearest to v, ties to even. Values that round
// beyond the largest finite one become infinite, NaN stays NaN with its sign.
func RoundToBFloat16(v float64) BFloat16 { return BFloat16(roundToHalf(v, 7, -126)) }

// RoundToFloat16 is the Float16 nearest to v, by the rules of RoundToBFloat16.
func RoundToFloat16(v float64) Float16 { return Float16(roundToHalf(v, 10, -14)) }

// Float32 is the value of b, exactly.
func (b BFloat16) Float32() float32 { return math.Float32frombits(uint32(b) << 16) }

// Float32 is the value of h, exactly.
func (h Float16) Float32() float32 {
	sign, exponent, fraction := uint32(h>>15), uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction · 2⁻²⁴
		magnitude := math.Float32bits(float32(fraction) * 0x1p-24)
		return math.Float32frombits(sign<<31 | magnitude)
	case 0x1f: // infinity or NaN
		exponent = 0xff
	default:
		exponent += 127 - 15
	}
	return math.Float32frombits(sign<<31 | exponent<<23 | fraction<<13)
}

// roundToHalf rounds v to a 16-bit format with the given number of fraction bits
// and smallest normal exponent, straight from float64: by way of float32 it would
// be rounded twice.
func roundToHalf(v float64, fractionBits, minExponent int) uint16 {
	bits := math.Float64bits(v)
	sign := uint16(bits >> 48 & 0x8000)
	infinity := uint16(0x7fff) >> fractionBits << fractionBits
	if v != v {
		quiet := uint16(1) << (fractionBits - 1)
		payload := uint16(bits>>(52-fractionBits)) &^ (0xffff << fractionBits)
		return sign | infinity | quiet | payload
	}

	// |v| = significand · 2^(exponent−52). Zeros and subnormals of float64 get an
	// exponent so small that nothing of them is kept.
	exponent := int(bits>>52&0x7ff) - 1023
	significand := bits&(1<<52-1) | 1<<52
	drop := 52 - fractionBits + max(0, minExponent-exponent)
	if drop > 53 {
		return sign
	}
	kept, rest, half := significand>>drop, significand&(1<<drop-1), uint64(1)<<(drop-1)
	if rest > half || rest == half && kept&1 == 1 {
		kept++
	}

	// The leading bit of a normal number adds one to the exponent field, and so
	// does a carry out of the fraction.
	magnitude := uint64(max(0, exponent-minExponent))<<fractionBits + kept
	return sign | uint16(min(magnitude, uint64(infinity)))
}
