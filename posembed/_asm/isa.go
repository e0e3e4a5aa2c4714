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

// pair is two vectors of float32: the sums of as many neighbouring channels as both
// have lanes.
type pair [2]reg.VecVirtual

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

// newPair is a pair with nothing in it yet.
func (v isa) newPair() pair { return pair{v.register(), v.register()} }

func (v isa) zero(r reg.VecVirtual) {
	if v == avx512 {
		build.VPXORD(r, r, r) // VXORPS of this width is not in AVX-512F
	} else {
		build.VXORPS(r, r, r)
	}
}

// load widens the values at from to float32.
func (v isa) load(in element, from operand.Mem) pair {
	p := v.newPair()
	for half, r := range p {
		at := from.Offset(half * v.lanes * in.size)
		switch {
		case in == f32:
			build.VMOVUPS(at, r)
		case in == f16:
			build.VCVTPH2PS(at, r)
		default:
			build.VPMOVZXWD(at, r)
			build.VPSLLD(operand.Imm(16), r, r)
		}
	}
	return p
}

// addProducts adds weight · the values at from to the sums; the first product of a
// sum takes its place.
func (v isa) addProducts(in element, from operand.Mem, weight reg.VecVirtual, sums pair, first bool) {
	values := [2]operand.Op{from, from.Offset(v.lanes * in.size)}
	if in != f32 {
		p := v.load(in, from)
		values = [2]operand.Op{p[0], p[1]}
	}
	for half, sum := range sums {
		if first {
			build.VMULPS(values[half], weight, sum)
		} else {
			build.VFMADD231PS(values[half], weight, sum)
		}
	}
}

// store writes sums, rounded to nearest even, to memory. It overwrites them. A
// streaming store needs an address that is a multiple of its length.
func (v isa) store(out element, c constants, sums pair, to operand.Mem, stream bool) {
	write := func(r reg.VecVirtual, to operand.Mem) {
		if stream {
			build.VMOVNTPS(r, to)
		} else {
			build.VMOVUPS(r, to)
		}
	}
	for half, sum := range sums {
		rounded := sum
		switch out {
		case bf16:
			rounded = v.halfRegister()
			v.roundToBF16(c, sum, rounded)
		case f16:
			rounded = v.halfRegister()
			build.VCVTPS2PH(operand.Imm(0), sum, rounded)
		}
		write(rounded, to.Offset(half*v.lanes*out.size))
	}
}

// constants are those of roundToBF16, in every lane.
type constants struct{ one, bias reg.VecVirtual }

// newConstants loads them if a kernel needs them.
func (v isa) newConstants(out element) (c constants) {
	broadcast := func(value uint32) reg.VecVirtual {
		r, bits, low := v.register(), build.GP32(), build.XMM()
		build.MOVL(operand.U32(value), bits)
		build.VMOVD(bits, low)
		build.VPBROADCASTD(low, r)
		return r
	}
	if out == bf16 {
		c.one, c.bias = broadcast(1), broadcast(0x7fff)
	}
	return c
}

// roundToBF16 rounds the bits u of every float32 to their upper half, to nearest
// even: (u + 0x7fff + (u>>16 & 1)) >> 16. A NaN stays one: it comes from a table of
// bfloat16 or from an invalid operation, so that the lower half of its bits is zero,
// and nothing is carried out of it.
func (v isa) roundToBF16(c constants, u, half reg.VecVirtual) {
	t := v.register()
	build.VPSRLD(operand.Imm(16), u, t)
	if v == avx512 {
		build.VPANDD(c.one, t, t)
	} else {
		build.VPAND(c.one, t, t)
	}
	build.VPADDD(c.bias, t, t)
	build.VPADDD(u, t, t)
	build.VPSRLD(operand.Imm(16), t, t)
	if v == avx512 {
		build.VPMOVDW(t, half)
		return
	}
	build.VEXTRACTI128(operand.Imm(1), t, half)
	build.VPACKUSDW(half, t.AsX(), half)
}
