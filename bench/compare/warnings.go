package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"siglab/bench/record"
)

// Thresholds of warnings. None of them makes a run invalid.
const (
	fewestPairs    = 6    // the exact sign-flip test cannot reach 5 % with fewer
	mostMedianLag  = 0.01 // of the median TTFT
	mostClientCPU  = 80.0 // percent of one core, mean over a variant's blocks
	mostDrain      = 0.25 // of the scheduled span
	fewestForDrain = 30   // requests; the drain of a short block is one answer
)

// warnings are the caveats about the run as a whole, in a fixed order.
func (s *study) warnings(c *Comparison) []Warning {
	var out []Warning
	for _, group := range [][]Warning{
		s.warnFiles(), s.warnDesign(), s.warnBlocks(), s.warnOrder(c.Metrics), s.warnDrift(c.Drifts),
		s.warnServers(), s.warnWorkload(), s.warnCalibration(), s.warnClient(), s.warnSaturation(), s.warnTelemetry(c.Telemetry), s.warnKernel(c),
	} {
		out = append(out, group...)
	}
	return out
}

func warning(code, format string, args ...any) Warning {
	return Warning{Code: code, Text: fmt.Sprintf(format, args...)}
}

// warnFiles repeats what was odd about the files.
func (s *study) warnFiles() []Warning {
	var out []Warning
	for _, text := range s.run.Warnings {
		out = append(out, Warning{Code: "run-files", Text: text})
	}
	if s.orphan > 0 {
		out = append(out, warning("run-files", "The run was killed: %d observations of a block that it did not come to list are left out.", s.orphan))
	}
	return out
}

// warnDesign is about what was planned.
func (s *study) warnDesign() []Warning {
	var out []Warning
	e := s.run.Manifest.Experiment
	switch {
	case len(s.arms) < 2 || e.AA:
	case len(e.NoiseFloors) > 0:
		out = append(out, warning("noise-floor", "Smaller effects than %s are taken for noise: the run of the baseline against itself in %s could not exclude them.", s.floors(), e.NoiseFloorFrom))
	default:
		out = append(out, warning("noise-floor-unmeasured", "No run of one variant against itself has measured the noise floor, so it is taken as 0."))
	}
	if wide := s.floorsAbove(); wide != "" && !e.AA {
		out = append(out, warning("margin-below-floor", "The margin of equivalence, %.2g %%, is below the noise floor of %s, so equivalent is no possible verdict there.", 100*s.options().margin, wide))
	}
	if e.AA {
		out = append(out, warning("a-against-a", "All variants are the same: this run measures the noise floor, and every verdict of faster or slower in it is false."))
	}
	if len(s.arms) > 1 && len(s.pairs) < fewestPairs {
		out = append(out, warning("few-pairs", "%d complete pairs are few: intervals are wide, and below %d the sign-flip test cannot confirm them.", len(s.pairs), fewestPairs))
	}
	if n := len(s.run.Manifest.Resumed); n > 0 {
		out = append(out, warning("resumed", "The run ended early and was resumed (%d times); what was true of the machine in between is not known, but every pair was measured in one go.", n))
	}
	if e.EarlyStop {
		out = append(out, warning("early-stop", "The run could stop after every %d pairs from the fourth on, so intervals are confidence sequences and p values hold at every look; both are wider than those of a fixed number of pairs.", balancedStep(len(s.arms))))
	}
	if e.Restart == record.RestartNever && len(s.arms) > 1 {
		out = append(out, warning("shared-server-start", "Servers were never restarted, so blocks of one start are not independent, and the interval knows nothing of what differs from start to start."))
	}
	if s.run.Manifest.Stopped == stoppedBudget {
		out = append(out, warning("max-duration", "The run had %s and ended before another pair would have taken longer, after %d of %d pairs.", e.MaxDuration, len(s.pairs), e.Pairs))
	}
	if e.Caches == record.CachesKeep {
		out = append(out, warning("caches-kept", "Caches were on and not emptied: what an earlier request left there was not computed again, so this is no measurement of the work itself."))
	}
	if strings.HasPrefix(e.Model, "random:") && slices.ContainsFunc(s.arms, func(v record.Variant) bool { return v.Kind == record.KindBuiltin }) {
		out = append(out, warning("random-weights", "The model %s has random weights: the work is real, the answers are noise.", e.Model))
	}
	for _, v := range s.arms {
		if v.InjectDelay > 0 {
			out = append(out, warning("injected-delay", "Variant %q holds up every request by %s: it is a positive control.", v.Name, v.InjectDelay))
		}
	}
	return out
}

