package compare

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"siglab/bench/record"
)

// Drift says how a primary metric moved while the run lasted. The order of the variants
// keeps a drift that both share out of the effect; one of the effect itself breaks the
// assumption that pairs are alike.
type Drift struct {
	Metric, Variant string
	Level           Interval // change of both variants' level from the first pair to the last, percent
	PLevel          float64
	Effect          Interval // change of the candidate's effect from the first pair to the last, percent
	PEffect         float64
	Follows         []Follow // readings of the machine that differed between blocks
}

// Follow is how a metric's block values go with a reading of the machine.
type Follow struct {
	Reading string  // "clock of the processor, MHz"
	R       float64 // correlation of the block values, less their variant's mean, with the reading
	P       float64
}

// drifts computes the drift of every primary.
func (s *study) drifts(metrics []Metric) []Drift {
	readings := s.blockReadings()
	var out []Drift
	for _, m := range metrics {
		candidate := s.armOf(m.Variant)
		if !m.Primary || candidate < 0 {
			continue
		}
		at, level, effect := make([]float64, len(m.Pairs)), make([]float64, len(m.Pairs)), logRatios(m.Pairs)
		for i, p := range m.Pairs {
			at[i] = (s.pairs[i].blocks[0].Start + s.pairs[i].blocks[candidate].Start).Seconds() / 2
			level[i] = math.Log(p.Baseline*p.Candidate) / 2
		}
		d := Drift{Metric: m.Metric, Variant: m.Variant}
		confidence := 1 - s.options().alpha
		d.Level, d.PLevel = overRun(at, level, confidence)
		d.Effect, d.PEffect = overRun(at, effect, confidence)
		for _, r := range readings {
			if f, ok := s.follow(m, candidate, r); ok {
				d.Follows = append(d.Follows, f)
			}
		}
		out = append(out, d)
	}
	return out
}

// armOf is a variant's index, -1 for none.
func (s *study) armOf(name string) int {
	for i, v := range s.arms {
		if v.Name == name {
			return i
		}
	}
	return -1
}

// overRun fits a line through log values by least squares and returns its change from
// the first time to the last in percent, with Student's interval on n − 2 degrees of
// freedom, and p. Everything is NaN for fewer than three values.
func overRun(at, values []float64, level float64) (Interval, float64) {
	n := len(at)
	if n < 3 || !finite(mean(values)) {
		return nan3(), math.NaN()
	}
	span := at[n-1] - at[0]
	spread := squares(at)
	if !(span > 0) || spread == 0 {
		return nan3(), math.NaN()
	}
	a, b := stat.LinearRegression(at, values, nil, false)
	residuals := 0.0
	for i := range at {
		r := values[i] - a - b*at[i]
		residuals += r * r
	}
	df := float64(n - 2)
	se := math.Sqrt(residuals / df / spread)
	half := tQuantile((1+level)/2, df) * se
	return Interval{b * span, (b - half) * span, (b + half) * span}.percent(), tTail(b, se, df)
}

// blockReading is a quantity of the machine: its mean over each block that counts.
type blockReading struct {
	name string
	mean map[int]float64 // by block
}

// blockReadings are those that every block has and that are not the same in all.
func (s *study) blockReadings() []blockReading {
	var out []blockReading
	for _, r := range []struct {
		name string
		of   func(record.Sample) (float64, bool)
	}{
		{"the processor's clock", func(x record.Sample) (float64, bool) { return x.MHz, x.MHz > 0 }},
		{"the host's load", func(x record.Sample) (float64, bool) { return x.Host, true }},
		{"the GPU's clock", gpuReading(func(g record.GPUSample) *int { return g.SMMHz })},
		{"the GPU's temperature", gpuReading(func(g record.GPUSample) *int { return g.Celsius })},
	} {
		sums, counts := map[int]float64{}, map[int]int{}
		for _, sample := range s.run.Telemetry {
			if v, ok := r.of(sample); ok {
				sums[sample.Block] += v
				counts[sample.Block]++
			}
		}
		means := map[int]float64{}
		all := true
		var values []float64
		for _, b := range s.countedBlocks() {
			if all = all && counts[b.ID] > 0; all {
				means[b.ID] = sums[b.ID] / float64(counts[b.ID])
				values = append(values, means[b.ID])
			}
		}
		if all && len(values) > 3 && squares(values) > 0 {
			out = append(out, blockReading{r.name, means})
		}
	}
	return out
}

// gpuReading is the mean over the GPUs that tell it.
func gpuReading(of func(record.GPUSample) *int) func(record.Sample) (float64, bool) {
	return func(x record.Sample) (float64, bool) {
		sum, n := 0.0, 0
		for _, g := range x.GPUs {
			if v := of(g); v != nil {
				sum += float64(*v)
				n++
			}
		}
		return sum / float64(max(n, 1)), n > 0
	}
}

// follow correlates a metric's block values with a reading. Both are taken as
// differences from their variant's mean, so that an effect of the candidate is none of
// the machine.
func (s *study) follow(m Metric, candidate int, r blockReading) (Follow, bool) {
	var x, y []float64
	for _, arm := range []int{0, candidate} {
		var of, values []float64
		for _, b := range s.counted(arm) {
			of, values = append(of, r.mean[b.ID]), append(values, math.Log(b.values[m.Metric]))
		}
		meanOf, meanValues := mean(of), mean(values)
		for i := range of {
			x, y = append(x, of[i]-meanOf), append(y, values[i]-meanValues)
		}
	}
	corr := stat.Correlation(x, y, nil)
	df := float64(len(x) - 3) // two means and a slope
	if !finite(corr) || df < 1 {
		return Follow{}, false
	}
	se := math.Sqrt(max(0, 1-corr*corr) / df)
	return Follow{Reading: r.name, R: corr, P: tTail(corr, se, df)}, true
}

// warnDrift tells of what moved more than chance explains: as many tests as there are,
// after Bonferroni.
func (s *study) warnDrift(drifts []Drift) []Warning {
	var out []Warning
	alpha := s.options().alpha / float64(max(1, len(drifts)))
	for _, d := range drifts {
		if d.PLevel < alpha {
			out = append(out, warning("drift", "From the first pair to the last %s of both variants moved by %+.1f %% (p = %.3g); where their order is balanced this is not in the effect.", d.Metric, d.Level.Value, d.PLevel))
		}
		if d.PEffect < alpha {
			out = append(out, warning("effect-drift", "From the first pair to the last the effect of %q on %s moved by %+.1f %% (p = %.3g): pairs are not alike, and their mean is of no one time.", d.Variant, d.Metric, d.Effect.Value, d.PEffect))
		}
		for _, f := range d.Follows {
			if f.P < alpha/float64(len(d.Follows)) {
				out = append(out, warning("follows-machine", "%s of %q and its baseline goes with %s from block to block (r = %+.2f, p = %.3g).", d.Metric, d.Variant, f.Reading, f.R, f.P))
			}
		}
	}
	return out
}
