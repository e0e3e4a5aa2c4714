package posembedtest

import (
	"math"
	"math/rand/v2"

	"siglab/posembed"
)

// Element is the type of a table's values.
type Element interface {
	float32 | float64 | posembed.BFloat16 | posembed.Float16
}

// format is what the suite must know of a type.
type format struct {
	unit     float64 // unit roundoff: the relative error of rounding to nearest
	tiny     float64 // half of the smallest step, the error where that is larger
	constant float64 // by how many units in the last place a constant may come back changed
}

// ulp is the unit in the last place of a normal number v.
func (f format) ulp(v float64) float64 {
	_, exponent := math.Frexp(v) // |v| in [2^(exponent−1), 2^exponent)
	return math.Ldexp(2*f.unit, exponent-1)
}

// formatOf describes T. The weights of a plan add up to 1 but for their rounding,
// which 16-bit types never see.
func formatOf[T Element]() format {
	var v T
	switch any(v).(type) {
	case float64:
		return format{unit: 0x1p-53, constant: 2}
	case posembed.BFloat16:
		return format{unit: 0x1p-8, tiny: 0x1p-134}
	case posembed.Float16:
		return format{unit: 0x1p-11, tiny: 0x1p-25}
	default: // float32
		return format{unit: 0x1p-24, tiny: 0x1p-150, constant: 2}
	}
}

// toFloat64 is the value of v.
func toFloat64[T Element](v T) float64 {
	switch v := any(v).(type) {
	case float64:
		return v
	case posembed.BFloat16:
		return float64(v.Float32())
	case posembed.Float16:
		return float64(v.Float32())
	default:
		return float64(v.(float32))
	}
}

// fromFloat64 is the T nearest to v.
func fromFloat64[T Element](v float64) T {
	var out T
	switch out := any(&out).(type) {
	case *float32:
		*out = float32(v)
	case *float64:
		*out = v
	case *posembed.BFloat16:
		*out = posembed.RoundToBFloat16(v)
	case *posembed.Float16:
		*out = posembed.RoundToFloat16(v)
	}
	return out
}

// bitsOf is the representation of v, which tells NaNs and zeros apart.
func bitsOf[T Element](v T) uint64 {
	switch v := any(v).(type) {
	case float64:
		return math.Float64bits(v)
	case posembed.BFloat16:
		return uint64(v)
	case posembed.Float16:
		return uint64(v)
	default:
		return uint64(math.Float32bits(v.(float32)))
	}
}

// sameBits reports the first index where two slices of one length differ.
func sameBits[T Element](a, b []T) (int, bool) {
	for i := range a {
		if bitsOf(a[i]) != bitsOf(b[i]) {
			return i, false
		}
	}
	return 0, true
}

// notANumber is a NaN.
func notANumber[T Element]() T { return fromFloat64[T](math.NaN()) }

// filled is a slice of n equal values.
func filled[T Element](n int, v T) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// Normals is a slice of n standard normal values rounded to T.
func Normals[T Element](rng *rand.Rand, n int) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = fromFloat64[T](rng.NormFloat64())
	}
	return s
}

// widened is a copy of a slice as float64.
func widened[T Element](s []T) []float64 {
	wide := make([]float64, len(s))
	for i, v := range s {
		wide[i] = toFloat64(v)
	}
	return wide
}

// Seeded is a random source that gives the same values in every run of a test.
func Seeded(test uint64) *rand.Rand { return rand.New(rand.NewPCG(test, 0x5169)) }
