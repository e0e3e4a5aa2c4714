package sidebyside

import (
	"time"

	"siglab/bench/compare"
	"siglab/bench/peerfiles"
)

// fewestRuns is the number of runs per side below which intervals are very wide.
const fewestRuns = 3

// design says what the design of the experiment leaves open. One run per side has no
// design to speak of.
func design(c *Comparison, o Options) []compare.Warning {
	if c.Single() {
		return nil
	}
	out := []compare.Warning{order(c.Baseline, c.Candidate)}
	if out[0].Code == "" {
		out = nil
	}
	if min(len(c.Baseline), len(c.Candidate)) < fewestRuns {
		out = append(out, warning("few-runs", "With %d and %d runs the noise itself is hardly known: intervals are wide.", len(c.Baseline), len(c.Candidate)))
	}
	if o.NoiseFloor == 0 {
		out = append(out, warning("noise-floor-unmeasured", "No run of one variant against itself has measured the noise floor, so it is taken as 0."))
	}
	return out
}

// order tells whether the sides were interleaved: if one was measured after the other,
// a drift of the machine looks like a change.
func order(baseline, candidate []peerfiles.Result) compare.Warning {
	firstA, lastA, okA := spanOf(baseline)
	firstB, lastB, okB := spanOf(candidate)
	switch {
	case !okA || !okB:
		return warning("unknown-order", "The files do not say when the runs were made. If one side was measured after the other, a drift of the machine cannot be told from a change; siglab bench alternates them.")
	case lastA.Before(firstB) || lastB.Before(firstA):
		return warning("sequential-sides", "One side was measured after the other, in sessions of their own, so a drift of the machine cannot be told from a change; siglab bench alternates them.")
	}
	return compare.Warning{}
}

func spanOf(runs []peerfiles.Result) (first, last time.Time, known bool) {
	for _, r := range runs {
		at := r.About.Date
		if at.IsZero() {
			return first, last, false
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last, true
}
