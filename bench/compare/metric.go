package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"siglab/bench/record"
)

// metricSpec describes one metric that is compared.
type metricSpec struct {
	key    string
	unit   string
	better Direction
	usual  usual // when it is a primary, unless the experiment names others
}

// usual is the kind of load under which a metric is usually a primary.
type usual int8

const (
	rarely     usual = iota // never, unless it is named
	always                  // under every load
	saturating              // where the load asks for all that the server can give
)

// metricSpecs are all metrics, the usual primaries first. Which are primary is fixed
// before the run, so that none is chosen for its result. Throughput is a primary only
// where the load saturates the server: the arrivals of an open loop fix it as long as
// the server keeps up.
var metricSpecs = [...]metricSpec{
	{"median_ttft_ms", "ms", LowerIsBetter, always},
	{"median_tpot_ms", "ms", LowerIsBetter, always},
	{"median_e2el_ms", "ms", LowerIsBetter, always},
	{"p99_ttft_ms", "ms", LowerIsBetter, always},
	{"p99_e2el_ms", "ms", LowerIsBetter, always},
	{"mean_ttft_ms", "ms", LowerIsBetter, rarely},
	{"mean_tpot_ms", "ms", LowerIsBetter, rarely},
	{"mean_e2el_ms", "ms", LowerIsBetter, rarely},
	{"median_itl_ms", "ms", LowerIsBetter, rarely},
	{"mean_itl_ms", "ms", LowerIsBetter, rarely},
	{"p99_tpot_ms", "ms", LowerIsBetter, rarely},
	{"p99_itl_ms", "ms", LowerIsBetter, rarely},
	{"request_throughput", "req/s", HigherIsBetter, rarely},
	{"output_throughput", "tok/s", HigherIsBetter, saturating},
}

// fewestForP99 is the fewest requests for which order statistics bound a 99th
// percentile at 95 % at all: 1 − 0.99ⁿ ≥ 0.95 from n = 299 on.
const fewestForP99 = 300

// isPrimary decides whether a metric is one in this run: one of those that the
// experiment names, or of the usual ones. A p99 needs blocks of many requests, and a
// throughput a load that saturates.
func (s *study) isPrimary(m metricSpec) bool {
	saturates := s.run.Manifest.Experiment.Saturates()
	chosen := m.usual == always || m.usual == saturating && saturates
	if named := s.run.Manifest.Experiment.Primaries; len(named) > 0 {
		chosen = slices.Contains(named, m.key)
	}
	return chosen && (m.better == LowerIsBetter || saturates) && m.bounded(s.manyRequests())
}

// bounded reports whether the requests of a block, or of a run, bound the metric at
// all: a 99th percentile needs many.
func (m metricSpec) bounded(manyRequests bool) bool {
	return manyRequests || !strings.HasPrefix(m.key, "p99_")
}

// CheckPrimaries reports what is wrong with a choice of primary metrics for a load that
// saturates the server or does not.
func CheckPrimaries(keys []string, saturates bool) error {
	for i, key := range keys {
		at := slices.IndexFunc(metricSpecs[:], func(m metricSpec) bool { return m.key == key })
		switch {
		case at < 0:
			var known []string
			for _, m := range metricSpecs {
				if m.better == LowerIsBetter || saturates {
					known = append(known, m.key)
				}
			}
			return fmt.Errorf("there is no metric %q; there are %s", key, strings.Join(known, ", "))
		case metricSpecs[at].better == HigherIsBetter && !saturates:
			return fmt.Errorf("%s cannot be a primary: the schedule of an open loop fixes the throughput", key)
		case slices.Contains(keys[:i], key):
			return fmt.Errorf("%s is named twice", key)
		}
	}
	return nil
}

// manyRequests reports whether every block that counts has enough requests for a
// p99.
func (s *study) manyRequests() bool {
	for _, p := range s.pairs {
		for _, b := range p.blocks {
			if b.Requests < fewestForP99 {
				return false
			}
		}
	}
	return len(s.pairs) > 0
}

// options are the choices of the analysis, made before the run.
type options struct {
	alpha  float64 // of a verdict
	margin float64 // of equivalence, relative
	floor  float64 // effects no larger than this, relative, are noise
	looks  int     // the run may have been looked at every so many pairs; 0: only at its end
}

// critical is how many standard errors an estimate from n pairs must be away from
// zero for a two-sided p of alpha.
func (o options) critical(n int, alpha float64) float64 {
	if o.looks > 0 {
		return anytimeCritical(n, alpha)
	}
	return tQuantile(1-alpha/2, float64(n-1))
}

