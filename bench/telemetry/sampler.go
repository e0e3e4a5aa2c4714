// Package telemetry reads what the machine does while a block runs: the server's
// process tree, this client, the host, the GPUs, and the server's own gauges, on the
// run's clock.
//
// What a machine does not tell is left out of the samples and named once. What the
// sampling itself costs is measured and recorded with it.
package telemetry

import (
	"context"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"siglab/bench/record"
)

// scrapeTimeout bounds a scrape; a server that is busier than that is not asked.
const scrapeTimeout = 5 * time.Second

// Sampler reads the machine while one block runs.
type Sampler struct {
	Origin  time.Time // of the run's clock
	Block   int
	Variant string
	PID     int // of the server; 0 if it is not ours to watch

	Instruments *Instruments                              // nil: no GPUs
	Metrics     func(ctx context.Context) ([]byte, error) // the server's /metrics; nil: none
	// Lost, if set, is told once that a GPU has gone which the server uses or may use.
	Lost func(error)
}

// mostOwn is the share of a core that sampling takes at most, once it has begun: where a
// reading costs more, there are fewer than one each Interval.
const mostOwn = 0.008

// Run samples until ctx ends and returns what it read, and what that cost. What cannot
// be read (the process has gone, the system has no such figure) stays zero.
func (s Sampler) Run(ctx context.Context) ([]record.Sample, record.Sampling) {
	// The thread's processor time is that of this goroutine while it is locked to it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began, start := time.Now(), cpuOfThread()

	w := newWatch(s)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slow := make(chan slowReading, 1)
	cost := make(chan time.Duration, 1)
	var slowCost atomic.Int64
	go func() { cost <- s.runSlow(ctx, w.gpus, w.gpus.counters(), slow, &slowCost) }()

	var samples []record.Sample
	ready, usedUntilReady := time.Now(), cpuOfThread()
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			used := cpuOfThread() - start + <-cost
			return samples, record.Sampling{Samples: len(samples), Lasted: time.Since(began), CPU: used}
		case <-tick.C:
			if used := cpuOfThread() - usedUntilReady + time.Duration(slowCost.Load()); used.Seconds() > mostOwn*time.Since(ready).Seconds() {
				continue // reading costs more here: less often
			}
			var extra slowReading
			select {
			case extra = <-slow:
			default:
			}
			samples = append(samples, w.sample(extra))
		}
	}
}

// slowReading is what is read less often; its zero value is nothing.
type slowReading struct {
	mhz    float64
	gauges *record.Gauges
	gpus   map[string]slowGPU
}

// runSlow reads what costs more until ctx ends, keeps cost up to date, and returns the
// processor time of its thread. A reading that nobody has taken by the next one is dropped for it.
func (s Sampler) runSlow(ctx context.Context, gpus *gpuReader, counters []bool, to chan slowReading, cost *atomic.Int64) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := cpuOfThread()
	tick := time.NewTicker(slowInterval)
	defer tick.Stop()
	for {
		var r slowReading
		r.mhz, _ = frequency()
		r.gauges = s.scrape(ctx)
		r.gpus = gpus.slow(counters)
		select {
		case <-to:
		default:
		}
		to <- r
		cost.Store(int64(cpuOfThread() - start))
		select {
		case <-ctx.Done():
			return cpuOfThread() - start
		case <-tick.C:
		}
	}
}

// scrape reads the server's gauges, nil if it has none.
func (s Sampler) scrape(ctx context.Context) *record.Gauges {
	if s.Metrics == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	text, err := s.Metrics(ctx)
	if err != nil {
		return nil
	}
	return gauges(text)
}

// watch is the state of the readings that are differences.
type watch struct {
	Sampler
	server, client *tree
	gpus           *gpuReader
	last           reading
	refreshed      time.Time
	used           map[string]bool // GPUs, by UUID, on which the server was seen
	told           bool            // Lost was called
}

// reading holds cumulative values, so that a sample is a difference.
type reading struct {
	at             time.Time
	server, client usage
	host           hostTimes
	stalls         stalls
	stalled        bool // stalls are known
}

func newWatch(s Sampler) *watch {
	w := &watch{Sampler: s, server: newTree(s.PID), client: newTree(0), gpus: s.Instruments.reader(), refreshed: time.Now(), used: map[string]bool{}}
	w.client.last[os.Getpid()], _ = usageOf(os.Getpid())
	w.last = w.read()
	return w
}

func (w *watch) read() reading {
	r := reading{at: time.Now(), server: w.server.read(), client: w.client.read(), host: readHost()}
	r.stalls, r.stalled = pressure()
	return r
}

// sample reads everything and compares it with the last time.
func (w *watch) sample(extra slowReading) record.Sample {
	if time.Since(w.refreshed) >= slowInterval && w.PID > 0 {
		w.server.refresh()
		w.refreshed = time.Now()
	}
	now := w.read()
	sample := w.between(w.last, now)
	w.last = now
	sample.Processes = len(w.server.last)
	sample.MHz, sample.Server = extra.mhz, extra.gauges
	var lost map[string]error
	sample.GPUs, lost = w.gpus.read()
	for i := range sample.GPUs {
		if slow, ok := extra.gpus[sample.GPUs[i].UUID]; ok {
			slow.add(&sample.GPUs[i], w.server.has)
			if m := sample.GPUs[i].ServerMemory; m != nil && *m > 0 {
				w.used[sample.GPUs[i].UUID] = true
			}
		}
	}
	w.tell(lost)
	return sample
}

// tell reports a lost GPU if the server uses it. In a container the driver may not know
// our processes; then any GPU may be the server's.
func (w *watch) tell(lost map[string]error) {
	for uuid, err := range lost {
		if w.told || w.Lost == nil || len(w.used) > 0 && !w.used[uuid] {
			continue
		}
		w.told = true
		w.Lost(err)
	}
}

func (s Sampler) between(a, b reading) record.Sample {
	wall := b.at.Sub(a.at).Seconds()
	percent := func(used float64) float64 { return max(0, 100*used/wall) }
	sample := record.Sample{
		At: b.at.Sub(s.Origin), Block: s.Block, Variant: s.Variant,
		CPU: percent(b.server.cpu - a.server.cpu), RSS: b.server.rss, Threads: b.server.threads,
		Read: float64(b.server.read-a.server.read) / wall, Written: float64(b.server.written-a.server.written) / wall,
		Client: percent(b.client.cpu - a.client.cpu),
	}
	if all := b.host.busy + b.host.idle - a.host.busy - a.host.idle; all > 0 {
		sample.Host = max(0, 100*(b.host.busy-a.host.busy)/all)
		sample.Steal = max(0, 100*(b.host.steal-a.host.steal)/all)
	}
	if a.stalled && b.stalled {
		share := func(from, to float64) float64 { return min(100, percent(to-from)) }
		sample.Pressure = &record.Pressure{
			CPU: share(a.stalls.cpu, b.stalls.cpu), Memory: share(a.stalls.memory, b.stalls.memory), IO: share(a.stalls.io, b.stalls.io),
		}
	}
	return sample
}

// cpuOfThread is the processor time of the calling thread, 0 where it is not told.
func cpuOfThread() time.Duration {
	t, _ := threadTime()
	return t
}
