package loadgen

import (
	"math"
	"runtime/metrics"
	"time"

	"siglab/bench/record"
)

// The runtime's own account of what held goroutines up.
const (
	gcCycles  = "/gc/cycles/total:gc-cycles"
	gcPauses  = "/sched/pauses/total/gc:seconds"
	scheduler = "/sched/latencies:seconds"
)

// WatchRuntime begins to watch this program; the function that it returns says what
// its garbage collector and scheduler did since.
func WatchRuntime() (end func() record.ClientRuntime) {
	before := readRuntime()
	return func() record.ClientRuntime {
		after := readRuntime()
		pauses := since(before[1].Value.Float64Histogram(), after[1].Value.Float64Histogram())
		waits := since(before[2].Value.Float64Histogram(), after[2].Value.Float64Histogram())
		return record.ClientRuntime{
			Collections:  after[0].Value.Uint64() - before[0].Value.Uint64(),
			LongestPause: quantile(pauses, 1), WaitP50: quantile(waits, 0.5), WaitP99: quantile(waits, 0.99), LongestWait: quantile(waits, 1),
		}
	}
}

func readRuntime() []metrics.Sample {
	samples := []metrics.Sample{{Name: gcCycles}, {Name: gcPauses}, {Name: scheduler}}
	metrics.Read(samples)
	return samples
}

// since is what a histogram gained.
func since(before, after *metrics.Float64Histogram) *metrics.Float64Histogram {
	gained := &metrics.Float64Histogram{Buckets: after.Buckets, Counts: make([]uint64, len(after.Counts))}
	for i := range gained.Counts {
		gained.Counts[i] = after.Counts[i] - before.Counts[i]
	}
	return gained
}

// quantile is the upper end of the bucket that holds it, 0 for an empty histogram.
func quantile(h *metrics.Float64Histogram, q float64) time.Duration {
	total := uint64(0)
	for _, n := range h.Counts {
		total += n
	}
	seen := uint64(0)
	for i, n := range h.Counts {
		if seen += n; n > 0 && float64(seen) >= q*float64(total) {
			end := h.Buckets[i+1]
			if math.IsInf(end, 1) {
				end = h.Buckets[i]
			}
			return time.Duration(end * float64(time.Second))
		}
	}
	return 0
}
