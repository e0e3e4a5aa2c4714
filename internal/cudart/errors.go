package cudart

import (
	"errors"
	"fmt"
	"unsafe"
)

// ErrOutOfMemory is what errors.Is finds in the error of an allocation that the
// device, or for pinned memory the host, has no room for.
var ErrOutOfMemory = errors.New("out of memory")

// Names and numbers of the statuses that this package acts on.
const (
	outOfMemory               = "CUDA_ERROR_OUT_OF_MEMORY"
	statusInvalidValue status = 1
	statusNotReady     status = 600
)

// Error is a failed call of the driver or of the compiler.
type Error struct {
	Call string // the C function, with the values that matter: "cuMemAlloc_v2(1024 bytes)"
	Code int    // its status
	Name string // of the status, such as "CUDA_ERROR_OUT_OF_MEMORY"; "" if it has none
	Text string // the driver's description; "" if it has none
}

func (e *Error) Error() string {
	switch {
	case e.Name == "":
		return fmt.Sprintf("%s: unknown status %d", e.Call, e.Code)
	case e.Text == "":
		return fmt.Sprintf("%s: %s", e.Call, e.Name)
	}
	return fmt.Sprintf("%s: %s: %s", e.Call, e.Name, e.Text)
}

// Is reports whether the target is ErrOutOfMemory and this is that error.
func (e *Error) Is(target error) bool {
	return target == ErrOutOfMemory && e.Name == outOfMemory
}

// check turns a status of the driver into an error.
func (d *Driver) check(s symbol, code status) error {
	if code == 0 {
		return nil
	}
	return d.failure(s.name, code)
}

// failure describes a failed call. The texts are the library's own constants.
func (d *Driver) failure(call string, code status) error {
	var name, text *byte
	d.api.getErrorName.call(uintptr(code), uintptr(unsafe.Pointer(&name)))
	d.api.getErrorString.call(uintptr(code), uintptr(unsafe.Pointer(&text)))
	return &Error{Call: call, Code: int(code), Name: goString(name), Text: goString(text)}
}

// goString copies a C string; "" for none.
func goString(p *byte) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}

// detail adds the values of a call to its error: "cuMemAlloc_v2(1024 bytes)".
func detail(err error, format string, values ...any) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Call += "(" + fmt.Sprintf(format, values...) + ")"
	}
	return err
}
