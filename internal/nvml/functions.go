package nvml

import "unsafe"

// handle is nvmlDevice_t.
type handle uintptr

// functions are those of the library that this package calls, by the names in its
// header. A nil one is not in the library at hand. Tests have their own.
type functions struct {
	init, shutdown func() code                            // nvmlInit_v2, nvmlShutdown
	errorString    func(code) string                      // nvmlErrorString
	driverVersion  func(text *byte, length uint32) code   // nvmlSystemGetDriverVersion
	cudaVersion    func(version *int32) code              // nvmlSystemGetCudaDriverVersion_v2
	count          func(n *uint32) code                   // nvmlDeviceGetCount_v2
	byIndex        func(index uint32, h *handle) code     // nvmlDeviceGetHandleByIndex_v2
	uuid, name     func(h handle, t *byte, n uint32) code // nvmlDeviceGetUUID, nvmlDeviceGetName

	migMode  func(h handle, current, pending *uint32) code       // nvmlDeviceGetMigMode
	mostMIG  func(h handle, n *uint32) code                      // nvmlDeviceGetMaxMigDeviceCount
	migIndex func(h handle, index uint32, instance *handle) code // nvmlDeviceGetMigDeviceHandleByIndex

	utilization  func(h handle, u *utilizationRates) code              // nvmlDeviceGetUtilizationRates
	memory       func(h handle, m *memoryInfo) code                    // nvmlDeviceGetMemoryInfo_v2
	memoryOld    func(h handle, m *memoryInfoOld) code                 // nvmlDeviceGetMemoryInfo
	clock        func(h handle, kind uint32, mhz *uint32) code         // nvmlDeviceGetClockInfo
	mostClock    func(h handle, kind uint32, mhz *uint32) code         // nvmlDeviceGetMaxClockInfo
	power        func(h handle, milliwatts *uint32) code               // nvmlDeviceGetPowerUsage
	powerLimit   func(h handle, milliwatts *uint32) code               // nvmlDeviceGetEnforcedPowerLimit
	temperature  func(h handle, sensor uint32, celsius *uint32) code   // nvmlDeviceGetTemperature
	throttle     func(h handle, reasons *uint64) code                  // nvmlDeviceGetCurrentClocksEventReasons, before CUDA 12.2 …ThrottleReasons
	fields       func(h handle, n int32, values *fieldValue) code      // nvmlDeviceGetFieldValues
	processes    func(h handle, n *uint32, infos *processInfo) code    // nvmlDeviceGetComputeRunningProcesses_v3
	pcieBlocking func(h handle, direction uint32, kbPerS *uint32) code // nvmlDeviceGetPcieThroughput, which takes 20 ms
}

// utilizationRates is nvmlUtilization_t, in percent.
type utilizationRates struct{ gpu, memory uint32 }

// memoryInfo is nvmlMemory_v2_t, in bytes.
type memoryInfo struct {
	version uint32
	total   uint64
	_, _    uint64 // reserved, free
	used    uint64
}

// memoryInfoVersion is nvmlMemory_v2: its size and its number.
const memoryInfoVersion = uint32(unsafe.Sizeof(memoryInfo{})) | 2<<24

// memoryInfoOld is nvmlMemory_t, whose used memory holds the reserved.
type memoryInfoOld struct {
	total uint64
	_     uint64 // free
	used  uint64
}

// fieldValue is nvmlFieldValue_t; the value is a union, an unsigned 64-bit number for
// the fields that are asked for here.
type fieldValue struct {
	id     uint32
	_      uint32 // scope
	_, _   int64  // time of the value, and of asking for it, in µs
	_      uint32 // member of the union
	result code
	value  uint64
}

// processInfo is nvmlProcessInfo_t.
type processInfo struct {
	pid    uint32
	memory uint64 // bytes; all ones if it is not known
	_, _   uint32 // MIG instances
}

// Kinds of clocks, sensors, directions and fields.
const (
	clockSM     = 1
	clockMemory = 2

	sensorGPU = 0

	directionTX = 0
	directionRX = 1

	fieldPCIeTX = 197 // NVML_FI_DEV_PCIE_COUNT_TX_BYTES
	fieldPCIeRX = 198 // NVML_FI_DEV_PCIE_COUNT_RX_BYTES
)
