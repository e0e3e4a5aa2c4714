package compare

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// orderEffect estimates what running first does: the mean log ratio of the pairs
// in which the candidate ran first, less that of the others, as a change in
// percent. A drift within the pairs shows here and, in a balanced design, leaves
// the effect itself unbiased. The interval and p are of the two-sample t test with
// a common variance. Everything is NaN unless both orders occurred.
func orderEffect(pairs []PairValue, ratios []float64, level float64) (Interval, float64) {
	var first, second []float64
	for i, p := range pairs {
		if p.CandidateFirst {
			first = append(first, ratios[i])
		} else {
			second = append(second, ratios[i])
		}
	}
	effect := mean(first) - mean(second)
	if !finite(effect) {
		return nan3(), math.NaN()
	}
	df := float64(len(ratios) - 2)
	if df < 1 {
		return Interval{effect, math.NaN(), math.NaN()}.percent(), math.NaN()
	}
	n, m := float64(len(first)), float64(len(second))
	pooled := (squares(first) + squares(second)) / df
	se := math.Sqrt(pooled * (1/n + 1/m))
	half := tQuantile((1+level)/2, df) * se
	return Interval{effect, effect - half, effect + half}.percent(), tTail(effect, se, df)
}

// squares is the sum of squared distances from the mean.
func squares(sample []float64) float64 {
	m := stat.Mean(sample, nil)
	sum := 0.0
	for _, v := range sample {
		sum += (v - m) * (v - m)
	}
	return sum
}
