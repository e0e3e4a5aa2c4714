package nvml

import "fmt"

// Reading is what a GPU tells of itself at one moment. What it does not tell is nil.
type Reading struct {
	Utilization       *int     // percent of the time in which a kernel ran, over the driver's last period
	MemoryUtilization *int     // percent of the time in which memory was read or written
	MemoryUsed        *uint64  // bytes, without what the driver keeps for itself
	SMMHz, MemoryMHz  *int     // clocks
	Watts             *float64 // as the driver averages it
	Celsius           *int
	Throttle          *uint64 // bits of the reasons for which clocks are below their most
	// PCIe counters in bytes since the driver's start, from the GPU and to it.
	PCIeTX, PCIeRX *uint64
}

// Read asks a GPU. A value that it does not tell is missing; an error, for which
// errors.Is finds ErrLost, is for a GPU that has gone.
func (l *Library) Read(d Device) (Reading, error) {
	var r Reading
	var lost code
	note := func(c code) {
		if c == gpuIsLost || c == resetRequired {
			lost = c
		}
	}
	number := func(v *uint32, c code) *int {
		note(c)
		if v == nil {
			return nil
		}
		return new(int(*v))
	}
	if u, c := ask(l.f.utilization, d.own); u != nil {
		r.Utilization, r.MemoryUtilization = new(int(u.gpu)), new(int(u.memory))
	} else {
		note(c)
	}
	if _, used, ok := l.memory(d.own); ok {
		r.MemoryUsed = &used
	}
	r.SMMHz = number(ask2(l.f.clock, d.gpu, clockSM))
	r.MemoryMHz = number(ask2(l.f.clock, d.gpu, clockMemory))
	if mw := number(ask(l.f.power, d.gpu)); mw != nil {
		r.Watts = new(float64(*mw) / 1000)
	}
	r.Celsius = number(ask2(l.f.temperature, d.gpu, sensorGPU))
	var c code
	if r.Throttle, c = ask(l.f.throttle, d.gpu); c != success {
		note(c)
	}
	r.PCIeTX, r.PCIeRX = l.pcie(d)
	if lost != success {
		return r, fmt.Errorf("GPU %s (%s): %w", d.UUID, d.Name, l.f.failure("read", lost))
	}
	return r, nil
}

// memory is the total and used memory in bytes.
func (l *Library) memory(h handle) (total, used uint64, ok bool) {
	m := memoryInfo{version: memoryInfoVersion}
	if l.f.memory != nil && l.f.memory(h, &m) == success {
		return m.total, m.used, true
	}
	if old, _ := ask(l.f.memoryOld, h); old != nil {
		return old.total, old.used, true
	}
	return 0, 0, false
}

// pcie reads the counters of drivers since CUDA 12.4, which cost nothing to read.
func (l *Library) pcie(d Device) (tx, rx *uint64) {
	if l.f.fields == nil {
		return nil, nil
	}
	values := [2]fieldValue{{id: fieldPCIeTX}, {id: fieldPCIeRX}}
	if l.f.fields(d.gpu, int32(len(values)), &values[0]) != success {
		return nil, nil
	}
	if values[0].result == success {
		tx = new(values[0].value)
	}
	if values[1].result == success {
		rx = new(values[1].value)
	}
	return tx, rx
}

// PCIeRate measures how many bytes a second go from a GPU and to it, for drivers
// without counters. It takes 20 ms for each; ok is false if the GPU does not tell.
func (l *Library) PCIeRate(d Device) (tx, rx float64, ok bool) {
	sent, _ := ask2(l.f.pcieBlocking, d.gpu, directionTX)
	received, _ := ask2(l.f.pcieBlocking, d.gpu, directionRX)
	if sent == nil || received == nil {
		return 0, 0, false
	}
	return float64(*sent) * 1024, float64(*received) * 1024, true
}
