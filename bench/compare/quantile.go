package compare

import (
	"math"
	"slices"
)

// quantile returns the type-7 quantile of ascending values, 0 ≤ q ≤ 1: linear
// between order statistics, as numpy does (Hyndman and Fan, 1996). Values may be
// +Inf at the end; a quantile that touches one is +Inf. It is NaN without values.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	h := q * float64(len(sorted)-1)
	i := int(h)
	part := h - float64(i)
	if part == 0 || i+1 == len(sorted) {
		return sorted[i]
	}
	low, high := sorted[i], sorted[i+1]
	if math.IsInf(high, 1) { // Inf − Inf would be NaN
		return high
	}
	return low + part*(high-low)
}

// percentiles returns the quantiles 0 %, 1 %, …, 100 % of ascending values.
func percentiles(sorted []float64) []float64 {
	out := make([]float64, 101)
	for i := range out {
		out[i] = quantile(sorted, float64(i)/100)
	}
	return out
}

// median sorts a copy.
func median(values []float64) float64 {
	return quantile(slices.Sorted(slices.Values(values)), 0.5)
}

// mean is NaN without values, +Inf if one is.
func mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// finite reports whether v is a number.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
