package compare

import (
	"errors"
	"fmt"
	"math"
)

// NoiseFloors are, by metric key, the relative effects that a run of the baseline
// against itself could not exclude: the smallest margin within which its two arms
// are equivalent at the run's level. What a later run finds below that may be the
// experiment rather than the variant. Metrics without an interval are left out.
//
// The error is for a comparison that measures no floor: its run was not of a variant
// against itself, is not valid, or has fewer than two pairs.
func (c *Comparison) NoiseFloors() (map[string]float64, error) {
	e := c.Manifest.Experiment
	switch {
	case !e.AA:
		return nil, errors.New("it is no run of a variant against itself; make one with `siglab bench --aa`")
	case !c.Valid:
		return nil, errors.New("it is not valid: a gate failed")
	case c.Pairs < 2:
		return nil, fmt.Errorf("it has %d complete pairs, and an interval needs two", c.Pairs)
	}
	opt := optionsOf(e, len(c.Manifest.Variants))
	floors := map[string]float64{}
	for _, m := range c.Metrics {
		i := opt.equivalence(logRatios(m.Pairs)).percent()
		floor := max(math.Abs(i.Low), math.Abs(i.High)) / 100
		if finite(floor) && floor > 0 {
			floors[m.Metric] = floor
		}
	}
	return floors, nil
}
