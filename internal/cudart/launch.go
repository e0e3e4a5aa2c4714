package cudart

import (
	"fmt"
	"math"
	"runtime"
	"unsafe"
)

// Launch is the shape of a launch. Every dimension is at least 1: a kernel over
// nothing is a mistake, which is better found here.
type Launch struct {
	Grid   [3]int // blocks along x, y, z
	Block  [3]int // threads of a block along x, y, z
	Shared int    // bytes of dynamic shared memory per block; see Function.AllowShared
}

// check reports a shape that no kernel can have. What a kernel and a device allow
// beyond that, the driver checks.
func (l Launch) check() error {
	for i := range 3 {
		if l.Grid[i] < 1 || l.Block[i] < 1 || l.Grid[i] > math.MaxInt32 || l.Block[i] > math.MaxInt32 {
			return fmt.Errorf("grid %v, block %v: every dimension must be from 1 to %d", l.Grid, l.Block, math.MaxInt32)
		}
	}
	if l.Shared < 0 || l.Shared > math.MaxInt32 {
		return fmt.Errorf("%d bytes of shared memory: must be from 0 to %d", l.Shared, math.MaxInt32)
	}
	return nil
}

// Launch queues the kernel on a stream. The arguments are those of [Function.Prepare],
// which with [Prepared.Launch] is faster where the same launch is repeated.
func (f *Function) Launch(s *Stream, l Launch, args ...any) error {
	p, err := f.Prepare(l, args...)
	if err != nil {
		return err
	}
	return p.Launch(s)
}

// Prepared is a launch that can be repeated. It allocates nothing when it is.
type Prepared struct {
	function  *Function
	launch    Launch
	arguments arguments
}

// Prepare checks a launch and its arguments, one for each parameter of the kernel, in
// order:
//
//	*Memory                  a pointer to it
//	uintptr                  a pointer: a device address
//	int32, uint32, float32   int, unsigned, float
//	int64, uint64, float64   long long, unsigned long long, double
//
// Where the driver tells the parameters' sizes, these must agree. Other types, int
// among them, are errors: the sizes in Go and in CUDA differ.
func (f *Function) Prepare(l Launch, args ...any) (*Prepared, error) {
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("launch %s: %w", f.name, err)
	}
	if f.parameters != nil && len(args) != len(f.parameters) {
		return nil, fmt.Errorf("launch %s: %d arguments for %d parameters", f.name, len(args), len(f.parameters))
	}
	p := &Prepared{function: f, launch: l, arguments: newArguments(len(args))}
	for i, arg := range args {
		if err := p.Set(i, arg); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Set replaces argument i, counted from 0. Launches that are queued, and graphs that
// were captured, keep the old one.
func (p *Prepared) Set(i int, arg any) error {
	if i < 0 || i >= len(p.arguments.values) {
		return fmt.Errorf("launch %s: no argument %d, there are %d, counted from 0", p.function.name, i, len(p.arguments.values))
	}
	size := 0 // unknown
	if p.function.parameters != nil {
		size = p.function.parameters[i]
	}
	if m, ok := arg.(*Memory); ok && m != nil && m.block.context != p.function.context {
		return fmt.Errorf("launch %s: argument %d: the memory is of another context", p.function.name, i)
	}
	if err := p.arguments.set(i, arg, size); err != nil {
		return fmt.Errorf("launch %s: argument %d: %w", p.function.name, i, err)
	}
	return nil
}

// Launch queues the kernel on a stream. The arguments are copied before it returns.
func (p *Prepared) Launch(s *Stream) error {
	if err := s.open(); err != nil {
		return err
	}
	f, l := p.function, &p.launch
	if err := f.context.enter(); err != nil {
		return err
	}
	defer f.context.leave()
	api := &f.context.driver.api
	code := api.launchKernel.call11(f.handle,
		uintptr(l.Grid[0]), uintptr(l.Grid[1]), uintptr(l.Grid[2]),
		uintptr(l.Block[0]), uintptr(l.Block[1]), uintptr(l.Block[2]),
		uintptr(l.Shared), s.handle,
		uintptr(unsafe.Pointer(unsafe.SliceData(p.arguments.pointers))), 0)
	runtime.KeepAlive(p)
	if code != 0 {
		return detail(f.context.driver.failure(api.launchKernel.name, code),
			"%s, grid %v, block %v, %d bytes shared", f.name, l.Grid, l.Block, l.Shared)
	}
	return nil
}
