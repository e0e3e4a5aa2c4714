package nvml_test

import (
	"testing"
	"time"

	"siglab/internal/nvml"
)

// TestReal reads the GPUs of this machine and prints what they tell:
//
//	go test ./internal/nvml -run TestReal -v
func TestReal(t *testing.T) {
	l, devices := open(t)
	t.Logf("driver %s, CUDA %s", l.Driver, l.CUDA)
	for _, d := range devices {
		if d.UUID == "" || d.Name == "" || d.MemoryBytes == 0 {
			t.Errorf("incomplete: %+v", d)
		}
		r, err := l.Read(d)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", d)
		t.Logf("busy %v %%, memory busy %v %%, used %v B, SM %v MHz, memory %v MHz, %v W, %v °C, throttle %v, PCIe %v / %v B",
			say(r.Utilization), say(r.MemoryUtilization), say(r.MemoryUsed), say(r.SMMHz), say(r.MemoryMHz), say(r.Watts), say(r.Celsius), say(r.Throttle), say(r.PCIeTX), say(r.PCIeRX))
		if r.MemoryUsed != nil && *r.MemoryUsed > d.MemoryBytes {
			t.Errorf("more memory is used than there is")
		}
		if r.MemoryUsed == nil || d.Parent == "" && (r.SMMHz == nil || r.Watts == nil) {
			t.Errorf("a GPU tells at least its memory, clocks and power")
		}
		processes, ok := l.Processes(d)
		t.Logf("processes %v (%v)", processes, ok)
		begun := time.Now()
		tx, rx, ok := l.PCIeRate(d)
		t.Logf("PCIe %.0f / %.0f B/s (%v), in %v", tx, rx, ok, time.Since(begun))
	}
}

func BenchmarkRead(b *testing.B) {
	l, devices := open(b)
	for b.Loop() {
		for _, d := range devices {
			if _, err := l.Read(d); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkProcesses(b *testing.B) {
	l, devices := open(b)
	for b.Loop() {
		for _, d := range devices {
			l.Processes(d)
		}
	}
}

func open(t testing.TB) (*nvml.Library, []nvml.Device) {
	t.Helper()
	l, err := nvml.Open()
	if err != nil {
		t.Skipf("no GPU here: %v", err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	devices, err := l.Devices()
	if err != nil {
		t.Fatal(err)
	}
	return l, devices
}

// say is a value that may be missing.
func say[T any](v *T) any {
	if v == nil {
		return "[N/A]"
	}
	return *v
}
