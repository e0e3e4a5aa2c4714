//go:build !nogpu

package nvml

import (
	"testing"
	"unsafe"

	"github.com/ebitengine/purego"
)

// TestBindCallsC calls C functions, made of Go ones, through the table: numbers,
// pointers and structures must arrive where nvml.h has them.
func TestBindCallsC(t *testing.T) {
	const device = uintptr(0x1234_5678_9abc)
	text := append([]byte("Unknown Error"), 0)
	c := map[string]any{
		"nvmlInit_v2":     func() int32 { return 0 },
		"nvmlShutdown":    func() int32 { return 0 },
		"nvmlErrorString": func(int32) uintptr { return uintptr(unsafe.Pointer(&text[0])) },
		"nvmlDeviceGetCount_v2": func(n *uint32) int32 {
			*n = 1
			return 0
		},
		"nvmlDeviceGetHandleByIndex_v2": func(index uint32, h *uintptr) int32 {
			if index != 0 {
				return 2
			}
			*h = device
			return 0
		},
		"nvmlDeviceGetUUID": func(h uintptr, to *byte, n uint32) int32 {
			if h != device || n != 96 {
				return 2
			}
			copy(bytesAt(to, n), "GPU-c")
			return 0
		},
		"nvmlDeviceGetClockInfo": func(_ uintptr, kind uint32, mhz *uint32) int32 {
			*mhz = 100 * kind
			return 0
		},
		"nvmlDeviceGetCurrentClocksThrottleReasons": func(_ uintptr, reasons *uint64) int32 {
			*reasons = 1 << 40
			return 0
		},
		"nvmlDeviceGetPowerUsage": func(uintptr, *uint32) int32 { return 15 },
		"nvmlDeviceGetMemoryInfo_v2": func(_ uintptr, m *[5]uint64) int32 {
			if uint32(m[0]) != 0x02000028 {
				return 25
			}
			m[1], m[2], m[3], m[4] = 80, 1, 50, 29
			return 0
		},
		"nvmlDeviceGetFieldValues": func(_ uintptr, n int32, v *[10]uint64) int32 {
			// Two structures of five words: identifier and scope, time, latency, kind and result, value.
			if n != 2 || uint32(v[0]) != 197 || uint32(v[5]) != 198 {
				return 2
			}
			v[4], v[8], v[9] = 7, 3<<32, 9 // the second is not supported
			return 0
		},
	}
	f := bind(func(name string) uintptr {
		if fn, ok := c[name]; ok {
			return purego.NewCallback(fn)
		}
		return 0
	})
	l, err := start(f)
	if err != nil {
		t.Fatal(err)
	}
	devices, err := l.Devices()
	if err != nil || len(devices) != 1 || devices[0].UUID != "GPU-c" || devices[0].MemoryBytes != 80 {
		t.Fatalf("%+v, %v", devices, err)
	}
	r, err := l.Read(devices[0])
	if err == nil || err.Error() != "GPU GPU-c (): the GPU is lost: read: status 15: Unknown Error; see the kernel's log (dmesg | grep -i xid)" {
		t.Errorf("error %v", err)
	}
	if *r.SMMHz != 100 || *r.MemoryMHz != 200 || *r.Throttle != 1<<40 || *r.MemoryUsed != 29 || *r.PCIeTX != 7 || r.PCIeRX != nil || r.Utilization != nil {
		t.Errorf("%+v", r)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
