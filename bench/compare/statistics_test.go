package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var near = cmp.Options{cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateNaNs()}

func TestQuantile(t *testing.T) {
	inf := math.Inf(1)
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	tests := []struct {
		name   string
		sorted []float64
		q      float64
		want   float64
	}{
		{"no values have no quantile", nil, 0.5, math.NaN()},
		{"one value is every quantile", []float64{7}, 0.99, 7},
		{"the median of four lies between the middle two", []float64{1, 2, 3, 10}, 0.5, 2.5},
		{"type 7 interpolates at q·(n−1)", []float64{1, 2, 3, 4}, 0.25, 1.75},
		{"p99 of 1 to 100, as numpy gives it", hundred, 0.99, 99.01},
		{"the largest", []float64{1, 2, 3}, 1, 3},
		{"a failure above the quantile does not reach it", []float64{1, 2, inf}, 0.5, 2},
		{"a quantile that leans on a failure is infinite", []float64{1, 2, inf}, 0.51, inf},
		{"between two failures it is infinite, not NaN", []float64{1, inf, inf}, 0.75, inf},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, quantile(test.sorted, test.q), near); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestT(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name   string
		sample []float64
		want   Interval
		p      float64
	}{
		// t(0.975; 2) = 4.302653, s/√n = 1/√3; with 2 df, p = 1 − t/√(2 + t²).
		{"three values by hand", []float64{1, 2, 3}, Interval{2, 2 - 4.30265273/math.Sqrt(3), 2 + 4.30265273/math.Sqrt(3)}, 1 - math.Sqrt(12.0/14)},
		// t(0.975; 1) = 12.706205, s/√n = 1; with 1 df, p = 1 − 2·atan(t)/π.
		{"two values", []float64{1, 3}, Interval{2, 2 - 12.70620474, 2 + 12.70620474}, 1 - 2*math.Atan(2)/math.Pi},
		{"one value has no interval", []float64{5}, Interval{5, nan, nan}, nan},
		{"no values have nothing", nil, Interval{nan, nan, nan}, nan},
		{"an infinite value leaves nothing", []float64{1, math.Inf(1)}, Interval{nan, nan, nan}, nan},
		{"no difference and no noise", []float64{0, 0, 0}, Interval{0, 0, 0}, 1},
		{"a difference without noise", []float64{1, 1, 1}, Interval{1, 1, 1}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, tInterval(test.sample, 0.95), near); diff != "" {
				t.Errorf("interval: %s", diff)
			}
			if diff := cmp.Diff(test.p, tTest(test.sample), near); diff != "" {
				t.Errorf("p: %s", diff)
			}
		})
	}
}

func TestSignFlip(t *testing.T) {
	tests := []struct {
		name   string
		sample []float64
		want   float64
	}{
		{"only the sample and its mirror image reach 6", []float64{1, 2, 3}, 0.25},
		{"3 of 4 assignments reach 2", []float64{3, 1, -2}, 0.75},
		{"a sum of zero is reached by all", []float64{1, -1}, 1},
		{"six of one sign give the smallest p there is", []float64{1, 1, 1, 1, 1, 1}, 2.0 / 64},
		{"equal sums that round differently count", []float64{0.1, 0.2, -0.3, 0.3}, 6.0 / 8},
		{"one value says nothing", []float64{4}, 1},
		{"no values", nil, math.NaN()},
		{"not finite", []float64{1, math.NaN()}, math.NaN()},
		{"more values than the exact test takes", make([]float64, mostFlips+1), math.NaN()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, signFlip(test.sample), near); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHolm(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name    string
		p, want []float64
	}{
		{"by hand: 4·.005, 3·.01, 2·.03, then never less", []float64{.01, .04, .03, .005}, []float64{.03, .06, .06, .02}},
		{"no p is above 1", []float64{.9, .6}, []float64{1, 1}},
		{"one test needs no adjustment", []float64{.04}, []float64{.04}},
		{"a test without a result still counts", []float64{nan, .02}, []float64{nan, .04}},
		{"none", nil, []float64{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Holm(test.p), near); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOrderEffect(t *testing.T) {
	pairs := []PairValue{{CandidateFirst: true}, {}, {CandidateFirst: true}, {}}
	// Means 0.03 and 0.01; pooled variance (2·0.01² + 2·0.01²)/2 = 0.0002, so the
	// standard error is √(0.0002·(1/2 + 1/2)); t(0.975; 2) = 4.302653.
	half := 4.30265273 * math.Sqrt(0.0002)
	got, p := orderEffect(pairs, []float64{0.02, 0, 0.04, 0.02}, 0.95)
	if diff := cmp.Diff(Interval{0.02, 0.02 - half, 0.02 + half}.percent(), got, near); diff != "" {
		t.Error(diff)
	}
	tt := 0.02 / math.Sqrt(0.0002)
	if diff := cmp.Diff(1-tt/math.Sqrt(2+tt*tt), p, near); diff != "" {
		t.Error(diff)
	}
	if got, _ := orderEffect(pairs[:1], []float64{1}, 0.95); !math.IsNaN(got.Value) {
		t.Errorf("one order alone has the effect %v", got)
	}
}

// TestDetectable checks the approximation of the power by drawing.
func TestDetectable(t *testing.T) {
	const draws = 4000
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{3, 6, 20} {
		effect, found := options{alpha: 0.05}.detectable(n, 1, 1), 0
		for range draws {
			sample := make([]float64, n)
			for i := range sample {
				sample[i] = effect + rng.NormFloat64()
			}
			if tTest(sample) < 0.05 {
				found++
			}
		}
		if power := float64(found) / draws; power < 0.77 || power > 0.84 {
			t.Errorf("with %d pairs an effect of %.3f SD is found in %.3f of draws, want about 0.8", n, effect, power)
		}
	}
}

func TestMorePairs(t *testing.T) {
	opt := options{alpha: 0.05, margin: 0.02}
	noisy := []float64{0.10, -0.02, 0.08, 0.00, 0.09, 0.01} // mean 0.043, SD 0.053
	n := morePairs(noisy, opt, 1, 2)
	if n <= 0 || n%2 != 0 {
		t.Fatalf("%d more pairs, want a positive even number", n)
	}
	effect, sd := 0.26/6, 0.052408
	if have := opt.detectable(6+n, sd, 1); have > effect {
		t.Errorf("with %d pairs the detectable effect is %.4f, above %.4f", 6+n, have, effect)
	}
	if have := opt.detectable(6+n-2, sd, 1); have <= effect {
		t.Errorf("%d pairs would have done", 6+n-2)
	}
	if n := morePairs([]float64{0.5}, opt, 1, 2); n != 0 {
		t.Errorf("one pair asks for %d more; the noise is not known", n)
	}
	opt.floor = 0.5
	if n := morePairs(noisy, opt, 1, 2); n != 0 {
		t.Errorf("%d more pairs are said to decide on an effect between margin and noise floor", n)
	}
	for variants, want := range map[int]int{2: 2, 3: 6, 4: 4, 5: 10} {
		if got := balancedStep(variants); got != want {
			t.Errorf("a balanced design of %d variants has %d rounds, want %d", variants, got, want)
		}
	}
}
