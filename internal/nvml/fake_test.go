package nvml

import "math"

// fakeGPU is what a fake library says of one GPU.
type fakeGPU struct {
	uuid      string
	instances []handle // MIG
	lost      bool
	noFields  bool
	processes []processInfo
}

// fakeLibrary stands in for the library: a table of functions over these GPUs.
func fakeLibrary(gpus map[handle]*fakeGPU, order []handle) functions {
	put := func(to *byte, n uint32, s string) code {
		if int(n) <= len(s) {
			return insufficientSize
		}
		copy(bytesAt(to, n), s)
		return success
	}
	number := func(v uint32) func(handle, *uint32) code {
		return func(h handle, to *uint32) code {
			if gpus[h].lost {
				return gpuIsLost
			}
			*to = v
			return success
		}
	}
	clocks := func(h handle, kind uint32, to *uint32) code { return number(1000*kind)(h, to) }
	return functions{
		init: func() code { return success }, shutdown: func() code { return success },
		errorString:   func(code) string { return "as the fake says" },
		driverVersion: func(to *byte, n uint32) code { return put(to, n, "580.65.06") },
		cudaVersion:   func(v *int32) code { *v = 13000; return success },
		count:         func(n *uint32) code { *n = uint32(len(order)); return success },
		byIndex:       func(i uint32, h *handle) code { *h = order[i]; return success },
		uuid:          func(h handle, to *byte, n uint32) code { return put(to, n, gpus[h].uuid) },
		name:          func(_ handle, to *byte, n uint32) code { return put(to, n, "Fake GPU") },
		migMode: func(h handle, current, _ *uint32) code {
			*current = uint32(min(1, len(gpus[h].instances)))
			return success
		},
		mostMIG: func(_ handle, n *uint32) code { *n = 7; return success },
		migIndex: func(h handle, i uint32, to *handle) code {
			if int(i) >= len(gpus[h].instances) {
				return 6 // not found
			}
			*to = gpus[h].instances[i]
			return success
		},
		utilization: func(h handle, u *utilizationRates) code {
			if gpus[h].uuid[:3] == "MIG" {
				return 3 // not supported
			}
			*u = utilizationRates{gpu: 93, memory: 40}
			return success
		},
		memory: func(_ handle, m *memoryInfo) code {
			if m.version != 0x02000028 {
				return 25 // argument version mismatch
			}
			m.total, m.used = 80<<30, 20<<30
			return success
		},
		clock: clocks, mostClock: clocks,
		power: number(312500), powerLimit: number(700000),
		temperature: func(h handle, _ uint32, to *uint32) code { return number(61)(h, to) },
		throttle:    func(_ handle, reasons *uint64) code { *reasons = 4; return success },
		fields: func(h handle, n int32, first *fieldValue) code {
			values := valuesAt(first, n)
			for i := range values {
				values[i].value = uint64(values[i].id) * 1000
				if gpus[h].noFields {
					values[i].result = 3
				}
			}
			return success
		},
		processes: func(h handle, n *uint32, first *processInfo) code {
			all := gpus[h].processes
			room := *n
			*n = uint32(len(all))
			if int(room) < len(all) {
				return insufficientSize
			}
			copy(processesAt(first, room), all)
			return success
		},
		pcieBlocking: func(_ handle, direction uint32, to *uint32) code { *to = 100 + direction; return success },
	}
}

// unknownMemory is how the library says that it does not know a process's memory.
const unknownMemory = math.MaxUint64
