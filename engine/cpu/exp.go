package cpu

import "math"

// Beyond these, exp would leave the normal float32 numbers: 127·ln 2 and −126·ln 2,
// rounded towards zero.
const (
	expMax = 88.02
	expMin = -87.33
)

// exp is eˣ in float32, within 2 units in the last place between expMin and expMax;
// smaller arguments give 0, larger ones the value at expMax, and NaN stays NaN.
//
// x = n·ln 2 + r with |r| ≤ ½ ln 2; ln 2 comes in two parts, the first of so few
// bits that n times it is exact. eʳ is Cephes' polynomial for expf (netlib,
// cephes/single/expf.c).
func exp(x float32) float32 {
	const (
		log2e  = 1.44269504088896341
		ln2Hi  = 0.693359375
		ln2Lo  = -2.12194440e-4
		shift  = 3 << 22 // adding it leaves no bits for a fraction: rounds to an integer
		bias   = 127     // of float32's exponent
		digits = 23      // of float32's mantissa
	)
	if x < expMin {
		return 0
	}
	if x > expMax {
		x = expMax
	}
	n := float32(x*log2e+shift) - shift
	r := x - n*ln2Hi
	r -= n * ln2Lo
	p := float32(1.9875691500e-4)
	p = p*r + 1.3981999507e-3
	p = p*r + 8.3334519073e-3
	p = p*r + 4.1665795894e-2
	p = p*r + 1.6666665459e-1
	p = p*r + 5.0000001201e-1
	p = p*r*r + r + 1
	return p * math.Float32frombits(uint32(int32(n)+bias)<<digits)
}
