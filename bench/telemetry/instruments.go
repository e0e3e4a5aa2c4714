package telemetry

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"siglab/bench/record"
	"siglab/internal/cudart"
	"siglab/internal/nvml"
)

// Intervals between readings. Slow ones cost more: to list processes, to ask every
// core for its frequency, and to scrape /metrics, which the server under test answers
// with the same event loop as the requests (vLLM's has some 60 kB to print).
const (
	Interval     = 100 * time.Millisecond
	slowInterval = time.Second
)

// GPUSource tells about GPUs: [nvml.Library], or what a test has in its place.
type GPUSource interface {
	Read(nvml.Device) (nvml.Reading, error)
	Processes(nvml.Device) (list []nvml.Process, ok bool)
	PCIeRate(nvml.Device) (tx, rx float64, ok bool)
}

// Instruments are the sources of this machine, opened once for a run.
type Instruments struct {
	source       GPUSource // nil without GPUs
	gpus         []nvml.Device
	driver, cuda string // versions
	missing      []string
	close        func() error
}

// Open opens what there is. A source that is missing is named by Describe, once.
func Open() *Instruments {
	i := &Instruments{close: func() error { return nil }}
	if err := i.openGPUs(); err != nil {
		why := err.Error()
		if missing, ok := errors.AsType[*cudart.LibraryError](err); ok {
			why = "no " + missing.Library // doctor has the rest
		}
		i.missing = append(i.missing, "GPUs ("+why+")")
	}
	if _, ok := frequency(); !ok {
		i.missing = append(i.missing, "core frequency")
	}
	if _, ok := pressure(); !ok {
		i.missing = append(i.missing, "pressure (it needs Linux with PSI)")
	}
	if _, ok := threadTime(); !ok {
		i.missing = append(i.missing, "own cost (not told on "+runtime.GOOS+")")
	}
	return i
}

// OpenWith is Open with these GPUs of this source.
func OpenWith(source GPUSource, gpus []nvml.Device) *Instruments {
	return &Instruments{source: source, gpus: gpus, close: func() error { return nil }}
}

func (i *Instruments) openGPUs() error {
	library, err := nvml.Open()
	if err != nil {
		return err
	}
	gpus, err := library.Devices()
	if err == nil && len(gpus) == 0 {
		err = errors.New("the driver lists none")
	}
	if err != nil {
		return errors.Join(err, library.Close())
	}
	i.source, i.gpus, i.driver, i.cuda, i.close = library, gpus, library.Driver, library.CUDA, library.Close
	return nil
}

// Close closes what Open opened.
func (i *Instruments) Close() error {
	if err := i.close(); err != nil {
		return fmt.Errorf("close the GPUs' library: %w", err)
	}
	return nil
}

// Describe says what can be read.
func (i *Instruments) Describe() record.Instruments {
	d := record.Instruments{Interval: Interval, Slow: slowInterval, Driver: i.driver, CUDA: i.cuda, Missing: i.missing}
	for _, g := range i.gpus {
		d.GPUs = append(d.GPUs, record.GPUInfo{
			Index: g.Index, UUID: g.UUID, Parent: g.Parent, Name: g.Name, MemoryBytes: g.MemoryBytes,
			MaxSMMHz: g.MaxSMMHz, MaxMemoryMHz: g.MaxMemoryMHz, PowerLimitWatts: g.PowerLimitWatts,
		})
	}
	return d
}
