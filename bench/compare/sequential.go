package compare

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Looking at a run after every pair and stopping when it says enough makes the
// fixed-sample test wrong: it rejects five times as often as it says. The
// comparison of a run that may stop early therefore rests on a likelihood ratio
// which is valid at every look.
//
// The ratio is that of a t statistic under a normal mixture over the standardised
// effect, N(0, g), against no effect (Wang and Ramdas, arXiv:2310.03722; Lindon et
// al., KDD 2022). Its expectation under no effect is 1 at every n, so it exceeds
// 1/α at any time with a chance of at most α (Ville). Block effects are taken to be
// independent and normal; a run of one variant against itself checks that.

// mixture is g, the variance of the effects that the mixture expects, in units of
// the noise of a pair.
const mixture = 1

// firstLook is the fewest pairs that are looked at: with fewer, the ratio cannot
// reach 20 whatever the data.
const firstLook = 4

// evidence is the mixture's likelihood ratio for a sample having a mean other than
// zero, with ν = n − 1 and t the statistic of Student's test:
//
//	(1 + n·g)^(−1/2) · [(1 + t²/ν) / (1 + t²/(ν(1 + n·g)))]^((ν+1)/2)
//
// It is 1, no evidence, for fewer than two values.
func evidence(sample []float64) float64 {
	n := float64(len(sample))
	if n < 2 {
		return 1
	}
	m, nu, a := stat.Mean(sample, nil), n-1, 1+n*mixture
	if !finite(m) {
		return 1
	}
	se := standardError(sample)
	if se == 0 {
		if m == 0 {
			return 1 / math.Sqrt(a)
		}
		return math.Pow(a, nu/2) // the limit of an infinite t
	}
	t2 := (m / se) * (m / se)
	return math.Pow((1+t2/nu)/(1+t2/(nu*a)), (nu+1)/2) / math.Sqrt(a)
}

// anytimeP is a p value that holds however often the sample was looked at while it
// grew: one over the largest evidence at a look, at most 1. Looks are at every
// step-th pair from the fourth on, and at the last.
func anytimeP(sample []float64, step int) float64 {
	if len(sample) < 2 || !finite(mean(sample)) {
		return math.NaN()
	}
	most := 1.0
	for n := step; n < len(sample); n += step {
		if n >= firstLook {
			most = max(most, evidence(sample[:n]))
		}
	}
	return 1 / max(most, evidence(sample))
}

// anytimeCritical is the |t| at which the evidence of n values reaches 1/α: half the
// width of the confidence sequence in standard errors. It is infinite while no data
// could reach it. It inverts evidence: with R = (√a/α)^(2/(ν+1)),
// t² = ν·(R − 1)/(1 − R/a).
func anytimeCritical(n int, alpha float64) float64 {
	if n < 2 {
		return math.Inf(1)
	}
	nu, a := float64(n-1), 1+float64(n)*mixture
	r := math.Pow(math.Sqrt(a)/alpha, 2/(nu+1))
	if r >= a {
		return math.Inf(1)
	}
	return math.Sqrt(nu * (r - 1) / (1 - r/a))
}

// Decided reports whether more pairs would not change what the run says: every
// primary metric of every candidate has a verdict other than inconclusive. Only a
// comparison that allows for early looks (Experiment.EarlyStop) can be asked.
func (c *Comparison) Decided() bool {
	primaries := 0
	for _, m := range c.Metrics {
		if !m.Primary {
			continue
		}
		primaries++
		if m.Verdict == Inconclusive || m.Verdict == None {
			return false
		}
	}
	return primaries > 0 && c.Manifest.Experiment.EarlyStop
}

// IsLook reports whether a run of so many complete pairs may be looked at: the order
// of its variants is balanced, and there are enough of them.
func IsLook(pairs, variants int) bool {
	return pairs >= firstLook && pairs%balancedStep(variants) == 0
}
