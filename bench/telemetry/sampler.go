// Package telemetry reads what the machine does while a block runs: the server's
// process tree, this client, and the host, on the run's clock.
package telemetry

import (
	"context"
	"os"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/process"

	"siglab/bench/record"
)

// Interval between samples. Reading /proc for three processes costs well under a
// millisecond, so four times a second is far below 1 % of a core.
const Interval = 250 * time.Millisecond

// Sampler reads the process tree of one server.
type Sampler struct {
	Origin  time.Time // of the run's clock
	Block   int
	Variant string
	PID     int // of the server; 0 if it is not ours to watch
}

// Run samples until ctx ends and returns what it read. What cannot be read (the
// process has gone, the system has no such figure) stays zero.
func (s Sampler) Run(ctx context.Context) []record.Sample {
	var samples []record.Sample
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	last := s.read()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
			now := s.read()
			samples = append(samples, s.between(last, now))
			last = now
		}
	}
}

// reading holds cumulative CPU seconds, so that a sample is a difference.
type reading struct {
	at                 time.Time
	server, client     float64 // CPU seconds
	hostBusy, hostIdle float64
	rss                uint64
}

func (s Sampler) read() reading {
	r := reading{at: time.Now()}
	if s.PID > 0 {
		if p, err := process.NewProcess(int32(s.PID)); err == nil {
			r.server, r.rss = tree(p)
		}
	}
	if p, err := process.NewProcess(int32(os.Getpid())); err == nil {
		r.client = cpuSeconds(p)
	}
	if host, err := cpu.Times(false); err == nil && len(host) == 1 {
		h := host[0]
		r.hostIdle = h.Idle + h.Iowait
		r.hostBusy = h.User + h.Nice + h.System + h.Irq + h.Softirq + h.Steal
	}
	return r
}

func (s Sampler) between(a, b reading) record.Sample {
	wall := b.at.Sub(a.at).Seconds()
	percent := func(used float64) float64 { return max(0, 100*used/wall) }
	sample := record.Sample{
		At: b.at.Sub(s.Origin), Block: s.Block, Variant: s.Variant, RSS: b.rss,
		CPU: percent(b.server - a.server), Client: percent(b.client - a.client),
	}
	if all := b.hostBusy + b.hostIdle - a.hostBusy - a.hostIdle; all > 0 {
		sample.Host = max(0, 100*(b.hostBusy-a.hostBusy)/all)
	}
	return sample
}

// tree sums a process and its descendants.
func tree(p *process.Process) (cpuTime float64, rss uint64) {
	cpuTime = cpuSeconds(p)
	if m, err := p.MemoryInfo(); err == nil {
		rss = m.RSS
	}
	children, err := p.Children()
	if err != nil {
		return cpuTime, rss // most often: there are none
	}
	for _, c := range children {
		t, r := tree(c)
		cpuTime += t
		rss += r
	}
	return cpuTime, rss
}

func cpuSeconds(p *process.Process) float64 {
	t, err := p.Times()
	if err != nil {
		return 0
	}
	return t.User + t.System
}
