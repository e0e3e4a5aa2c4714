package telemetry

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// mostCores bounds how many cores are asked for their frequency: each is interrupted
// for it.
const mostCores = 32

// frequency is the mean of the cores in MHz. Virtual machines seldom know it.
func frequency() (mhz float64, ok bool) {
	files, err := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
	if err != nil {
		return 0, false
	}
	sum, n := 0.0, 0
	for _, file := range files[:min(len(files), mostCores)] {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if kHz, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64); err == nil {
			sum, n = sum+kHz/1000, n+1
		}
	}
	if n == 0 {
		return 0, false
	}
	return sum / float64(n), true
}

// pressure reads the kernel's pressure stall information.
func pressure() (stalls, bool) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return stalls{}, false
	}
	var s stalls
	for _, r := range []struct {
		name string
		to   *float64
	}{{"cpu", &s.cpu}, {"memory", &s.memory}, {"io", &s.io}} {
		stats, err := fs.PSIStatsForResource(r.name)
		if err != nil || stats.Some == nil {
			return s, false
		}
		*r.to = (time.Duration(stats.Some.Total) * time.Microsecond).Seconds()
	}
	return s, true
}

// threadTime is the processor time of the calling thread.
func threadTime() (time.Duration, bool) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}
