package nvml

import (
	"errors"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"siglab/internal/cudart"
)

// TestSizes holds the structures to nvml.h.
func TestSizes(t *testing.T) {
	for name, pair := range map[string][2]uintptr{
		"nvmlUtilization_t": {unsafe.Sizeof(utilizationRates{}), 8},
		"nvmlMemory_v2_t":   {unsafe.Sizeof(memoryInfo{}), 40},
		"nvmlMemory_t":      {unsafe.Sizeof(memoryInfoOld{}), 24},
		"nvmlFieldValue_t":  {unsafe.Sizeof(fieldValue{}), 40},
		"nvmlProcessInfo_t": {unsafe.Sizeof(processInfo{}), 24},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s has %d bytes here, %d in nvml.h", name, pair[0], pair[1])
		}
	}
}

func TestOpenWithoutLibrary(t *testing.T) {
	l, err := Open()
	if err == nil {
		_ = l.Close()
		t.Skip("this machine has the library")
	}
	if missing, ok := errors.AsType[*cudart.LibraryError](err); ok && (missing.Library != libraryName || missing.Advice == "") {
		t.Errorf("incomplete: %+v", missing)
	}
}

func TestStart(t *testing.T) {
	if _, err := start(functions{}); err == nil || !strings.Contains(err.Error(), "update the driver") {
		t.Errorf("a library without functions: %v", err)
	}
	f := fakeLibrary(nil, nil)
	f.init = func() code { return 9 }
	if _, err := start(f); err == nil || !strings.Contains(err.Error(), "nvmlInit_v2: status 9: as the fake says") {
		t.Errorf("a driver that is not loaded: %v", err)
	}
	l, err := start(fakeLibrary(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	if l.Driver != "580.65.06" || l.CUDA != "13.0" || l.Close() != nil {
		t.Errorf("driver %q, CUDA %q", l.Driver, l.CUDA)
	}
}

func TestDevices(t *testing.T) {
	l := library(t, map[handle]*fakeGPU{
		1: {uuid: "GPU-a"}, 2: {uuid: "GPU-b", instances: []handle{3, 4}}, 3: {uuid: "MIG-c"}, 4: {uuid: "MIG-d"},
	}, 1, 2)
	got, err := l.Devices()
	if err != nil {
		t.Fatal(err)
	}
	device := func(index int, uuid, parent string, own, gpu handle) Device {
		return Device{Index: index, UUID: uuid, Parent: parent, Name: "Fake GPU", MemoryBytes: 80 << 30,
			MaxSMMHz: 1000, MaxMemoryMHz: 2000, PowerLimitWatts: 700, own: own, gpu: gpu}
	}
	want := []Device{device(0, "GPU-a", "", 1, 1), device(1, "MIG-c", "GPU-b", 3, 2), device(1, "MIG-d", "GPU-b", 4, 2)}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Device{})); diff != "" {
		t.Errorf("a whole GPU and one that is split (-want +got):\n%s", diff)
	}
}

func TestRead(t *testing.T) {
	whole := Reading{
		Utilization: new(93), MemoryUtilization: new(40), MemoryUsed: new(uint64(20 << 30)), SMMHz: new(1000), MemoryMHz: new(2000),
		Watts: new(312.5), Celsius: new(61), Throttle: new(uint64(4)), PCIeTX: new(uint64(197000)), PCIeRX: new(uint64(198000)),
	}
	split, old := whole, whole
	split.Utilization, split.MemoryUtilization = nil, nil
	old.PCIeTX, old.PCIeRX = nil, nil
	tests := []struct {
		name string
		gpu  fakeGPU
		want Reading
	}{
		{"a GPU tells everything", fakeGPU{uuid: "GPU-a"}, whole},
		{"a MIG instance does not tell how busy it is", fakeGPU{uuid: "MIG-a"}, split},
		{"an older driver has no PCIe counters", fakeGPU{uuid: "GPU-a", noFields: true}, old},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := library(t, map[handle]*fakeGPU{1: &tt.gpu}, 1)
			got, err := l.Read(Device{own: 1, gpu: 1})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadOfALostGPU(t *testing.T) {
	l := library(t, map[handle]*fakeGPU{1: {uuid: "GPU-a", lost: true}}, 1)
	_, err := l.Read(Device{UUID: "GPU-a", own: 1, gpu: 1})
	if !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "GPU-a") || !strings.Contains(err.Error(), "dmesg") {
		t.Errorf("error %v", err)
	}
}

// TestReadWithoutFunctions is a driver that knows next to nothing.
func TestReadWithoutFunctions(t *testing.T) {
	l := &Library{}
	got, err := l.Read(Device{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Reading{}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, ok := l.Processes(Device{}); ok {
		t.Error("it listed processes")
	}
	if _, _, ok := l.PCIeRate(Device{}); ok {
		t.Error("it measured PCIe")
	}
}

func TestProcesses(t *testing.T) {
	many := make([]processInfo, 40)
	for i := range many {
		many[i] = processInfo{pid: uint32(i + 1), memory: unknownMemory}
	}
	many[39].memory = 7
	l := library(t, map[handle]*fakeGPU{1: {uuid: "GPU-a", processes: many}}, 1)
	got, ok := l.Processes(Device{own: 1})
	if !ok || len(got) != 40 || got[0] != (Process{PID: 1}) || got[39] != (Process{PID: 40, MemoryBytes: 7}) {
		t.Errorf("%v, %v", got, ok)
	}
	if tx, rx, ok := l.PCIeRate(Device{gpu: 1}); !ok || tx != 102400 || rx != 103424 {
		t.Errorf("PCIe %v, %v, %v", tx, rx, ok)
	}
}

func library(t *testing.T, gpus map[handle]*fakeGPU, order ...handle) *Library {
	t.Helper()
	l, err := start(fakeLibrary(gpus, order))
	if err != nil {
		t.Fatal(err)
	}
	return l
}
