package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestWelchReference has the example of R's t.test(extra ~ group, data = sleep):
// t = −1.8608, df = 17.776, p = 0.07939, interval −3.3654832 to 0.2054832.
func TestWelchReference(t *testing.T) {
	first := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2}
	second := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	e := ofArms(second, first)
	i := e.interval(0.95)
	for _, v := range []struct {
		what              string
		got, want, within float64
	}{
		{"t", e.value / e.se, -1.8608, 5e-5}, {"df", e.df, 17.776, 5e-4}, {"p", e.p(), 0.07939, 5e-6},
		{"low", i.Low, -3.3654832, 5e-8}, {"high", i.High, 0.2054832, 5e-8},
	} {
		if math.Abs(v.got-v.want) > v.within {
			t.Errorf("%s = %v, want %v", v.what, v.got, v.want)
		}
	}
}

func TestRuns(t *testing.T) {
	tests := []struct {
		why                 string
		metric              string
		baseline, candidate []float64
		opt                 RunOptions
		verdict             Verdict
		notes               []string
		interval            bool
	}{
		{"clearly lower", "median_ttft_ms", []float64{100, 101, 99}, []float64{90, 91, 89}, RunOptions{}, Faster, nil, true},
		{"clearly higher", "median_ttft_ms", []float64{90, 91, 89}, []float64{100, 101, 99}, RunOptions{}, Slower, nil, true},
		{"within the margin", "median_ttft_ms", []float64{100, 100.1, 99.9}, []float64{100.1, 100, 99.9}, RunOptions{}, Equivalent, nil, true},
		{"too noisy", "median_ttft_ms", []float64{100, 130, 80}, []float64{90, 120, 85}, RunOptions{}, Inconclusive, nil, true},
		{"noise that pairs share", "median_ttft_ms", []float64{100, 130, 80}, []float64{90, 117.2, 71.9}, RunOptions{Paired: true}, Faster, nil, true},
		{"below the noise floor", "median_ttft_ms", []float64{100, 101, 99}, []float64{90, 91, 89}, RunOptions{NoiseFloor: 0.2}, Inconclusive, []string{"below-noise-floor"}, true},
		{"one run per side", "median_ttft_ms", []float64{100}, []float64{90}, RunOptions{}, None, []string{"one-run"}, false},
		{"one run on one side", "median_ttft_ms", []float64{100, 101}, []float64{90}, RunOptions{}, None, []string{"one-run"}, false},
		{"a side without the metric", "median_ttft_ms", nil, []float64{90, 91}, RunOptions{}, None, []string{"no-value"}, false},
		{"pairs of which one side lacks the metric", "median_ttft_ms", []float64{90, 91}, nil, RunOptions{Paired: true}, None, []string{"no-value"}, false},
		{"a zero", "median_ttft_ms", []float64{100, 101}, []float64{0, 90}, RunOptions{}, None, []string{"not-positive"}, false},
		{"no primary metric", "mean_ttft_ms", []float64{100, 101, 99}, []float64{90, 91, 89}, RunOptions{}, None, nil, true},
		{"a tail of few requests", "p99_ttft_ms", []float64{100, 101, 99}, []float64{90, 91, 89}, RunOptions{}, None, []string{"few-requests-p99"}, true},
		{"a tail of many requests", "p99_ttft_ms", []float64{100, 101, 99}, []float64{90, 91, 89}, RunOptions{ManyRequests: true}, Faster, nil, true},
		{"a throughput that the schedule fixes", "output_throughput", []float64{100, 101, 99}, []float64{110, 111, 109}, RunOptions{}, None, []string{"open-loop-throughput"}, true},
		{"a throughput that nothing fixes", "output_throughput", []float64{100, 101, 99}, []float64{110, 111, 109}, RunOptions{Saturated: true}, Faster, nil, true},
	}
	for _, tt := range tests {
		better := LowerIsBetter
		if tt.metric == "output_throughput" {
			better = HigherIsBetter
		}
		m := Runs([]RunSample{{Metric: tt.metric, Better: better, Baseline: tt.baseline, Candidate: tt.candidate}}, tt.opt)[0]
		var notes []string
		for _, n := range m.Notes {
			notes = append(notes, n.Code)
		}
		if m.Verdict != tt.verdict || !slices.Equal(notes, tt.notes) || finite(m.Percent.Low) != tt.interval || finite(m.MDE) != tt.interval {
			t.Errorf("%s: %s %v, interval %v, MDE %v; want %s %v", tt.why, m.Verdict, notes, m.Percent, m.MDE, tt.verdict, tt.notes)
		}
	}
}

// TestRunsChange: with one run per side the change is the plain one, also of counts
// that are or become zero.
func TestRunsChange(t *testing.T) {
	for _, v := range []struct{ baseline, candidate, want float64 }{{200, 150, -25}, {4, 0, -100}, {0, 2, math.NaN()}, {-2, -1, -50}} {
		m := Runs([]RunSample{{Metric: "failed", Baseline: []float64{v.baseline}, Candidate: []float64{v.candidate}}}, RunOptions{})[0]
		if got := m.Percent.Value; math.Abs(got-v.want) > 1e-9 || math.IsNaN(got) != math.IsNaN(v.want) {
			t.Errorf("%v to %v is %v, want %v", v.baseline, v.candidate, got, v.want)
		}
	}
}

// TestRunsAgainstThemselves: with nothing between the sides, about 5 % of the primary
// metrics would be called different without the adjustment; with it, about 5 % of the
// comparisons have one.
func TestRunsAgainstThemselves(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const repetitions = 2000
	draw := func(n int, sd float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = 100 * math.Exp(sd*r.NormFloat64())
		}
		return out
	}
	alarms := 0
	for range repetitions {
		var samples []RunSample
		for _, key := range []string{"median_ttft_ms", "median_tpot_ms", "median_e2el_ms"} {
			samples = append(samples, RunSample{Metric: key, Better: LowerIsBetter, Baseline: draw(4, 0.01), Candidate: draw(6, 0.03)})
		}
		for _, m := range Runs(samples, RunOptions{}) {
			if m.Verdict == Faster || m.Verdict == Slower {
				alarms++
				break
			}
		}
	}
	if share := float64(alarms) / repetitions; share < 0.02 || share > 0.065 {
		t.Errorf("%.1f %% of the comparisons of a thing with itself found a difference", 100*share)
	}
}
