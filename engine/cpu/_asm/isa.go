package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set.
type isa struct {
	name     string
	lanes    int   // float32 values in a register
	tileRows []int // heights of the tiles
}

var (
	avx2   = isa{"AVX2", 8, []int{1, 2, 4, 6}}        // with FMA and F16C; the tallest tile takes 15 of 16 registers
	avx512 = isa{"AVX512", 16, []int{1, 2, 4, 8, 14}} // AVX-512F; the tallest tile takes 31 of 32 registers
)

// register is a vector of float32.
func (v isa) register() reg.VecVirtual {
	if v.lanes == 16 {
		return build.ZMM()
	}
	return build.YMM()
}

// half is a register of half the length: as many 16-bit values, or half as many
// float32.
func (v isa) half() reg.VecVirtual {
	if v.lanes == 16 {
		return build.YMM()
	}
	return build.XMM()
}

// bytes of a register.
func (v isa) bytes() int { return 4 * v.lanes }

// physical is the i-th register by name, for code that places them itself.
func (v isa) physical(i int) reg.VecPhysical {
	if v.lanes == 16 {
		return []reg.VecPhysical{
			reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10,
			reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15, reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20,
			reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
		}[i]
	}
	return []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}[i]
}

// zero clears a register.
func (v isa) zero(r reg.Register) {
	if v.lanes == 16 {
		build.VPXORD(r, r, r) // VXORPS of this width is not in AVX-512F
	} else {
		build.VXORPS(r, r, r)
	}
}

// and is the bits of both; a may be in memory.
func (v isa) and(a operand.Op, b, to reg.Register) {
	if v.lanes == 16 {
		build.VPANDD(a, b, to)
	} else {
		build.VPAND(a, b, to)
	}
}

// broadcast fills a register with 32 bits.
func (v isa) broadcast(value uint32, r reg.Register) {
	bits := build.GP32()
	build.MOVL(operand.U32(value), bits)
	build.VMOVD(bits, asX(r))
	build.VPBROADCASTD(asX(r), r)
}

// asX is the lowest 128 bits of a register.
func asX(r reg.Register) reg.Register {
	switch r := r.(type) {
	case reg.VecVirtual:
		return r.AsX()
	case reg.VecPhysical:
		return r.AsX()
	default:
		panic("no vector register")
	}
}
