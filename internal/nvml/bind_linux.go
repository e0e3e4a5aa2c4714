//go:build !nogpu

package nvml

import "github.com/ebitengine/purego"

// bind makes functions of the addresses of a library's symbols; those that are 0 stay
// nil.
func bind(symbol func(name string) uintptr) functions {
	var f functions
	for _, b := range []struct {
		to    any
		names []string // the best first
	}{
		{&f.init, []string{"nvmlInit_v2"}},
		{&f.shutdown, []string{"nvmlShutdown"}},
		{&f.errorString, []string{"nvmlErrorString"}},
		{&f.driverVersion, []string{"nvmlSystemGetDriverVersion"}},
		{&f.cudaVersion, []string{"nvmlSystemGetCudaDriverVersion_v2"}},
		{&f.count, []string{"nvmlDeviceGetCount_v2"}},
		{&f.byIndex, []string{"nvmlDeviceGetHandleByIndex_v2"}},
		{&f.uuid, []string{"nvmlDeviceGetUUID"}},
		{&f.name, []string{"nvmlDeviceGetName"}},
		{&f.migMode, []string{"nvmlDeviceGetMigMode"}},
		{&f.mostMIG, []string{"nvmlDeviceGetMaxMigDeviceCount"}},
		{&f.migIndex, []string{"nvmlDeviceGetMigDeviceHandleByIndex"}},
		{&f.utilization, []string{"nvmlDeviceGetUtilizationRates"}},
		{&f.memory, []string{"nvmlDeviceGetMemoryInfo_v2"}},
		{&f.memoryOld, []string{"nvmlDeviceGetMemoryInfo"}},
		{&f.clock, []string{"nvmlDeviceGetClockInfo"}},
		{&f.mostClock, []string{"nvmlDeviceGetMaxClockInfo"}},
		{&f.power, []string{"nvmlDeviceGetPowerUsage"}},
		{&f.powerLimit, []string{"nvmlDeviceGetEnforcedPowerLimit"}},
		{&f.temperature, []string{"nvmlDeviceGetTemperature"}},
		{&f.throttle, []string{"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"}},
		{&f.fields, []string{"nvmlDeviceGetFieldValues"}},
		{&f.processes, []string{"nvmlDeviceGetComputeRunningProcesses_v3"}},
		{&f.pcieBlocking, []string{"nvmlDeviceGetPcieThroughput"}},
	} {
		for _, name := range b.names {
			if address := symbol(name); address != 0 {
				purego.RegisterFunc(b.to, address)
				break
			}
		}
	}
	return f
}
