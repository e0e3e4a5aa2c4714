package compare

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// estimate is a mean, or a difference of means, with its standard error on df
// degrees of freedom. df is 0 where the noise is unknown.
type estimate struct{ value, se, df float64 }

// ofPairs estimates the mean of paired differences.
func ofPairs(differences []float64) estimate {
	if len(differences) < 2 {
		return estimate{mean(differences), math.NaN(), 0}
	}
	return estimate{mean(differences), standardError(differences), float64(len(differences) - 1)}
}

// ofArms estimates the difference of the means of two independent samples, without
// assuming one variance (Welch, 1947), with the degrees of freedom of Satterthwaite.
// An arm of one value says nothing about its noise.
func ofArms(baseline, candidate []float64) estimate {
	difference := mean(candidate) - mean(baseline)
	if len(baseline) < 2 || len(candidate) < 2 {
		return estimate{difference, math.NaN(), 0}
	}
	n, m := float64(len(baseline)), float64(len(candidate))
	a, b := stat.Variance(baseline, nil)/n, stat.Variance(candidate, nil)/m
	df := (a + b) * (a + b) / (a*a/(n-1) + b*b/(m-1))
	if math.IsNaN(df) { // no variance at all
		df = n + m - 2
	}
	return estimate{difference, math.Sqrt(a + b), df}
}

// interval is Student's at a confidence level.
func (e estimate) interval(level float64) Interval {
	switch {
	case !finite(e.value):
		return nan3()
	case e.df <= 0:
		return Interval{e.value, math.NaN(), math.NaN()}
	}
	half := tQuantile((1+level)/2, e.df) * e.se
	return Interval{e.value, e.value - half, e.value + half}
}

// p is the two-sided p value that the value is zero, NaN where the noise is unknown.
func (e estimate) p() float64 {
	if !finite(e.value) || e.df <= 0 {
		return math.NaN()
	}
	return tTail(e.value, e.se, e.df)
}
