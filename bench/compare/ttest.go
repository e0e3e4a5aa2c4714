package compare

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// nan3 is the interval about which nothing is known.
func nan3() Interval { return Interval{math.NaN(), math.NaN(), math.NaN()} }

// tInterval returns the mean of a sample with Student's interval at a confidence
// level (0.95), on n − 1 degrees of freedom. One value has no interval; a value
// that is not finite leaves nothing.
func tInterval(sample []float64, level float64) Interval {
	return around(sample, func(n int) float64 { return tQuantile((1+level)/2, float64(n-1)) })
}

// around is the mean of a sample with an interval of as many standard errors to
// each side as critical says for its size. If those are infinite there is none.
func around(sample []float64, critical func(n int) float64) Interval {
	m := mean(sample)
	if !finite(m) {
		return nan3()
	}
	if len(sample) < 2 {
		return Interval{m, math.NaN(), math.NaN()}
	}
	half := critical(len(sample)) * standardError(sample)
	if !finite(half) {
		return Interval{m, math.NaN(), math.NaN()}
	}
	return Interval{m, m - half, m + half}
}

// tTest returns the two-sided p value of Student's test that a sample has mean
// zero, NaN for fewer than two values. Equal values that are not zero give 0.
func tTest(sample []float64) float64 {
	m := mean(sample)
	if len(sample) < 2 || !finite(m) {
		return math.NaN()
	}
	return tTail(m, standardError(sample), float64(len(sample)-1))
}

// tTail is the two-sided p value of an estimate with a standard error on df
// degrees of freedom.
func tTail(estimate, se, df float64) float64 {
	if se == 0 {
		if estimate == 0 {
			return 1
		}
		return 0
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Survival(math.Abs(estimate/se))
}

func tQuantile(p, df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}

// standardError of the mean.
func standardError(sample []float64) float64 {
	return stat.StdDev(sample, nil) / math.Sqrt(float64(len(sample)))
}
