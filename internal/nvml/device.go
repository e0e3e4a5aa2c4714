package nvml

import (
	"cmp"
	"fmt"
)

// mostDevices bounds what a library may claim to have.
const mostDevices = 1024

// Device is a GPU, or one MIG instance of it.
type Device struct {
	Index       int    // of the GPU, as nvidia-smi counts
	UUID        string // "GPU-…" or "MIG-…"
	Parent      string // UUID of the GPU of a MIG instance, "" of a whole one
	Name        string // "NVIDIA H100 80GB HBM3"
	MemoryBytes uint64
	// What the GPU may reach, 0 if it is not known.
	MaxSMMHz, MaxMemoryMHz int
	PowerLimitWatts        float64

	own handle // of the instance, or of the GPU
	gpu handle // of the GPU, which has the clocks, power and temperature
}

// Devices lists the GPUs in the library's order. A GPU that is split is left out for
// its instances.
func (l *Library) Devices() ([]Device, error) {
	var n uint32
	if c := l.f.count(&n); c != success {
		return nil, l.f.failure("nvmlDeviceGetCount_v2", c)
	}
	var devices []Device
	for i := range min(n, mostDevices) {
		var h handle
		if c := l.f.byIndex(i, &h); c != success {
			return devices, l.f.failure(fmt.Sprintf("nvmlDeviceGetHandleByIndex_v2(%d)", i), c)
		}
		whole := l.describe(int(i), h, h)
		if instances := l.instances(whole); len(instances) > 0 {
			devices = append(devices, instances...)
			continue
		}
		devices = append(devices, whole)
	}
	return devices, nil
}

// instances are the MIG instances of a GPU, none if it is not split.
func (l *Library) instances(gpu Device) []Device {
	var current, pending, most uint32
	if l.f.migMode == nil || l.f.mostMIG == nil || l.f.migIndex == nil {
		return nil
	}
	if l.f.migMode(gpu.gpu, &current, &pending) != success || current == 0 || l.f.mostMIG(gpu.gpu, &most) != success {
		return nil
	}
	var instances []Device
	for i := range min(most, mostDevices) {
		var h handle
		if l.f.migIndex(gpu.gpu, i, &h) != success {
			continue // places are not all taken
		}
		instance := l.describe(gpu.Index, h, gpu.gpu)
		instance.Parent = gpu.UUID
		instance.Name = cmp.Or(instance.Name, gpu.Name)
		instances = append(instances, instance)
	}
	return instances
}

func (l *Library) describe(index int, own, gpu handle) Device {
	d := Device{Index: index, own: own, gpu: gpu}
	d.UUID = text(96, func(to *byte, n uint32) code { return l.f.uuid(own, to, n) })
	if l.f.name != nil {
		d.Name = text(96, func(to *byte, n uint32) code { return l.f.name(own, to, n) })
	}
	if total, _, ok := l.memory(own); ok {
		d.MemoryBytes = total
	}
	d.MaxSMMHz = valueOf(ask2(l.f.mostClock, gpu, clockSM))
	d.MaxMemoryMHz = valueOf(ask2(l.f.mostClock, gpu, clockMemory))
	d.PowerLimitWatts = float64(valueOf(ask(l.f.powerLimit, gpu))) / 1000
	return d
}

// ask is what a function of a GPU says, nil if it says nothing.
func ask[T any](f func(handle, *T) code, h handle) (*T, code) {
	if f == nil {
		return nil, success
	}
	value := new(T)
	if c := f(h, value); c != success {
		return nil, c
	}
	return value, success
}

// ask2 is ask for a function with a kind.
func ask2(f func(handle, uint32, *uint32) code, h handle, kind uint32) (*uint32, code) {
	if f == nil {
		return nil, success
	}
	return ask(func(h handle, to *uint32) code { return f(h, kind, to) }, h)
}

// valueOf is a value that was asked for, 0 if there is none.
func valueOf(v *uint32, _ code) int {
	if v == nil {
		return 0
	}
	return int(*v)
}
