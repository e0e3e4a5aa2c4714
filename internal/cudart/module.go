package cudart

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// Module is a compiled source on a device.
type Module struct {
	context *Context
	handle  uintptr // CUmodule
	build   Build
}

// sourceName stands for a module's source in the compiler's messages.
const sourceName = "kernels.cu"

// LoadModule compiles a CUDA C++ source for the context's device, or takes what the
// context's Cache has kept of it, and loads it. Options are NVRTC's, such as
// "--use_fast_math"; one that names an architecture ("--gpu-architecture=sm_90a")
// replaces the device's.
func (c *Context) LoadModule(source string, options ...string) (*Module, error) {
	compiler := c.Compiler
	if compiler == nil {
		var err error
		if compiler, err = c.defaultCompiler(); err != nil {
			return nil, err
		}
	}
	arch, options := architecture(c.device.Arch(), options)
	r := recipe{source: source, arch: arch, options: options, driver: c.driver.Version(), compiler: compiler.Version()}
	cubin, build, err := c.Cache.build(r, func() ([]byte, string, error) {
		return compiler.Compile(source, sourceName, arch, options)
	})
	if err != nil {
		return nil, err
	}
	m := &Module{context: c, build: build}
	api := &c.driver.api
	err = c.do(api.moduleLoadData, func() status {
		return api.moduleLoadData.call(uintptr(unsafe.Pointer(&m.handle)), uintptr(unsafe.Pointer(unsafe.SliceData(cubin))))
	})
	if err != nil {
		return nil, fmt.Errorf("load a module compiled for %s by NVRTC %s into the driver of CUDA %s on %s: %w",
			arch, compiler.Version(), c.driver.Version(), c.device.Name, err)
	}
	return m, nil
}

// Build tells how the module came about.
func (m *Module) Build() Build { return m.build }

// Close unloads the module. Its functions, and graphs that launch them, must not be
// used any more.
func (m *Module) Close() error {
	if m.handle == 0 {
		return nil
	}
	api := &m.context.driver.api
	err := m.context.do(api.moduleUnload, func() status { return api.moduleUnload.call(m.handle) })
	if err == nil {
		m.handle = 0
	}
	return err
}

// Function finds a kernel by its name, and puts it on the device, so that its first
// launch takes no longer than others and can be captured.
func (m *Module) Function(name string) (*Function, error) {
	if m.handle == 0 {
		return nil, errors.New("the module is closed")
	}
	if name == "" || strings.ContainsRune(name, 0) {
		return nil, fmt.Errorf("%q is no name of a kernel", name)
	}
	if err := m.context.enter(); err != nil {
		return nil, err
	}
	defer m.context.leave()
	d, api := m.context.driver, &m.context.driver.api
	f := &Function{context: m.context, name: name}
	text := append([]byte(name), 0)
	code := api.moduleGetFunction.call(uintptr(unsafe.Pointer(&f.handle)), m.handle, uintptr(unsafe.Pointer(&text[0])))
	if err := d.check(api.moduleGetFunction, code); err != nil {
		return nil, fmt.Errorf("find the kernel %q (is it declared extern \"C\" __global__?): %w", name, err)
	}
	if api.funcLoad.address != 0 {
		if err := d.check(api.funcLoad, api.funcLoad.call(f.handle)); err != nil {
			return nil, fmt.Errorf("put the kernel %q on the device: %w", name, err)
		}
	}
	if err := f.describe(); err != nil {
		return nil, fmt.Errorf("describe the kernel %q: %w", name, err)
	}
	return f, nil
}
