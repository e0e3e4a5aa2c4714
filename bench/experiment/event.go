package experiment

import "siglab/bench/record"

// Phase is what a block is doing.
type Phase string

// The phases of a block, in order; PhaseVoid follows one that does not count,
// PhaseProbe comes once at the end.
const (
	PhaseStart   Phase = "start"
	PhaseWarmUp  Phase = "warm-up"
	PhaseMeasure Phase = "measure"
	PhaseVoid    Phase = "void"
	PhaseProbe   Phase = "probe"
)

// Event tells a display what happens. Events of one run come from several
// goroutines, so a receiver must be safe for concurrent use and must not block.
type Event struct {
	Phase  Phase
	Block  record.Block        // the one that runs, as far as it is known
	Answer *record.Observation // a request that has just ended, in PhaseMeasure
	Detail string

	Startup *record.Startup // before the first measured request; nil at other times
}

func (r *runner) report(e Event) {
	if r.progress != nil {
		r.progress(e)
	}
}
