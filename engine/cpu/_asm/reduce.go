package main

import (
	"math"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// reductions writes the kernels that make a number of a row.
func reductions(v isa, c *constants) {
	largest(v, c)
	expSum(v, c)
	sum(v)
	deviations(v)
}

// fold combines the upper half of a register with the lower one until one lane of the
// given bytes is left, and returns the register that has it.
func fold(v isa, r reg.VecVirtual, lane int, combine func(a, b, to reg.Register)) reg.Register {
	wide := r
	if v.lanes == 16 {
		upper := build.YMM()
		build.VEXTRACTF64X4(operand.Imm(1), wide, upper)
		combine(upper, wide.AsY(), upper)
		wide = upper
	}
	x := build.XMM()
	build.VEXTRACTF128(operand.Imm(1), wide.AsY(), x)
	combine(x, wide.AsX(), x)
	for bytes := 8; bytes >= lane; bytes /= 2 {
		shifted := build.XMM()
		build.VPSRLDQ(operand.Imm(uint64(bytes)), x, shifted)
		combine(shifted, x, x)
	}
	return x
}

func addSingles(a, b, to reg.Register) { build.VADDPS(a, b, to) }
func addDoubles(a, b, to reg.Register) { build.VADDPD(a, b, to) }
func maxSingles(a, b, to reg.Register) { build.VMAXPS(a, b, to) }

func largest(v isa, c *constants) {
	build.TEXT("largest"+v.name, build.NOSPLIT, "func(x *float32, n int) float32")
	build.Doc("largest" + v.name + " is the largest of n elements, NaNs aside, or −∞.")
	x, result := load("x"), v.register()
	build.VMOVUPS(c.f32(math.Inf(-1)), result)
	loop("loop", load("n"), v.lanes, func() {
		y := v.register()
		build.VMOVUPS(operand.Mem{Base: x}, y)
		build.VMAXPS(result, y, result) // the one that is written first wins where one is NaN
		advance(v.bytes(), x)
	})
	build.Store(fold(v, result, 4, maxSingles), build.ReturnIndex(0))
	build.VZEROUPPER()
	build.RET()
}

func expSum(v isa, c *constants) {
	m := mathematics{v, c}
	build.TEXT("expSum"+v.name, build.NOSPLIT, "func(x *float32, largest float32, n int) float32")
	build.Doc("expSum" + v.name + " replaces n elements by exp(x − largest) and returns their sum.")
	x, subtract, total := load("x"), v.register(), v.register()
	build.VBROADCASTSS(argument("largest"), subtract)
	v.zero(total)
	loop("loop", load("n"), v.lanes, func() {
		y := m.load(operand.Mem{Base: x})
		build.VSUBPS(subtract, y, y)
		e := m.exp(y)
		build.VMOVUPS(e, operand.Mem{Base: x})
		build.VADDPS(e, total, total)
		advance(v.bytes(), x)
	})
	build.Store(fold(v, total, 4, addSingles), build.ReturnIndex(0))
	build.VZEROUPPER()
	build.RET()
}

func sum(v isa) {
	build.TEXT("sum"+v.name, build.NOSPLIT, "func(x *float32, n int) float64")
	build.Doc("sum" + v.name + " is the sum of n elements.")
	x := load("x")
	totals := []reg.VecVirtual{v.register(), v.register()}
	v.zero(totals[0])
	v.zero(totals[1])
	loop("loop", load("n"), v.lanes, func() {
		for half, total := range totals {
			wide := v.register()
			build.VCVTPS2PD(operand.Mem{Base: x, Disp: half * v.bytes() / 2}, wide)
			build.VADDPD(wide, total, total)
		}
		advance(v.bytes(), x)
	})
	build.VADDPD(totals[0], totals[1], totals[0])
	build.Store(fold(v, totals[0], 8, addDoubles), build.ReturnIndex(0))
	build.VZEROUPPER()
	build.RET()
}

func deviations(v isa) {
	build.TEXT("deviations"+v.name, build.NOSPLIT, "func(x *float32, mean float64, n int) float64")
	build.Doc("deviations" + v.name + " is the sum of (x − mean)² over n elements.")
	x, mean := load("x"), v.register()
	build.VBROADCASTSD(argument("mean"), mean)
	totals := []reg.VecVirtual{v.register(), v.register()}
	v.zero(totals[0])
	v.zero(totals[1])
	loop("loop", load("n"), v.lanes, func() {
		for half, total := range totals {
			wide := v.register()
			build.VCVTPS2PD(operand.Mem{Base: x, Disp: half * v.bytes() / 2}, wide)
			build.VSUBPD(mean, wide, wide)
			build.VFMADD231PD(wide, wide, total)
		}
		advance(v.bytes(), x)
	})
	build.VADDPD(totals[0], totals[1], totals[0])
	build.Store(fold(v, totals[0], 8, addDoubles), build.ReturnIndex(0))
	build.VZEROUPPER()
	build.RET()
}
