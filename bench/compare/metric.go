package compare

import "math"

// metricSpec describes one metric that is compared.
type metricSpec struct {
	key    string
	unit   string
	better Direction
	rank   rank
}

// rank says whether a metric can get a verdict. It is fixed before the run, so
// that no metric is chosen for its result.
type rank int8

const (
	descriptive rank = iota
	primary
	primaryIfMany // if every block has enough requests for a p99
)

// metricSpecs are all metrics, the primaries first. Throughput is never a primary:
// the arrivals of an open loop fix it as long as the server keeps up.
var metricSpecs = [...]metricSpec{
	{"median_ttft_ms", "ms", LowerIsBetter, primary},
	{"median_tpot_ms", "ms", LowerIsBetter, primary},
	{"median_e2el_ms", "ms", LowerIsBetter, primary},
	{"p99_ttft_ms", "ms", LowerIsBetter, primaryIfMany},
	{"p99_e2el_ms", "ms", LowerIsBetter, primaryIfMany},
	{"mean_ttft_ms", "ms", LowerIsBetter, descriptive},
	{"mean_tpot_ms", "ms", LowerIsBetter, descriptive},
	{"mean_e2el_ms", "ms", LowerIsBetter, descriptive},
	{"median_itl_ms", "ms", LowerIsBetter, descriptive},
	{"mean_itl_ms", "ms", LowerIsBetter, descriptive},
	{"p99_tpot_ms", "ms", LowerIsBetter, descriptive},
	{"p99_itl_ms", "ms", LowerIsBetter, descriptive},
	{"request_throughput", "req/s", HigherIsBetter, descriptive},
	{"output_throughput", "tok/s", HigherIsBetter, descriptive},
}

// fewestForP99 is the fewest requests for which order statistics bound a 99th
// percentile at 95 % at all: 1 − 0.99ⁿ ≥ 0.95 from n = 299 on.
const fewestForP99 = 300

// isPrimary decides whether a metric is one in this run.
func (m metricSpec) isPrimary(manyRequests bool) bool {
	return m.rank == primary || m.rank == primaryIfMany && manyRequests
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
}

// options takes them from the experiment; what it leaves at zero has the usual
// value.
func (s *study) options() options {
	e := s.run.Manifest.Experiment
	o := options{alpha: e.Alpha, margin: e.Equivalence, floor: e.NoiseFloor}
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

// metrics compares every candidate with the baseline in every metric. The Holm
// adjustment runs over all primaries of all candidates.
func (s *study) metrics(valid bool) []Metric {
	opt, many := s.options(), s.manyRequests()
	var out []Metric
	var family []int // indices of the primaries
	for _, candidate := range s.candidates() {
		for _, spec := range metricSpecs {
			m := s.measure(spec, candidate, opt)
			m.Primary = spec.isPrimary(many)
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
	for i, adjusted := range holm(p) {
		out[family[i]].PHolm = adjusted
	}
	for i := range out {
		s.judge(&out[i], opt, len(family), valid)
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
	m.Percent = tInterval(ratios, 1-opt.alpha).percent()
	m.Absolute = tInterval(difference, 1-opt.alpha)
	m.P = tTest(ratios)
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
