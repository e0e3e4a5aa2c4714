// Command asm generates the vector kernels of package posembed: kernels_amd64.s
// and the declarations of its functions. Run it by `go generate ./posembed`.
//
// There is one kernel, blend, which both passes of a separable resampling are made
// of. It is generated from and to every type of table and for AVX2 with FMA and
// F16C (eight channels in a register) and AVX-512F (sixteen). kernels.go describes
// its arguments.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	_ "siglab/posembed" // build.Package reads it
)

// element is a type of table.
type element struct {
	name, goType string
	size         int  // bytes
	shift        byte // log2 of size
}

var (
	f32  = element{"F32", "float32", 4, 2}
	bf16 = element{"BF16", "BFloat16", 2, 1}
	f16  = element{"F16", "Float16", 2, 1}
)

func main() {
	// The types of the arguments are read from the package as it is without the
	// kernels, which may not be there yet or have other arguments.
	if err := os.Setenv("GOFLAGS", "-tags=purego"); err != nil {
		log.Fatal(err)
	}
	build.Package("siglab/posembed")
	build.ConstraintExpr("!purego")
	for _, vector := range []isa{avx2, avx512} {
		blend(vector, f32, f32)
		for _, half := range []element{bf16, f16} {
			blend(vector, half, f32)
			blend(vector, f32, half)
		}
	}
	storeFence()
	build.Generate()
}

// storeFence orders the streaming stores of the kernels before everything after it.
func storeFence() {
	build.TEXT("storeFence", build.NOSPLIT, "func()")
	build.Doc("storeFence makes the streaming stores before it visible before all stores after it.")
	build.SFENCE()
	build.RET()
}

// kernel is one blend that is being written: its arguments, and what its loops share.
type kernel struct {
	isa
	in, out             element
	dst, src            reg.GPVirtual
	index, weight, taps reg.GPVirtual
	pitch, width        reg.GPVirtual // pitch in bytes
	constants           constants
}

// blend: dst[i] = round(Σₖ weight[k] · src[index[k]·pitch + i]).
func blend(v isa, in, out element) {
	name := "blend" + in.name + "To" + out.name + v.name
	build.TEXT(name, build.NOSPLIT, fmt.Sprintf("func(dst *%s, src *%s, index *int32, weight *float32, taps, pitch, width int, stream bool)", out.goType, in.goType))
	build.Doc(name + " is a blendKernel.")
	k := kernel{isa: v, in: in, out: out, dst: load("dst"), src: load("src"), index: load("index"), weight: load("weight"),
		taps: load("taps"), pitch: load("pitch"), width: load("width"), constants: v.newConstants(in, out)}
	build.SHLQ(operand.U8(in.shift), k.pitch)
	stream := build.Load(build.Param("stream"), build.GP8())
	for _, taps := range []int{4, 2} {
		next := fmt.Sprintf("not%d", taps)
		build.CMPQ(k.taps, operand.Imm(uint64(taps)))
		build.JNE(operand.LabelRef(next))
		k.fixedTaps(taps, stream)
		build.Label(next)
	}
	k.anyTaps()
}

// fixedTaps blends so many source rows, whose addresses and weights stay in
// registers: those of the cubic and the linear kernels.
func (k kernel) fixedTaps(taps int, stream reg.Register) {
	rows, weights := make([]reg.GPVirtual, taps), make([]reg.VecVirtual, taps)
	for t := range taps {
		rows[t], weights[t] = build.GP64(), k.register()
		k.address(rows[t], operand.Mem{Base: k.index, Disp: 4 * t})
		build.VBROADCASTSS(operand.Mem{Base: k.weight, Disp: 4 * t}, weights[t])
	}
	i := zero()
	plain, streamed := fmt.Sprintf("channels%d", taps), fmt.Sprintf("streamed%d", taps)
	build.TESTB(stream, stream)
	build.JZ(operand.LabelRef(plain))
	build.TESTQ(operand.U32(63), k.dst)
	build.JNZ(operand.LabelRef(plain))
	for _, label := range []string{streamed, plain} {
		build.Label(label)
		sums := k.newPair()
		for t, row := range rows {
			k.addProducts(k.in, k.constants, operand.Mem{Base: row, Index: i, Scale: uint8(k.in.size)}, weights[t], sums, t == 0)
		}
		k.store(k.out, k.constants, sums, operand.Mem{Base: k.dst, Index: i, Scale: uint8(k.out.size)}, label == streamed)
		build.ADDQ(operand.Imm(uint64(2*k.lanes)), i)
		build.CMPQ(i, k.width)
		build.JLT(operand.LabelRef(label))
		build.VZEROUPPER()
		build.RET()
	}
}

// anyTaps blends any number of source rows. Three pairs of channels at a time, or
// one where no more are left, share the address and the weight of a row.
func (k kernel) anyTaps() {
	i := zero()
	for _, pairs := range []int{3, 1} {
		channels, done := fmt.Sprintf("channels%dx", pairs), fmt.Sprintf("done%dx", pairs)
		build.Label(channels)
		past := build.GP64()
		build.LEAQ(operand.Mem{Base: i, Disp: pairs * 2 * k.lanes}, past)
		build.CMPQ(past, k.width)
		build.JGT(operand.LabelRef(done))
		sums := make([]pair, pairs)
		for p := range sums {
			sums[p] = k.newPair()
			for _, sum := range sums[p] {
				k.zero(sum)
			}
		}
		t := zero()
		label := fmt.Sprintf("tap%dx", pairs)
		build.Label(label)
		row, weight := build.GP64(), k.register()
		k.address(row, operand.Mem{Base: k.index, Index: t, Scale: 4})
		build.LEAQ(operand.Mem{Base: row, Index: i, Scale: uint8(k.in.size)}, row)
		build.VBROADCASTSS(operand.Mem{Base: k.weight, Index: t, Scale: 4}, weight)
		for p := range sums {
			k.addProducts(k.in, k.constants, operand.Mem{Base: row, Disp: p * 2 * k.lanes * k.in.size}, weight, sums[p], false)
		}
		build.INCQ(t)
		build.CMPQ(t, k.taps)
		build.JLT(operand.LabelRef(label))
		to := build.GP64()
		build.LEAQ(operand.Mem{Base: k.dst, Index: i, Scale: uint8(k.out.size)}, to)
		for p := range sums {
			k.store(k.out, k.constants, sums[p], operand.Mem{Base: to, Disp: p * 2 * k.lanes * k.out.size}, false)
		}
		build.MOVQ(past, i)
		build.JMP(operand.LabelRef(channels))
		build.Label(done)
	}
	build.VZEROUPPER()
	build.RET()
}

// address is where the source row with the index at from begins.
func (k kernel) address(row reg.GPVirtual, from operand.Mem) {
	build.MOVLQSX(from, row)
	build.IMULQ(k.pitch, row)
	build.ADDQ(k.src, row)
}

func load(param string) reg.GPVirtual {
	r := build.GP64()
	build.Load(build.Param(param), r)
	return r
}

func zero() reg.GPVirtual {
	r := build.GP64()
	build.XORQ(r, r)
	return r
}
