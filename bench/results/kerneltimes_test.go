package results

import (
	"strings"
	"testing"
	"time"
)

// TestKernelTimes: times stay in the run directory and add up; what cannot be one is
// refused before anything is written.
func TestKernelTimes(t *testing.T) {
	dir := recorded(t)
	for _, bad := range []struct {
		name string
		took time.Duration
		err  string
	}{{"nobody", time.Millisecond, "it has main, optimized"}, {"main", 0, "no time"}, {"main", -1, "no time"}} {
		if err := SetKernelTimes(dir, map[string]time.Duration{bad.name: bad.took}); err == nil || !strings.Contains(err.Error(), bad.err) {
			t.Errorf("%s=%v: error %v", bad.name, bad.took, err)
		}
	}
	for name, took := range map[string]time.Duration{"main": 31 * time.Microsecond, "optimized": time.Microsecond} {
		if err := SetKernelTimes(dir, map[string]time.Duration{name: took}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Write(dir)
	if err != nil || len(c.Kernel) != 2 || !c.Kernel[0].Given || c.Kernel[1].Resample != 0.001 {
		t.Errorf("kernels %+v, error %v", c.Kernel, err)
	}
	if text := read(t, dir, "comparison.md"); !strings.Contains(text, "time measured apart") {
		t.Error("the report does not say that the time was measured apart")
	}
	change(t, dir, "kernel_times.json", replace("31µs", "soon"))
	if _, err := Write(dir); err == nil || !strings.Contains(err.Error(), "kernel_times.json") {
		t.Errorf("a broken time: error %v", err)
	}
}
