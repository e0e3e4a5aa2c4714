package nvml

import (
	"errors"
	"fmt"
)

// code is nvmlReturn_t.
type code int32

// The codes that are acted on.
const (
	success          code = 0
	insufficientSize code = 7
	gpuIsLost        code = 15
	resetRequired    code = 16
)

// ErrLost is what errors.Is finds in the error of a GPU that has gone: it fell off the
// bus, needs a reset, or its MIG instance was removed.
var ErrLost = errors.New("the GPU is lost")

// failure describes a failed call.
func (f *functions) failure(call string, c code) error {
	text := ""
	if f.errorString != nil {
		text = ": " + f.errorString(c)
	}
	err := fmt.Errorf("%s: status %d%s", call, c, text)
	if c == gpuIsLost || c == resetRequired {
		err = fmt.Errorf("%w: %w; see the kernel's log (dmesg | grep -i xid)", ErrLost, err)
	}
	return err
}
