package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"siglab/bench/record"
)

// TestEvidence compares the likelihood ratio with values from its formula.
func TestEvidence(t *testing.T) {
	// The largest values that three, four and five pairs can give: (1+n)^((n−1)/2).
	for n, want := range map[int]float64{3: 4, 4: 11.18033989, 5: 36} {
		sample := make([]float64, n)
		for i := range sample {
			sample[i] = 1
		}
		if got := evidence(sample); math.Abs(got-want) > 1e-6 {
			t.Errorf("%d equal values: %v, want %v", n, got, want)
		}
	}
	// t = √3 for 1, 2, … about 2 with s = 1, n = 3: t² = 12.
	want := math.Pow((1+12.0/2)/(1+12.0/8), 1.5) / 2
	if got := evidence([]float64{1, 2, 3}); math.Abs(got-want) > 1e-12 {
		t.Errorf("1, 2, 3: %v, want %v", got, want)
	}
	for name, sample := range map[string][]float64{"none": nil, "one value": {5}, "an infinity": {1, math.Inf(1)}} {
		if got := evidence(sample); got != 1 {
			t.Errorf("%s: %v, want no evidence", name, got)
		}
	}
}

// TestAnytimeCritical: at the critical t the evidence is 1/α, to both sides, and no
// four values reach 20.
func TestAnytimeCritical(t *testing.T) {
	if got := anytimeCritical(4, 0.05); !math.IsInf(got, 1) {
		t.Errorf("four values reach 20 at t = %v, want never", got)
	}
	if got := anytimeCritical(6, 0.05); math.Abs(got-5.45) > 0.005 {
		t.Errorf("six values reach 20 at t = %v, want 5.45", got)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 5; n < 40; n++ {
		sample := make([]float64, n)
		for i := range sample {
			sample[i] = rng.NormFloat64()
		}
		shift := anytimeCritical(n, 0.05)*standardError(sample) - mean(sample)
		for i := range sample {
			sample[i] += shift
		}
		if got := evidence(sample); math.Abs(got-20) > 1e-6 {
			t.Errorf("%d values at the critical t: evidence %v, want 20", n, got)
		}
	}
}

// TestLookingEarly repeats the table of doc/experiment-design.md: up to 30 pairs,
// looked at after every second from the fourth on. The bounds are four standard
// errors of a share over the repetitions.
func TestLookingEarly(t *testing.T) {
	t.Parallel()
	const repetitions, most = 4000, 30
	for _, test := range []struct {
		why              string
		effect           float64 // in units of a pair's noise
		low, high        float64 // bounds of the share that reaches 20
		fewest, longest  float64 // bounds of the mean number of pairs
		peeked, peekHigh float64 // bounds of what a t test at every pair from the third would claim
	}{
		{"no effect: one in twenty at most, where peeking claims one in four", 0, 0.005, 0.05, 28, 30, 0.22, 0.31},
		{"an effect of 1.33: always found, after about ten pairs", 1.33, 0.99, 1, 8.5, 11, 0.99, 1},
	} {
		rng := rand.New(rand.NewPCG(7, 7))
		claims, peeks, pairs := 0, 0, 0
		for range repetitions {
			var sample []float64
			stopped, peeked := most, false
			for n := 1; n <= most; n++ {
				sample = append(sample, test.effect+rng.NormFloat64())
				peeked = peeked || n >= 3 && tTest(sample) < 0.05
				if stopped == most && IsLook(n, 2) && anytimeP(sample, 2) < 0.05 {
					stopped = n
					claims++
				}
			}
			pairs += stopped
			if peeked {
				peeks++
			}
		}
		share := func(n int) float64 { return float64(n) / repetitions }
		t.Logf("effect %.2f: claimed in %.1f %%, %.1f pairs on average, peeking claims in %.1f %%", test.effect, 100*share(claims), share(pairs), 100*share(peeks))
		if got := share(claims); got < test.low || got > test.high {
			t.Errorf("%s: %.3f of the runs claim an effect, want %.3f to %.3f", test.why, got, test.low, test.high)
		}
		if got := share(pairs); got < test.fewest || got > test.longest {
			t.Errorf("%s: %.1f pairs on average, want %.1f to %.1f", test.why, got, test.fewest, test.longest)
		}
		if got := share(peeks); got < test.peeked || got > test.peekHigh {
			t.Errorf("%s: peeking claims an effect in %.3f of the runs, want %.3f to %.3f", test.why, got, test.peeked, test.peekHigh)
		}
	}
}

// early is a run that may stop early, after some of at most 30 pairs.
func early(f fake) fake {
	change := f.change
	f.change = func(run *record.Run) {
		run.Manifest.Experiment.EarlyStop = true
		run.Manifest.Experiment.Pairs = 30
		run.Manifest.Stopped = StoppedDecided
		if change != nil {
			change(run)
		}
	}
	return f
}

// TestDecided: what a run that may stop early makes of its first pairs.
func TestDecided(t *testing.T) {
	noisy := func(effect, noise float64) func(int, int) (float64, float64) {
		rng := rand.New(rand.NewPCG(3, 4))
		return func(_, arm int) (float64, float64) {
			level := (1 + effect*float64(arm)) * math.Exp(noise*rng.NormFloat64())
			return level, level
		}
	}
	for _, test := range []struct {
		why     string
		run     fake
		verdict Verdict
		decided bool
		gate    bool
	}{
		{"a clear effect after eight pairs", early(fake{pairs: 8, factor: noisy(0.2, 0.005)}), Slower, true, true},
		{"the same variant twice, with little noise: equivalent", early(fake{pairs: 10, factor: noisy(0, 0.003)}), Equivalent, true, true},
		{"four pairs can decide nothing", early(fake{pairs: 4, factor: noisy(0.2, 0.005)}), Inconclusive, false, true},
		{"an odd number of pairs is no look", early(fake{pairs: 9, factor: noisy(0.2, 0.005)}), None, false, false},
		{"a run that was planned with a fixed number does not stop early", fake{pairs: 8, factor: noisy(0.2, 0.005), change: func(run *record.Run) {
			run.Manifest.Stopped, run.Manifest.Experiment.Pairs = StoppedDecided, 30
		}}, None, false, false},
	} {
		c := analyse(t, test.run)
		m := find(c.Metrics, "optimized", "median_ttft_ms")
		if m.Verdict != test.verdict || c.Decided() != test.decided || c.Valid != test.gate {
			t.Errorf("%s: verdict %s, decided %t, valid %t; want %s, %t, %t\n%+v", test.why, m.Verdict, c.Decided(), c.Valid, test.verdict, test.decided, test.gate, m.Percent)
		}
	}
}
