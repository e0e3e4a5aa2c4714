package posembedcuda

import (
	_ "embed" // the kernels
	"errors"
	"fmt"
	"sync"

	"siglab/internal/cudart"
	"siglab/posembed"
)

//go:embed resample.cu
var source string

// GPU is one device with the kernels that were needed until now. It is safe for
// concurrent use.
type GPU struct {
	context *cudart.Context

	mu        sync.Mutex
	modules   map[variant]*cudart.Module
	functions map[kernel]*cudart.Function
}

// variant is one compilation of resample.cu.
type variant struct{ element, vec, taps, ahead, stream int }

// kernel is one function of a variant.
type kernel struct {
	variant variant
	name    string
}

// options are the compiler's.
func (v variant) options() []string {
	return []string{fmt.Sprintf("-DELEMENT=%d", v.element), fmt.Sprintf("-DVEC=%d", v.vec), fmt.Sprintf("-DTAPS=%d", v.taps),
		fmt.Sprintf("-DAHEAD=%d", v.ahead), fmt.Sprintf("-DSTREAM=%d", v.stream)}
}

// Open takes a device, counted from 0, into use. Compiled kernels are kept in the
// folder cacheDir; an empty name keeps none.
func Open(device int, cacheDir string) (*GPU, error) {
	driver, err := cudart.Open()
	if err != nil {
		return nil, err
	}
	context, err := driver.NewContext(device)
	if err != nil {
		return nil, err
	}
	context.Cache.Dir = cacheDir
	return &GPU{context: context, modules: map[variant]*cudart.Module{}, functions: map[kernel]*cudart.Function{}}, nil
}

// Close gives the device back. Tables and works must have been closed.
func (g *GPU) Close() error { return g.context.Close() }

// Device describes the device.
func (g *GPU) Device() cudart.Device { return g.context.Device() }

// NewStream makes a stream to launch works on.
func (g *GPU) NewStream() (*cudart.Stream, error) { return g.context.NewStream() }

// NewEvent makes an event to take times with.
func (g *GPU) NewEvent() (*cudart.Event, error) { return g.context.NewEvent() }

// function finds a kernel, whose variant is compiled the first time.
func (g *GPU) function(k kernel) (*cudart.Function, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.functions[k]; f != nil {
		return f, nil
	}
	module := g.modules[k.variant]
	if module == nil {
		var err error
		module, err = g.context.LoadModule(source, k.variant.options()...)
		if err != nil {
			return nil, fmt.Errorf("load the resampling kernels: %w", err)
		}
		g.modules[k.variant] = module
	}
	f, err := module.Function(k.name)
	if err == nil {
		g.functions[k] = f
	}
	return f, err
}

// Element is a type of table.
type Element interface {
	float32 | posembed.BFloat16 | posembed.Float16
}

// elementOf is a type's number in resample.cu, and its size in bytes.
func elementOf[T Element]() (number, size int) {
	var v T
	switch any(v).(type) {
	case float32:
		return 0, 4
	case posembed.BFloat16:
		return 1, 2
	default:
		return 2, 2
	}
}

// maxValues bounds tables and results: kernels count values in 32 bits.
const maxValues = 1<<31 - 1

// Table is a position table on a device. It is safe for concurrent use.
type Table struct {
	gpu           *GPU
	memory        *cudart.Memory
	grid          posembed.Grid
	dim           int
	element, size int
}

// Upload copies a table [grid.Rows, grid.Cols, dim] to the device.
func Upload[T Element](g *GPU, values []T, grid posembed.Grid, dim int) (*Table, error) {
	// A plan checks the grid.
	if _, err := posembed.NewPlan(grid, grid, posembed.Bicubic); err != nil {
		return nil, fmt.Errorf("upload a position table: %w", err)
	}
	if dim < 1 || dim > maxValues/grid.Len() || len(values) != grid.Len()*dim {
		return nil, fmt.Errorf("upload a position table: %d values for [%d, %d, %d]: want their product, at most %d", len(values), grid.Rows, grid.Cols, dim, maxValues)
	}
	t := &Table{gpu: g, grid: grid, dim: dim}
	t.element, t.size = elementOf[T]()
	memory, err := g.upload(cudart.Bytes(values))
	if err != nil {
		return nil, fmt.Errorf("upload a position table: %w", err)
	}
	t.memory = memory
	return t, nil
}

// Close frees the table.
func (t *Table) Close() error { return t.memory.Free() }

// vec is how many channels a thread takes: 16 bytes of them where every position
// begins at a multiple of that.
func (t *Table) vec() int {
	if t.dim*t.size%16 == 0 {
		return 16 / t.size
	}
	return 1
}

// upload allocates memory with a content.
func (g *GPU) upload(data []byte) (*cudart.Memory, error) {
	memory, err := g.context.Alloc(len(data))
	if err != nil {
		return nil, err
	}
	if err := memory.CopyFrom(data); err != nil {
		return nil, errors.Join(err, memory.Free())
	}
	return memory, nil
}
