package compare

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"siglab/bench/record"
)

// TestNoiseFloors: the floor of a run against itself is the outer end of its 90 %
// interval, and other runs have none.
func TestNoiseFloors(t *testing.T) {
	aa := func(run *record.Run) { run.Manifest.Experiment.AA = true }
	rng := rand.New(rand.NewPCG(5, 6))
	noisy := func(_, _ int) (float64, float64) {
		level := math.Exp(0.01 * rng.NormFloat64())
		return level, level
	}
	c := analyse(t, fake{factor: noisy, change: aa})
	floors, err := c.NoiseFloors()
	if err != nil {
		t.Fatal(err)
	}
	m := find(c.Metrics, "optimized", "median_ttft_ms")
	i := tInterval(logRatios(m.Pairs), 0.9).percent()
	if want := max(math.Abs(i.Low), math.Abs(i.High)) / 100; math.Abs(floors["median_ttft_ms"]-want) > 1e-12 {
		t.Errorf("floor %v, want %v of %+v", floors["median_ttft_ms"], want, i)
	}
	if f := floors["median_ttft_ms"]; f < 0.002 || f > 0.03 {
		t.Errorf("floor %v of pairs with a noise of 1.4 %%, want about 1 %%", f)
	}
	for _, test := range []struct {
		why  string
		fake fake
		want string
	}{
		{"a run of two variants", fake{}, "--aa"},
		{"a run that failed a gate", fake{change: func(run *record.Run) { aa(run); run.Manifest.Stopped = "interrupted" }}, "not valid"},
		{"one pair", fake{pairs: 1, requests: 40, change: aa}, "needs two"},
	} {
		if _, err := analyse(t, test.fake).NoiseFloors(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.why, err, test.want)
		}
	}
}
