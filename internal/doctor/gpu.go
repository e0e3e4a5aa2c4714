package doctor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"siglab/internal/cudart"
	"siglab/internal/nvml"
)

const (
	leastGPUMemory = 0.9 // of it is to be free
	mostGPUBusy    = 5   // percent, of a GPU that nobody is to use
	hotGPU         = 85  // °C
)

// gpus checks everything that a GPU needs. Without one all of it is absent.
func gpus() []Check {
	found, version := management()
	return append(found, driver(), compiler(version), cublasLt())
}

// management asks NVIDIA's management library for the GPUs and the driver.
func management() (checks []Check, cudaVersion string) {
	library, err := nvml.Open()
	if err != nil {
		if missing, ok := errors.AsType[*cudart.LibraryError](err); ok {
			return []Check{absent("gpu", missing.Advice, "none that can be asked: no %s; the engine computes on the CPU", missing.Library)}, ""
		}
		return []Check{warn("gpu", "mend the driver until nvidia-smi lists the GPU (after an update of the driver: restart)", "%v", err)}, ""
	}
	defer func() { _ = library.Close() }() // read only
	devices, err := library.Devices()
	if err != nil {
		return []Check{warn("gpu", "see what nvidia-smi and dmesg | grep -i xid say", "%v", err)}, library.CUDA
	}
	if len(devices) == 0 {
		return []Check{absent("gpu", "give this container its GPUs (docker run --gpus all)", "the driver %s lists none; the engine computes on the CPU", library.Driver)}, library.CUDA
	}
	for _, d := range devices {
		reading, err := library.Read(d)
		if err != nil {
			checks = append(checks, fail("gpu", "reset or restart: nothing can run on it", "%v", err))
			continue
		}
		processes, _ := library.Processes(d)
		checks = append(checks, gpu(d, reading, processes, library.Driver))
	}
	return checks, library.CUDA
}

// gpu judges one GPU: is it free, cool, at full clocks?
func gpu(d nvml.Device, r nvml.Reading, processes []nvml.Process, driver string) Check {
	detail := fmt.Sprintf("%d: %s, %s, driver %s", d.Index, d.Name, d.UUID, driver)
	var fixes []string
	if r.MemoryUsed != nil {
		detail += fmt.Sprintf(", %.1f of %.1f GiB in use", gib(*r.MemoryUsed), gib(d.MemoryBytes))
		if float64(*r.MemoryUsed) > (1-leastGPUMemory)*float64(d.MemoryBytes) {
			fixes = append(fixes, "free its memory"+holders(processes)+", or take a smaller model or share of it (vLLM: --gpu-memory-utilization)")
		}
	}
	if r.Utilization != nil {
		detail += fmt.Sprintf(", busy %d %%", *r.Utilization)
		if *r.Utilization > mostGPUBusy {
			fixes = append(fixes, "end what runs on it"+holders(processes)+": it would be measured, too")
		}
	}
	if r.Celsius != nil {
		detail += fmt.Sprintf(", %d °C", *r.Celsius)
		if *r.Celsius > hotGPU {
			fixes = append(fixes, "let it cool down: heat holds the clocks back")
		}
	}
	if len(fixes) > 0 {
		return warn("gpu", strings.Join(fixes, "; "), "%s", detail)
	}
	return ok("gpu", "%s", detail)
}

// holders names processes on a GPU: " (processes 12, 34)".
func holders(processes []nvml.Process) string {
	var pids []string
	for _, p := range processes {
		if p.PID > 0 {
			pids = append(pids, strconv.Itoa(p.PID))
		}
	}
	if len(pids) == 0 {
		return ""
	}
	return " (processes " + strings.Join(pids, ", ") + ")"
}

func gib(bytes uint64) float64 { return float64(bytes) / (1 << 30) }

// driver starts CUDA itself, which may fail where the GPU is listed.
func driver() Check {
	d, err := cudart.Open()
	if err != nil {
		if missing, ok := errors.AsType[*cudart.LibraryError](err); ok {
			return absent("driver", missing.Advice, "no %s", missing.Library)
		}
		return warn("driver", "see whether nvidia-smi lists a GPU here; in a container: docker run --gpus all; after an update of the driver: restart", "%v", err)
	}
	devices, err := d.Devices()
	if err != nil {
		return warn("driver", "see what nvidia-smi says", "%v", err)
	}
	var names []string
	for _, device := range devices {
		names = append(names, fmt.Sprintf("%s (%s)", device.Name, device.Arch()))
	}
	return ok("driver", "CUDA up to %s, %s", d.Version(), strings.Join(names, ", "))
}

// compiler looks for NVRTC, which compiles the engine's kernels, and compares it with
// what the driver supports.
func compiler(driverCUDA string) Check {
	c, err := cudart.OpenCompiler()
	if err != nil {
		return toolkitAbsent("nvrtc", err)
	}
	if newer(c.Version(), driverCUDA) {
		return warn("nvrtc", "take a version not above the driver's: pip install nvidia-cuda-nvrtc for CUDA "+driverCUDA+", or update the driver",
			"%s has CUDA %s, the driver only %s", c.Path(), c.Version(), driverCUDA)
	}
	return ok("nvrtc", "CUDA %s, %s", c.Version(), c.Path())
}

// newer reports whether one version "13.1" has a later major than another; a driver
// runs what any minor version of its major made.
func newer(version, driver string) bool {
	a, _, _ := strings.Cut(version, ".")
	b, _, _ := strings.Cut(driver, ".")
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	return errX == nil && errY == nil && x > y
}

func cublasLt() Check {
	const name = "libcublasLt.so"
	l, err := cudart.OpenLibrary(name, cudart.ToolkitSearch(name), "install it (pip install nvidia-cublas, or the package libcublas of the CUDA toolkit)")
	if err != nil {
		return toolkitAbsent("cublaslt", err)
	}
	return ok("cublaslt", "%s", l.Path())
}

func toolkitAbsent(name string, err error) Check {
	missing, ok := errors.AsType[*cudart.LibraryError](err)
	if !ok {
		return warn(name, "install it again: it is there and does not work", "%v", err)
	}
	return absent(name, missing.Advice+" (only with a GPU)", "no %s in the loader's path, toolkits or pip's packages", missing.Library)
}
