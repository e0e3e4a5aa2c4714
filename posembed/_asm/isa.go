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
// have lanes. Kernels handle channels by pairs because a register of bfloat16 is one:
// seen as 32-bit lanes, its channels with even numbers are the lower halves and
// become the first vector, those with odd numbers the upper halves and the second.
// No value moves across lanes then, neither when it is widened nor when it is
// rounded. Whoever has float32 on the other side keeps the two vectors as they are.
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

// widen is the 16-bit values at from in float32.
func (v isa) widen(in element, c constants, from operand.Mem) pair {
	p := v.newPair()
	if in == bf16 {
		build.VMOVUPS(from, p[0])
		v.and(c.upper, p[0], p[1])
		build.VPSLLD(operand.Imm(16), p[0], p[0])
		return p
	}
	for half, r := range p {
		build.VCVTPH2PS(from.Offset(half*v.lanes*in.size), r)
	}
	return p
}

// addProducts adds weight · the values at from to the sums; the first product of a
// sum takes its place.
func (v isa) addProducts(in element, c constants, from operand.Mem, weight reg.VecVirtual, sums pair, first bool) {
	values := [2]operand.Op{from, from.Offset(v.lanes * in.size)}
	if in != f32 {
		p := v.widen(in, c, from)
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
	if out == bf16 {
		write(v.roundToBF16(c, sums), to)
		return
	}
	for half, sum := range sums {
		rounded := sum
		if out == f16 {
			rounded = v.halfRegister()
			build.VCVTPS2PH(operand.Imm(0), sum, rounded)
		}
		write(rounded, to.Offset(half*v.lanes*out.size))
	}
}

// constants are what bfloat16 needs, in every 32-bit lane.
type constants struct{ upper, one, bias reg.VecVirtual }

// newConstants loads those that a kernel needs.
func (v isa) newConstants(in, out element) (c constants) {
	broadcast := func(value uint32) reg.VecVirtual {
		r, bits, low := v.register(), build.GP32(), build.XMM()
		build.MOVL(operand.U32(value), bits)
		build.VMOVD(bits, low)
		build.VPBROADCASTD(low, r)
		return r
	}
	if in == bf16 || out == bf16 && v == avx512 {
		c.upper = broadcast(0xffff0000)
	}
	if out == bf16 {
		c.one, c.bias = broadcast(1), broadcast(0x7fff)
	}
	return c
}

// roundToBF16 rounds the bits u of every float32 to their upper half, to nearest
// even, (u + 0x7fff + (u>>16 & 1)) >> 16: those of sums[0] are the lower halves of
// what it returns, those of sums[1] the upper ones. A NaN stays one: it comes from a
// table of bfloat16 or from an invalid operation, so that the lower half of its bits
// is zero, and nothing is carried out of it.
func (v isa) roundToBF16(c constants, sums pair) reg.VecVirtual {
	t := v.register()
	for _, u := range sums {
		build.VPSRLD(operand.Imm(16), u, t)
		v.and(c.one, t, t)
		build.VPADDD(c.bias, t, t)
		build.VPADDD(t, u, u)
	}
	build.VPSRLD(operand.Imm(16), sums[0], sums[0])
	if v == avx512 {
		const lowOrUpperPart = 0xf8 // a | b&c of the destination a and the sources b and c
		build.VPTERNLOGD(operand.Imm(lowOrUpperPart), sums[1], c.upper, sums[0])
	} else {
		const oddWords = 0xaa // of the first operand, the others of the second
		build.VPBLENDW(operand.Imm(oddWords), sums[1], sums[0], sums[0])
	}
	return sums[0]
}

// and is that of 32-bit lanes, which has another name in AVX-512.
func (v isa) and(a, b, to reg.VecVirtual) {
	if v == avx512 {
		build.VPANDD(a, b, to)
	} else {
		build.VPAND(a, b, to)
	}
}