// interval is an estimate with its interval of confidence 1 − alpha.
func (o options) interval(sample []float64) Interval {
	return around(sample, func(n int) float64 { return o.critical(n, o.alpha) })
}

// p is the two-sided p value of a sample having mean zero.
func (o options) p(sample []float64) float64 {
	if o.looks > 0 {
		return anytimeP(sample, o.looks)
	}
	return tTest(sample)
}

// equivalence is the interval that must lie inside the margin: at 1 − 2·alpha, which
// is Schuirmann's two one-sided tests at alpha; with early looks the confidence
// sequence itself.
func (o options) equivalence(sample []float64) Interval {
	if o.looks > 0 {
		return o.interval(sample)
	}
	return tInterval(sample, 1-2*o.alpha)
}

// options are those of the run, without a noise floor.
func (s *study) options() options { return optionsOf(s.run.Manifest.Experiment, len(s.arms)) }

// optionsOf takes the options from an experiment.
func optionsOf(e record.Experiment, variants int) options {
	o := withDefaults(options{alpha: e.Alpha, margin: e.Equivalence})
	if e.EarlyStop {
		o.looks = balancedStep(variants)
	}
	return o
}

// withDefaults gives what is zero, or no sensible value, the usual one.
func withDefaults(o options) options {
	if !(o.alpha > 0 && o.alpha < 1) {
		o.alpha = 0.05
	}
	if !(o.margin > 0 && o.margin < 1) {
		o.margin = 0.02
	}
	if !(o.floor >= 0) {
		o.floor = 0
	}
	return o
}

// optionsFor is options with the noise floor of one metric.
func (s *study) optionsFor(metric string) options {
	o := s.options()
	if floor := s.run.Manifest.Experiment.NoiseFloors[metric]; floor > 0 && finite(floor) {
		o.floor = floor
	}
	return o
}

// metrics compares every candidate with the baseline in every metric. The Holm
// adjustment runs over all primaries of all candidates.
func (s *study) metrics(valid bool) []Metric {
	var out []Metric
	var family []int // indices of the primaries
	for _, candidate := range s.candidates() {
		for _, spec := range s.specs() {
			m := s.measure(spec, candidate, s.optionsFor(spec.key))
			m.Primary = s.isPrimary(spec)
			if m.Primary {
				family = append(family, len(out))
			}
			out = append(out, m)
		}
	}
	p := make([]float64, len(family))
	for i, at := range family {
		p[i] = out[at].P
	}
	for i, adjusted := range Holm(p) {
		out[family[i]].PHolm = adjusted
	}
	for i := range out {
		s.judge(&out[i], s.optionsFor(out[i].Metric), len(family), valid)
	}
	return out
}

// measure estimates one metric of one candidate, without judging it.
func (s *study) measure(spec metricSpec, candidate int, opt options) Metric {
	m := Metric{
		Metric: spec.key, Unit: spec.unit, Variant: s.arms[candidate].Name, Better: spec.better,
		PHolm: math.NaN(), Verdict: None, MDE: math.NaN(), Pairs: s.values(spec.key, candidate),
	}
	baseline, other := make([]float64, len(m.Pairs)), make([]float64, len(m.Pairs))
	difference := make([]float64, len(m.Pairs))
	for i, p := range m.Pairs {
		baseline[i], other[i], difference[i] = p.Baseline, p.Candidate, p.Candidate-p.Baseline
	}
	m.Baseline, m.Candidate = mean(baseline), mean(other)
	ratios := logRatios(m.Pairs)
	m.Percent = opt.interval(ratios).percent()
	m.Sequence = around(ratios, func(n int) float64 { return anytimeCritical(n, opt.alpha) }).percent()
	m.Absolute = opt.interval(difference)
	m.P = opt.p(ratios)
	m.PSignFlip = signFlip(ratios)
	m.Order, _ = orderEffect(m.Pairs, ratios, 1-opt.alpha)
	return m
}

// logRatios returns log(candidate/baseline) of each pair: equal changes in percent
// up and down have equal size. A value that is no positive number gives NaN.
func logRatios(pairs []PairValue) []float64 {
	out := make([]float64, len(pairs))
	for i, p := range pairs {
		out[i] = math.NaN()
		if p.Baseline > 0 && p.Candidate > 0 && finite(p.Baseline) && finite(p.Candidate) {
			out[i] = math.Log(p.Candidate / p.Baseline)
		}
	}
	return out
}

// percent turns an interval of log ratios into one of changes in percent.
func (i Interval) percent() Interval {
	return Interval{100 * math.Expm1(i.Value), 100 * math.Expm1(i.Low), 100 * math.Expm1(i.High)}
}
