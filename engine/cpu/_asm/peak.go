package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// A round is so many multiply-adds: chains that do not wait for each other, more than two
// units times a latency of five have under way, and each so often. Peak in the package
// counts them.
const (
	peakChains  = 12
	peakRepeats = 4
)

// peak writes a kernel of nothing but independent multiply-adds in registers.
func peak(v isa) {
	build.TEXT("peak"+v.name, build.NOSPLIT, "func(n int)")
	build.Doc("peak" + v.name + " does n rounds of multiply-adds in registers.")
	sums := make([]reg.VecVirtual, peakChains)
	for i := range sums {
		sums[i] = v.register()
		v.zero(sums[i])
	}
	factor := v.register()
	v.zero(factor)
	loop("loop", load("n"), 1, func() {
		for range peakRepeats {
			for _, s := range sums {
				build.VFMADD231PS(factor, factor, s)
			}
		}
	})
	build.RET()
}
