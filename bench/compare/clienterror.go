package compare

import (
	"fmt"
	"math"
	"strings"

	"siglab/bench/record"
)

// clientError is how far the client itself may be off in a metric, in the metric's
// unit, by the calibration before the run: the error of TTFT for TTFT and E2EL, which
// rest on one event each, that of the gaps for ITL, and that of the mean TPOT for TPOT.
// 0 for throughputs, and where nothing was measured.
func (s *study) clientError(m *Metric) float64 {
	c := s.run.Manifest.Calibration
	if c == nil || c.Failed != "" {
		return 0
	}
	statistic, rest, _ := strings.Cut(m.Metric, "_")
	switch rest {
	case "ttft_ms", "e2el_ms":
		return of(c.TTFT, statistic)
	case "itl_ms":
		return of(c.ITL, statistic)
	case "tpot_ms":
		return math.Abs(c.TPOTPct) / 100 * m.Baseline
	}
	return 0
}

// of is the size of the error of a mean, a median or a 99th percentile.
func of(e record.ErrorSpread, statistic string) float64 {
	switch statistic {
	case "mean":
		return math.Abs(e.Mean)
	case "p99":
		return math.Abs(e.P99)
	}
	return math.Abs(e.P50)
}

// heedClientError takes a verdict away that rests on an effect no larger than what the
// client may be off by itself: both arms have the same client, but nothing says that
// its error is the same in both. Other verdicts stand.
func (s *study) heedClientError(m *Metric) {
	if m.Verdict != Faster && m.Verdict != Slower {
		return
	}
	if e := s.clientError(m); e >= math.Abs(m.Absolute.Value) {
		m.note("client-error-larger", fmt.Sprintf("The effect, %.3f %s, is no larger than the client's own error, %.3f %s, so it is not told apart from it (it looked %s).",
			math.Abs(m.Absolute.Value), m.Unit, e, m.Unit, m.Verdict))
		m.Verdict = Inconclusive
	}
}

// warnCalibration tells the client's own error.
func (s *study) warnCalibration() []Warning {
	c := s.run.Manifest.Calibration
	switch {
	case c == nil:
		return nil
	case c.Failed != "":
		return []Warning{warning("calibration-failed", "The client's own error could not be measured before the run: %s", c.Failed)}
	}
	out := []Warning{warning("client-error", "Before the run, against a server of known truth, the client's TTFT was off by %.3f ms (p99 %.3f ms) with bodies of %d bytes, its gaps between tokens by %.3f ms (p99 %.3f ms); a smaller effect is no verdict.",
		c.TTFT.P50, c.TTFT.P99, c.BodyBytes, c.ITL.P50, c.ITL.P99)}
	if c.Mismatches > 0 {
		out = append(out, warning("client-mismatch", "Client and server of known truth disagreed about %d requests: do not trust this client before siglab calibrate --json has told why.", c.Mismatches))
	}
	return out
}
