package arrival

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestExamineTrueProcesses wants no complaint about what was drawn as claimed, but
// for the one in a thousand that each p value allows.
func TestExamineTrueProcesses(t *testing.T) {
	for _, burstiness := range []float64{1, 0.5, 4} {
		complaints := 0
		for seed := range uint64(200) {
			arrivals, err := Gamma(2000, 200, burstiness, rng(seed))
			if err != nil {
				t.Fatal(err)
			}
			s := Examine(arrivals, Process{Rate: 200, Burstiness: burstiness})
			complaints += len(s.Problems)
			if s.Lag1 == nil || s.GapP == nil || s.Dispersion == nil || (s.UniformP == nil) != (burstiness != 1) {
				t.Fatalf("burstiness %v: %+v lacks a statistic", burstiness, s)
			}
			if math.Abs(*s.Dispersion / *s.WantDispersion - 1) > 0.6 {
				t.Errorf("burstiness %v, seed %d: dispersion %v, want about %v", burstiness, seed, *s.Dispersion, *s.WantDispersion)
			}
		}
		if complaints > 5 {
			t.Errorf("burstiness %v: %d complaints in 200 true schedules", burstiness, complaints)
		}
	}
}

// TestExamineFalseProcesses wants each defect that load generators have been seen
// with to be named.
func TestExamineFalseProcesses(t *testing.T) {
	poisson := func(n int, rate float64) []time.Duration {
		arrivals, err := Poisson(n, rate, rng(5))
		if err != nil {
			t.Fatal(err)
		}
		return arrivals
	}
	tests := []struct {
		name     string
		arrivals func() []time.Duration
		want     string
	}{
		{"sleeps of whole milliseconds", func() []time.Duration {
			a := poisson(2000, 200)
			for i := range a {
				a[i] = a[i].Truncate(2 * time.Millisecond)
			}
			return a
		}, "gaps are not"},
		{"two workers with the same gaps", func() []time.Duration {
			a := poisson(1000, 100)
			return append(slices.Clone(a), a...)
		}, "gaps are not"},
		{"a tenth of them at once", func() []time.Duration {
			a := poisson(2000, 200)
			clear(a[:200])
			return a
		}, "not spread"},
		{"equal gaps", func() []time.Duration {
			a, _ := Constant(500, 200)
			return a
		}, "index of dispersion"},
		{"half the rate", func() []time.Duration { return poisson(500, 100) }, "rate is 100"},
		{"gaps that follow each other", func() []time.Duration {
			gaps := make([]float64, 1000)
			draw := rng(9)
			for i := range gaps {
				gaps[i] = draw.ExpFloat64()
				if i%2 == 1 {
					gaps[i] = gaps[i-1]
				}
			}
			return fromGaps(gaps, 200)
		}, "correlated"},
	}
	for _, tt := range tests {
		s := Examine(tt.arrivals(), Process{Rate: 200, Burstiness: 1})
		if !strings.Contains(strings.Join(s.Problems, "; "), tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, s.Problems, tt.want)
		}
	}
}

func TestExamineFew(t *testing.T) {
	for _, arrivals := range [][]time.Duration{nil, {0}, {time.Second}, {0, 0, 0}, {time.Second, 2 * time.Second}} {
		s := Examine(arrivals, Process{Rate: 1, Burstiness: 1})
		if len(s.Problems) > 0 || s.GapP != nil || s.Arrivals != len(arrivals) {
			t.Errorf("%v: %+v", arrivals, s)
		}
	}
}

// TestKolmogorov compares with the table of the limit law.
func TestKolmogorov(t *testing.T) {
	for t1, want := range map[float64]float64{1.3581: 0.05, 1.6276: 0.01, 1.9495: 0.001, 0.8276: 0.5} {
		if got := kolmogorovTail(t1); math.Abs(got/want-1) > 0.01 {
			t.Errorf("P(K > %v) = %v, want %v", t1, got, want)
		}
	}
}
