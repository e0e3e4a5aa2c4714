package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"siglab/bench/record"
)

// Bounds of the gates about pacing.
const (
	mostLagP99     = 5.0   // ms
	mostLagBalance = 0.005 // of the median TTFT
	mostSpanError  = 0.01  // of the scheduled span
)

// lags are the send lags of those requests that were sent, in ms, ascending: how much
// of the time from Scheduled to Sent is the client's doing. The time in the queue of a
// load with a cap is not: the server kept the places.
func lags(observations []*record.Observation) []float64 {
	var out []float64
	for _, o := range observations {
		switch {
		case o.Sent == 0:
		case o.Queued > 0:
			out = append(out, milliseconds(o.Queued-o.Scheduled+o.Sent-o.Dequeued))
		default:
			out = append(out, milliseconds(o.Sent-o.Scheduled))
		}
	}
	slices.Sort(out)
	return out
}

// checkLag: requests went out when the schedule said so.
func checkLag(s *study) finding {
	if len(s.pairs) == 0 {
		return unchecked(noPairs)
	}
	if s.loop() == record.LoopBurst {
		return unchecked(allDue)
	}
	var all, problems []string
	for arm, v := range s.arms {
		p99 := quantile(lags(s.observations(arm)), 0.99)
		if math.IsNaN(p99) {
			return unchecked("variant %q: no request was sent", v.Name)
		}
		text := fmt.Sprintf("variant %q: p99 of the send lag %.3f ms, at most %g ms", v.Name, p99, mostLagP99)
		all = append(all, text)
		if p99 > mostLagP99 {
			problems = append(problems, text)
		}
	}
	return outcome(problems, strings.Join(all, "; "))
}

// checkLagBalance: how late requests went out does not differ between the arms by
// enough to look like an effect.
func checkLagBalance(s *study) finding {
	if reason, can := s.comparable(); !can {
		return unchecked("%s", reason)
	}
	if s.loop() == record.LoopBurst {
		return unchecked(allDue)
	}
	ttft := s.medianTTFT(0)
	if !finite(ttft) || ttft <= 0 {
		return unchecked("the baseline has no median TTFT to compare the lags with")
	}
	baseline := quantile(lags(s.observations(0)), 0.5)
	bound := mostLagBalance * ttft
	var all, problems []string
	for _, c := range s.candidates() {
		lag := quantile(lags(s.observations(c)), 0.5)
		if !finite(lag - baseline) {
			return unchecked("variant %q or the baseline: no request was sent", s.arms[c].Name)
		}
		text := fmt.Sprintf("median send lag %.3f ms (%s) and %.3f ms (%s), at most %.3f ms (%g %% of the median TTFT) apart",
			baseline, s.arms[0].Name, lag, s.arms[c].Name, bound, 100*mostLagBalance)
		all = append(all, text)
		if math.Abs(lag-baseline) > bound {
			problems = append(problems, text)
		}
	}
	return outcome(problems, strings.Join(all, "; "))
}

// checkSpan: the load was spread over the time that the schedule gave it.
func checkSpan(s *study) finding {
	switch s.loop() {
	case record.LoopClosed:
		return unchecked("in a closed loop the server decides when requests are sent")
	case record.LoopBurst:
		return unchecked(allDue)
	}
	worst, at, blocks := 0.0, 0, 0
	for _, b := range s.countedBlocks() {
		scheduled, sent := spans(b.observations)
		if scheduled <= 0 {
			continue
		}
		blocks++
		if off := math.Abs(sent/scheduled - 1); off >= worst {
			worst, at = off, b.ID
		}
	}
	if blocks == 0 {
		return unchecked("no block that counts has two requests sent at different times")
	}
	text := fmt.Sprintf("the span of the sends is at most %.3f %% off the schedule's (block %d), %g %% allowed", 100*worst, at, 100*mostSpanError)
	if worst > mostSpanError {
		return finding{failed, text}
	}
	return finding{passed, text}
}

// allDue is why pacing is not checked where there is none.
const allDue = "all requests were due at once, so they go out as fast as the client can write them"

func (s *study) loop() record.Loop { return s.run.Manifest.Experiment.Loop }

// spans are the times between the first and the last request that was sent, as
// scheduled and as sent, in seconds.
func spans(observations []*record.Observation) (scheduled, sent float64) {
	var first, last *record.Observation
	for _, o := range observations {
		if o.Sent == 0 {
			continue
		}
		if first == nil {
			first = o
		}
		last = o
	}
	if first == nil {
		return 0, 0
	}
	return (last.Scheduled - first.Scheduled).Seconds(), (released(last) - released(first)).Seconds()
}

// released is when a request left the client's hands: when it was sent or, with a cap,
// when it came to wait for a free place.
func released(o *record.Observation) time.Duration {
	if o.Queued > 0 {
		return o.Queued
	}
	return o.Sent
}

// checkDropped: every scheduled request of a block that counts was sent.
func checkDropped(s *study) finding {
	blocks := s.countedBlocks()
	if len(blocks) == 0 {
		return unchecked(noPairs)
	}
	var problems []string
	total := 0
	for _, b := range blocks {
		dropped := 0
		for _, o := range b.observations {
			if o.Sent == 0 {
				dropped++
			}
		}
		total += len(b.observations)
		if dropped > 0 {
			problems = append(problems, fmt.Sprintf("block %d of variant %q: %d of %d requests were not sent", b.ID, b.Variant, dropped, b.Requests))
		}
	}
	return outcome(problems, fmt.Sprintf("all %d requests were sent", total))
}
