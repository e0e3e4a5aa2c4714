package telemetry

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siglab/bench/record"
	"siglab/internal/nvml"
)

// fakeGPUs has counters that rise by the reading, for those GPUs that have some.
type fakeGPUs struct {
	counters map[string]bool
	lost     map[string]bool
	users    map[string][]nvml.Process
	n        uint64
}

func (f *fakeGPUs) Read(d nvml.Device) (nvml.Reading, error) {
	if f.lost[d.UUID] {
		return nvml.Reading{}, fmt.Errorf("GPU %s: %w", d.UUID, nvml.ErrLost)
	}
	r := nvml.Reading{Utilization: new(50), SMMHz: new(1980), Throttle: new(uint64(4))}
	if f.counters[d.UUID] {
		f.n += 1 << 20
		r.PCIeTX, r.PCIeRX = new(f.n), new(2*f.n)
	}
	return r, nil
}

func (f *fakeGPUs) Processes(d nvml.Device) ([]nvml.Process, bool) {
	list, ok := f.users[d.UUID]
	return list, ok
}

func (f *fakeGPUs) PCIeRate(nvml.Device) (tx, rx float64, ok bool) { return 10, 20, true }

var twoGPUs = []nvml.Device{{UUID: "GPU-a"}, {UUID: "GPU-b"}}

func TestSampleOfGPUs(t *testing.T) {
	me := nvml.Process{PID: os.Getpid(), MemoryBytes: 7}
	source := &fakeGPUs{counters: map[string]bool{"GPU-a": true}, users: map[string][]nvml.Process{"GPU-a": {me, {PID: 1 << 22, MemoryBytes: 9}}}}
	w := newWatch(Sampler{Origin: time.Now(), PID: os.Getpid(), Instruments: OpenWith(source, twoGPUs)})
	counters := w.gpus.counters()
	got := w.sample(slowReading{gpus: w.gpus.slow(counters)}).GPUs
	want := []record.GPUSample{
		{UUID: "GPU-a", Utilization: new(50), SMMHz: new(1980), Throttle: new(uint64(4)), ServerMemory: new(uint64(7))},
		{UUID: "GPU-b", Utilization: new(50), SMMHz: new(1980), Throttle: new(uint64(4)), PCIeTX: new(10.0), PCIeRX: new(20.0)},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(record.GPUSample{}, "PCIeTX", "PCIeRX")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if tx, rx := *got[0].PCIeTX, *got[0].PCIeRX; tx <= 0 || rx < 1.99*tx || rx > 2.01*tx {
		t.Errorf("counters of GPU-a rose at %v and %v, want one twice the other", tx, rx)
	}
	if *got[1].PCIeTX != 10 || *got[1].PCIeRX != 20 {
		t.Errorf("GPU-b, which has no counters, is measured: %v and %v", *got[1].PCIeTX, *got[1].PCIeRX)
	}
}

func TestLostGPUs(t *testing.T) {
	tests := []struct {
		name string
		lost string
		used map[string]bool
		want bool
	}{
		{"one that the server uses", "GPU-a", map[string]bool{"GPU-a": true}, true},
		{"one that it does not", "GPU-b", map[string]bool{"GPU-a": true}, false},
		{"one that it may use: the driver does not know our processes", "GPU-b", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var told []error
			source := &fakeGPUs{lost: map[string]bool{tt.lost: true}}
			w := newWatch(Sampler{Origin: time.Now(), Instruments: OpenWith(source, twoGPUs), Lost: func(err error) { told = append(told, err) }})
			w.used = tt.used
			for range 3 {
				if n := len(w.sample(slowReading{}).GPUs); n != 1 {
					t.Errorf("%d GPUs are left, want 1", n)
				}
			}
			if tt.want != (len(told) == 1) || len(told) > 0 && !errors.Is(told[0], nvml.ErrLost) {
				t.Errorf("told %v", told)
			}
		})
	}
}

func TestRate(t *testing.T) {
	tests := []struct {
		name        string
		before, now *uint64
		over        time.Duration
		want        *float64
	}{
		{"a counter that rose", new(uint64(5)), new(uint64(25)), 2 * time.Second, new(10.0)},
		{"one that wrapped around", new(uint64(25)), new(uint64(5)), time.Second, nil},
		{"one that is not there", nil, new(uint64(5)), time.Second, nil},
		{"no time", new(uint64(1)), new(uint64(5)), 0, nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, rate(tt.before, tt.now, tt.over)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
