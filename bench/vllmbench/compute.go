package vllmbench

import (
	"math"
	"time"

	"siglab/bench/record"
)

// Compute returns vLLM's numbers for observations of one variant. The observations
// may come from several blocks; o.Duration is then the sum of the blocks' durations.
func Compute(obs []record.Observation, o Options) Result {
	o = o.withDefaults()
	r := Result{Options: o, Requests: make([]Request, len(obs))}
	s := samplesOf(obs)
	for i := range obs {
		row := requestOf(&obs[i], o)
		r.Requests[i] = row
		if row.Error != "" {
			r.Failed++
			continue
		}
		r.Completed++
		r.InputTokens += row.InputTokens
		r.OutputTokens += row.OutputTokens
		s.add(row, o.Goodput)
	}
	r.RequestThroughput = rate(r.Completed, o.Duration)
	r.OutputThroughput = rate(r.OutputTokens, o.Duration)
	r.TotalTokenThroughput = rate(r.InputTokens+r.OutputTokens, o.Duration)
	if o.Goodput.set() {
		r.RequestGoodput = rate(s.good, o.Duration)
	}
	r.PeakOutputTokens, r.PeakConcurrent = peaks(obs)
	r.TTFT = Summarize(s.ttft, o.Percentiles)
	r.TPOT = Summarize(s.tpot, o.Percentiles)
	r.ITL = Summarize(s.itl, o.Percentiles)
	r.E2EL = Summarize(s.e2el, o.Percentiles)
	r.Queue = Summarize(s.queue, o.Percentiles)
	r.QueuedE2EL = Summarize(s.queuedE2EL, o.Percentiles)
	r.RateChanges = rateChanges(obs, o)
	return r
}

// samples are the latencies of completed requests, in seconds.
type samples struct {
	ttft, tpot, itl, e2el, queue, queuedE2EL []float64
	good                                     int
}

// samplesOf makes room for the latencies of observations.
func samplesOf(obs []record.Observation) samples {
	chunks := 0
	for i := range obs {
		chunks += len(obs[i].ChunkAt)
	}
	list := func() []float64 { return make([]float64, 0, len(obs)) }
	return samples{ttft: list(), tpot: list(), itl: make([]float64, 0, chunks), e2el: list(), queue: list(), queuedE2EL: list()}
}

// add takes one completed request into the samples. A request with fewer than two
// tokens has no TPOT; for goodput it counts as 0.
func (s *samples) add(row Request, limits Goodput) {
	var tpot float64
	if row.OutputTokens > 1 {
		tpot = (row.Latency - row.TTFT) / float64(row.OutputTokens-1)
		s.tpot = append(s.tpot, tpot)
	}
	s.ttft = append(s.ttft, row.TTFT)
	s.itl = append(s.itl, row.ITL...)
	s.e2el = append(s.e2el, row.Latency)
	s.queue = append(s.queue, row.Queue)
	s.queuedE2EL = append(s.queuedE2EL, row.Latency+row.Queue)
	if limits.good(row.TTFT, tpot, row.Latency) {
		s.good++
	}
}

// requestOf takes one observation apart the way vLLM's client would have recorded
// it: what came before a failure is kept, its latency and token count are not.
func requestOf(o *record.Observation, opt Options) Request {
	row := Request{
		InputTokens: o.PromptTokens,
		ITL:         gaps(o.ChunkAt),
		Start:       o.Sent.Seconds(),
		Text:        o.Text,
		Error:       o.Error,
	}
	if o.RoleChunk > 0 {
		row.TTFT = (o.RoleChunk - o.Sent).Seconds()
	}
	if o.Queued > 0 && o.Sent > 0 {
		row.Queue = (o.Sent - o.Queued).Seconds()
	} else if o.Dequeued > 0 {
		row.Queue = (o.Sent - o.Dequeued).Seconds()
	}
	if !o.OK() {
		if row.Error == "" {
			row.Error = "no token was received"
		}
		return row
	}
	row.Latency = (o.LastToken - o.Sent).Seconds()
	row.OutputTokens = o.OutputTokens
	if row.OutputTokens == 0 {
		row.OutputTokens = opt.CountTokens(o.Text)
	}
	return row
}

// gaps returns the differences of consecutive times, in seconds; never nil, so that
// it is written as an empty array.
func gaps(at []time.Duration) []float64 {
	out := make([]float64, 0, max(len(at)-1, 0))
	for i := 1; i < len(at); i++ {
		out = append(out, (at[i] - at[i-1]).Seconds())
	}
	return out
}

// rate is n per second of d, and 0 if no time passed.
func rate(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// rateChanges are the whole rates that a ramp passed: where it starts, and every
// higher one with the request that reached it (benchmark() of vllm/benchmarks/serve.py).
func rateChanges(obs []record.Observation, o Options) []RateChange {
	if o.Ramp == nil {
		return nil
	}
	last := int(o.Ramp.StartRPS)
	changes := []RateChange{{last, o.Date}}
	for i := range obs {
		for now := int(o.Ramp.rate(i, len(obs))); last < now; {
			last++
			changes = append(changes, RateChange{last, o.Date.Add(obs[i].Scheduled)})
		}
	}
	return changes
}

// rate is that of request i of n.
func (r Ramp) rate(i, n int) float64 {
	progress := float64(i) / float64(max(1, n-1))
	if r.Strategy == "exponential" {
		return r.StartRPS * math.Pow(r.EndRPS/r.StartRPS, progress)
	}
	return r.StartRPS + (r.EndRPS-r.StartRPS)*progress
}
