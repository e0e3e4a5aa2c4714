package compare

import (
	"testing"

	"siglab/bench/record"
)

// TestClientError: an effect that the client's own error covers is no verdict, and
// nothing else changes for it.
func TestClientError(t *testing.T) {
	calibration := func(c record.Calibration) func(*record.Run) {
		return func(run *record.Run) { run.Manifest.Calibration = &c }
	}
	spread := func(ms float64) record.ErrorSpread { return record.ErrorSpread{Mean: ms, P50: ms, P99: ms} }
	// TTFT is 100 ms, TPOT 10 ms, E2EL 130 ms; the candidate's are 10 % lower.
	for _, test := range []struct {
		why              string
		effect           float64
		calibration      record.Calibration
		ttft, tpot, e2el Verdict
	}{
		{"a small error", 0.1, record.Calibration{TTFT: spread(0.2), ITL: spread(0.1), TPOTPct: 0.05}, Faster, Faster, Faster},
		{"an error between the two effects", 0.1, record.Calibration{TTFT: spread(11.5)}, Inconclusive, Faster, Faster},
		{"an error of either sign", 0.1, record.Calibration{TTFT: spread(-20)}, Inconclusive, Faster, Inconclusive},
		{"an error of the mean TPOT", 0.1, record.Calibration{TPOTPct: -12}, Faster, Inconclusive, Faster},
		{"a calibration that failed", 0.1, record.Calibration{TTFT: spread(20), Failed: "no port"}, Faster, Faster, Faster},
		{"slower is treated alike", -0.1, record.Calibration{TTFT: spread(20)}, Inconclusive, Slower, Inconclusive},
		{"equivalent stands", 0, record.Calibration{TTFT: spread(20)}, Equivalent, Equivalent, Equivalent},
	} {
		c := analyse(t, fake{factor: faster(test.effect), change: calibration(test.calibration)})
		for key, want := range map[string]Verdict{"median_ttft_ms": test.ttft, "median_tpot_ms": test.tpot, "median_e2el_ms": test.e2el} {
			m := find(c.Metrics, "optimized", key)
			if m.Verdict != want {
				t.Errorf("%s: %s is %s, want %s", test.why, key, m.Verdict, want)
			}
			if m.noted("client-error-larger") != (want == Inconclusive) {
				t.Errorf("%s: %s has the notes %+v", test.why, key, m.Notes)
			}
		}
		if !c.Valid {
			t.Errorf("%s: the run is not valid", test.why)
		}
		if !hasWarning(c.Warnings, "client-error") == (test.calibration.Failed == "") {
			t.Errorf("%s: warnings %+v", test.why, c.Warnings)
		}
	}
	c := analyse(t, fake{change: calibration(record.Calibration{Mismatches: 2})})
	if !hasWarning(c.Warnings, "client-mismatch") {
		t.Errorf("warnings %+v", c.Warnings)
	}
}
