package compare

import (
	"slices"
	"time"

	"siglab/bench/record"
)

// Pacing says how well the client kept the schedule with one variant, over its blocks
// that count. Lists are quantiles 0 %, 1 %, …, 100 % in ms.
type Pacing struct {
	Variant   string
	Sent      int       // requests
	Lags      []float64 // from when a request was due to when it was sent, as far as it is the client's doing
	Scheduled []float64 // gaps between requests as the schedule has them
	Gaps      []float64 // gaps between requests as they were sent
}

// pacing describes every variant; nil where a load has no schedule.
func (s *study) pacing() []Pacing {
	if s.loop() == record.LoopBurst || len(s.pairs) == 0 {
		return nil
	}
	out := make([]Pacing, len(s.arms))
	for arm, v := range s.arms {
		p := Pacing{Variant: v.Name, Lags: percentiles(lags(s.observations(arm)))}
		var scheduled, sent []float64
		for _, b := range s.counted(arm) {
			var due, left []time.Duration
			for _, o := range b.observations {
				if o.Sent > 0 {
					due, left = append(due, o.Scheduled), append(left, released(o))
				}
			}
			p.Sent += len(left)
			scheduled, sent = appendGaps(scheduled, due), appendGaps(sent, left)
		}
		slices.Sort(scheduled)
		slices.Sort(sent)
		p.Scheduled, p.Gaps = percentiles(scheduled), percentiles(sent)
		out[arm] = p
	}
	return out
}

// appendGaps appends the gaps between times, which need not be in order, in ms.
func appendGaps(gaps []float64, times []time.Duration) []float64 {
	slices.Sort(times)
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, milliseconds(times[i]-times[i-1]))
	}
	return gaps
}
