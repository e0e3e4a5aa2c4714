//go:build !nogpu

package cudart

import (
	"fmt"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// fakeDriver stands in for the driver: C functions, made of Go
// ones, that are called as the real ones are. It has two devices, one kernel, "add"
// (out, a, b: float*, n: int), and refuses calls on a thread without its context.
type fakeDriver struct {
	mu      sync.Mutex
	fail    map[string]int32   // statuses to return, by function
	calls   map[string]int     // by function
	current map[int]uintptr    // context, by thread
	memory  map[uintptr][]byte // by address
	host    map[uintptr][]byte
	next    uintptr // handle
	busy    int     // how many queries find the work unfinished; negative: all
	graphs  map[uintptr][]func()
	execs   map[uintptr][]func()
	capture struct {
		thread  int // 0: none
		work    []func()
		invalid bool
	}
	shape [7]uintptr // of the last launch
}

const (
	fakeContext  = 0xc0
	fakeKernel   = 0xf0
	fakeCapacity = 1 << 20 // bytes
)

// fakeSymbols are made once, since callbacks are never freed; the fake that they
// are of is the one of the running test.
var (
	fakeSymbols = sync.OnceValue(func() map[string]uintptr {
		symbols := map[string]uintptr{}
		for _, functions := range []map[string]any{fakeFunctions(), fakeCompilerFunctions()} {
			for name, f := range functions {
				symbols[name] = purego.NewCallback(f)
			}
		}
		return symbols
	})
	fake *fakeDriver
)

// startFake gives a test its own fake driver, and a context of its first device.
func startFake(t *testing.T) (*fakeDriver, *Context) {
	t.Helper()
	f := &fakeDriver{
		fail: map[string]int32{}, calls: map[string]int{}, current: map[int]uintptr{},
		memory: map[uintptr][]byte{}, host: map[uintptr][]byte{}, next: 0x1000,
		graphs: map[uintptr][]func(){}, execs: map[uintptr][]func(){},
	}
	fake = f
	driver, err := newDriver(fakeLookup)
	if err != nil {
		t.Fatal(err)
	}
	c, err := driver.NewContext(0)
	if err != nil {
		t.Fatal(err)
	}
	if c.Compiler, err = newCompiler("fake", fakeLookup); err != nil {
		t.Fatal(err)
	}
	return f, c
}

func fakeLookup(name string) uintptr { return fakeSymbols()[name] }

// withFake does the body of a C function, which has nothing to be a method of.
func withFake(body func(f *fakeDriver) int32) int32 {
	fake.mu.Lock()
	defer fake.mu.Unlock()
	return body(fake)
}

// enter counts a call and gives the status to return if it must fail.
func (f *fakeDriver) enter(name string) int32 {
	f.calls[name]++
	return f.fail[name]
}

// inContext is enter for calls that need a context on the thread.
func (f *fakeDriver) inContext(name string) int32 {
	if f.current[unix.Gettid()] == 0 {
		return 201 // CUDA_ERROR_INVALID_CONTEXT
	}
	return f.enter(name)
}

// handle is a new one.
func (f *fakeDriver) handle() uintptr {
	f.next += 0x1000
	return f.next
}

// at is n bytes of the device's memory.
func (f *fakeDriver) at(pointer, n uintptr) []byte {
	for base, b := range f.memory {
		if pointer >= base && pointer+n <= base+uintptr(len(b)) {
			return b[pointer-base:][:n]
		}
	}
	return nil
}

// queue does work, or captures it.
func (f *fakeDriver) queue(work func()) {
	if f.capture.thread != 0 {
		f.capture.work = append(f.capture.work, work)
		return
	}
	work()
}

// live counts what has not been released.
func (f *fakeDriver) live() int {
	return len(f.memory) + len(f.host) + len(f.graphs) + len(f.execs)
}

var fakeTexts = map[int32][2]string{
	1: {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}, 2: {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
	100: {"CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}, 201: {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
	500: {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}, 600: {"CUDA_ERROR_NOT_READY", "device not ready"},
	700: {"CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
	900: {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
	901: {"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
}

// fakeText are C strings of the fake's texts, kept for ever as the driver's are.
var fakeText = sync.OnceValue(func() map[int32][2]*byte {
	all := map[int32][2]*byte{}
	for code, texts := range fakeTexts {
		all[code] = [2]*byte{&append([]byte(texts[0]), 0)[0], &append([]byte(texts[1]), 0)[0]}
	}
	return all
})

// fakeFunctions are the driver's C functions by name. Those that a test can make fail ask
// enter or inContext first.
func fakeFunctions() map[string]any {
	// after does the body if the call, in a context, is not to fail.
	after := func(name string, body func(f *fakeDriver) int32) int32 {
		return withFake(func(f *fakeDriver) int32 {
			if code := f.inContext(name); code != 0 {
				return code
			}
			return body(f)
		})
	}
	text := func(i int) func(code int32, p **byte) int32 {
		return func(code int32, p **byte) int32 {
			*p = fakeText()[code][i]
			if *p == nil {
				return 1
			}
			return 0
		}
	}
	launch := func(f *fakeDriver, params *[4]unsafe.Pointer) {
		out, a, b := *(*uintptr)(params[0]), *(*uintptr)(params[1]), *(*uintptr)(params[2])
		n := *(*int32)(params[3])
		f.queue(func() {
			sums, as, bs := f.at(out, uintptr(4*n)), f.at(a, uintptr(4*n)), f.at(b, uintptr(4*n))
			for i := range int(n) {
				*floatAt(sums, i) = *floatAt(as, i) + *floatAt(bs, i)
			}
		})
	}
	return map[string]any{
		"cuInit":             func(uint32) int32 { return withFake(func(f *fakeDriver) int32 { return f.enter("cuInit") }) },
		"cuDriverGetVersion": func(v *int32) int32 { *v = 13000; return 0 },
		"cuGetErrorName":     text(0),
		"cuGetErrorString":   text(1),
		"cuDeviceGetCount":   func(n *int32) int32 { *n = 2; return 0 },
		"cuDeviceGet":        func(dev *int32, i int32) int32 { *dev = i + 10; return 0 },
		"cuDeviceGetName": func(p *byte, n, dev int32) int32 {
			copy(unsafe.Slice(p, n), fmt.Sprintf("Fake %d\x00", dev))
			return 0
		},
		"cuDeviceGetUuid_v2": func(p *[16]byte, _ int32) int32 {
			for i := range p {
				p[i] = byte(i)
			}
			return 0
		},
		"cuDeviceTotalMem_v2": func(n *uint64, _ int32) int32 { *n = 150 << 30; return 0 },
		"cuDeviceGetAttribute": func(v *int32, a, _ int32) int32 {
			*v = map[int32]int32{16: 132, 38: 50 << 20, 75: 9, 76: 0}[a]
			return 0
		},
		"cuDevicePrimaryCtxRetain": func(p *uintptr, _ int32) int32 {
			*p = fakeContext
			return withFake(func(f *fakeDriver) int32 { return f.enter("cuDevicePrimaryCtxRetain") })
		},
		"cuDevicePrimaryCtxRelease_v2": func(int32) int32 {
			return withFake(func(f *fakeDriver) int32 { return f.enter("cuDevicePrimaryCtxRelease_v2") })
		},
		"cuCtxSetCurrent": func(c uintptr) int32 {
			return withFake(func(f *fakeDriver) int32 {
				f.current[unix.Gettid()] = c
				return f.enter("cuCtxSetCurrent")
			})
		},

		"cuMemAlloc_v2": func(p *uintptr, n uintptr) int32 {
			return after("cuMemAlloc_v2", func(f *fakeDriver) int32 {
				if f.capture.thread == unix.Gettid() {
					f.capture.invalid = true
					return 900
				}
				if n > fakeCapacity {
					return 2
				}
				b := make([]byte, n)
				*p = uintptr(unsafe.Pointer(&b[0]))
				f.memory[*p] = b
				return 0
			})
		},
		"cuMemFree_v2": func(p uintptr) int32 {
			return after("cuMemFree_v2", func(f *fakeDriver) int32 { delete(f.memory, p); return 0 })
		},
		"cuMemcpyHtoD_v2": func(dst uintptr, src *byte, n uintptr) int32 {
			return after("cuMemcpyHtoD_v2", func(f *fakeDriver) int32 {
				copy(f.at(dst, n), unsafe.Slice(src, n))
				return 0
			})
		},
		"cuMemcpyDtoH_v2": func(dst *byte, src, n uintptr) int32 {
			return after("cuMemcpyDtoH_v2", func(f *fakeDriver) int32 {
				copy(unsafe.Slice(dst, n), f.at(src, n))
				return 0
			})
		},
		"cuMemsetD8_v2": func(p uintptr, v uint8, n uintptr) int32 {
			return after("cuMemsetD8_v2", func(f *fakeDriver) int32 {
				for i := range f.at(p, n) {
					f.at(p, n)[i] = v
				}
				return 0
			})
		},
		"cuMemHostAlloc": func(p *unsafe.Pointer, n uintptr, _ uint32) int32 {
			return after("cuMemHostAlloc", func(f *fakeDriver) int32 {
				b := make([]byte, n)
				*p = unsafe.Pointer(&b[0])
				f.host[uintptr(*p)] = b
				return 0
			})
		},
		"cuMemFreeHost": func(p uintptr) int32 {
			return after("cuMemFreeHost", func(f *fakeDriver) int32 { delete(f.host, p); return 0 })
		},
		"cuMemcpyHtoDAsync_v2": func(dst uintptr, src *byte, n, _ uintptr) int32 {
			return after("cuMemcpyHtoDAsync_v2", func(f *fakeDriver) int32 {
				f.queue(func() { copy(f.at(dst, n), unsafe.Slice(src, n)) })
				return 0
			})
		},
		"cuMemcpyDtoHAsync_v2": func(dst *byte, src, n, _ uintptr) int32 {
			return after("cuMemcpyDtoHAsync_v2", func(f *fakeDriver) int32 {
				f.queue(func() { copy(unsafe.Slice(dst, n), f.at(src, n)) })
				return 0
			})
		},

		"cuStreamCreate": func(p *uintptr, flags uint32) int32 {
			return after("cuStreamCreate", func(f *fakeDriver) int32 {
				if flags != 1 {
					return 1
				}
				*p = f.handle()
				return 0
			})
		},
		"cuStreamDestroy_v2":  func(uintptr) int32 { return after("cuStreamDestroy_v2", func(*fakeDriver) int32 { return 0 }) },
		"cuStreamQuery":       func(uintptr) int32 { return after("cuStreamQuery", (*fakeDriver).query) },
		"cuStreamSynchronize": func(uintptr) int32 { return after("cuStreamSynchronize", func(*fakeDriver) int32 { return 0 }) },
		"cuEventCreate": func(p *uintptr, _ uint32) int32 {
			return after("cuEventCreate", func(f *fakeDriver) int32 { *p = f.handle(); return 0 })
		},
		"cuEventDestroy_v2": func(uintptr) int32 { return after("cuEventDestroy_v2", func(*fakeDriver) int32 { return 0 }) },
		"cuEventRecord":     func(uintptr, uintptr) int32 { return after("cuEventRecord", func(*fakeDriver) int32 { return 0 }) },
		"cuEventQuery":      func(uintptr) int32 { return after("cuEventQuery", (*fakeDriver).query) },
		"cuEventElapsedTime": func(ms *float32, _, _ uintptr) int32 {
			return after("cuEventElapsedTime", func(*fakeDriver) int32 { *ms = 1.5; return 0 })
		},

		"cuStreamBeginCapture_v2": func(_ uintptr, mode int32) int32 {
			return after("cuStreamBeginCapture_v2", func(f *fakeDriver) int32 {
				if mode != 1 || f.capture.thread != 0 {
					return 1
				}
				f.capture.thread, f.capture.work, f.capture.invalid = unix.Gettid(), nil, false
				return 0
			})
		},
		"cuStreamEndCapture": func(_ uintptr, p *uintptr) int32 {
			return after("cuStreamEndCapture", func(f *fakeDriver) int32 {
				if f.capture.thread != unix.Gettid() {
					return 1
				}
				f.capture.thread = 0
				if f.capture.invalid {
					return 901
				}
				*p = f.handle()
				f.graphs[*p] = f.capture.work
				return 0
			})
		},
		"cuGraphInstantiateWithFlags": func(p *uintptr, graph uintptr, _ uint64) int32 {
			return after("cuGraphInstantiateWithFlags", func(f *fakeDriver) int32 {
				*p = f.handle()
				f.execs[*p] = f.graphs[graph]
				return 0
			})
		},
		"cuGraphLaunch": func(exec, _ uintptr) int32 {
			return after("cuGraphLaunch", func(f *fakeDriver) int32 {
				for _, work := range f.execs[exec] {
					work()
				}
				return 0
			})
		},
		"cuGraphDestroy": func(graph uintptr) int32 {
			return after("cuGraphDestroy", func(f *fakeDriver) int32 { delete(f.graphs, graph); return 0 })
		},
		"cuGraphExecDestroy": func(exec uintptr) int32 {
			return after("cuGraphExecDestroy", func(f *fakeDriver) int32 { delete(f.execs, exec); return 0 })
		},

		"cuModuleLoadData": func(p *uintptr, image *byte) int32 {
			return after("cuModuleLoadData", func(f *fakeDriver) int32 {
				if *image != 'c' { // of "cubin", which the fake compiler makes
					return 200
				}
				*p = f.handle()
				return 0
			})
		},
		"cuModuleUnload": func(uintptr) int32 { return after("cuModuleUnload", func(*fakeDriver) int32 { return 0 }) },
		"cuModuleGetFunction": func(p *uintptr, _ uintptr, name *byte) int32 {
			return after("cuModuleGetFunction", func(*fakeDriver) int32 {
				if goString(name) != "add" {
					return 500
				}
				*p = fakeKernel
				return 0
			})
		},
		"cuFuncGetAttribute": func(v *int32, a int32, _ uintptr) int32 {
			return after("cuFuncGetAttribute", func(*fakeDriver) int32 {
				*v = map[int32]int32{0: 1024, 1: 512, 3: 8, 4: 40}[a]
				return 0
			})
		},
		"cuFuncSetAttribute": func(_ uintptr, a, v int32) int32 {
			return after("cuFuncSetAttribute", func(*fakeDriver) int32 {
				if a != 8 || v > 227<<10 {
					return 1
				}
				return 0
			})
		},
		"cuFuncGetParamInfo": func(_, i uintptr, offset, size *uint64) int32 {
			return after("cuFuncGetParamInfo", func(*fakeDriver) int32 {
				sizes := []uint64{8, 8, 8, 4}
				if i >= uintptr(len(sizes)) {
					return 1
				}
				*offset, *size = uint64(8*i), sizes[i]
				return 0
			})
		},
		"cuOccupancyMaxActiveBlocksPerMultiprocessor": func(p *int32, _ uintptr, threads int32, _ uintptr) int32 {
			return after("cuOccupancyMaxActiveBlocksPerMultiprocessor", func(*fakeDriver) int32 {
				*p = 2048 / threads
				return 0
			})
		},
		"cuLaunchKernel": func(_, gx, gy, gz, bx, by, bz, shared, _ uintptr, params *[4]unsafe.Pointer, _ uintptr) int32 {
			return after("cuLaunchKernel", func(f *fakeDriver) int32 {
				if bx*by*bz > 1024 {
					return 1
				}
				f.shape = [7]uintptr{gx, gy, gz, bx, by, bz, shared}
				launch(f, params)
				return 0
			})
		},
	}
}

// query finds the work unfinished as often as the test wants.
func (f *fakeDriver) query() int32 {
	switch {
	case f.busy < 0:
		return 600
	case f.busy > 0:
		f.busy--
		return 600
	}
	return 0
}

// floatAt is a float of the device's memory.
func floatAt(memory []byte, i int) *float32 {
	return (*float32)(unsafe.Pointer(&memory[4*i]))
}

// soon bounds the waits of tests.
const soon = 10 * time.Second
