package cudart

import (
	"fmt"
	"os"
	"unsafe"
)

// Driver is NVIDIA's driver, opened and initialised.
type Driver struct {
	api     api
	version int32
}

// Open loads the driver's library and initialises it, which takes about half a
// second. Without the library the error is a [*LibraryError]; with it but without a
// usable device, an [*Error]. Drivers before CUDA 11.4 lack functions, which the
// error names.
func Open() (*Driver, error) {
	lib, err := openLibrary(os.DirFS("/"), driverLibrary, driverSearch(), driverAdvice)
	if err != nil {
		return nil, err
	}
	d, err := newDriver(lib.lookup)
	if err != nil {
		return nil, fmt.Errorf("start the CUDA driver %s: %w", lib.path, err)
	}
	return d, nil
}

// newDriver initialises the driver with these symbols.
func newDriver(lookup func(name string) uintptr) (*Driver, error) {
	d := &Driver{}
	if err := bind(d.api.bindings(), lookup); err != nil {
		return nil, fmt.Errorf("%w: it is older than CUDA 11.4 or not NVIDIA's; update the driver", err)
	}
	if err := d.check(d.api.init, d.api.init.call(0)); err != nil {
		return nil, fmt.Errorf("%w; see whether nvidia-smi lists a GPU here", err)
	}
	code := d.api.driverGetVersion.call(uintptr(unsafe.Pointer(&d.version)))
	if err := d.check(d.api.driverGetVersion, code); err != nil {
		return nil, err
	}
	return d, nil
}

// Version is the newest version of CUDA that the driver supports, such as "13.0".
func (d *Driver) Version() string { return formatVersion(int(d.version)) }

// formatVersion writes the driver's 1000·major + 10·minor as "major.minor".
func formatVersion(v int) string {
	return fmt.Sprintf("%d.%d", v/1000, v%1000/10)
}
