// Command asm generates the vector kernels of package engine/cpu: kernels_amd64.s and
// the declarations of its functions. Run it by `go generate ./engine/cpu`.
//
//   - tile.go: the matrix product of a few rows with a panel of packed weights, for
//     every type of weights and several numbers of rows.
//   - each.go: what is done to every element by itself.
//   - reduce.go: what turns a row into a number.
//   - peak.go: nothing but multiply-adds, to know what a processor can do.
//   - transpose.go: rows into columns, for AVX2 alone.
//
// Each is generated for AVX2 with FMA and F16C (eight values in a register) and for
// AVX-512 (sixteen). kernels.go, in the package, describes their arguments.
package main

import (
	"log"
	"os"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	_ "siglab/engine/cpu" // build.Package reads it
)

func main() {
	// The types of the arguments are read from the package as it is without the
	// kernels, which may not be there yet or have other arguments.
	if err := os.Setenv("GOFLAGS", "-tags=purego"); err != nil {
		log.Fatal(err)
	}
	build.Package("siglab/engine/cpu")
	build.ConstraintExpr("!purego")
	constants := newConstants()
	for _, v := range []isa{avx2, avx512} {
		for _, rows := range v.tileRows {
			for _, w := range []weights{f32, bf16, f16, bf16Dot} {
				if w != bf16Dot || v.lanes == 16 {
					tile(v, w, rows, 2)
				}
			}
			tile(v, f32, rows, 1)
		}
		elementwise(v, constants)
		reductions(v, constants)
		peak(v)
	}
	transpose()
	touch()
	touchRows()
	constants.write()
	pause()
	build.Generate()
}

// pause tells the processor that the caller is waiting in a loop.
func pause() {
	build.TEXT("pause", build.NOSPLIT, "func()")
	build.Doc("pause takes some tens of nanoseconds, and leaves the core to others meanwhile.")
	build.PAUSE()
	build.RET()
}

// touch fetches memory into the second-level cache.
func touch() {
	build.TEXT("touch", build.NOSPLIT, "func(b *byte, lines int)")
	build.Doc("touch asks for lines of memory, which arrive in the second-level cache meanwhile.")
	b := load("b")
	loop("loop", load("lines"), 1, func() {
		build.PREFETCHT1(operand.Mem{Base: b})
		advance(64, b)
	})
	build.RET()
}

// touchRows fetches the beginnings of rows into the first-level cache.
func touchRows() {
	build.TEXT("touchRows", build.NOSPLIT, "func(x *float32, stride, rows int)")
	build.Doc("touchRows asks for two lines of each row; rows are stride values apart.")
	x, stride := load("x"), load("stride")
	build.SHLQ(operand.Imm(2), stride)
	loop("loop", load("rows"), 1, func() {
		build.PREFETCHT0(operand.Mem{Base: x})
		build.PREFETCHT0(operand.Mem{Base: x, Disp: 64})
		build.ADDQ(stride, x)
	})
	build.RET()
}

func load(param string) reg.GPVirtual {
	r := build.GP64()
	build.Load(build.Param(param), r)
	return r
}

// argument is where a parameter is.
func argument(param string) operand.Mem {
	basic, err := build.Param(param).Resolve()
	if err != nil {
		log.Fatal(err)
	}
	return basic.Addr
}

// loop runs body, which advances its pointers, until n, less step for each time, is 0.
func loop(label string, n reg.Register, step int, body func()) {
	build.Label(label)
	body()
	build.SUBQ(operand.Imm(uint64(step)), n)
	build.JNZ(operand.LabelRef(label))
}

// advance adds bytes to pointers.
func advance(bytes int, pointers ...reg.GPVirtual) {
	for _, p := range pointers {
		build.ADDQ(operand.U32(bytes), p)
	}
}
