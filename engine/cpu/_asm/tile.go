package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	panelBytes = 4 * 32  // from one input, or pair of 16-bit inputs, to the next; half for f16
	tileStride = 4 * 400 // from one row of a tile's inputs to the next: tileStride of the package, in bytes
	prefetch   = 2048    // bytes ahead in the weights, where they come from memory
)

// weights are a type of packed weights, and how they are multiplied.
type weights struct {
	name   string
	step   int // inputs of a step: 2 where they come in pairs
	stride int // bytes of a step in the panel
	inputs int // bytes of a step in a row of inputs
	each   int // bytes of an output's weights of a step
}

var (
	f32     = weights{"F32", 1, panelBytes, 4, 4}
	bf16    = weights{"BF16", 2, panelBytes, 8, 4}    // widened to float32
	f16     = weights{"F16", 1, panelBytes / 2, 4, 2} // widened to float32
	bf16Dot = weights{"BF16Dot", 2, panelBytes, 4, 4} // multiplied in pairs with pairs of bfloat16
)

// tile is a tileKernel for a number of rows and one or two registers of outputs. Every output
// of a row is one chain of fused multiplications and additions in the order of the
// inputs, whatever the number of rows, so that it always has the same bits.
func tile(v isa, w weights, rows, registers int) {
	name := fmt.Sprintf("tile%sx%d%s", w.name, rows, v.name)
	if registers == 1 {
		name = fmt.Sprintf("narrow%sx%d%s", w.name, rows, v.name)
	}
	build.TEXT(name, build.NOSPLIT, "func(k int, a *float32, b *byte, start *float32, startStride int, c *float32, cStride int, ahead *byte, aheadStep int)")
	build.Doc(name + " is a tileKernel.")
	k, a, b := load("k"), load("a"), load("b")
	t := tileCode{v: v, w: w, rows: rows, registers: registers, a: a, b: b}
	if t.readsAhead() {
		t.ahead, t.aheadStep = load("ahead"), load("aheadStep")
	}
	t.first, t.second, t.input, t.mask = v.physical(2*rows), v.physical(2*rows+1), v.physical(2*rows+2), reg.VecPhysical(nil)
	if w == bf16 {
		t.mask = v.physical(2*rows + 3)
		v.broadcast(0xffff0000, t.mask)
	}
	start, stride := load("start"), load("startStride")
	build.SHLQ(operand.Imm(2), stride)
	for r := range rows {
		for i := range registers {
			build.VMOVUPS(operand.Mem{Base: start, Disp: i * v.bytes()}, t.sum(r, i))
		}
		build.ADDQ(stride, start)
	}
	t.loop(k)
	c, stride := load("c"), load("cStride")
	build.SHLQ(operand.Imm(2), stride)
	for r := range rows {
		for i := range registers {
			build.VMOVUPS(t.sum(r, i), operand.Mem{Base: c, Disp: i * v.bytes()})
		}
		build.ADDQ(stride, c)
	}
	build.VZEROUPPER()
	build.RET()
}

// tileCode writes the inner loop of a tile.
type tileCode struct {
	v                    isa
	w                    weights
	rows, registers      int
	a, b                 reg.GPVirtual
	ahead, aheadStep     reg.GPVirtual   // if it reads ahead
	first, second, input reg.VecPhysical // two registers of weights, one of an input
	mask                 reg.VecPhysical // of the upper halves of pairs
}

// sum is the register of half of a row's outputs.
func (t tileCode) sum(row, half int) reg.VecPhysical { return t.v.physical(2*row + half) }

// readsAhead reports whether the tile can fetch what it is told to, evenly while it
// computes: a burst of fetches would hold up its own reading.
func (t tileCode) readsAhead() bool {
	return t.rows == t.v.tileRows[len(t.v.tileRows)-1] && t.registers == 2
}

// loop adds up all k inputs, unrolled as far as that lasts.
func (t tileCode) loop(k reg.GPVirtual) {
	build.SUBQ(operand.Imm(uint64(4)), k)
	build.JLT(operand.LabelRef("rest"))
	if t.readsAhead() {
		build.TESTQ(t.aheadStep, t.aheadStep)
		build.JZ(operand.LabelRef("loop"))
		t.unrolled("ahead", k, false, func() {
			build.PREFETCHT1(operand.Mem{Base: t.ahead})
			build.ADDQ(t.aheadStep, t.ahead)
		})
		build.JMP(operand.LabelRef("rest"))
	}
	t.unrolled("loop", k, true, func() {})
	build.Label("rest")
	build.ADDQ(operand.Imm(uint64(4)), k)
	build.JLE(operand.LabelRef("done"))
	build.Label("single")
	t.step(0, false)
	advance(t.w.inputs, t.a)
	advance(t.w.stride, t.b)
	build.SUBQ(operand.Imm(uint64(t.w.step)), k)
	build.JG(operand.LabelRef("single"))
	build.Label("done")
}

