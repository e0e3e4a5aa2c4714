package cpu_test

import (
	"fmt"
	"testing"

	"siglab/engine/cpu"
	"siglab/engine/optest"
)

// BenchmarkOps times all operations for every instruction set but Generic.
func BenchmarkOps(b *testing.B) {
	for _, isa := range cpu.ISAs() {
		if isa == cpu.Generic {
			continue
		}
		for _, arithmetic := range []cpu.Arithmetic{cpu.Float32, cpu.BFloat16} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("isa=%v/arithmetic=%v/threads=%d", isa, arithmetic, threads), func(b *testing.B) {
					optest.Bench(b, implementation(isa, arithmetic), threads)
				})
			}
		}
	}
}
