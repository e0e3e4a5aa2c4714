// Package changepoint finds where the level of a series changes, by E-divisive: energy
// statistics with a permutation test (Matteson and James, "A Nonparametric Approach for
// Multiple Change Point Analysis of Multivariate Data", JASA 109, 2014; used for
// performance histories by Daly et al., ICPE 2020).
//
// It supposes nothing about the distribution but that the values of one stretch are
// independent. What it finds at a level of 5 % it finds in one of twenty series that
// have no change.
package changepoint

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Options are the choices of a search. The zero value has the usual ones.
type Options struct {
	Alpha        float64 // level of the test; 0.05
	Fewest       int     // values on either side of a change; 3
	Permutations int     // 499
}

// Change is a place where the level changes.
type Change struct {
	At     int     // index of the first value of the new level
	P      float64 // of the permutation test
	Before float64 // mean of the stretch before, up to the change before
	After  float64 // mean of the stretch after, up to the next change
}

// Most is the longest series that is searched; the work grows with its square.
const Most = 1000

// Find returns the changes of a series in order of their places, none if it is too
// short to have any. The same source of randomness gives the same changes.
func Find(series []float64, o Options, rng *rand.Rand) ([]Change, error) {
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	if o.Fewest == 0 {
		o.Fewest = 3
	}
	if o.Permutations == 0 {
		o.Permutations = 499
	}
	if len(series) > Most {
		return nil, fmt.Errorf("change points: a series of %d values is longer than %d", len(series), Most)
	}
	for i, v := range series {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("change points: value %d is %v", i, v)
		}
	}
	if o.Alpha < 0 || o.Alpha >= 1 || o.Fewest < 1 || o.Permutations < 1 {
		return nil, errors.New("change points: the level is between 0 and 1, the fewest values and the permutations are at least 1")
	}
	var changes []Change
	divide(series, 0, o, rng, &changes)
	for i := range changes {
		start, end := 0, len(series)
		if i > 0 {
			start = changes[i-1].At
		}
		if i+1 < len(changes) {
			end = changes[i+1].At
		}
		changes[i].Before, changes[i].After = mean(series[start:changes[i].At]), mean(series[changes[i].At:end])
	}
	return changes, nil
}

// divide splits a stretch where its two parts differ most, if by more than chance, and
// goes on in both parts. offset is the stretch's place in the series.
func divide(stretch []float64, offset int, o Options, rng *rand.Rand, changes *[]Change) {
	at, q := best(stretch, o.Fewest)
	if at == 0 {
		return
	}
	// Under no change every order of the values is as likely.
	shuffled := append([]float64{}, stretch...)
	asLarge := 1
	for range o.Permutations {
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if _, other := best(shuffled, o.Fewest); other >= q*(1-1e-12) {
			asLarge++
		}
	}
	p := float64(asLarge) / float64(o.Permutations+1)
	if p > o.Alpha {
		return
	}
	divide(stretch[:at], offset, o, rng, changes)
	*changes = append(*changes, Change{At: offset + at, P: p})
	divide(stretch[at:], offset+at, o, rng, changes)
}

// best is the split of a stretch with the largest energy statistic
//
//	Q = mn/(m+n) · (2·E|X−Y| − E|X−X′| − E|Y−Y′|)
//
// where X are the m values before and Y the n after it; 0 if it is too short. One value
// moves from Y to X at a time, so that the sums of distances are updated rather than
// made anew.
func best(x []float64, fewest int) (at int, q float64) {
	n := len(x)
	if n < 2*fewest {
		return 0, 0
	}
	var within, across, beyond float64 // sums over pairs: in X, between X and Y, in Y
	for i := range x {
		for j := range i {
			beyond += math.Abs(x[i] - x[j])
		}
	}
	for k := range n - 1 { // x[k] moves
		var toBefore, toAfter float64
		for j, v := range x {
			switch d := math.Abs(x[k] - v); {
			case j < k:
				toBefore += d
			case j > k:
				toAfter += d
			}
		}
		within, across, beyond = within+toBefore, across-toBefore+toAfter, beyond-toAfter
		m := k + 1
		if m < fewest || n-m < fewest {
			continue
		}
		a, b := float64(m), float64(n-m)
		energy := a * b / (a + b) * (2*across/(a*b) - meanPair(within, a) - meanPair(beyond, b))
		if at == 0 || energy > q {
			at, q = m, energy
		}
	}
	return at, q
}

// meanPair is the mean over the pairs of n values, 0 for one value.
func meanPair(sum, n float64) float64 {
	if n < 2 {
		return 0
	}
	return sum / (n * (n - 1) / 2)
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
