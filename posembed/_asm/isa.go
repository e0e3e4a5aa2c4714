package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set.
type isa struct {
	name  string
	lanes int // float32 values in a register: 8 or 16
}

var (
	avx2   = isa{"AVX2", 8}    // with FMA and F16C
	avx512 = isa{"AVX512", 16} // AVX-512F
)

// register is a vector of float32.
func (v isa) register() reg.VecVirtual {
	if v == avx512 {
		return build.ZMM()
	}
	return build.YMM()
}

// halfRegister is as many 16-bit values as register has lanes.
func (v isa) halfRegister() reg.VecVirtual {
	if v == avx512 {
		return build.YMM()
	}
	return build.XMM()
}

func (v isa) zero(r reg.VecVirtual) {
	if v == avx512 {
		build.VPXORD(r, r, r) // VXORPS of this width is not in AVX-512F
	} else {
		build.VXORPS(r, r, r)
	}
}

// addProduct adds weight · float32(the values at from) to sum.
func (v isa) addProduct(in element, from operand.Mem, weight, sum reg.VecVirtual) {
	switch in {
	case f32:
		build.VFMADD231PS(from, weight, sum)
	case bf16:
		value := v.register()
		build.VPMOVZXWD(from, value)
		build.VPSLLD(operand.Imm(16), value, value)
		build.VFMADD231PS(value, weight, sum)
	case f16:
		value := v.register()
		build.VCVTPH2PS(from, value)
		build.VFMADD231PS(value, weight, sum)
	}
}

// store writes a sum, rounded to nearest even, to memory. It overwrites the
// register. A streaming store needs an address that is a multiple of its length.
func (v isa) store(out element, rounding bf16Rounding, sum reg.VecVirtual, to operand.Mem, stream bool) {
	half := v.halfRegister()
	switch {
	case out == f32 && stream:
		build.VMOVNTPS(sum, to)
		return
	case out == f32:
		build.VMOVUPS(sum, to)
		return
	case out == bf16:
		v.roundToBF16(rounding, sum, half)
	default:
		build.VCVTPS2PH(operand.Imm(0), sum, half)
	}
	if stream {
		build.VMOVNTDQ(half, to)
	} else {
		build.VMOVDQU(half, to)
	}
}

// bf16Rounding are the constants of roundToBF16, in every lane.
type bf16Rounding struct{ one, bias, quiet reg.VecVirtual }

// newBF16Rounding loads the constants if the type needs them.
func (v isa) newBF16Rounding(out element) (c bf16Rounding) {
	if out == bf16 {
		c = bf16Rounding{v.register(), v.register(), v.register()}
		broadcast(1, c.one)
		broadcast(0x7fff, c.bias)
		broadcast(0x400000, c.quiet)
	}
	return c
}

// broadcast fills a register with 32 bits.
func broadcast(value uint32, r reg.VecVirtual) {
	bits, low := build.GP32(), build.XMM()
	build.MOVL(operand.U32(value), bits)
	build.VMOVD(bits, low)
	build.VPBROADCASTD(low, r)
}

// roundToBF16 rounds the bits u of every float32 to their upper half, to nearest
// even: (u + 0x7fff + (u>>16 & 1)) >> 16. A NaN, which the sum could carry into
// the sign, becomes (u | quiet) >> 16.
func (v isa) roundToBF16(c bf16Rounding, u, half reg.VecVirtual) {
	const unordered = 3 // predicate of a comparison that holds for NaNs
	t := v.register()
	build.VPSRLD(operand.Imm(16), u, t)
	if v == avx512 {
		nan := build.K()
		build.VPANDD(c.one, t, t)
		build.VPADDD(c.bias, t, t)
		build.VPADDD(u, t, t)
		build.VCMPPS(operand.Imm(unordered), u, u, nan)
		build.VPORD(c.quiet, u, nan, t)
		build.VPSRLD(operand.Imm(16), t, t)
		build.VPMOVDW(t, half)
		return
	}
	nan := v.register()
	build.VPAND(c.one, t, t)
	build.VPADDD(c.bias, t, t)
	build.VPADDD(u, t, t)
	build.VCMPPS(operand.Imm(unordered), u, u, nan)
	build.VPOR(c.quiet, u, u)
	build.VBLENDVPS(nan, u, t, t)
	build.VPSRLD(operand.Imm(16), t, t)
	build.VEXTRACTI128(operand.Imm(1), t, half)
	build.VPACKUSDW(half, t.AsX(), half)
}
