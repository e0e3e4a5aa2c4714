// Command asm generates the vector kernels of package posembed: kernels_amd64.s
// and the declarations of its functions. Run it by `go generate ./posembed`.
//
// There are two kernels, blendRows and blendCols, the two passes of a separable
// resampling over one block of channels. Each is generated for every type of table
// and for AVX2 with FMA and F16C (eight channels in a register) and AVX-512F
// (sixteen). kernels.go describes their arguments.
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

// unrolled are how many registers of channels are summed at once, as many as are
// left: a tap's weight and address are fetched once for all of them, and the
// additions to one do not wait for those to another.
var unrolled = []int{8, 4, 1}

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
		for _, e := range []element{f32, bf16, f16} {
			blendRows(vector, e)
			blendCols(vector, e)
		}
	}
	storeFence()
	build.Generate()
}

// storeFence orders the streaming stores of blendCols before everything after it.
func storeFence() {
	build.TEXT("storeFence", build.NOSPLIT, "func()")
	build.Doc("storeFence makes the streaming stores before it visible before all stores after it.")
	build.SFENCE()
	build.RET()
}

// blendRows: dst[col·width + i] = Σₖ weight[k] · src[col·step + index[k]·pitch + i].
func blendRows(v isa, in element) {
	name := "blendRows" + in.name + v.name
	build.TEXT(name, build.NOSPLIT, fmt.Sprintf("func(dst *float32, src *%s, cols, step int, index *int32, weight *float32, taps, pitch, width int)", in.goType))
	build.Doc(name + " is a rowsKernel.")
	dst, src := load("dst"), load("src")
	cols, step := load("cols"), load("step")
	index, weight := load("index"), load("weight")
	taps, pitch, width := load("taps"), load("pitch"), load("width")
	build.SHLQ(operand.U8(in.shift), step)
	build.SHLQ(operand.U8(in.shift), pitch)

	build.Label("column")
	i := zero()
	channels(v, i, width, func(registers int) {
		sums := clear(v, registers)
		k := zero()
		build.Label(fmt.Sprintf("tap%d", registers))
		row := build.GP64()
		build.MOVLQSX(operand.Mem{Base: index, Index: k, Scale: 4}, row)
		build.IMULQ(pitch, row)
		build.ADDQ(src, row)
		build.LEAQ(operand.Mem{Base: row, Index: i, Scale: uint8(in.size)}, row)
		addTap(v, in, sums, operand.Mem{Base: weight, Index: k, Scale: 4}, row)
		if in.size == 2 {
			prefetchNext(row, registers*v.lanes*in.size)
		}
		build.INCQ(k)
		build.CMPQ(k, taps)
		build.JLT(operand.LabelRef(fmt.Sprintf("tap%d", registers)))
		out := build.GP64()
		build.LEAQ(operand.Mem{Base: dst, Index: i, Scale: 4}, out)
		for r, sum := range sums {
			v.store(f32, bf16Rounding{}, sum, operand.Mem{Base: out, Disp: r * v.lanes * 4}, false)
		}
	})
	build.ADDQ(step, src)
	build.LEAQ(operand.Mem{Base: dst, Index: width, Scale: 4}, dst)
	build.DECQ(cols)
	build.JNZ(operand.LabelRef("column"))
	build.VZEROUPPER()
	build.RET()
}

// prefetchNext asks for the lines behind the channels that begin at from: those of
// the next block of channels, which lie behind these and far from what is read in
// between, so that the processor does not foresee them. It gains a tenth for 16-bit
// tables and costs a tenth for float32, whose loads are the bottleneck already.
func prefetchNext(from reg.GPVirtual, block int) {
	for line := block; line < 2*block; line += 64 {
		build.PREFETCHT1(operand.Mem{Base: from, Disp: line})
	}
}

