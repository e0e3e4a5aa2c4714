package posembed

import (
	"fmt"
	"slices"
)

// Implementation is a set of kernels that applies plans. All of them agree within
// the bounds of doc/numerics.md; they differ in speed.
type Implementation uint8

const (
	// Fastest is the last of Implementations.
	Fastest Implementation = iota
	// Generic is Go for every processor, and the oracle of the others: sums in
	// float64, rounded once.
	Generic
	// AVX2 sums in float32, eight channels at a time. It needs FMA and F16C too.
	AVX2
	// AVX512 sums in float32, sixteen channels at a time.
	AVX512
)

// implementationNames are the names by implementation.
func implementationNames() []string {
	return []string{Fastest: "fastest", Generic: "generic", AVX2: "avx2", AVX512: "avx512"}
}

// Implementations lists those that this build has and this processor runs, from
// the slowest to the fastest. Generic is always there; with the build tag purego,
// and on processors other than amd64, nothing else is.
func Implementations() []Implementation {
	return append([]Implementation{Generic}, vectorImplementations()...)
}

// ParseImplementation reads the name that String writes.
func ParseImplementation(name string) (Implementation, error) {
	i, err := parseName("implementation", name, implementationNames())
	return Implementation(i), err
}

// String is the implementation's name, such as "avx512".
func (i Implementation) String() string {
	return nameOf("Implementation", int(i), implementationNames())
}

// Execution says how plans are applied, not what they compute. The zero value is
// the fastest implementation on the calling goroutine.
type Execution struct {
	Implementation Implementation
	Threads        int // how many goroutines share the rows of a result; 0 means 1
}

// maxThreads bounds Execution.Threads.
const maxThreads = 1 << 10

// resolved is the execution with its defaults filled in, or why it cannot be.
func (e Execution) resolved() (Execution, error) {
	available := Implementations()
	if e.Implementation == Fastest {
		e.Implementation = available[len(available)-1]
	}
	if !slices.Contains(available, e.Implementation) {
		return e, fmt.Errorf("implementation %v does not run here: want one of %v", e.Implementation, available)
	}
	if e.Threads < 0 || e.Threads > maxThreads {
		return e, fmt.Errorf("%d threads: want 1 to %d, or 0 for 1", e.Threads, maxThreads)
	}
	e.Threads = max(e.Threads, 1)
	return e, nil
}