// floorsAbove lists the primaries whose noise floor is above the margin of equivalence.
func (s *study) floorsAbove() string {
	var keys []string
	for _, spec := range metricSpecs {
		if opt := s.optionsFor(spec.key); s.isPrimary(spec) && opt.floor > opt.margin {
			keys = append(keys, spec.key)
		}
	}
	return strings.Join(keys, ", ")
}

// floors lists the noise floors of the primaries: "2.1 % (median_ttft_ms)".
func (s *study) floors() string {
	var parts []string
	for _, spec := range metricSpecs {
		if floor := s.optionsFor(spec.key).floor; floor > 0 && s.isPrimary(spec) {
			parts = append(parts, fmt.Sprintf("%.2g %% (%s)", 100*floor, spec.key))
		}
	}
	return strings.Join(parts, ", ")
}

// warnBlocks is about blocks that do not count or are small.
func (s *study) warnBlocks() []Warning {
	var out []Warning
	void, first := 0, ""
	unstable, worst := 0, 0.0
	for _, b := range s.countedBlocks() {
		if w := b.WarmUp; w.Rounds > 1 && !w.Stable {
			unstable++
			if math.Abs(w.Change) > math.Abs(worst) {
				worst = w.Change
			}
		}
	}
	if unstable > 0 {
		out = append(out, warning("warm-up-unstable", "Before %d of %d blocks the warm-up requests still changed by more than %g %% when they were sent for the last time (most by %+.0f %%).",
			unstable, len(s.countedBlocks()), 100*s.run.Manifest.Experiment.Stability, 100*worst))
	}
	for _, b := range s.blocks {
		if b.Void == "" {
			continue
		}
		void++
		if first == "" {
			first = fmt.Sprintf("block %d of variant %q: %s", b.ID, b.Variant, b.Void)
		}
	}
	if void > 0 {
		out = append(out, warning("void-blocks", "%d of %d blocks are void and left out (%s).", void, len(s.blocks), first))
	}
	if len(s.pairs) > 0 && !s.manyRequests() {
		out = append(out, warning("few-requests-p99", "Blocks have fewer than %d requests, so every 99th percentile is descriptive.", fewestForP99))
	}
	return out
}

// warnOrder is about which variant ran first.
func (s *study) warnOrder(metrics []Metric) []Warning {
	var out []Warning
	tests := 0
	for _, m := range metrics {
		if m.Primary {
			tests++
		}
	}
	opt := s.options()
	for _, m := range metrics {
		if m.Metric == metricSpecs[0].key {
			if first := m.candidateFirst(); 2*first != len(m.Pairs) {
				out = append(out, warning("unbalanced-order", "Variant %q ran before the baseline in %d of %d pairs, so a drift does not cancel.", m.Variant, first, len(m.Pairs)))
			}
		}
		if !m.Primary {
			continue
		}
		// As many tests as primaries: Bonferroni keeps false alarms rare.
		if _, p := orderEffect(m.Pairs, logRatios(m.Pairs), 1-opt.alpha); p < opt.alpha/float64(tests) {
			out = append(out, warning("order-effect", "Running first changes %s of variant %q by %+.2f %% (p = %.3g): something drifts or carries over.", m.Metric, m.Variant, m.Order.Value, p))
		}
	}
	return out
}

// candidateFirst counts the pairs in which the candidate ran before the baseline.
func (m Metric) candidateFirst() int {
	n := 0
	for _, p := range m.Pairs {
		if p.CandidateFirst {
			n++
		}
	}
	return n
}

