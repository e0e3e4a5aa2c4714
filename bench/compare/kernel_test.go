package compare

import (
	"math"
	"testing"
	"time"

	"siglab/bench/record"
)

// TestKernelTimes: a time that was measured apart stands in where the server tells
// none, bounds what any kernel can gain, and never replaces what a server tells.
func TestKernelTimes(t *testing.T) {
	times := map[string]time.Duration{"main": 31 * time.Microsecond, "optimized": time.Microsecond}
	silent := func(r *record.Run) {
		for i := range r.Manifest.Blocks {
			r.Manifest.Blocks[i].Server.ResampleCount, r.Manifest.Blocks[i].Server.ResampleSum = 0, 0
		}
		r.KernelTimes = times
	}
	c, err := Analyse(fake{finish: silent}.build())
	if err != nil {
		t.Fatal(err)
	}
	base, other := c.Kernel[0], c.Kernel[1]
	if !base.Given || base.Resample != 0.031 || base.Bound < 0.031 || !(other.Predicted <= -0.030) || math.Abs(base.Share-0.031/base.TTFT) > 1e-12 {
		t.Errorf("kernels %+v and %+v", base, other)
	}
	c, err = Analyse(fake{finish: func(r *record.Run) { r.KernelTimes = times }}.build())
	if err != nil || c.Kernel[0].Given || math.Abs(c.Kernel[0].Resample-1) > 1e-9 {
		t.Errorf("a server that tells its time: %+v, error %v", c.Kernel[0], err)
	}
	if !hasWarning(c.Warnings, "kernel-time-unused") {
		t.Error("no warning says that the given time is not used")
	}
	c, err = Analyse(fake{finish: func(r *record.Run) { silent(r); r.KernelTimes = nil }}.build())
	if err != nil || !math.IsNaN(c.Kernel[0].Resample) || !math.IsNaN(c.Kernel[0].Bound) {
		t.Errorf("nobody tells: %+v, error %v", c.Kernel[0], err)
	}
}

// TestKernelBoundOfClosedLoop: a server that is never idle has no more requests ahead of
// one than the loop has places.
func TestKernelBoundOfClosedLoop(t *testing.T) {
	crowd := func(places int) func(*record.Run) {
		return func(r *record.Run) {
			if places > 0 {
				r.Manifest.Experiment.Loop, r.Manifest.Experiment.MaxConcurrency = record.LoopClosed, places
			}
			for i := range r.Observations { // answers take longer than the next request's coming
				o := &r.Observations[i]
				o.LastToken += time.Minute
				o.End = o.LastToken
			}
		}
	}
	open, err := Analyse(fake{finish: crowd(0)}.build())
	if err != nil {
		t.Fatal(err)
	}
	closed, err := Analyse(fake{finish: crowd(3)}.build())
	if err != nil {
		t.Fatal(err)
	}
	if k := closed.Kernel[0]; math.Abs(k.Bound-3*k.Resample) > 1e-9 || open.Kernel[0].Bound <= k.Bound {
		t.Errorf("bound %v ms of a kernel of %v ms, open loop %v ms; want 3 kernels and less than the open loop's", k.Bound, k.Resample, open.Kernel[0].Bound)
	}
}
