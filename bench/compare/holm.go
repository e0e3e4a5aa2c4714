package compare

import (
	"cmp"
	"math"
	"slices"
)

// Holm adjusts p values so that rejecting those below alpha keeps the chance of
// any false rejection below alpha (Holm, 1979). A NaN stays NaN but counts as one
// of the family, whose size was fixed before the run.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	rank := func(i int) float64 {
		if math.IsNaN(p[i]) {
			return math.Inf(1)
		}
		return p[i]
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(rank(i), rank(j)) })
	adjusted := make([]float64, len(p))
	largest := 0.0
	for done, i := range order {
		if math.IsNaN(p[i]) {
			adjusted[i] = math.NaN()
			continue
		}
		largest = max(largest, min(1, float64(len(p)-done)*p[i]))
		adjusted[i] = largest
	}
	return adjusted
}
