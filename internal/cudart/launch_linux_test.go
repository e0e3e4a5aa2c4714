//go:build !nogpu

package cudart

import (
	"errors"
	"slices"
	"testing"
)

// adder is the fake's kernel with its operands on the device.
type adder struct {
	stream    *Stream
	kernel    *Function
	sum, a, b *Memory
}

const adderLen = 4

func newAdder(t *testing.T, c *Context) adder {
	t.Helper()
	m := must[*Module](t)(c.LoadModule("source"))
	x := adder{
		stream: must[*Stream](t)(c.NewStream()), kernel: must[*Function](t)(m.Function("add")),
		sum: must[*Memory](t)(c.Alloc(4 * adderLen)), a: must[*Memory](t)(c.Alloc(4 * adderLen)), b: must[*Memory](t)(c.Alloc(4 * adderLen)),
	}
	err := errors.Join(x.a.CopyFrom(Bytes([]float32{1, 2, 3, 4})), x.b.CopyFrom(Bytes([]float32{10, 20, 30, 40})))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (x adder) check(t *testing.T, want ...float32) {
	t.Helper()
	got := make([]float32, adderLen)
	if err := x.sum.CopyTo(Bytes(got)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("sum %v, want %v", got, want)
	}
}

var adderShape = Launch{Grid: [3]int{1, 2, 3}, Block: [3]int{4, 5, 6}, Shared: 7}

func TestLaunch(t *testing.T) {
	f, c := startFake(t)
	x := newAdder(t, c)
	if err := x.kernel.Launch(x.stream, adderShape, x.sum, x.a, x.b.Pointer(), int32(adderLen)); err != nil {
		t.Fatal(err)
	}
	x.check(t, 11, 22, 33, 44)
	if want := [7]uintptr{1, 2, 3, 4, 5, 6, 7}; f.shape != want {
		t.Errorf("shape %v, want %v", f.shape, want)
	}

	p := must[*Prepared](t)(x.kernel.Prepare(adderShape, x.sum, x.a, x.b, int32(adderLen)))
	if err := errors.Join(p.Set(1, x.sum), p.Set(3, int32(2)), p.Launch(x.stream)); err != nil {
		t.Fatal(err)
	}
	x.check(t, 21, 42, 33, 44)
}

func TestLaunchErrors(t *testing.T) {
	f, c := startFake(t)
	x := newAdder(t, c)
	other := must[*Context](t)(c.driver.NewContext(1))
	foreign := must[*Memory](t)(other.Alloc(4))
	args := []any{x.sum, x.a, x.b, int32(adderLen)}
	with := func(i int, arg any) []any {
		changed := slices.Clone(args)
		changed[i] = arg
		return changed
	}
	one := [3]int{1, 1, 1}
	tests := []struct {
		name, want string
		launch     Launch
		args       []any
	}{
		{"an argument too few", "launch add: 3 arguments for 4 parameters", adderShape, args[:3]},
		{"one too many", "launch add: 5 arguments for 4 parameters", adderShape, append(args[:4:4], int32(1))},
		{"the wrong size", "launch add: argument 3: int64 has 8 bytes, the kernel's parameter 4", adderShape, with(3, int64(4))},
		{"an int", "launch add: argument 3: int cannot be passed", adderShape, with(3, 4)},
		{"memory of another device", "launch add: argument 1: the memory is of another context", adderShape, with(1, foreign)},
		{"no grid", "grid [0 0 0], block [1 1 1]", Launch{Block: one}, args},
		{"a dimension left out", "grid [1 1 1], block [64 0 1]", Launch{Grid: one, Block: [3]int{64, 0, 1}}, args},
		{"beyond 32 bits", "grid [1 1 4294967297]", Launch{Grid: [3]int{1, 1, 1<<32 + 1}, Block: one}, args},
		{"shared memory below none", "-1 bytes of shared", Launch{Grid: one, Block: one, Shared: -1}, args},
		{"more threads than a block has", "cuLaunchKernel(add, grid [1 1 1], block [2048 1 1], 0 bytes shared): CUDA_ERROR_INVALID_VALUE",
			Launch{Grid: one, Block: [3]int{2048, 1, 1}}, args},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, x.kernel.Launch(x.stream, tt.launch, tt.args...), tt.want)
		})
	}
	p := must[*Prepared](t)(x.kernel.Prepare(adderShape, args...))
	wantError(t, p.Set(4, int32(1)), "no argument 4, there are 4")
	wantError(t, p.Set(-1, int32(1)), "no argument -1")
	f.fail["cuCtxSetCurrent"] = 201
	wantError(t, p.Launch(x.stream), "cuCtxSetCurrent: CUDA_ERROR_INVALID_CONTEXT")
	clear(f.fail)
	if err := x.stream.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, p.Launch(x.stream), "stream is closed")
}

// TestLaunchWithoutParameterInfo is a driver before CUDA 12.4.
func TestLaunchWithoutParameterInfo(t *testing.T) {
	_, c := startFake(t)
	c.driver.api.funcGetParamInfo = symbol{}
	x := newAdder(t, c)
	if err := x.kernel.Launch(x.stream, adderShape, x.sum, x.a, x.b, int32(adderLen)); err != nil {
		t.Fatal(err)
	}
	x.check(t, 11, 22, 33, 44)
}

func TestFunction(t *testing.T) {
	_, c := startFake(t)
	x := newAdder(t, c)
	if got, want := x.kernel.Attributes(), (Attributes{Registers: 40, LocalBytes: 8, StaticShared: 512, MaxThreads: 1024}); got != want {
		t.Errorf("attributes %+v, want %+v", got, want)
	}
	if n, err := x.kernel.Occupancy(256, 0); err != nil || n != 8 {
		t.Errorf("occupancy %d, %v", n, err)
	}
	_, err := x.kernel.Occupancy(0, 0)
	wantError(t, err, "blocks of 0 threads")
	if err := x.kernel.AllowShared(100 << 10); err != nil {
		t.Error(err)
	}
	wantError(t, x.kernel.AllowShared(1<<20), "cuFuncSetAttribute(add, dynamic shared memory of 1048576 bytes): CUDA_ERROR_INVALID_VALUE")
	wantError(t, x.kernel.AllowShared(-1), "-1 bytes")
}
