package cpu

import (
	"fmt"
	"slices"
)

// ISA is the instruction set that a device computes with.
type ISA uint8

// The instruction sets, from the slowest to the fastest.
const (
	Fastest    ISA = iota // the last of ISAs
	Generic               // Go for every processor
	AVX2                  // with FMA and F16C: 8 values at a time
	AVX512                // AVX-512F: 16 values at a time
	AVX512BF16            // AVX512 with products of pairs of bfloat16
)

// ISAs lists those that this build has and this processor runs, from the slowest to
// the fastest. Generic is always there; with the build tag purego, and on processors
// other than amd64, nothing else is.
func ISAs() []ISA { return append([]ISA{Generic}, vectorISAs()...) }

// available is the instruction set itself if it runs here, otherwise the fastest.
func (i ISA) available() ISA {
	all := ISAs()
	if slices.Contains(all, i) {
		return i
	}
	return all[len(all)-1]
}

// String is the name, such as "avx512".
func (i ISA) String() string {
	names := []string{Fastest: "fastest", Generic: "generic", AVX2: "avx2", AVX512: "avx512", AVX512BF16: "avx512-bf16"}
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("ISA(%d)", uint8(i))
}

// Arithmetic is how matrix products with weights are computed. Attention is float32 in
// either.
type Arithmetic uint8

const (
	// Float32 widens weights exactly from the type that they are stored in; products
	// and sums are float32.
	Float32 Arithmetic = iota
	// BFloat16 rounds weights and activations to bfloat16; sums are float32.
	BFloat16
)

// String is the name: "float32" or "bfloat16".
func (a Arithmetic) String() string {
	if a == BFloat16 {
		return "bfloat16"
	}
	return "float32"
}
