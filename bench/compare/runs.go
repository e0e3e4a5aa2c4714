package compare

import (
	"fmt"
	"math"
	"strings"
)

// RunSample is one metric in whole runs of two programs, one value per run.
type RunSample struct {
	Metric    string // key as in vLLM's JSON
	Unit      string
	Better    Direction // 0 for metrics that are neither better nor worse
	Baseline  []float64
	Candidate []float64
	Notes     []Warning // go before those of the comparison
	// NoVerdict is set where the values do not mean the same.
	NoVerdict bool
}

// RunOptions say how runs are compared.
type RunOptions struct {
	Variant      string  // the candidate's name
	Paired       bool    // run i of both arms belong together
	ManyRequests bool    // every run has enough requests for a 99th percentile
	Saturated    bool    // closed loop, or all requests at once: the throughput is not fixed
	Alpha        float64 // of a verdict; 0 means 0.05
	Equivalence  float64 // margin of equivalence, relative; 0 means 0.02
	NoiseFloor   float64 // effects no larger than this, relative, are noise
}

// Runs compares repeated runs by the rules that Analyse has for pairs of blocks: log
// ratios, Student's t on pairs or Welch's on independent runs, the same primary
// metrics, Holm's adjustment over them, the same verdicts. One run per arm gives no
// estimate of noise and so no verdict.
//
// Paired arms have as many values; one that has none lacks the metric.
func Runs(samples []RunSample, o RunOptions) []Metric {
	opt := withDefaults(options{alpha: o.Alpha, margin: o.Equivalence, floor: o.NoiseFloor})
	out := make([]Metric, len(samples))
	estimates := make([]estimate, len(samples))
	var family []int
	var p []float64
	for i, s := range samples {
		out[i], estimates[i] = s.measure(o, opt)
		if out[i].Primary {
			family, p = append(family, i), append(p, out[i].P)
		}
	}
	for i, adjusted := range Holm(p) {
		out[family[i]].PHolm = adjusted
	}
	for i := range out {
		tests := 1
		if out[i].Primary {
			tests = len(family)
		}
		out[i].judgeRuns(samples[i], estimates[i], opt, tests, o)
	}
	return out
}

// measure estimates one metric, and the difference of the means of its logarithms.
func (s RunSample) measure(o RunOptions, opt options) (Metric, estimate) {
	m := Metric{
		Sequence: nan3(), // nobody can have looked at runs that were made elsewhere
		Metric:   s.Metric, Unit: s.Unit, Variant: o.Variant, Better: s.Better, Verdict: None,
		Baseline: mean(s.Baseline), Candidate: mean(s.Candidate),
		PHolm: math.NaN(), PSignFlip: math.NaN(), MDE: math.NaN(), Order: nan3(), Notes: s.Notes,
	}
	m.Primary = s.isPrimary(o) && !s.NoVerdict
	ratio := ofArms(logarithms(s.Baseline), logarithms(s.Candidate))
	absolute := ofArms(s.Baseline, s.Candidate)
	if o.Paired && len(s.Baseline) == len(s.Candidate) { // else one side lacks the metric
		differences := make([]float64, len(s.Baseline))
		for i := range differences {
			differences[i] = s.Candidate[i] - s.Baseline[i]
			m.Pairs = append(m.Pairs, PairValue{Pair: i, Baseline: s.Baseline[i], Candidate: s.Candidate[i]})
		}
		ratios := logRatios(m.Pairs)
		ratio, absolute = ofPairs(ratios), ofPairs(differences)
		m.PSignFlip = signFlip(ratios)
	}
	m.Percent = ratio.interval(1 - opt.alpha).percent()
	if !finite(m.Percent.Value) && m.Baseline != 0 { // no logarithm: counts that became 0
		m.Percent.Value = 100 * (m.Candidate - m.Baseline) / m.Baseline
	}
	m.Absolute = absolute.interval(1 - opt.alpha)
	m.P = ratio.p()
	return m, ratio
}

// isPrimary has the rules of Analyse, and makes the throughput one where nothing
// else fixes it.
func (s RunSample) isPrimary(o RunOptions) bool {
	for _, spec := range metricSpecs {
		if spec.key == s.Metric {
			return (spec.usual == always || spec.usual == saturating && o.Saturated) && spec.bounded(o.ManyRequests)
		}
	}
	return false
}

// logarithms are NaN for what is not positive.
func logarithms(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.NaN()
		if v > 0 && finite(v) {
			out[i] = math.Log(v)
		}
	}
	return out
}

// judgeRuns gives a metric its verdict.
func (m *Metric) judgeRuns(s RunSample, ratio estimate, opt options, tests int, o RunOptions) {
	if strings.HasPrefix(m.Metric, "p99_") && !o.ManyRequests {
		m.note("few-requests-p99", fmt.Sprintf("Runs of fewer than %d requests do not bound a 99th percentile, so it is descriptive.", fewestForP99))
	}
	if m.Better == HigherIsBetter && strings.HasSuffix(m.Metric, "_throughput") && !o.Saturated {
		m.note("open-loop-throughput", "The schedule fixes the throughput as long as the server keeps up with it, so it is descriptive.")
	}
	switch {
	case len(s.Baseline) == 0 || len(s.Candidate) == 0:
		m.note("no-value", "Only one side has this metric.")
	case len(s.Baseline) == 1 && len(s.Candidate) == 1:
		m.note("one-run", "One run per arm: no noise estimate, no verdict.")
	case len(s.Baseline) == 1 || len(s.Candidate) == 1:
		m.note("one-run", "One arm has a single run, whose noise is unknown: no interval, no verdict.")
	case !finite(ratio.value):
		m.note("not-positive", "A value is not above 0 or not finite, so there is no ratio.")
	}
	if ratio.df <= 0 || !finite(ratio.value) {
		return
	}
	m.MDE = max(100*math.Expm1(noncentrality(ratio.df, tQuantile(1-opt.alpha/float64(2*tests), ratio.df))*ratio.se), 100*opt.floor)
	if !m.Primary {
		return
	}
	m.Verdict = verdictOf(*m, ratio.interval(1-2*opt.alpha).percent(), opt)
	m.noteVerdict(opt)
	if m.Verdict == Inconclusive && o.Paired {
		m.MorePairs = morePairs(logRatios(m.Pairs), opt, tests, 2)
	}
}
