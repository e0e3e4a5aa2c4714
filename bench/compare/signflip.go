package compare

import "math"

// mostFlips bounds the exact sign-flip test: 2²⁰ assignments are a few
// milliseconds, and beyond that the t test needs no check.
const mostFlips = 20

// signFlip returns the two-sided p value of the exact sign-flip test (Fisher's
// randomization test of a mean of zero): the share of all 2ⁿ assignments of signs
// whose sum is at least as far from zero as the sample's. It assumes symmetry
// only. NaN without values, for values that are not finite, and beyond mostFlips.
func signFlip(sample []float64) float64 {
	n := len(sample)
	observed, size := 0.0, 0.0
	for _, v := range sample {
		observed += v
		size += math.Abs(v)
	}
	if n == 0 || n > mostFlips || !finite(observed) {
		return math.NaN()
	}
	// Sums that are equal but for the order of rounding must count as equal.
	reach := math.Abs(observed) - 1e-12*size
	// A sum and its mirror image are equally far: the first sign can stay.
	extreme := countExtreme(sample[1:], sample[0], reach)
	return float64(extreme) / math.Ldexp(1, n-1)
}

// countExtreme counts the signs of the rest for which |sum + Σ ±rest| ≥ reach.
func countExtreme(rest []float64, sum, reach float64) int {
	if len(rest) == 0 {
		if math.Abs(sum) >= reach {
			return 1
		}
		return 0
	}
	return countExtreme(rest[1:], sum+rest[0], reach) + countExtreme(rest[1:], sum-rest[0], reach)
}
