package telemetry

import (
	"time"

	"siglab/bench/record"
	"siglab/internal/nvml"
)

// gpuReader reads the GPUs for one block.
type gpuReader struct {
	source GPUSource
	gpus   []nvml.Device
	last   []pcieCount
}

// pcieCount is a GPU's byte counters at a moment.
type pcieCount struct {
	at     time.Time
	tx, rx *uint64
}

// reader begins a block, nil without GPUs.
func (i *Instruments) reader() *gpuReader {
	if i == nil || i.source == nil {
		return nil
	}
	g := &gpuReader{source: i.source, gpus: i.gpus, last: make([]pcieCount, len(i.gpus))}
	g.read() // the counters start from here
	return g
}

// read is one sample of every GPU, and the errors of those that have gone, by UUID.
func (g *gpuReader) read() (samples []record.GPUSample, lost map[string]error) {
	if g == nil {
		return nil, nil
	}
	for k, device := range g.gpus {
		r, err := g.source.Read(device)
		if err != nil {
			if lost == nil {
				lost = map[string]error{}
			}
			lost[device.UUID] = err
			continue
		}
		s := record.GPUSample{
			UUID: device.UUID, Utilization: r.Utilization, MemoryUtilization: r.MemoryUtilization, MemoryUsed: r.MemoryUsed,
			SMMHz: r.SMMHz, MemoryMHz: r.MemoryMHz, Watts: r.Watts, Celsius: r.Celsius, Throttle: r.Throttle,
		}
		now := pcieCount{time.Now(), r.PCIeTX, r.PCIeRX}
		before := g.last[k]
		g.last[k] = now
		s.PCIeTX = rate(before.tx, now.tx, now.at.Sub(before.at))
		s.PCIeRX = rate(before.rx, now.rx, now.at.Sub(before.at))
		samples = append(samples, s)
	}
	return samples, lost
}

// rate is how fast a counter rose, nil where it is not known or wrapped around.
func rate(before, now *uint64, over time.Duration) *float64 {
	if before == nil || now == nil || *now < *before || over <= 0 {
		return nil
	}
	return new(float64(*now-*before) / over.Seconds())
}

// slowGPU is what is read of a GPU less often.
type slowGPU struct {
	processes []nvml.Process
	listed    bool     // the driver told processes
	tx, rx    *float64 // bytes per second, of drivers without counters
}

// slow reads what costs more. It may run beside read.
func (g *gpuReader) slow(counters []bool) map[string]slowGPU {
	if g == nil {
		return nil
	}
	out := map[string]slowGPU{}
	for k, device := range g.gpus {
		var s slowGPU
		s.processes, s.listed = g.source.Processes(device)
		if !counters[k] {
			if tx, rx, ok := g.source.PCIeRate(device); ok {
				s.tx, s.rx = &tx, &rx
			}
		}
		out[device.UUID] = s
	}
	return out
}

// counters says which GPUs have PCIe counters.
func (g *gpuReader) counters() []bool {
	if g == nil {
		return nil
	}
	have := make([]bool, len(g.last))
	for k, count := range g.last {
		have[k] = count.tx != nil
	}
	return have
}

// add completes a sample by what was read less often.
func (s slowGPU) add(to *record.GPUSample, belongs func(pid int) bool) {
	if to.PCIeTX == nil {
		to.PCIeTX, to.PCIeRX = s.tx, s.rx
	}
	if !s.listed {
		return
	}
	var sum uint64
	for _, p := range s.processes {
		if belongs(p.PID) {
			sum += p.MemoryBytes
		}
	}
	to.ServerMemory = &sum
}
