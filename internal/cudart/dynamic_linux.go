//go:build !nogpu

package cudart

import (
	"sync"

	"github.com/ebitengine/purego"
)

const hasLoader = true

// dlopen opens a library for this process. Its symbols are not offered to other
// libraries, which bring their own.
func dlopen(name string) (uintptr, error) {
	return purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

// dlsym gives the address of a symbol, 0 if the library lacks it.
func dlsym(handle uintptr, name string) uintptr {
	address, err := purego.Dlsym(handle, name)
	if err != nil {
		return 0
	}
	return address
}

// call calls the C function with integer and pointer arguments, and returns its
// status. A pointer must be converted in the argument list itself: the directive
// keeps what such an argument points to where it is until the call returns.
//
//go:uintptrescapes
func (s symbol) call(args ...uintptr) status {
	r, _, _ := purego.SyscallN(s.address, args...)
	return status(r) // a C int: the upper half of the register has no meaning
}

// lists are argument lists for call2 and call11. To the compiler every list given to
// SyscallN, and every variable one under the directive, must be allocated.
var lists = sync.Pool{New: func() any { return new([11]uintptr) }}

// call2 is call for what is called often: it allocates nothing.
//
//go:uintptrescapes
func (s symbol) call2(a1, a2 uintptr) status {
	list := lists.Get().(*[11]uintptr)
	list[0], list[1] = a1, a2
	r, _, _ := purego.SyscallN(s.address, list[:2]...)
	lists.Put(list)
	return status(r)
}

// call11 is call2 with eleven arguments.
//
//go:uintptrescapes
func (s symbol) call11(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 uintptr) status {
	list := lists.Get().(*[11]uintptr)
	*list = [11]uintptr{a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11}
	r, _, _ := purego.SyscallN(s.address, list[:]...)
	lists.Put(list)
	return status(r)
}
