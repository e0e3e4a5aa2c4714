package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"
	gopsutildisk "github.com/shirou/gopsutil/v4/disk"
	gopsutilload "github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
)

const (
	leastDisk   = 200 << 20 // bytes: a run directory of the default run has some 20 MB
	leastMemory = 512 << 20 // bytes: server and client together need some 200 MB
)

// disk sees whether a run directory can be written and has room.
func disk(ctx context.Context, dir string) Check {
	f, err := os.CreateTemp(dir, ".siglab-doctor-*")
	if err != nil {
		return Check{"disk", Fail, fmt.Sprintf("cannot write in %s: %v", dir, err), "run where you may write, or name a directory with --out"}
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return Check{"disk", Warn, err.Error(), ""}
	}
	usage, err := gopsutildisk.UsageWithContext(ctx, dir)
	if err != nil {
		return Check{"disk", Warn, "free space is unknown: " + err.Error(), ""}
	}
	if usage.Free < leastDisk {
		return Check{"disk", Fail, fmt.Sprintf("%d MiB free in %s", usage.Free>>20, dir), fmt.Sprintf("make room for %d MiB", leastDisk>>20)}
	}
	return ok("disk", "%d MiB free", usage.Free>>20)
}

func memory(ctx context.Context) Check {
	m, err := mem.VirtualMemoryWithContext(ctx)
	switch {
	case err != nil:
		return Check{"memory", Warn, "unknown: " + err.Error(), ""}
	case m.Available < leastMemory:
		return Check{"memory", Warn, fmt.Sprintf("%d MiB available", m.Available>>20), "end what uses it: a machine that swaps measures its disk"}
	}
	return ok("memory", "%d MiB available", m.Available>>20)
}

// processor tells what the engine will compute with.
func processor() Check {
	var have []string
	for _, f := range []cpuid.FeatureID{cpuid.AVX2, cpuid.FMA3, cpuid.AVX512F, cpuid.AVX512BF16, cpuid.ASIMD} {
		if cpuid.CPU.Supports(f) {
			have = append(have, f.String())
		}
	}
	name := cpuid.CPU.BrandName
	if name == "" {
		name = runtime.GOARCH
	}
	c := ok("cpu", "%s, %d cores, %s", name, runtime.NumCPU(), strings.Join(have, " "))
	if most := runtime.GOMAXPROCS(0); most < runtime.NumCPU() {
		return warn("cpu", "give the container whole cores: one that has used up its share is stopped in the middle of an answer", "%s; limited to the time of %d", c.Detail, most)
	}
	if runtime.NumCPU() < 2 {
		c.Status, c.Fix = Warn, "with one core, client and server disturb each other: use at least two"
	}
	return c
}

// load sees what else runs.
func load(ctx context.Context) Check {
	average, err := gopsutilload.AvgWithContext(ctx)
	if err != nil {
		return ok("load", "not known on %s", runtime.GOOS)
	}
	c := ok("load", "%.2f over the last minute, %d cores", average.Load1, runtime.NumCPU())
	if average.Load1 > 0.5*float64(runtime.NumCPU()) {
		c.Status, c.Fix = Warn, "end what else is running: it widens every interval"
	}
	return c
}

// governor reads Linux's frequency policy.
func governor() Check {
	const file = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
	text, err := os.ReadFile(filepath.FromSlash(file))
	if errors.Is(err, fs.ErrNotExist) {
		return ok("governor", "this system shows none, as in most virtual machines: the host decides the clock")
	}
	if err != nil {
		return ok("governor", "not readable: %v", err)
	}
	policy := strings.TrimSpace(string(text))
	if policy == "powersave" {
		return Check{"governor", Warn, policy, "set it to performance: `cpupower frequency-set -g performance`"}
	}
	return ok("governor", "%s", policy)
}
