package compare

import (
	"math"
	"slices"
	"time"

	"siglab/bench/record"
)

// latencies are those of some requests, in ms, each list ascending. Failures are
// +Inf.
type latencies struct{ ttft, tpot, e2el []float64 }

// latenciesOf takes the latencies of observations, counted from the scheduled
// time: what a client that keeps its schedule would have waited, however late the
// request was sent.
//
// A request that failed, even after its first tokens, is +Inf in all of them. An
// answer of one token has no TPOT.
func latenciesOf(observations []*record.Observation) latencies {
	n := len(observations)
	l := latencies{make([]float64, 0, n), make([]float64, 0, n), make([]float64, 0, n)}
	for _, o := range observations {
		if !o.OK() {
			inf := math.Inf(1)
			l.ttft, l.tpot, l.e2el = append(l.ttft, inf), append(l.tpot, inf), append(l.e2el, inf)
			continue
		}
		l.ttft = append(l.ttft, milliseconds(o.FirstToken-o.Scheduled))
		l.e2el = append(l.e2el, milliseconds(o.LastToken-o.Scheduled))
		if o.OutputTokens > 1 {
			l.tpot = append(l.tpot, milliseconds(o.LastToken-o.FirstToken)/float64(o.OutputTokens-1))
		}
	}
	for _, list := range [][]float64{l.ttft, l.tpot, l.e2el} {
		slices.Sort(list)
	}
	return l
}

// gapsOf are the times between tokens of all answers together, in ms, ascending; a
// failure is one of +Inf, an answer of one token has none.
func gapsOf(observations []*record.Observation) []float64 {
	n := 0
	for _, o := range observations {
		n += max(1, len(o.ChunkAt))
	}
	gaps := make([]float64, 0, n)
	for _, o := range observations {
		if !o.OK() {
			gaps = append(gaps, math.Inf(1))
			continue
		}
		gaps = appendContentGaps(gaps, o)
	}
	slices.Sort(gaps)
	return gaps
}

// appendContentGaps appends the times between an answer's events with content, in ms.
// The role chunk and the finish chunk carry none: counting them would add gaps
// near zero that no token took.
func appendContentGaps(gaps []float64, o *record.Observation) []float64 {
	var before time.Duration
	for i, at := range o.ChunkAt {
		if i < len(o.ChunkLens) && o.ChunkLens[i] == 0 || at < o.FirstToken {
			continue
		}
		if before > 0 {
			gaps = append(gaps, milliseconds(at-before))
		}
		before = at
	}
	return gaps
}

// blockValues computes every metric of one block, by its key. A metric without a
// value is NaN; one that rests on a failure is +Inf.
func blockValues(b *block) map[string]float64 {
	l := b.latencies
	values := make(map[string]float64, len(metricSpecs))
	for _, m := range []struct {
		name   string
		sorted []float64
	}{{"ttft", l.ttft}, {"tpot", l.tpot}, {"itl", gapsOf(b.observations)}, {"e2el", l.e2el}} {
		values["median_"+m.name+"_ms"] = quantile(m.sorted, 0.5)
		values["mean_"+m.name+"_ms"] = mean(m.sorted)
		values["p99_"+m.name+"_ms"] = quantile(m.sorted, 0.99)
	}
	tokens := 0
	for _, o := range b.observations {
		if o.OK() {
			tokens += o.OutputTokens
		}
	}
	seconds := b.lasted()
	values["request_throughput"] = float64(b.answered()) / seconds
	values["output_throughput"] = float64(tokens) / seconds
	return values
}

// lasted is the time from the start of the schedule to the end of the last answer,
// in seconds; NaN if none ended. A stalled answer ends with its last event.
func (b *block) lasted() float64 {
	var end time.Duration
	for _, o := range b.observations {
		end = max(end, o.Over())
	}
	if end <= b.Start {
		return math.NaN()
	}
	return (end - b.Start).Seconds()
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
