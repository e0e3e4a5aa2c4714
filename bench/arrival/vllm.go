package arrival

import (
	"fmt"
	"math"
	"time"
)

// VLLM is the arrival process of `vllm bench serve` (get_request of
// vllm/benchmarks/serve.py, 0.32): what it sends for --seed Seed.
type VLLM struct {
	Rate       float64 // --request-rate: +Inf sends everything at once. Not used with a ramp
	Burstiness float64 // --burstiness: 1 is Poisson, +Inf is constant
	Ramp       *Ramp   // --ramp-up-strategy and its rates; nil: a fixed rate
	Seed       uint32  // --seed
}

// Offsets returns the first n arrivals: those that vLLM computes, to the bit but for
// the rare last bit that its C library rounds wrongly, then rounded to the nanosecond.
func (v VLLM) Offsets(n int) ([]time.Duration, error) {
	if err := v.check(n); err != nil {
		return nil, fmt.Errorf("vllm's schedule: %w", err)
	}
	return toDurations(v.seconds(n))
}

func (v VLLM) check(n int) error {
	switch {
	case !(v.Burstiness > 0):
		return badBurstiness(v.Burstiness)
	case v.Ramp != nil:
		return v.Ramp.check(n)
	case math.IsInf(v.Rate, 1):
		return check(n, 1)
	default:
		return check(n, v.Rate)
	}
}

// seconds adds up the gaps and, but for a ramp, rescales them so that the last
// arrival is at n/rate. Every rounding is as in Python.
func (v VLLM) seconds(n int) []float64 {
	rng := newLegacyRandom(v.Seed)
	at := make([]float64, n)
	for i := range at {
		rate := v.Rate
		if v.Ramp != nil {
			rate = v.Ramp.rate(i, n)
		}
		switch {
		case math.IsInf(rate, 1):
			at[i] = 0
		case math.IsInf(v.Burstiness, 1):
			at[i] = 1 / rate
		default:
			scale := 1 / float64(rate*v.Burstiness)
			at[i] = float64(scale * rng.gamma(v.Burstiness))
		}
		if i > 0 {
			at[i] += at[i-1]
		}
	}
	if last := at[n-1]; v.Ramp == nil && last != 0 {
		factor := float64(n) / v.Rate / last
		for i := range at {
			at[i] *= factor
		}
	}
	return at
}
