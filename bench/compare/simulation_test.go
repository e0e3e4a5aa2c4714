package compare

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The simulations draw runs whose truth is known: every block has its own noise of
// 1 %, every pair a drift of its own that both arms share.
const (
	replications = 400
	blockNoise   = 0.01
)

// draw returns the factors of a run whose candidate changes latency by a share.
// TTFT and TPOT have independent noise, so E2EL lies between.
func draw(rng *rand.Rand, effect float64) func(int, int) (float64, float64) {
	type key struct{ pair, arm int }
	drawn := map[key][2]float64{}
	drift := map[int]float64{}
	return func(pair, arm int) (float64, float64) {
		if _, seen := drift[pair]; !seen {
			drift[pair] = 0.05 * rng.NormFloat64()
		}
		k := key{pair, arm}
		if _, seen := drawn[k]; !seen {
			level := math.Exp(drift[pair]) * (1 + effect*float64(arm))
			drawn[k] = [2]float64{level * math.Exp(blockNoise*rng.NormFloat64()), level * math.Exp(blockNoise*rng.NormFloat64())}
		}
		return drawn[k][0], drawn[k][1]
	}
}

// simulate analyses many runs of six pairs.
func simulate(t *testing.T, effect float64, look func(*Comparison)) {
	t.Helper()
	rng := rand.New(rand.NewPCG(20, 25))
	for range replications {
		look(analyse(t, fake{requests: 3, factor: draw(rng, effect)}))
	}
}

// TestSameAgainstSame: two arms that do not differ are called different about as
// rarely as alpha promises, over all primaries together.
func TestSameAgainstSame(t *testing.T) {
	t.Parallel()
	wrong := 0
	simulate(t, 0, func(c *Comparison) {
		for _, m := range c.Metrics {
			if m.Verdict == Faster || m.Verdict == Slower {
				wrong++
				return
			}
		}
	})
	if share := float64(wrong) / replications; share > 0.07 {
		t.Errorf("%.3f of A/A runs claim a difference", share)
	}
}

// TestCoverageAndPower: of a 5 % effect, the intervals contain it about as often as
// they say, and it is nearly always found.
func TestCoverageAndPower(t *testing.T) {
	t.Parallel()
	const effect = 0.05
	inPercent, inUnits, found := 0, 0, 0
	simulate(t, effect, func(c *Comparison) {
		m := find(c.Metrics, "optimized", "median_tpot_ms")
		if m.Percent.Low <= 100*effect && 100*effect <= m.Percent.High {
			inPercent++
		}
		if m.Absolute.Low <= effect*10 && effect*10 <= m.Absolute.High {
			inUnits++
		}
		if m.Verdict == Slower {
			found++
		}
	})
	// Three standard errors of a share of 0.95 over 400 are 0.033.
	for what, n := range map[string]int{"percent": inPercent, "milliseconds": inUnits} {
		if share := float64(n) / replications; share < 0.917 || share > 0.983 {
			t.Errorf("the interval in %s contains the truth in %.3f of runs", what, share)
		}
	}
	if share := float64(found) / replications; share < 0.98 {
		t.Errorf("a 5 %% effect is found in %.3f of runs", share)
	}
}
