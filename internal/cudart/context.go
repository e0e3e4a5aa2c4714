package cudart

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Context is one device in use: memory, streams, events and modules belong to it.
// Its methods and theirs may be called by any goroutine; see the package's notes on
// threads.
type Context struct {
	// Cache keeps compiled modules between processes. Its zero value keeps none. Set
	// it before the first LoadModule.
	Cache Cache
	// Compiler translates modules. If nil, the first LoadModule opens the one that
	// OpenCompiler finds. Set it before the first LoadModule.
	Compiler *Compiler

	driver *Driver
	device Device
	handle atomic.Uintptr // CUcontext, 0 when closed

	defaultCompiler func() (*Compiler, error)
}

var errContextClosed = errors.New("the CUDA context is closed")

// NewContext retains the primary context of a device, which other users of the
// driver in this process share. Close releases it.
func (d *Driver) NewContext(device int) (*Context, error) {
	devices, err := d.Devices()
	if err != nil {
		return nil, err
	}
	if device < 0 || device >= len(devices) {
		return nil, fmt.Errorf("no CUDA device %d: this process may use %d, counted from 0", device, len(devices))
	}
	c := &Context{
		driver: d, device: devices[device],
		defaultCompiler: sync.OnceValues(func() (*Compiler, error) { return OpenCompiler() }),
	}
	var handle uintptr
	code := d.api.primaryCtxRetain.call(uintptr(unsafe.Pointer(&handle)), uintptr(c.device.handle))
	if err := d.check(d.api.primaryCtxRetain, code); err != nil {
		return nil, fmt.Errorf("use device %d (%s): %w", device, c.device.Name, err)
	}
	c.handle.Store(handle)
	return c, nil
}

// Device describes the context's device.
func (c *Context) Device() Device { return c.device }

// Close releases the device. What was made with the context is gone after it, also
// from the device's memory if this was its last user. Closing again does nothing.
func (c *Context) Close() error {
	if c.handle.Swap(0) == 0 {
		return nil
	}
	api := &c.driver.api
	return c.driver.check(api.primaryCtxRelease, api.primaryCtxRelease.call(uintptr(c.device.handle)))
}

// enter prepares the calling goroutine for calls of the driver: it stays on its
// thread, where the context is current, until leave. It nests.
func (c *Context) enter() error {
	runtime.LockOSThread()
	handle := c.handle.Load()
	if handle == 0 {
		runtime.UnlockOSThread()
		return errContextClosed
	}
	api := &c.driver.api
	if code := api.ctxSetCurrent.call2(handle, 0); code != 0 {
		err := c.driver.failure(api.ctxSetCurrent.name, code)
		runtime.UnlockOSThread()
		return err
	}
	return nil
}

func (c *Context) leave() { runtime.UnlockOSThread() }

// do makes one call of the driver in the context.
func (c *Context) do(s symbol, call func() status) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	return c.driver.check(s, call())
}
