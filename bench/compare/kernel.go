package compare

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"siglab/bench/record"
)

// kernels joins, for every variant, what its server says of the resampling kernel
// with what the client saw of the requests. Predicted and Measured of the baseline
// are NaN: it has no change.
func (s *study) kernels(metrics []Metric) []Kernel {
	ahead := s.requestsAhead()
	out := make([]Kernel, len(s.arms))
	perRequest := make([]float64, len(s.arms))
	for arm, v := range s.arms {
		out[arm], perRequest[arm] = s.kernel(arm)
		out[arm].Bound = perRequest[arm] * (1 + ahead)
		if arm == 0 {
			continue
		}
		// A request waits for its own resampling and, at most, for those of all
		// requests before it in the busy period.
		out[arm].Predicted = (perRequest[arm] - perRequest[0]) * (1 + ahead)
		if m := find(metrics, v.Name, "median_ttft_ms"); m != nil {
			out[arm].Measured = m.Absolute.Value
		}
	}
	return out
}

// kernel sums one variant's counters over its blocks that count. perRequest is the
// kernel's time per answered request in ms.
func (s *study) kernel(arm int) (k Kernel, perRequest float64) {
	v := s.arms[arm]
	k = Kernel{Variant: v.Name, Mode: v.Mode, Convention: v.Convention, TTFT: s.medianTTFT(arm), Predicted: math.NaN(), Measured: math.NaN()}
	var total record.ServerDelta
	answered, scraped := 0, true
	grids := map[string]bool{}
	for _, b := range s.counted(arm) {
		d := b.Server
		scraped = scraped && d.Scraped
		answered += b.answered()
		total.ResampleSum += d.ResampleSum
		total.ResampleCount += d.ResampleCount
		total.EncoderSum += d.EncoderSum
		total.EncoderCount += d.EncoderCount
		for key, n := range d.Resamples {
			if _, from, to, split := record.ParseResampleKey(key); split {
				grids[from+"→"+to] = true
			}
			k.Resamples += n
		}
	}
	if !scraped { // sums over some of the blocks would be no means
		total = record.ServerDelta{}
	}
	k.Resample = meanMilliseconds(total.ResampleSum, total.ResampleCount)
	k.Tower = meanMilliseconds(total.EncoderSum, total.EncoderCount)
	k.Share = k.Resample / k.TTFT
	k.Grids = listed(slices.Sorted(maps.Keys(grids)))
	if given, known := s.run.KernelTimes[v.Name]; known && total.ResampleCount == 0 {
		k.Given, k.Resample = true, milliseconds(given)
		k.Share = k.Resample / k.TTFT
		return k, k.Resample // one image per request
	}
	if total.ResampleCount == 0 {
		return k, math.NaN()
	}
	return k, meanMilliseconds(total.ResampleSum, float64(answered))
}

// meanMilliseconds is the mean of n durations that sum up to so many seconds, NaN
// for none.
func meanMilliseconds(seconds, n float64) float64 {
	if n <= 0 {
		return math.NaN()
	}
	return 1000 * seconds / n
}

// requestsAhead is the mean number of requests that arrived before a request in
// the same busy period of the baseline's server: since it last had nothing to do.
// NaN if no request was sent. A closed loop keeps a server busy for ever, but has no
// more requests waiting than there are places.
func (s *study) requestsAhead() float64 {
	total, requests := 0, 0
	for _, b := range s.counted(0) {
		ahead := 0
		busyUntil := b.Start
		for _, o := range inOrderSent(b.observations) {
			if o.Sent >= busyUntil {
				ahead = 0
			}
			total, requests = total+ahead, requests+1
			ahead++
			busyUntil = max(busyUntil, o.LastToken, o.End)
		}
	}
	if requests == 0 {
		return math.NaN()
	}
	ahead := float64(total) / float64(requests)
	if e := s.run.Manifest.Experiment; e.Loop == record.LoopClosed && e.MaxConcurrency > 0 {
		ahead = min(ahead, float64(e.MaxConcurrency-1))
	}
	return ahead
}

// inOrderSent are the requests that were sent, by when.
func inOrderSent(observations []*record.Observation) []*record.Observation {
	var sent []*record.Observation
	for _, o := range observations {
		if o.Sent > 0 {
			sent = append(sent, o)
		}
	}
	slices.SortStableFunc(sent, func(a, b *record.Observation) int { return cmp.Compare(a.Sent, b.Sent) })
	return sent
}

// find returns a candidate's metric, nil if there is none.
func find(metrics []Metric, variant, key string) *Metric {
	for i := range metrics {
		if metrics[i].Variant == variant && metrics[i].Metric == key {
			return &metrics[i]
		}
	}
	return nil
}
