package cudart

import (
	"fmt"
	"math"
	"unsafe"
)

// Function is a kernel of a module.
type Function struct {
	context    *Context
	handle     uintptr // CUfunction
	name       string
	attributes Attributes
	parameters []int // their sizes in bytes; nil if the driver does not tell
}

// Attributes are what the compiler made of a kernel.
type Attributes struct {
	Registers    int // of a thread
	LocalBytes   int // of a thread, in device memory: what did not fit into registers
	StaticShared int // bytes of a block
	MaxThreads   int // of a block
}

// Numbers of CUfunction_attribute.
const (
	functionMaxThreads    = 0
	functionStaticShared  = 1
	functionLocalBytes    = 3
	functionRegisters     = 4
	functionDynamicShared = 8
)

// Name is the kernel's name.
func (f *Function) Name() string { return f.name }

// Attributes describes the kernel.
func (f *Function) Attributes() Attributes { return f.attributes }

// describe asks for the attributes and the parameters. The context is current.
func (f *Function) describe() error {
	d, api := f.context.driver, &f.context.driver.api
	for _, a := range []struct {
		to     *int
		number uintptr
	}{
		{&f.attributes.Registers, functionRegisters},
		{&f.attributes.LocalBytes, functionLocalBytes},
		{&f.attributes.StaticShared, functionStaticShared},
		{&f.attributes.MaxThreads, functionMaxThreads},
	} {
		var value int32
		code := api.funcGetAttribute.call(uintptr(unsafe.Pointer(&value)), a.number, f.handle)
		if err := d.check(api.funcGetAttribute, code); err != nil {
			return err
		}
		*a.to = int(value)
	}
	if api.funcGetParamInfo.address == 0 {
		return nil
	}
	f.parameters = []int{}
	for { // an index past the last is an invalid value
		var offset, size uint64
		code := api.funcGetParamInfo.call(f.handle, uintptr(len(f.parameters)),
			uintptr(unsafe.Pointer(&offset)), uintptr(unsafe.Pointer(&size)))
		if code == statusInvalidValue {
			return nil
		}
		if err := d.check(api.funcGetParamInfo, code); err != nil {
			return err
		}
		f.parameters = append(f.parameters, int(size))
	}
}

// AllowShared lets launches have so many bytes of dynamic shared memory, which is
// needed above 48 KiB. It lasts as long as the module.
func (f *Function) AllowShared(bytes int) error {
	if bytes < 0 || bytes > math.MaxInt32 {
		return fmt.Errorf("dynamic shared memory of %s: %d bytes, must be from 0 to %d", f.name, bytes, math.MaxInt32)
	}
	api := &f.context.driver.api
	err := f.context.do(api.funcSetAttribute, func() status {
		return api.funcSetAttribute.call(f.handle, functionDynamicShared, uintptr(bytes))
	})
	if err != nil {
		return detail(err, "%s, dynamic shared memory of %d bytes", f.name, bytes)
	}
	return nil
}

// Occupancy is how many blocks of so many threads, with so many bytes of dynamic
// shared memory, a multiprocessor holds at once.
func (f *Function) Occupancy(threads, shared int) (int, error) {
	if threads < 1 || threads > math.MaxInt32 || shared < 0 {
		return 0, fmt.Errorf("occupancy of %s: blocks of %d threads with %d bytes of shared memory", f.name, threads, shared)
	}
	var blocks int32
	api := &f.context.driver.api
	err := f.context.do(api.occupancy, func() status {
		return api.occupancy.call(uintptr(unsafe.Pointer(&blocks)), f.handle, uintptr(threads), uintptr(shared))
	})
	if err != nil {
		return 0, detail(err, "%s, %d threads, %d bytes shared", f.name, threads, shared)
	}
	return int(blocks), nil
}
