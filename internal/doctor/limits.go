package doctor

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
)

const (
	leastFiles = 4096 // open files: a connection per request in flight, and a server's own
	stealWatch = 300 * time.Millisecond
	mostSteal  = 1.0 // percent of the cores
)

// openFiles reads how many files a process may have open.
func openFiles() Check {
	most, known := fileLimit()
	switch {
	case !known:
		return ok("ulimit", "no limit of open files is known on %s", runtime.GOOS)
	case most < leastFiles:
		return warn("ulimit", "raise it in this shell, for the servers too: `ulimit -n 65536`", "%d open files at most; a burst of requests may need more", most)
	}
	return ok("ulimit", "%d open files at most", most)
}

// slowClocks are sources that take a call into the hardware, a microsecond and more.
var slowClocks = []string{"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"}

// clockSource reads which of Linux's clocks is in use.
func clockSource() Check {
	text, err := os.ReadFile(filepath.FromSlash("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
	if err != nil {
		return ok("clocksource", "this system does not show it")
	}
	return judgeClock(strings.TrimSpace(string(text)))
}

func judgeClock(source string) Check {
	if slices.Contains(slowClocks, source) {
		return warn("clocksource", "see why the kernel gave tsc up (dmesg | grep -i -e tsc -e clocksource); boot with tsc=reliable where the machine's is",
			"%s, which is slow to read: every stamp takes a microsecond or more", source)
	}
	return ok("clocksource", "%s", source)
}

// steal watches for a moment what other virtual machines take.
func steal(ctx context.Context) Check {
	before, known := cpuTimes(ctx)
	timer := time.NewTimer(stealWatch)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return warn("steal", "", "not measured: %v", ctx.Err())
	case <-timer.C:
	}
	after, _ := cpuTimes(ctx)
	if !known {
		return ok("steal", "not known on %s", runtime.GOOS)
	}
	return judgeSteal(percentStolen(before, after), percentStolen(cpu.TimesStat{}, after))
}

func judgeSteal(now, ever float64) Check {
	if now > mostSteal {
		return warn("steal", "use a host or cores of your own: what others take comes and goes", "other virtual machines take %.1f %% of the cores now, %.1f %% since the start", now, ever)
	}
	return ok("steal", "other virtual machines take %.1f %% of the cores now, %.1f %% since the start", now, ever)
}

func cpuTimes(ctx context.Context) (cpu.TimesStat, bool) {
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil || len(times) != 1 {
		return cpu.TimesStat{}, false
	}
	return times[0], true
}

// percentStolen is the share of all time between two readings.
func percentStolen(a, b cpu.TimesStat) float64 {
	sum := func(t cpu.TimesStat) float64 {
		return t.User + t.System + t.Idle + t.Nice + t.Iowait + t.Irq + t.Softirq + t.Steal
	}
	if all := sum(b) - sum(a); all > 0 {
		return max(0, 100*(b.Steal-a.Steal)/all)
	}
	return 0
}
