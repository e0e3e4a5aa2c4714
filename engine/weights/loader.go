package weights

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"siglab/engine/tensor"
	"siglab/internal/safetensors"
)

// Packer turns a matrix as checkpoints hold it, [out, in], into the layout of the
// device that computes with it, without keeping the source. cpu.Device does.
type Packer interface {
	Pack(w safetensors.Tensor) (tensor.Matrix, error)
}

// Loader hands out a checkpoint's tensors by the names of a model's code. What is
// wrong with them is collected; in its place a caller gets nil, and must ask Finish
// before it computes.
type Loader struct {
	checkpoint *Checkpoint
	packer     Packer
	taken      map[string]bool // what was asked for; false if it cannot be used
	missing    []string
	wrong      []string
	bytes      int64
}

// NewLoader begins to load a checkpoint, whose matrices the packer packs.
func NewLoader(c *Checkpoint, p Packer) *Loader {
	return &Loader{checkpoint: c, packer: p, taken: map[string]bool{}}
}

// Vector is a tensor of the given shape, widened to float32.
func (l *Loader) Vector(name string, shape ...int) []float32 {
	t, ok := l.take(name, shape)
	if !ok {
		return nil
	}
	values, err := t.Float32s()
	if err != nil {
		l.reject(name, "%v", err)
	}
	l.bytes += 4 * int64(len(values))
	t.file.Forget(t.Tensor)
	return values
}

// Matrix is a packed matrix, stored [out, in]; in may be several sides, as a
// convolution's kernel has them.
func (l *Loader) Matrix(name string, out int, in ...int) tensor.Matrix {
	t, ok := l.take(name, append([]int{out}, in...))
	if !ok {
		return nil
	}
	return l.pack(name, t, out)
}

// Rows is the packed matrix of the outputs from first on of a larger one, stored
// [total, in]: count of them.
func (l *Loader) Rows(name string, total, in, first, count int) tensor.Matrix {
	t, ok := l.take(name, []int{total, in})
	if !ok {
		return nil
	}
	row := in * t.DType.Size()
	t.Data = t.Data[first*row : (first+count)*row]
	return l.pack(name, t, count)
}

// Transposed is a packed matrix that is stored [in, out].
func (l *Loader) Transposed(name string, in, out int) tensor.Matrix {
	t, ok := l.take(name, []int{in, out})
	if !ok {
		return nil
	}
	size := t.DType.Size()
	turned := make([]byte, len(t.Data))
	for i := range in {
		for o := range out {
			copy(turned[(o*in+i)*size:][:size], t.Data[(i*out+o)*size:])
		}
	}
	t.file.Forget(t.Tensor)
	t.Data = turned
	return l.pack(name, t, out)
}

// pack packs a tensor as [out, in].
func (l *Loader) pack(name string, t stored, out int) tensor.Matrix {
	m, err := l.packer.Pack(safetensors.Tensor{Name: t.Name, DType: t.DType, Shape: []int{out, t.Len() / out}, Data: t.Data})
	if err != nil {
		l.reject(name, "%v", err)
		return nil
	}
	l.bytes += int64(len(t.Data))
	t.file.Forget(t.Tensor)
	return m
}

// Bytes is the memory of what was handed out: matrices in the type that they are
// stored in, vectors as float32.
func (l *Loader) Bytes() int64 { return l.bytes }

// take finds a tensor and checks its shape, type and values. What is wrong is
// recorded the first time.
func (l *Loader) take(name string, shape []int) (stored, bool) {
	t := l.checkpoint.tensors[name]
	usable, asked := l.taken[name]
	if !asked {
		usable = l.check(name, t, shape)
		l.taken[name] = usable
	}
	return t, usable
}

// check reports whether a tensor is what the code wants.
func (l *Loader) check(name string, t stored, shape []int) bool {
	switch {
	case t.file == nil:
		l.missing = append(l.missing, name)
		return false
	case !slices.Equal(t.Shape, shape):
		l.reject(name, "has shape %v, want %v", t.Shape, shape)
		return false
	case t.DType != safetensors.F32 && t.DType != safetensors.BF16 && t.DType != safetensors.F16:
		l.reject(name, "is %v: want F32, BF16 or F16", t.DType)
		return false
	}
	if err := checkFinite(t.Tensor); err != nil {
		l.reject(name, "%v", err)
		return false
	}
	return true
}

// reject records what is wrong with a tensor, by its name in the file.
func (l *Loader) reject(name, reason string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf("tensor %q: %s", l.checkpoint.tensors[name].Name, fmt.Sprintf(reason, args...)))
}

// Finish ends loading. The error lists all that is missing or wrong, and what nobody
// asked for, which may explain it. Without an error, tensors that nobody asked for are
// a warning: files of newer versions may hold more than is needed.
func (l *Loader) Finish() (warnings []string, err error) {
	var extra []string
	for _, name := range slices.Sorted(maps.Keys(l.checkpoint.tensors)) {
		if _, asked := l.taken[name]; !asked && !l.checkpoint.layout.unused(name) {
			extra = append(extra, l.checkpoint.tensors[name].Name)
		}
	}
	var complaints []string
	if len(l.missing) > 0 {
		complaints = append(complaints, fmt.Sprintf("%d tensors are missing: %s", len(l.missing), some(l.missing)))
	}
	complaints = append(complaints, l.wrong...)
	if len(extra) > 0 {
		warnings = []string{fmt.Sprintf("%d tensors of the checkpoint are not used: %s", len(extra), some(extra))}
	}
	if len(complaints) == 0 {
		return warnings, nil
	}
	return nil, errors.New("the weights do not fit config.json: " + strings.Join(append(complaints, warnings...), "; "))
}

// some is a list of names, cut where it would fill a screen.
func some(names []string) string {
	const most = 100
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
