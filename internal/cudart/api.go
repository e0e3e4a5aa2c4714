package cudart

import (
	"fmt"
	"strings"
)

// api holds the functions of the driver that this package calls. Where the driver
// has several versions of a function under one name in its header, the name with
// the suffix is the one that the header means.
type api struct {
	init, driverGetVersion, getErrorName, getErrorString symbol

	deviceGetCount, deviceGet, deviceGetName, deviceGetUuid       symbol
	deviceGetAttribute, deviceTotalMem                            symbol
	primaryCtxRetain, primaryCtxRelease, ctxSetCurrent            symbol
	memAlloc, memFree, memcpyHtoD, memcpyDtoH, memsetD8           symbol
	memHostAlloc, memFreeHost, memcpyHtoDAsync, memcpyDtoHAsync   symbol
	streamCreate, streamDestroy, streamQuery, streamSynchronize   symbol
	eventCreate, eventDestroy, eventRecord, eventQuery            symbol
	eventElapsedTime                                              symbol
	streamBeginCapture, streamEndCapture                          symbol
	graphInstantiate, graphLaunch, graphDestroy, graphExecDestroy symbol
	moduleLoadData, moduleUnload, moduleGetFunction               symbol
	funcGetAttribute, funcSetAttribute, occupancy, launchKernel   symbol

	// The driver has these from CUDA 12.4 on; before, the address is 0.
	funcGetParamInfo, funcLoad symbol
}

// binding says by which names a symbol may be called, the best first.
type binding struct {
	to       *symbol
	names    []string
	optional bool
}

func (a *api) bindings() []binding {
	need := func(to *symbol, names ...string) binding { return binding{to: to, names: names} }
	want := func(to *symbol, name string) binding {
		return binding{to: to, names: []string{name}, optional: true}
	}
	return []binding{
		need(&a.init, "cuInit"),
		need(&a.driverGetVersion, "cuDriverGetVersion"),
		need(&a.getErrorName, "cuGetErrorName"),
		need(&a.getErrorString, "cuGetErrorString"),
		need(&a.deviceGetCount, "cuDeviceGetCount"),
		need(&a.deviceGet, "cuDeviceGet"),
		need(&a.deviceGetName, "cuDeviceGetName"),
		need(&a.deviceGetUuid, "cuDeviceGetUuid_v2", "cuDeviceGetUuid"),
		need(&a.deviceGetAttribute, "cuDeviceGetAttribute"),
		need(&a.deviceTotalMem, "cuDeviceTotalMem_v2"),
		need(&a.primaryCtxRetain, "cuDevicePrimaryCtxRetain"),
		need(&a.primaryCtxRelease, "cuDevicePrimaryCtxRelease_v2"),
		need(&a.ctxSetCurrent, "cuCtxSetCurrent"),
		need(&a.memAlloc, "cuMemAlloc_v2"),
		need(&a.memFree, "cuMemFree_v2"),
		need(&a.memcpyHtoD, "cuMemcpyHtoD_v2"),
		need(&a.memcpyDtoH, "cuMemcpyDtoH_v2"),
		need(&a.memsetD8, "cuMemsetD8_v2"),
		need(&a.memHostAlloc, "cuMemHostAlloc"),
		need(&a.memFreeHost, "cuMemFreeHost"),
		need(&a.memcpyHtoDAsync, "cuMemcpyHtoDAsync_v2"),
		need(&a.memcpyDtoHAsync, "cuMemcpyDtoHAsync_v2"),
		need(&a.streamCreate, "cuStreamCreate"),
		need(&a.streamDestroy, "cuStreamDestroy_v2"),
		need(&a.streamQuery, "cuStreamQuery"),
		need(&a.streamSynchronize, "cuStreamSynchronize"),
		need(&a.eventCreate, "cuEventCreate"),
		need(&a.eventDestroy, "cuEventDestroy_v2"),
		need(&a.eventRecord, "cuEventRecord"),
		need(&a.eventQuery, "cuEventQuery"),
		need(&a.eventElapsedTime, "cuEventElapsedTime_v2", "cuEventElapsedTime"),
		need(&a.streamBeginCapture, "cuStreamBeginCapture_v2"),
		need(&a.streamEndCapture, "cuStreamEndCapture"),
		need(&a.graphInstantiate, "cuGraphInstantiateWithFlags"),
		need(&a.graphLaunch, "cuGraphLaunch"),
		need(&a.graphDestroy, "cuGraphDestroy"),
		need(&a.graphExecDestroy, "cuGraphExecDestroy"),
		need(&a.moduleLoadData, "cuModuleLoadData"),
		need(&a.moduleUnload, "cuModuleUnload"),
		need(&a.moduleGetFunction, "cuModuleGetFunction"),
		need(&a.funcGetAttribute, "cuFuncGetAttribute"),
		need(&a.funcSetAttribute, "cuFuncSetAttribute"),
		need(&a.occupancy, "cuOccupancyMaxActiveBlocksPerMultiprocessor"),
		need(&a.launchKernel, "cuLaunchKernel"),
		want(&a.funcGetParamInfo, "cuFuncGetParamInfo"),
		want(&a.funcLoad, "cuFuncLoad"),
	}
}

// bind fills symbols in from a library. All that are missing are named at once.
func bind(bindings []binding, lookup func(name string) uintptr) error {
	var missing []string
	for _, b := range bindings {
		for _, name := range b.names {
			if address := lookup(name); address != 0 {
				*b.to = symbol{name: name, address: address}
				break
			}
		}
		if b.to.address == 0 && !b.optional {
			missing = append(missing, b.names[0])
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no symbol %s", strings.Join(missing, ", "))
	}
	return nil
}
