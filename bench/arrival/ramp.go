package arrival

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// RampShape is how a rate changes over the requests.
type RampShape int

// The shapes that vLLM's --ramp-up-strategy knows.
const (
	Linear      RampShape = iota // by equal steps
	Exponential                  // by equal factors
)

// String is the name that ParseRampShape reads.
func (s RampShape) String() string {
	if s == Exponential {
		return "exponential"
	}
	return "linear"
}

// ParseRampShape reads "linear" or "exponential".
func ParseRampShape(name string) (RampShape, error) {
	for _, s := range []RampShape{Linear, Exponential} {
		if name == s.String() {
			return s, nil
		}
	}
	return 0, fmt.Errorf("ramp %q: it is linear or exponential", name)
}

// Ramp is a rate that changes from the first request to the last, in arrivals per
// second. It is a function of the request's position, not of time, as in vLLM.
type Ramp struct {
	Shape    RampShape
	From, To float64
}

// rate is that of request i of n.
func (r Ramp) rate(i, n int) float64 {
	progress := float64(i) / float64(max(1, n-1))
	if r.Shape == Exponential {
		return r.From * pow(r.To/r.From, progress)
	}
	return r.From + float64((r.To-r.From)*progress)
}

func (r Ramp) check(n int) error {
	if err := check(n, min(r.From, r.To)); err != nil {
		return fmt.Errorf("ramp from %v to %v: %w", r.From, r.To, err)
	}
	if math.IsInf(max(r.From, r.To), 1) || math.IsNaN(r.From+r.To) {
		return fmt.Errorf("ramp from %v to %v: both rates are finite", r.From, r.To)
	}
	return nil
}

// RampUp returns n arrivals whose gap before request i is gamma distributed with
// mean 1/rate(i) and the given burstiness (1: exponential; infinite: exactly the
// mean). A ramp is not rescaled: its end is as random as its gaps.
func RampUp(n int, ramp Ramp, burstiness float64, rng *rand.Rand) ([]time.Duration, error) {
	if err := ramp.check(n); err != nil {
		return nil, err
	}
	draw, err := standardGaps(burstiness, rng)
	if err != nil {
		return nil, err
	}
	at := 0.0
	seconds := make([]float64, n)
	for i := range seconds {
		at += draw() / ramp.rate(i, n)
		seconds[i] = at
	}
	return toDurations(seconds)
}
