package cudart

import (
	"errors"
	"fmt"
	"math"
)

// arguments are the values that a kernel is launched with, as the driver reads them:
// by a list of pointers to them, each read at the size of the kernel's parameter.
type arguments struct {
	// values hold each argument in their lower bytes, which come first in memory on
	// every processor that there is a driver for.
	values   []uint64
	pointers []*uint64 // to each of them
}

func newArguments(n int) arguments {
	a := arguments{values: make([]uint64, n), pointers: make([]*uint64, n)}
	for i := range a.values {
		a.pointers[i] = &a.values[i]
	}
	return a
}

// set stores an argument for a parameter of size bytes, 0 if that is not known.
func (a arguments) set(i int, arg any, size int) error {
	value, bytes, err := encode(arg)
	if err != nil {
		return err
	}
	if size != 0 && bytes != size {
		return fmt.Errorf("%T has %d bytes, the kernel's parameter %d", arg, bytes, size)
	}
	a.values[i] = value
	return nil
}

// encode gives the bits of an argument and how many bytes they are.
func encode(arg any) (value uint64, bytes int, err error) {
	switch v := arg.(type) {
	case *Memory:
		if v == nil || v.Pointer() == 0 {
			return 0, 0, errors.New("the memory is nil or has been freed")
		}
		return uint64(v.Pointer()), 8, nil
	case uintptr:
		return uint64(v), 8, nil
	case int32:
		return uint64(uint32(v)), 4, nil
	case uint32:
		return uint64(v), 4, nil
	case float32:
		return uint64(math.Float32bits(v)), 4, nil
	case int64:
		return uint64(v), 8, nil
	case uint64:
		return v, 8, nil
	case float64:
		return math.Float64bits(v), 8, nil
	}
	return 0, 0, fmt.Errorf("%T cannot be passed: convert it to *Memory, uintptr, int32, uint32, int64, uint64, float32 or float64", arg)
}
