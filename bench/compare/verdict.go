package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// judge gives a metric its verdict, the smallest effect that the run would have
// found, and notes that say why there is no verdict or how to read it. family is
// the number of tests that the Holm adjustment runs over.
func (s *study) judge(m *Metric, opt options, family int, valid bool) {
	ratios := logRatios(m.Pairs)
	m.Verdict = None
	s.noteKind(m)
	if !m.estimable() {
		return
	}
	tests := 1
	if m.Primary {
		tests = family
	}
	m.MDE = smallestEffect(ratios, opt, tests)
	switch {
	case !m.Primary:
		return
	case !valid:
		m.note("not-valid", "The run failed a gate, so there is no verdict.")
		return
	}
	m.Verdict = Inconclusive
	if len(ratios) > 1 {
		inside := opt.equivalence(ratios).percent()
		if m.Verdict = verdictOf(*m, inside, opt); m.Verdict == Inconclusive && opt.holds(inside) && opt.floor > opt.margin {
			m.note("margin-below-floor", fmt.Sprintf("The interval lies within the margin of equivalence, but two runs of one thing may differ by more than that margin: the noise floor is %.2g %%, the margin %.2g %%.", 100*opt.floor, 100*opt.margin))
		}
	}
	m.noteVerdict(opt)
	if s.heedClientError(m); m.Verdict == Inconclusive && !m.noted("client-error-larger") {
		m.MorePairs = morePairs(ratios, opt, tests, len(s.arms))
	}
}

// verdictOf decides. A difference is claimed only if the interval of this metric
// excludes no change, the p value still does after the adjustment for the number
// of primaries, and the effect is larger than what two runs of the same thing
// differ by. Equivalent are variants whose interval inside, see options.equivalence,
// lies within the margin, unless the noise floor does not.
func verdictOf(m Metric, inside Interval, opt options) Verdict {
	if m.differs(opt) && m.aboveFloor(opt) {
		if (m.Percent.Value > 0) == (m.Better == HigherIsBetter) {
			return Faster
		}
		return Slower
	}
	if opt.holds(inside) && opt.floor <= opt.margin {
		return Equivalent
	}
	return Inconclusive
}

// holds reports whether an interval in percent lies within the margin of equivalence.
func (o options) holds(inside Interval) bool {
	return inside.Low > -100*o.margin && inside.High < 100*o.margin
}

// differs reports whether the difference is larger than chance explains.
func (m Metric) differs(opt options) bool {
	return (m.Percent.Low > 0 || m.Percent.High < 0) && m.PHolm < opt.alpha
}

func (m Metric) aboveFloor(opt options) bool { return math.Abs(m.Percent.Value) > 100*opt.floor }

// estimable reports whether there is an effect to speak of, and notes why not.
func (m *Metric) estimable() bool {
	var infinite, missing, notPositive int
	for _, p := range m.Pairs {
		switch {
		case math.IsInf(p.Baseline, 0) || math.IsInf(p.Candidate, 0):
			infinite++
		case math.IsNaN(p.Baseline) || math.IsNaN(p.Candidate):
			missing++
		case p.Baseline <= 0 || p.Candidate <= 0:
			notPositive++
		}
	}
	n := len(m.Pairs)
	switch {
	case n == 0:
		m.note("no-pairs", "No pair is complete, so there is nothing to compare.")
	case infinite > 0:
		m.note("failed-requests", fmt.Sprintf("In %d of %d pairs a block value rests on a failed request, which counts as infinitely late, so there is no verdict.", infinite, n))
	case missing > 0:
		m.note("no-value", fmt.Sprintf("In %d of %d pairs a block has no value of this metric.", missing, n))
	case notPositive > 0:
		m.note("not-positive", fmt.Sprintf("In %d of %d pairs a block value is not above 0, so there is no ratio.", notPositive, n))
	default:
		return true
	}
	return false
}

// noteKind notes what keeps a kind of metric from being a primary.
func (s *study) noteKind(m *Metric) {
	if strings.HasPrefix(m.Metric, "p99_") && !s.manyRequests() && len(s.pairs) > 0 {
		m.note("few-requests-p99", fmt.Sprintf("Blocks of fewer than %d requests do not bound a 99th percentile, so it is descriptive.", fewestForP99))
	}
	saturates := s.run.Manifest.Experiment.Saturates()
	switch {
	case m.Better == HigherIsBetter && !saturates && m.Metric != goodput.key:
		m.note("open-loop-throughput", "The schedule fixes the throughput as long as the server keeps up with it, so it is descriptive.")
	case m.Better == LowerIsBetter && saturates:
		m.note("saturated-latency", "The load keeps the server full, so a latency here follows from the throughput and the number of requests in flight; users who come at their own pace see another.")
	}
}

// noteVerdict notes what a reader of the verdict should know.
func (m *Metric) noteVerdict(opt options) {
	switch {
	case len(m.Pairs) == 1:
		m.note("one-pair", "One pair says nothing about the noise: an interval needs two, and its check by sign flips six.")
	case m.differs(opt) && !m.aboveFloor(opt):
		m.note("below-noise-floor", fmt.Sprintf("The difference is significant but not above the noise floor of %.2g %%.", 100*opt.floor))
	case m.differs(opt) && len(m.Pairs) >= fewestPairs && m.PSignFlip >= opt.alpha:
		m.note("sign-flip-disagrees", fmt.Sprintf("The exact sign-flip test, which assumes less, does not see the difference (p = %.3f).", m.PSignFlip))
	}
}

func (m *Metric) noted(code string) bool {
	return slices.ContainsFunc(m.Notes, func(n Warning) bool { return n.Code == code })
}

func (m *Metric) note(code, text string) { m.Notes = append(m.Notes, Warning{Code: code, Text: text}) }
