package main

import (
	"strings"
	"testing"

	"siglab/bench/compare"
)

// TestRegression: the exit code of a verdict that --fail-on names; only primaries count.
func TestRegression(t *testing.T) {
	c := &compare.Comparison{Valid: true, Metrics: []compare.Metric{
		{Metric: "median_ttft_ms", Variant: "b", Primary: true, Verdict: compare.Slower},
		{Metric: "median_e2el_ms", Variant: "b", Primary: true, Verdict: compare.Equivalent},
		{Metric: "p99_ttft_ms", Variant: "b", Verdict: compare.Inconclusive},
	}}
	err := regression(c, []compare.Verdict{compare.Slower, compare.Inconclusive})
	if err == nil || exitCode(err) != exitRegression || !strings.Contains(err.Error(), "median_ttft_ms of b is slower") || strings.Contains(err.Error(), "p99") {
		t.Errorf("error %v with code %d, want one of the median TTFT with code %d", err, exitCode(err), exitRegression)
	}
	for _, failOn := range [][]compare.Verdict{nil, {compare.Inconclusive}} {
		if err := regression(c, failOn); err != nil {
			t.Errorf("--fail-on %v: %v", failOn, err)
		}
	}
}
