package arrival

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Sent says how the arrivals that were really sent compare with the process that
// they were drawn from. A number that these arrivals cannot give (too few, or not a
// statistic of this process) is nil.
type Sent struct {
	Arrivals int     `json:"arrivals"`
	Rate     float64 `json:"rate"`      // arrivals per second from the block's start to the last
	WantRate float64 `json:"want_rate"` // that of the process
	Bound    float64 `json:"bound"`     // 3/√n, of the rate's relative error and of Lag1
	// Dispersion is the index of dispersion of counts: variance over mean of the
	// arrivals in equal windows of ten on average. Poisson: 1; gamma: about 1/burstiness.
	Dispersion     *float64 `json:"dispersion,omitempty"`
	WantDispersion *float64 `json:"want_dispersion,omitempty"`
	DispersionP    *float64 `json:"dispersion_p,omitempty"` // two-sided, for Poisson only
	Lag1           *float64 `json:"lag1,omitempty"`         // correlation of successive gaps; independent gaps: 0
	// UniformP is the p value of Kolmogorov and Smirnov's test that the arrivals,
	// given their number, lie uniformly: for Poisson only.
	UniformP *float64 `json:"uniform_p,omitempty"`
	// GapP is that of the gaps against the distribution that they were drawn from.
	GapP     *float64 `json:"gap_p,omitempty"`
	Problems []string `json:"problems,omitempty"` // what is out of bounds, in words
}

// Process is what arrivals are compared with: independent gamma gaps.
type Process struct {
	Rate       float64 // arrivals per second
	Burstiness float64 // 1: Poisson; +Inf: constant
}

const (
	fewestArrivals = 30   // below, no statistic says anything
	perWindow      = 10   // arrivals in a window of the dispersion, on average
	worstP         = .001 // a p value below is a problem
)

// Examine compares arrivals, as offsets from the start of the block in any order,
// with a process. A drawn schedule ends exactly at n/rate, so the last arrival is
// taken as the end of the time in which the others lie.
func Examine(arrivals []time.Duration, process Process) Sent {
	s := Sent{Arrivals: len(arrivals), WantRate: process.Rate}
	if len(arrivals) == 0 {
		return s
	}
	sorted := slices.Sorted(slices.Values(arrivals))
	n, span := float64(len(sorted)), sorted[len(sorted)-1].Seconds()
	s.Bound = 3 / math.Sqrt(n)
	if span <= 0 {
		return s
	}
	s.Rate = n / span
	if off := s.Rate/process.Rate - 1; math.Abs(off) > s.Bound {
		s.problem("the rate is %.3f/s, %+.1f %% off", s.Rate, 100*off)
	}
	if len(sorted) < fewestArrivals || math.IsInf(process.Burstiness, 1) {
		return s
	}
	gaps := gapsOf(sorted)
	s.lag1(gaps)
	s.gaps(gaps, process)
	s.dispersion(sorted, process)
	if process.Burstiness == 1 {
		s.uniform(sorted)
	}
	return s
}

func (s *Sent) problem(format string, args ...any) {
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

// gapsOf are the seconds before each arrival, the first one's from the start.
func gapsOf(sorted []time.Duration) []float64 {
	gaps := make([]float64, len(sorted))
	before := time.Duration(0)
	for i, at := range sorted {
		gaps[i] = (at - before).Seconds()
		before = at
	}
	return gaps
}

// lag1 is the sample correlation of each gap with the next.
func (s *Sent) lag1(gaps []float64) {
	mean := 0.0
	for _, g := range gaps {
		mean += g / float64(len(gaps))
	}
	var cross, square float64
	for i, g := range gaps {
		square += (g - mean) * (g - mean)
		if i > 0 {
			cross += (g - mean) * (gaps[i-1] - mean)
		}
	}
	if square == 0 {
		return
	}
	r := cross / square
	s.Lag1 = &r
	if math.Abs(r) > s.Bound {
		s.problem("successive gaps are correlated by %.3f, more than %.3f", r, s.Bound)
	}
}

// gaps tests them against their gamma distribution, whose parameters are known.
func (s *Sent) gaps(gaps []float64, process Process) {
	law := distuv.Gamma{Alpha: process.Burstiness, Beta: process.Rate * process.Burstiness}
	sorted := slices.Sorted(slices.Values(gaps))
	p := kolmogorovP(sorted, law.CDF)
	s.GapP = &p
	if p < worstP {
		s.problem("the gaps are not those of the process (p = %.2g)", p)
	}
}

// uniform tests the arrivals before the last against a uniform distribution up to it.
func (s *Sent) uniform(sorted []time.Duration) {
	end := sorted[len(sorted)-1].Seconds()
	shares := make([]float64, len(sorted)-1)
	for i := range shares {
		shares[i] = sorted[i].Seconds() / end
	}
	p := kolmogorovP(shares, func(x float64) float64 { return min(1, max(0, x)) })
	s.UniformP = &p
	if p < worstP {
		s.problem("the arrivals are not spread as a Poisson process's (p = %.2g)", p)
	}
}

// dispersion counts arrivals in equal windows. For Poisson, given their number, the
// counts are multinomial and k−1 times the index is close to χ² of k−1 degrees.
func (s *Sent) dispersion(sorted []time.Duration, process Process) {
	windows := (len(sorted) - 1) / perWindow
	if windows < 3 {
		return
	}
	end := sorted[len(sorted)-1]
	counts := make([]float64, windows)
	for _, at := range sorted[:len(sorted)-1] {
		w := int(float64(at) / float64(end) * float64(windows))
		counts[max(0, min(windows-1, w))]++
	}
	mean := float64(len(sorted)-1) / float64(windows)
	square := 0.0
	for _, c := range counts {
		square += (c - mean) * (c - mean)
	}
	degrees := float64(windows - 1)
	index, want := square/degrees/mean, 1/process.Burstiness
	s.Dispersion, s.WantDispersion = &index, &want
	if process.Burstiness != 1 {
		return // its law is known for long windows only
	}
	below := distuv.ChiSquared{K: degrees}.CDF(square / mean)
	p := 2 * min(below, 1-below)
	s.DispersionP = &p
	if p < worstP {
		s.problem("the index of dispersion is %.2f where a Poisson process has 1 (p = %.2g)", index, p)
	}
}

// kolmogorovP is the p value of the greatest distance between a sample, ascending,
// and a distribution without steps, by the limit law with M. A. Stephens's
// correction for the sample's size (1970), good to two digits from n = 8 on.
func kolmogorovP(sorted []float64, cdf func(float64) float64) float64 {
	n := float64(len(sorted))
	d := 0.0
	for i, x := range sorted {
		f := cdf(x)
		d = max(d, float64(i+1)/n-f, f-float64(i)/n)
	}
	root := math.Sqrt(n)
	return kolmogorovTail(d * (root + 0.12 + 0.11/root))
}

// kolmogorovTail is 2·Σ (−1)^(k−1)·exp(−2k²t²), k from 1.
func kolmogorovTail(t float64) float64 {
	if t < 0.2 {
		return 1 // the series converges slowly where it is 1
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k <= 100; k++ {
		term := math.Exp(-2 * k * k * t * t)
		sum += sign * term
		sign = -sign
		if term < 1e-16 {
			break
		}
	}
	return min(1, max(0, 2*sum))
}
