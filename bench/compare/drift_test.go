package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"siglab/bench/record"
)

// TestOverRun: a line through log values, with the interval of textbooks.
func TestOverRun(t *testing.T) {
	at := []float64{0, 1, 2, 3}
	exact, p := overRun(at, []float64{0, 0.1, 0.2, 0.3}, 0.95)
	if math.Abs(exact.Value-100*math.Expm1(0.3)) > 1e-9 || p > 1e-6 {
		t.Errorf("a straight line: %+v, p %v", exact, p)
	}
	// y = 0, 1, 0, 1: slope 0.2, residual sum 0.8, standard error √(0.4/5).
	got, p := overRun(at, []float64{0, 1, 0, 1}, 0.95)
	half := 4.30265273 * math.Sqrt(0.08) * 3
	want := Interval{0.6, 0.6 - half, 0.6 + half}.percent()
	if math.Abs(got.Value-want.Value) > 1e-6 || math.Abs(got.Low-want.Low) > 1e-6 || math.Abs(p-0.552786405) > 1e-6 {
		t.Errorf("%+v, p %v; want %+v", got, p, want)
	}
	for why, values := range map[string][]float64{"two": {1, 2}, "a failure": {1, math.Inf(1), 2}, "none": nil} {
		if got, p := overRun(at[:len(values)], values, 0.95); !math.IsNaN(got.Value) || !math.IsNaN(p) {
			t.Errorf("%s: %+v, p %v", why, got, p)
		}
	}
	if got, _ := overRun([]float64{5, 5, 5}, []float64{1, 2, 3}, 0.95); !math.IsNaN(got.Value) {
		t.Errorf("all at one time: %+v", got)
	}
}

// TestDriftFalseAlarms: among runs of pure noise few are said to drift, or to follow the
// machine's clock, which is noise too.
func TestDriftFalseAlarms(t *testing.T) {
	const runs = 300
	rng := rand.New(rand.NewPCG(11, 12))
	alarms := 0
	for range runs {
		c := analyse(t, fake{
			requests: 5,
			factor:   func(int, int) (float64, float64) { return 1 + 0.02*rng.NormFloat64(), 1 + 0.02*rng.NormFloat64() },
			change: func(run *record.Run) {
				for i := range run.Telemetry {
					run.Telemetry[i].MHz = 2000 + 10*rng.NormFloat64()
				}
			},
		})
		if hasWarning(c.Warnings, "drift") || hasWarning(c.Warnings, "effect-drift") || hasWarning(c.Warnings, "follows-machine") {
			alarms++
		}
	}
	// Three families at 5 % each, three standard errors above.
	if share := float64(alarms) / runs; share > 0.15+0.06 {
		t.Errorf("%.3f of runs without a drift are warned of", share)
	}
}

// TestEquivalentAboveFloor: nothing is equivalent within a margin that noise exceeds.
func TestEquivalentAboveFloor(t *testing.T) {
	f := fake{factor: func(pair, arm int) (float64, float64) { return 1 + 0.001*wobble(pair, arm), 1 }}
	if m := find(analyse(t, f).Metrics, "optimized", "median_ttft_ms"); m.Verdict != Equivalent {
		t.Errorf("without a floor: %s", m.Verdict)
	}
	f.change = func(run *record.Run) {
		run.Manifest.Experiment.NoiseFloors = map[string]float64{"median_ttft_ms": 0.03}
	}
	if m := find(analyse(t, f).Metrics, "optimized", "median_ttft_ms"); m.Verdict != Inconclusive || !m.noted("margin-below-floor") {
		t.Errorf("with a floor above the margin: %s, notes %v", m.Verdict, m.Notes)
	}
}

// TestSequence: the interval that holds at every look contains the one of a fixed
// number of pairs, and is there from the fifth pair on.
func TestSequence(t *testing.T) {
	m := find(analyse(t, fake{pairs: 12, factor: func(pair, arm int) (float64, float64) { return wobble(pair, arm), 1 }}).Metrics, "optimized", "median_ttft_ms")
	if !(m.Sequence.Low < m.Percent.Low && m.Sequence.High > m.Percent.High) || m.Sequence.Value != m.Percent.Value {
		t.Errorf("sequence %+v, interval %+v", m.Sequence, m.Percent)
	}
}
