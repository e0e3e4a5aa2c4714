package compare

import (
	"fmt"
	"math"
	"slices"
	"time"

	"siglab/bench/record"
)

// Thresholds of the warnings from telemetry.
const (
	mostThrottled  = 0.01 // of a variant's samples
	mostClockShift = 0.01 // of the SM clock of a GPU at work
	leastBusy      = 20   // percent of the time in which a GPU at work runs kernels
	mostSteal      = 1.0  // percent of all cores, mean over a variant's blocks
	mostOwn        = 1.0  // percent of a core
)

// Telemetry sums the samples of the blocks that count up.
type Telemetry struct {
	Samples int
	Rate    float64   // samples a second; NaN if not told
	Own     float64   // processor time of the sampling, percent of a core; NaN if not told
	Missing []string  // what this machine does not tell
	GPUs    []GPULoad // by GPU, then variant; those that the server uses or may use
}

// GPULoad is what one GPU did under one variant: means over its samples, NaN where it
// does not tell.
type GPULoad struct {
	UUID, Name, Variant string
	Busy, Watts, SMMHz  float64 // SMMHz is of samples with the GPU at work
	Memory              uint64  // the most that was used, bytes
	Throttled           float64 // share of the samples in which clocks were held back at work
	Reasons             string  // by which, as nvidia-smi names them
}

// telemetry sums up.
func (s *study) telemetry() Telemetry {
	t := Telemetry{Rate: math.NaN(), Missing: s.run.Manifest.Instruments.Missing, Own: math.NaN()}
	var cpu, lasted time.Duration
	for _, b := range s.countedBlocks() {
		t.Samples += b.Sampling.Samples
		cpu, lasted = cpu+b.Sampling.CPU, lasted+b.Sampling.Lasted
	}
	if lasted > 0 {
		t.Rate = float64(t.Samples) / lasted.Seconds()
	}
	if cpu > 0 && lasted > 0 {
		t.Own = 100 * cpu.Seconds() / lasted.Seconds()
	}
	used := s.usedGPUs()
	for _, g := range s.run.Manifest.Instruments.GPUs {
		if len(used) > 0 && !used[g.UUID] {
			continue
		}
		for arm, v := range s.arms {
			t.GPUs = append(t.GPUs, s.gpuLoad(g, arm, v.Name))
		}
	}
	return t
}

// samples are a variant's, of blocks that count.
func (s *study) samples(arm int) []record.Sample {
	counts := map[int]bool{}
	for _, b := range s.counted(arm) {
		counts[b.ID] = true
	}
	var out []record.Sample
	for _, sample := range s.run.Telemetry {
		if counts[sample.Block] {
			out = append(out, sample)
		}
	}
	return out
}

// usedGPUs are those on which a server's processes were seen; none if the driver did
// not know them.
func (s *study) usedGPUs() map[string]bool {
	used := map[string]bool{}
	for _, sample := range s.run.Telemetry {
		for _, g := range sample.GPUs {
			if g.ServerMemory != nil && *g.ServerMemory > 0 {
				used[g.UUID] = true
			}
		}
	}
	return used
}

func (s *study) gpuLoad(gpu record.GPUInfo, arm int, variant string) GPULoad {
	var busy, watts, clock []float64
	var reasons uint64
	throttled, told := 0, 0
	load := GPULoad{UUID: gpu.UUID, Name: gpu.Name, Variant: variant}
	for _, sample := range s.samples(arm) {
		i := slices.IndexFunc(sample.GPUs, func(g record.GPUSample) bool { return g.UUID == gpu.UUID })
		if i < 0 {
			continue
		}
		g := sample.GPUs[i]
		working := g.Utilization == nil || *g.Utilization >= leastBusy
		if g.Utilization != nil {
			busy = append(busy, float64(*g.Utilization))
		}
		if g.Watts != nil {
			watts = append(watts, *g.Watts)
		}
		if g.SMMHz != nil && working {
			clock = append(clock, float64(*g.SMMHz))
		}
		if g.MemoryUsed != nil {
			load.Memory = max(load.Memory, *g.MemoryUsed)
		}
		if g.Throttle != nil {
			told++
			if slowed := record.Slowed(*g.Throttle); slowed != 0 {
				throttled, reasons = throttled+1, reasons|slowed
			}
		}
	}
	load.Busy, load.Watts, load.SMMHz = mean(busy), mean(watts), mean(clock)
	load.Reasons = record.ThrottleNames(reasons)
	load.Throttled = math.NaN()
	if told > 0 {
		load.Throttled = float64(throttled) / float64(told)
	}
	return load
}

// warnTelemetry is about what the machine did meanwhile.
func (s *study) warnTelemetry(t Telemetry) []Warning {
	var out []Warning
	if t.Own > mostOwn {
		out = append(out, warning("telemetry-cost", "Reading the machine took %.2f %% of a core, more than %g %%: it may show in the latencies.", t.Own, mostOwn))
	}
	for arm, v := range s.arms {
		var steal []float64
		for _, sample := range s.samples(arm) {
			steal = append(steal, sample.Steal)
		}
		if m := mean(steal); m > mostSteal {
			out = append(out, warning("host-steal", "Other virtual machines took %.1f %% of this one's cores while variant %q was measured.", m, v.Name))
		}
	}
	return append(out, s.warnClocks(t)...)
}

// warnClocks finds GPUs whose clocks were held back, or not the same for all variants.
func (s *study) warnClocks(t Telemetry) []Warning {
	var out []Warning
	var base GPULoad // of the same GPU under the baseline, which comes first
	for _, g := range t.GPUs {
		if g.Variant == s.arms[0].Name {
			base = g
		}
		if g.Throttled > mostThrottled {
			out = append(out, warning("clocks-throttled", "GPU %s (%s) held its clocks back in %.0f %% of the samples of variant %q (%s).", g.UUID, g.Name, 100*g.Throttled, g.Variant, g.Reasons))
		}
		if shift := g.SMMHz/base.SMMHz - 1; g.UUID == base.UUID && math.Abs(shift) > mostClockShift {
			out = append(out, warning("clocks-differ", "GPU %s (%s) ran at %.0f MHz under variant %q and %.0f MHz under %q (%+.1f %%): a change of speed may be the clock's.", g.UUID, g.Name, base.SMMHz, base.Variant, g.SMMHz, g.Variant, 100*shift))
		}
	}
	return out
}

// String is the load in a line: "variant "main": busy 45 %, 1755 MHz, 310 W, 20.1 GiB".
func (g GPULoad) String() string {
	text := fmt.Sprintf("variant %q:", g.Variant)
	for _, part := range []struct {
		format string
		value  float64
	}{{" busy %.0f %%,", g.Busy}, {" %.0f MHz at work,", g.SMMHz}, {" %.0f W,", g.Watts}} {
		if finite(part.value) {
			text += fmt.Sprintf(part.format, part.value)
		}
	}
	text += fmt.Sprintf(" at most %.1f GiB", float64(g.Memory)/(1<<30))
	if g.Throttled > 0 {
		text += fmt.Sprintf(", clocks held back in %.0f %% of the samples (%s)", 100*g.Throttled, g.Reasons)
	}
	return text
}
