// Package arrival yields arrival schedules: the offsets from the start of a block
// at which its requests are sent.
//
// Schedules are data, computed before the run from a seed, so that both arms of a
// pair see the same one. As in `vllm bench serve` a random schedule is rescaled so
// that its last arrival is exactly at n/rate: the offered rate of every block is
// exact, and only the gaps are random. VLLM gives the very schedule of that program;
// Read takes one from a file, Write freezes one. After a block, Examine says whether
// the arrivals that were sent are those of the process that they were drawn from.
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
	draw, err := standardGaps(burstiness, rng)
	if err != nil {
		return nil, err
	}
	gaps := make([]float64, n)
	for i := range gaps {
		gaps[i] = draw()
	}
	return fromGaps(gaps, rate), nil
}

// standardGaps draws gaps of mean 1.
func standardGaps(burstiness float64, rng *rand.Rand) (func() float64, error) {
	switch {
	case !(burstiness > 0):
		return nil, badBurstiness(burstiness)
	case math.IsInf(burstiness, 1):
		return func() float64 { return 1 }, nil
	case burstiness == 1:
		return rng.ExpFloat64, nil
	}
	return distuv.Gamma{Alpha: burstiness, Beta: burstiness, Src: rng}.Rand, nil
}

func badBurstiness(burstiness float64) error {
	return fmt.Errorf("burstiness %v: it is above 0 (1 is Poisson)", burstiness)
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

// toDurations rounds seconds to nanoseconds.
func toDurations(seconds []float64) ([]time.Duration, error) {
	offsets := make([]time.Duration, len(seconds))
	for i, s := range seconds {
		if !(s*1e9 < math.MaxInt64/2) {
			return nil, fmt.Errorf("arrival %d at %v s is later than a duration can hold", i, s)
		}
		offsets[i] = time.Duration(math.Round(s * 1e9))
	}
	return offsets, nil
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
