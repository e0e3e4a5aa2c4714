package compare

import (
	"slices"

	"siglab/bench/record"
)

// goodput is the rate of requests that kept every limit, as vLLM defines it, but with
// latencies counted from the scheduled time. It is descriptive: a count near all or none
// hardly moves, whatever the latencies do.
var goodput = metricSpec{"request_goodput", "req/s", HigherIsBetter, rarely}

// specs are the metrics of this run.
func (s *study) specs() []metricSpec {
	if len(s.limits()) == 0 {
		return metricSpecs[:]
	}
	return append(slices.Clone(metricSpecs[:]), goodput)
}

// limits are those of a good request, in ms, by "ttft", "tpot" and "e2el".
func (s *study) limits() map[string]float64 { return s.run.Manifest.Experiment.ResultFile.Goodput }

// addGoodput adds the goodput to a block's values, where there are limits.
func (b *block) addGoodput(limits map[string]float64) {
	if len(limits) == 0 {
		return
	}
	good := 0
	for _, o := range b.observations {
		if o.OK() && isGood(o, limits) {
			good++
		}
	}
	b.values[goodput.key] = float64(good) / b.lasted()
}

// isGood reports whether a request kept every limit. An answer of one token has no TPOT
// and so keeps that one.
func isGood(o *record.Observation, limits map[string]float64) bool {
	took := map[string]float64{
		"ttft": milliseconds(o.FirstToken - o.Scheduled),
		"e2el": milliseconds(o.LastToken - o.Scheduled),
	}
	if o.OutputTokens > 1 {
		took["tpot"] = milliseconds(o.LastToken-o.FirstToken) / float64(o.OutputTokens-1)
	}
	for key, limit := range limits {
		if took[key] > limit {
			return false
		}
	}
	return true
}
