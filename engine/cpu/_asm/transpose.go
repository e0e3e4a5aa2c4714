package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose turns 8 rows into columns of a panel, 8 values of each at a time, in
// registers: neighbours are interleaved, then pairs, then halves.
func transpose() {
	build.TEXT("transposeAVX2", build.NOSPLIT, "func(dst, src *float32, stride, n int)")
	build.Doc("transposeAVX2 writes n values, a multiple of 8, of 8 rows that are stride apart to columns of a panel.")
	dst, src, stride := load("dst"), load("src"), load("stride")
	build.SHLQ(operand.Imm(2), stride)
	loop("loop", load("n"), 8, func() {
		row := build.GP64()
		build.MOVQ(src, row)
		var rows [8]reg.VecVirtual
		for i := range rows {
			rows[i] = build.YMM()
			build.VMOVUPS(operand.Mem{Base: row}, rows[i])
			build.ADDQ(stride, row)
		}
		var pairs [8]reg.VecVirtual
		for i := 0; i < 8; i += 2 {
			pairs[i], pairs[i+1] = build.YMM(), build.YMM()
			build.VUNPCKLPS(rows[i+1], rows[i], pairs[i])
			build.VUNPCKHPS(rows[i+1], rows[i], pairs[i+1])
		}
		var quads [8]reg.VecVirtual // the lower four values of columns 0, 1, 2, 3, then the upper four
		for half := 0; half < 8; half += 4 {
			for i := range 2 {
				low, high := pairs[half+i], pairs[half+i+2]
				quads[half+2*i], quads[half+2*i+1] = build.YMM(), build.YMM()
				build.VSHUFPS(operand.Imm(0x44), high, low, quads[half+2*i])
				build.VSHUFPS(operand.Imm(0xee), high, low, quads[half+2*i+1])
			}
		}
		for column := range 8 {
			out, selector := build.YMM(), 0x20
			if column >= 4 {
				selector = 0x31
			}
			build.VPERM2F128(operand.Imm(uint64(selector)), quads[4+column%4], quads[column%4], out)
			build.VMOVUPS(out, operand.Mem{Base: dst, Disp: column * panelBytes})
		}
		advance(32, src)
		advance(8*panelBytes, dst)
	})
	build.VZEROUPPER()
	build.RET()
}
