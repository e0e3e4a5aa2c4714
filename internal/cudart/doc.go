// Package cudart runs CUDA kernels from a Go binary that is built without cgo.
//
// NVIDIA's driver (libcuda.so.1) and its run-time compiler (libnvrtc) are opened
// when they are needed, so the same binary runs on machines without either: there,
// [Open] returns an error that names the library, where it was looked for and what
// to do. Only Linux has them; elsewhere Open says so.
//
// Opening libraries takes the system's dynamic loader, so a Linux program with this
// package is linked against glibc. The build tag nogpu leaves it out, for a static
// program that runs on any Linux and never sees a GPU.
//
//	driver, err := cudart.Open()
//	...
//	gpu, err := driver.NewContext(0)
//	...
//	defer gpu.Close()
//	gpu.Cache.Dir = dir // compiled once per machine, not once per process
//	module, err := gpu.LoadModule(source)
//	...
//	add, err := module.Function("add")
//	...
//	err = add.Launch(stream, cudart.Launch{Grid: [3]int{n / 256, 1, 1}, Block: [3]int{256, 1, 1}}, sum, a, b, int32(n))
//
// Kernels are compiled for the device at hand. They get no include path: on a
// machine with the driver and libnvrtc alone there are no headers, so kernels that
// include none run in more places. Names are found by [Module.Function] if they are
// declared extern "C".
//
// # Threads and goroutines
//
// The driver keeps the current context per operating system thread. Every method
// that calls the driver locks its goroutine to the thread and makes its context
// current first, so any goroutine may call any method at any time, also several at
// once, with three exceptions: Close and Free must come after all other uses, a
// [Prepared] must not be launched while it is changed, and two goroutines that put
// work on one stream leave its order to chance. The context stays current on the
// thread afterwards; code that calls the driver by other ways must set its own.
//
// # Order
//
// Work on one stream is done in order; streams do not wait for each other, nor do
// they wait for [Memory.CopyFrom], [Memory.CopyTo] and [Memory.Memset8], which work
// beside the streams and have finished when they return. So synchronize a stream
// before CopyTo reads what its kernels wrote.
//
// # Lifetimes
//
// Nothing is released by the garbage collector: what has a Close or Free needs it.
// Memory must not be freed before the work that uses it has finished, and a [Graph]
// uses the memory that it was captured with at every launch. Libraries stay open
// until the process ends.
//
// # Errors
//
// A failed call is an [*Error] with the driver's name and text for it. Kernels run
// later than they are launched, so what one did wrong (an illegal address, say) is
// reported by some later call, and by every call after it: such a context is lost.
// errors.Is(err, [ErrOutOfMemory]) recognises exhausted memory, after which the
// context is still good. Input never panics here, but a kernel that is given wrong
// pointers is beyond any check; argument counts and sizes are checked where the
// driver knows them (CUDA 12.4 and later).
package cudart
