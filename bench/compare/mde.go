package compare

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	power     = 0.8
	mostPairs = 2000 // beyond that, "more pairs" is no advice
)

// smallestEffect is the smallest change, in percent, that this many pairs of this
// noise would have found with 80 % power, NaN for fewer than two pairs. With
// several tests it is for the one that the Holm adjustment treats worst. An effect
// within the noise floor is never found.
func smallestEffect(ratios []float64, opt options, tests int) float64 {
	if len(ratios) < 2 {
		return math.NaN()
	}
	effect := opt.detectable(len(ratios), stat.StdDev(ratios, nil), tests)
	if math.IsInf(effect, 1) {
		return math.NaN() // no data of so few pairs could have decided
	}
	return max(100*math.Expm1(effect), 100*opt.floor)
}

// detectable is the mean log ratio that n pairs with standard deviation sd find
// with the wanted power in a two-sided test at alpha over the number of tests. With
// early looks it is for the last of them alone, and so cautious.
func (o options) detectable(n int, sd float64, tests int) float64 {
	x := o.critical(n, o.alpha/float64(tests))
	if math.IsInf(x, 1) {
		return x
	}
	return noncentrality(float64(n-1), x) * sd / math.Sqrt(float64(n))
}

// noncentrality is the effect, in standard errors, for which Student's statistic on nu
// degrees of freedom exceeds x with the wanted power. It inverts the normal
// approximation of the noncentral t distribution (Abramowitz and Stegun 26.7.10):
// P(T ≤ x) ≈ Φ((x(1 − 1/4ν) − δ) / √(1 + x²/2ν)).
func noncentrality(nu, x float64) float64 {
	return x*(1-1/(4*nu)) + normalQuantile(power)*math.Sqrt(1+x*x/(2*nu))
}

// morePairs is how many pairs beyond those there are would decide, with 80 %
// power, if the effect and the noise are what they look like now: as a difference,
// or as equivalence, whichever comes first. The total is rounded up to a balanced
// design. It is 0 if unknown or out of reach.
func morePairs(ratios []float64, opt options, tests, variants int) int {
	if len(ratios) < 2 {
		return 0
	}
	effect := math.Abs(stat.Mean(ratios, nil))
	sd := stat.StdDev(ratios, nil)
	room := math.Log1p(opt.margin) - effect // to the nearer bound of equivalence, or a little less
	canDiffer := math.Expm1(effect) > opt.floor
	step := balancedStep(variants)
	first := (len(ratios)/step + 1) * step
	choices := max(0, (mostPairs-first)/step+1)
	enough := sort.Search(choices, func(i int) bool { // more pairs never find less
		n := first + i*step
		return canDiffer && opt.detectable(n, sd, tests) <= effect || room > 0 && opt.equivalenceRoom(n, sd) <= room
	})
	if enough == choices {
		return 0
	}
	return first + enough*step - len(ratios)
}

// equivalenceRoom is how far from the bound a mean must lie for the interval of n
// pairs to stay inside with the wanted power. It splits the chance of a miss over
// both bounds, which is exact for a mean of zero and cautious elsewhere.
func (o options) equivalenceRoom(n int, sd float64) float64 {
	t := o.critical(n, 2*o.alpha)
	if o.looks > 0 {
		t = o.critical(n, o.alpha)
	}
	return (t + normalQuantile((1+power)/2)) * sd / math.Sqrt(float64(n))
}

// balancedStep is the number of rounds of one balanced design: AB and BA, or a
// Williams square, of which an odd number of variants needs two.
func balancedStep(variants int) int {
	if variants%2 == 0 {
		return variants
	}
	return 2 * variants
}

func normalQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }
