package compare

import "siglab/bench/record"

// Analyse compares the variants of a run. It depends on the run alone: the same
// run gives the same comparison.
//
// The error is for what cannot be read as one run: no variants, an observation of a
// block that the manifest does not list, two observations of one request. A run
// that ended early gives a comparison of what there is, which the gate "complete"
// says is not valid. One variant gives its arm and the gates that concern one, and
// no metrics.
func Analyse(run record.Run) (*Comparison, error) {
	s, err := newStudy(run)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Manifest: run.Manifest}
	if len(s.arms) > 1 {
		c.Pairs = len(s.pairs)
	}
	c.Gates, c.Valid = s.gates()
	c.Metrics = s.metrics(c.Valid)
	c.Arms = s.summarize()
	c.Shifts, c.Strata, c.Drifts = s.shifts(), s.strata(), s.drifts(c.Metrics)
	c.Work = s.work()
	c.Kernel = s.kernels(c.Metrics)
	c.Telemetry = s.telemetry()
	c.Pacing, c.Timeline, c.Machine = s.pacing(), s.timeline(), s.machine()
	c.Requests, c.Answers = s.requests()
	c.Warnings = s.warnings(c)
	return c, nil
}