// warnServers repeats what the run found out about the servers.
func (s *study) warnServers() []Warning {
	var out []Warning
	for _, n := range s.run.Manifest.Notes {
		out = append(out, Warning{Code: n.Code, Text: n.Text})
	}
	return out
}

func (s *study) warnWorkload() []Warning {
	share := s.run.Manifest.Workload.RepeatImages
	if share <= 0 {
		return nil
	}
	return []Warning{warning("repeated-images", "%.0f %% of the requests repeat an image of their block; a server that caches them (caches here: %s) skips the code under test.",
		100*share, orUnknown(s.run.Manifest.Experiment.Caches))}
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// warnClient is about the load generator's own part in the numbers.
func (s *study) warnClient() []Warning {
	var out []Warning
	for arm, v := range s.arms {
		if s.loop() == record.LoopBurst {
			break // there is no schedule to lag behind
		}
		if lag, ttft := quantile(lags(s.observations(arm)), 0.5), s.medianTTFT(arm); lag > mostMedianLag*ttft {
			out = append(out, warning("send-lag", "The median send lag of variant %q, %.3f ms, is more than %g %% of its TTFT.", v.Name, lag, 100*mostMedianLag))
		}
		if cpu := s.clientCPU(arm); cpu > mostClientCPU {
			out = append(out, warning("client-near-limit", "The load generator used %.0f %% of one core with variant %q; its own work may show in the latencies.", cpu, v.Name))
		}
	}
	return out
}

// clientCPU is the load generator's mean CPU in a variant's blocks that count.
func (s *study) clientCPU(arm int) float64 {
	var values []float64
	for _, sample := range s.samples(arm) {
		values = append(values, sample.Client)
	}
	return mean(values)
}

// warnSaturation finds servers that did not keep up: their answers went on long
// after the last request, so latencies measure the length of the queue.
func (s *study) warnSaturation() []Warning {
	var out []Warning
	if s.run.Manifest.Experiment.Saturates() {
		return nil // it was meant to
	}
	for arm, v := range s.arms {
		worst := 0.0
		for _, b := range s.counted(arm) {
			if len(b.observations) >= fewestForDrain {
				worst = max(worst, b.drain())
			}
		}
		if worst > mostDrain {
			out = append(out, warning("saturated", "Variant %q went on answering for %.0f %% of the schedule's length after the last request: it did not keep up, so its latencies are those of a growing queue.", v.Name, 100*worst))
		}
	}
	return out
}

// drain is how long after the last scheduled request the last answer ended, as a
// share of the scheduled span; 0 where that is unknown.
func (b *block) drain() float64 {
	scheduled, _ := spans(b.observations)
	end := b.lasted()
	if scheduled <= 0 || math.IsNaN(end) {
		return 0
	}
	last := b.observations[len(b.observations)-1]
	return (end - (last.Scheduled - b.Start).Seconds()) / scheduled
}

// warnKernel finds gains that the kernels cannot explain.
func (s *study) warnKernel(c *Comparison) []Warning {
	var out []Warning
	for i, k := range c.Kernel {
		if given, known := s.run.KernelTimes[k.Variant]; known && !k.Given {
			out = append(out, warning("kernel-time-unused", "The time given for the resampling of variant %q, %v, is not used: its server measured %.3g ms itself, under this load.",
				k.Variant, given, k.Resample))
		}
		if i == 0 || s.arms[i].InjectDelay != s.arms[0].InjectDelay {
			continue
		}
		m := find(c.Metrics, k.Variant, "median_ttft_ms")
		if m != nil && m.Verdict == Faster && m.Absolute.High < k.Predicted {
			out = append(out, warning("gain-above-bound", "Variant %q gained %.3f ms of TTFT where the kernels explain %.3f ms at most: look for another difference between the arms.",
				k.Variant, -m.Absolute.Value, max(0, -k.Predicted)))
		}
	}
	return out
}