// unrolled is a loop that adds up four inputs at a time, with something else to do for
// them.
func (t tileCode) unrolled(label string, k reg.GPVirtual, fetch bool, also func()) {
	unroll := 4 / t.w.step
	build.Label(label)
	for u := range unroll {
		t.step(u, fetch)
	}
	also()
	advance(unroll*t.w.inputs, t.a)
	advance(unroll*t.w.stride, t.b)
	build.SUBQ(operand.Imm(uint64(4)), k)
	build.JGE(operand.LabelRef(label))
}

// step adds up one step, the u-th behind the pointers, and fetches the weights of a
// later one if asked to.
func (t tileCode) step(u int, fetch bool) {
	v, at := t.v, u*t.w.stride
	low := operand.Mem{Base: t.b, Disp: at}
	high := operand.Mem{Base: t.b, Disp: at + v.lanes*t.w.each}
	if fetch && (t.rows <= 8 || t.readsAhead()) {
		for line := at &^ 63; line < at+t.w.stride; line += 64 {
			if line >= at {
				build.PREFETCHT0(operand.Mem{Base: t.b, Disp: line + prefetch})
			}
		}
	}
	switch t.w {
	case f32, bf16Dot:
		build.VMOVUPS(low, t.first)
		if t.registers == 2 {
			build.VMOVUPS(high, t.second)
		}
		t.multiply(u * t.w.inputs)
	case f16:
		build.VCVTPH2PS(low, t.first)
		build.VCVTPH2PS(high, t.second)
		t.multiply(u * t.w.inputs)
	case bf16:
		t.shiftUp(low, t.first)
		t.shiftUp(high, t.second)
		t.multiply(u * t.w.inputs)
		v.and(low, t.mask, t.first)
		v.and(high, t.mask, t.second)
		t.multiply(u*t.w.inputs + 4)
	}
}

// shiftUp makes float32 of the lower halves of pairs.
func (t tileCode) shiftUp(from operand.Mem, to reg.VecPhysical) {
	if t.v.lanes == 16 {
		build.VPSLLD(operand.Imm(16), from, to)
		return
	}
	build.VMOVDQU(from, to)
	build.VPSLLD(operand.Imm(16), to, to)
}

// multiply adds the input of every row, at the given distance in bytes, times the
// weights to the row's sums.
func (t tileCode) multiply(at int) {
	for r := range t.rows {
		build.VBROADCASTSS(operand.Mem{Base: t.a, Disp: r*tileStride + at}, t.input)
		for half, w := range []reg.VecPhysical{t.first, t.second}[:t.registers] {
			if t.w == bf16Dot {
				addPairs(w, t.input, t.sum(r, half))
			} else {
				build.VFMADD231PS(w, t.input, t.sum(r, half))
			}
		}
	}
}

// addPairs is VDPBF16PS b, a, sum on ZMM registers, in bytes since the assembler does
// not know it: EVEX.512.F3.0F38.W0 52 /r, with inverted bits of the registers' numbers.
func addPairs(b, a, sum reg.VecPhysical) {
	bn, an, sn := uint32(b.PhysicalIndex()), uint32(a.PhysicalIndex()), uint32(sum.PhysicalIndex())
	inverted := func(n uint32, bit int) uint32 { return ^n >> bit & 1 }
	p0 := inverted(sn, 3)<<7 | inverted(bn, 4)<<6 | inverted(bn, 3)<<5 | inverted(sn, 4)<<4 | 2
	p1 := ^an&15<<3 | 1<<2 | 2
	p2 := 2<<5 | inverted(an, 4)<<3
	modrm := 3<<6 | sn&7<<3 | bn&7
	emit := func(opcode string, bytes operand.Constant) {
		build.Instruction(&ir.Instruction{Opcode: opcode, Operands: []operand.Op{bytes}})
	}
	emit("LONG", operand.U32(0x62|p0<<8|p1<<16|p2<<24))
	emit("WORD", operand.U16(0x52|modrm<<8))
}
