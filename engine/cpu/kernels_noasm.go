//go:build purego || !amd64

package cpu

func vectorISAs() []ISA { return nil }

// newKernels are an instruction set's: there is only Go here.
func newKernels(ISA) *kernels { return genericKernels() }

// touch does nothing: the processor foresees what it can.
func touch(*byte, int) {}

// touchRows does nothing, like touch.
func touchRows(*float32, int, int) {}

// pause does nothing: waiting loops are short.
func pause() {}
