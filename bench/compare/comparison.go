package compare

import "siglab/bench/record"

// Comparison is what a run says, complete: a report needs nothing else. Numbers
// that cannot be given (an interval over one pair, a median of failures) are NaN or
// infinite, never zero.
type Comparison struct {
	Manifest record.Manifest
	Valid    bool      // every gate that could be checked is ok
	Pairs    int       // complete pairs, or rounds of more than two variants
	Gates    []Gate    // in a fixed order
	Metrics  []Metric  // for each candidate in order: primaries, then the others
	Arms     []Arm     // one per variant, the baseline first
	Work     []Work    // one per candidate: were the answers the same?
	Kernel   []Kernel  // one per variant: from the resampling kernel to the request
	Shifts   []Shift   // per candidate: where in the distribution it differs
	Strata   []Strata  // per candidate: for which requests
	Drifts   []Drift   // of every primary: what moved over the run
	Pacing   []Pacing  // per variant: how well the schedule was kept
	Timeline []Moment  // in order of the blocks: latency over the run
	Machine  []Series  // what was read of the machine meanwhile
	Requests []Request // the requests that are told one by one
	Answers  int       // of how many requests Requests are
	Warnings []Warning // about the run as a whole

	Telemetry Telemetry // what the machine did meanwhile
}

// Gate is a condition without which there is no verdict.
type Gate struct {
	Name    string // "send_lag_p99"
	OK      bool   // false also if not checked
	Checked bool
	Detail  string // what was found, against which bound; or why it was not checked
}

// Verdict is the outcome for one metric.
type Verdict string

// The verdicts. None is for metrics that never get one, and for runs that are not
// valid.
const (
	Faster       Verdict = "faster"
	Slower       Verdict = "slower"
	Equivalent   Verdict = "equivalent"
	Inconclusive Verdict = "inconclusive"
	None         Verdict = "none"
)

// Direction says which way a metric is better.
type Direction int8

// Latencies are better when lower, throughputs when higher.
const (
	LowerIsBetter  Direction = -1
	HigherIsBetter Direction = +1
)

// Interval is an estimate with its confidence interval; Low and High are NaN where
// there are too few pairs for one.
type Interval struct{ Value, Low, High float64 }

// Metric compares one candidate with the baseline in one metric.
type Metric struct {
	Metric    string // key as in vLLM's JSON: "median_ttft_ms"
	Unit      string // "ms", "req/s", "tok/s"
	Variant   string // the candidate
	Better    Direction
	Primary   bool     // fixed before the run; only primaries get a verdict
	Baseline  float64  // mean of the baseline's block values, in Unit
	Candidate float64  // mean of the candidate's
	Percent   Interval // change in percent: exp(mean log ratio) − 1; below 0 is a lower value
	Sequence  Interval // change in percent with the interval that holds at every look: wider, whenever the run was ended
	Absolute  Interval // change in Unit: mean paired difference
	P         float64  // two-sided paired t test on the log ratios; with early stopping, valid at every look
	PHolm     float64  // adjusted over primaries × candidates; NaN for others
	PSignFlip float64  // exact sign-flip test, an unadjusted check
	Verdict   Verdict
	MDE       float64     // smallest change, in percent, that this run would have found (80 % power)
	MorePairs int         // further pairs that would decide, 0 if unknown or none needed
	Order     Interval    // order effect in percent: candidate first against baseline first
	Pairs     []PairValue // in order of the pairs
	Notes     []Warning
}

// PairValue is one pair of blocks in one metric.
type PairValue struct {
	Pair                int
	Baseline, Candidate float64 // block values
	CandidateFirst      bool
}

// Warning is a caveat with a code, explained in doc/experiment-design.md.
type Warning struct {
	Code string // "few-pairs"
	Text string // one sentence
}

// Arm describes one variant over all its blocks.
type Arm struct {
	Variant   record.Variant
	Requests  int // sent in blocks that count
	Failed    int
	Blocks    []BlockSummary
	Quantiles map[string][]float64 // "ttft_ms", "tpot_ms", "e2el_ms": quantiles 0 %, 1 %, …, 100 % over all requests, failures as +Inf; descriptive
	CPU       float64              // mean, percent of one core
	RSS       uint64               // largest, bytes
}

// BlockSummary describes one measured block, void ones included.
type BlockSummary struct {
	Block   record.Block
	Failed  int
	Values  map[string]float64 // block value of every metric, as in Metric.Metric
	LagP99  float64            // send lag (Sent − Scheduled), ms
	CPU     float64            // mean percent of one core
	MaxRSS  uint64
	HostCPU float64 // mean percent of all cores
}

// Work says whether a candidate did the same work as the baseline: temperature 0,
// so the same arithmetic gives the same answers.
type Work struct {
	Variant    string
	Compared   int               // requests that both answered
	Same       int               // with the same text
	SameLength int               // with the same number of output tokens
	Divergence float64           // median index of the first differing token, NaN if none differs
	Probes     []record.GapProbe // every divergence
}

// Kernel joins three levels for one variant: the resampling kernel's own time, the
// vision tower's, and the request's. Times are means per image or request from the
// server's own counters, in ms; NaN where the server does not say.
type Kernel struct {
	Variant    string
	Mode       string
	Convention string
	Resample   float64 // ms per image, the kernel alone
	Given      bool    // Resample was measured apart from the server, see record.Run
	Tower      float64 // ms per image, resampling included
	TTFT       float64 // ms, client side, mean over blocks of the median
	Share      float64 // Resample / TTFT
	Bound      float64 // ms that a kernel of no time would gain at most
	Predicted  float64 // change of TTFT against the baseline that the kernels' difference explains, ms
	Measured   float64 // change of the median TTFT against the baseline, ms
	Grids      string  // "8x8→12x12"
	Resamples  int64
}
