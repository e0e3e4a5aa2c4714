// Package arrival yields arrival schedules: the offsets from the start of a block
// at which its requests are sent.
//
// Schedules are data, computed before the run from a seed, so that both arms of a
// pair see the same one. As in `vllm bench serve` a random schedule is rescaled so
// that its last arrival is exactly at n/rate: the offered rate of every block is
// exact, and only the gaps are random.
package arrival

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// most is the largest number of arrivals in one schedule.
const most = 10_000_000

// Constant returns n arrivals with equal gaps of 1/rate, the first one gap after
// the start. rate is in arrivals per second.
func Constant(n int, rate float64) ([]time.Duration, error) {
	if err := check(n, rate); err != nil {
		return nil, err
	}
	gaps := make([]float64, n)
	for i := range gaps {
		gaps[i] = 1
	}
	return fromGaps(gaps, rate), nil
}

// Poisson returns n arrivals whose gaps are exponential: independent users.
func Poisson(n int, rate float64, rng *rand.Rand) ([]time.Duration, error) {
	return Gamma(n, rate, 1, rng)
}

// Gamma returns n arrivals whose gaps are gamma distributed with the given shape,
// which vLLM calls burstiness: 1 is Poisson, below 1 is burstier, and an infinite
// one is constant.
func Gamma(n int, rate, burstiness float64, rng *rand.Rand) ([]time.Duration, error) {
	if err := check(n, rate); err != nil {
		return nil, err
	}
	if !(burstiness > 0) {
		return nil, fmt.Errorf("burstiness %v: it is above 0 (1 is Poisson)", burstiness)
	}
	if math.IsInf(burstiness, 1) {
		return Constant(n, rate)
	}
	draw := distuv.Gamma{Alpha: burstiness, Beta: 1, Src: rng}.Rand
	if burstiness == 1 {
		draw = rng.ExpFloat64
	}
	gaps := make([]float64, n)
	for i := range gaps {
		gaps[i] = draw()
	}
	return fromGaps(gaps, rate), nil
}

func check(n int, rate float64) error {
	switch {
	case n < 1 || n > most:
		return fmt.Errorf("%d arrivals: it is 1 to %d", n, most)
	case !(rate > 0) || math.IsInf(rate, 1):
		return fmt.Errorf("rate %v: it is a finite number of arrivals per second above 0", rate)
	case float64(n)/rate > math.MaxInt64/1e9/2:
		return fmt.Errorf("%d arrivals at rate %v take longer than a duration can hold", n, rate)
	}
	return nil
}

// fromGaps adds the gaps up and rescales them so that the last arrival is at
// len(gaps)/rate.
func fromGaps(gaps []float64, rate float64) []time.Duration {
	total := 0.0
	for _, g := range gaps {
		total += g
	}
	span := float64(len(gaps)) / rate * float64(time.Second)
	offsets := make([]time.Duration, len(gaps))
	sum := 0.0
	for i, g := range gaps {
		sum += g
		share := float64(i+1) / float64(len(gaps)) // all gaps zero: spread evenly
		if total > 0 {
			share = sum / total
		}
		offsets[i] = time.Duration(math.Round(min(1, share) * span))
	}
	offsets[len(offsets)-1] = time.Duration(math.Round(span))
	return offsets
}
