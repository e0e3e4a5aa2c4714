package vllmbench

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// milliseconds of one second.
const milliseconds = 1000

// Summarize describes a sample given in seconds. An empty one is summarised as if
// it held a single 0, which is what vLLM does.
func Summarize(seconds []float64, percents []float64) Latency {
	sorted := slices.Clone(seconds)
	slices.Sort(sorted)
	if len(sorted) == 0 {
		sorted = []float64{0}
	}
	mean, std := stat.PopMeanStdDev(sorted, nil)
	l := Latency{
		Mean:   mean * milliseconds,
		Median: percentile(sorted, 50) * milliseconds,
		Std:    std * milliseconds,
	}
	for _, p := range percents {
		l.Percentiles = append(l.Percentiles, Percentile{p, percentile(sorted, p) * milliseconds})
	}
	return l
}

// percentile interpolates linearly between the order statistics around position
// p/100·(n−1), numpy's default (method 7 of Hyndman and Fan, 1996). p outside
// 0 … 100 gives the smallest or largest value, p = NaN gives NaN.
func percentile(sorted []float64, p float64) float64 {
	if math.IsNaN(p) {
		return p
	}
	last := len(sorted) - 1
	at := min(max(p/100, 0), 1) * float64(last)
	below := int(math.Floor(at))
	above := min(below+1, last)
	t := at - float64(below)
	a, b := sorted[below], sorted[above]
	if t >= 0.5 { // from the nearer end, as numpy does: exact at t = 1
		return b - (b-a)*(1-t)
	}
	return a + (b-a)*t
}