// blendCols: dst[col·step + i] = Σₖ weight[k] · src[index[k]·width + i] over the
// taps k from end[col−1] (0 for the first) to end[col]. With stream, results go
// past the cache where dst and step are multiples of 64 bytes.
func blendCols(v isa, out element) {
	name := "blendCols" + out.name + v.name
	build.TEXT(name, build.NOSPLIT, fmt.Sprintf("func(dst *%s, src *float32, cols, step int, index *int32, weight *float32, end *int32, width int, stream bool)", out.goType))
	build.Doc(name + " is a colsKernel.")
	dst, src := load("dst"), load("src")
	cols, step := load("cols"), load("step")
	index, weight, end := load("index"), load("weight"), load("end")
	width := load("width")
	build.SHLQ(operand.U8(out.shift), step)
	rounding := v.newBF16Rounding(out)
	first := zero() // tap of the column

	stream := build.Load(build.Param("stream"), build.GP8())
	misaligned := build.GP64()
	build.MOVQ(dst, misaligned)
	build.ORQ(step, misaligned)
	build.TESTQ(operand.U32(63), misaligned)
	build.JNZ(operand.LabelRef("column"))
	build.TESTB(stream, stream)
	build.JNZ(operand.LabelRef("streamColumn"))

	for _, streamed := range []bool{false, true} {
		prefix := "column"
		if streamed {
			prefix = "streamColumn"
		}
		build.Label(prefix)
		past := build.GP64()
		build.MOVLQSX(operand.Mem{Base: end}, past)
		i := zero()
		channelsLabelled(v, prefix, i, width, func(registers int) {
			sums := clear(v, registers)
			k := build.GP64()
			build.MOVQ(first, k)
			label := fmt.Sprintf("%sTap%d", prefix, registers)
			build.Label(label)
			col := build.GP64()
			build.MOVLQSX(operand.Mem{Base: index, Index: k, Scale: 4}, col)
			build.IMULQ(width, col)
			build.ADDQ(i, col)
			build.LEAQ(operand.Mem{Base: src, Index: col, Scale: 4}, col)
			addTap(v, f32, sums, operand.Mem{Base: weight, Index: k, Scale: 4}, col)
			build.INCQ(k)
			build.CMPQ(k, past)
			build.JLT(operand.LabelRef(label))
			to := build.GP64()
			build.LEAQ(operand.Mem{Base: dst, Index: i, Scale: uint8(out.size)}, to)
			for r, sum := range sums {
				v.store(out, rounding, sum, operand.Mem{Base: to, Disp: r * v.lanes * out.size}, streamed)
			}
		})
		build.MOVQ(past, first)
		build.ADDQ(operand.Imm(4), end)
		build.ADDQ(step, dst)
		build.DECQ(cols)
		build.JNZ(operand.LabelRef(prefix))
		build.VZEROUPPER()
		build.RET()
	}
}

// channels is channelsLabelled for kernels with one loop over channels.
func channels(v isa, i, width reg.GPVirtual, body func(registers int)) {
	channelsLabelled(v, "channels", i, width, body)
}

// channelsLabelled runs body with i from 0 to width, a multiple of v.lanes.
func channelsLabelled(v isa, prefix string, i, width reg.GPVirtual, body func(registers int)) {
	for _, registers := range unrolled {
		here, done := fmt.Sprintf("%s%d", prefix, registers), fmt.Sprintf("%sDone%d", prefix, registers)
		build.Label(here)
		past := build.GP64()
		build.LEAQ(operand.Mem{Base: i, Disp: registers * v.lanes}, past)
		build.CMPQ(past, width)
		build.JGT(operand.LabelRef(done))
		body(registers)
		build.ADDQ(operand.Imm(uint64(registers*v.lanes)), i)
		build.JMP(operand.LabelRef(here))
		build.Label(done)
	}
}

// addTap adds to every sum the weight times the channels that begin at from.
func addTap(v isa, in element, sums []reg.VecVirtual, weight operand.Mem, from reg.GPVirtual) {
	w := v.register()
	build.VBROADCASTSS(weight, w)
	for r, sum := range sums {
		v.addProduct(in, operand.Mem{Base: from, Disp: r * v.lanes * in.size}, w, sum)
	}
}

// clear is n sums that are zero.
func clear(v isa, n int) []reg.VecVirtual {
	sums := make([]reg.VecVirtual, n)
	for r := range sums {
		sums[r] = v.register()
		v.zero(sums[r])
	}
	return sums
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
