package posembedcuda

import (
	"context"
	"errors"
	"fmt"

	"siglab/internal/cudart"
	"siglab/posembed"
)

// Work is what has to be launched, in order, for one result or several. It owns its
// result and everything between; launches of one work on different streams must not
// overlap, since they write the same memory.
type Work struct {
	table    *Table
	result   *cudart.Memory
	owned    []*cudart.Memory
	launches []*cudart.Prepared
}

// newWork is a work without launches whose results have so many positions.
func (t *Table) newWork(positions int) (*Work, error) {
	if positions > maxValues/t.dim {
		return nil, fmt.Errorf("a result of %d positions with %d channels: want at most %d values", positions, t.dim, maxValues)
	}
	w := &Work{table: t}
	var err error
	w.result, err = w.alloc(positions * t.dim * t.size)
	return w, err
}

// alloc gets memory that lives as long as the work.
func (w *Work) alloc(bytes int) (*cudart.Memory, error) {
	memory, err := w.table.gpu.context.Alloc(bytes)
	if err != nil {
		return nil, err
	}
	w.owned = append(w.owned, memory)
	return memory, nil
}

// upload puts a content into memory that lives as long as the work.
func (w *Work) upload(data []byte) (*cudart.Memory, error) {
	memory, err := w.table.gpu.upload(data)
	if err != nil {
		return nil, err
	}
	w.owned = append(w.owned, memory)
	return memory, nil
}

// add prepares a launch of a kernel.
func (w *Work) add(v variant, name string, l cudart.Launch, args ...any) error {
	f, err := w.table.gpu.function(kernel{v, name})
	if err != nil {
		return err
	}
	p, err := f.Prepare(l, args...)
	if err != nil {
		return err
	}
	w.launches = append(w.launches, p)
	return nil
}

// Launch queues everything on a stream, which may be capturing.
func (w *Work) Launch(s *cudart.Stream) error {
	for _, p := range w.launches {
		if err := p.Launch(s); err != nil {
			return err
		}
	}
	return nil
}

// Result is the device's memory of the results, one after another.
func (w *Work) Result() *cudart.Memory { return w.result }

// Close frees what the work owns. Nothing of it may be running.
func (w *Work) Close() error {
	var errs []error
	for _, memory := range w.owned {
		errs = append(errs, memory.Free())
	}
	w.owned, w.launches = nil, nil
	return errors.Join(errs...)
}

// closed closes a work that could not be completed.
func (w *Work) closed(err error) (*Work, error) {
	if w == nil {
		return nil, err
	}
	return nil, errors.Join(err, w.Close())
}

// Read launches a work, waits and copies its results to dst.
func Read[T Element](ctx context.Context, w *Work, dst []T) error {
	if number, size := elementOf[T](); number != w.table.element || len(dst)*size != w.result.Len() {
		return fmt.Errorf("read a result of %d bytes into %d values of %T: want its type and length", w.result.Len(), len(dst), dst)
	}
	s, err := w.table.gpu.NewStream()
	if err != nil {
		return err
	}
	err = w.Launch(s)
	if err == nil {
		err = s.Synchronize(ctx)
	}
	if err == nil {
		err = w.result.CopyTo(cudart.Bytes(dst))
	}
	return errors.Join(err, s.Close())
}

// axisMemory are the weights of an axis on the device.
type axisMemory struct{ first, weight, start *cudart.Memory }

// uploadTaps puts the weights of an axis on the device.
func (w *Work) uploadTaps(t posembed.Taps) (a axisMemory, err error) {
	if a.first, err = w.upload(cudart.Bytes(t.First)); err != nil {
		return a, err
	}
	if a.weight, err = w.upload(cudart.Bytes(t.Weight)); err != nil {
		return a, err
	}
	a.start, err = w.upload(cudart.Bytes(t.Start))
	return a, err
}

// uniformTaps is the number of taps that every output index of both axes has, if it
// is one that the kernels are unrolled for, and otherwise 0.
func uniformTaps(p *posembed.Plan) int {
	switch p.Convention() {
	case posembed.BicubicAntialias, posembed.BilinearAntialias:
		return 0
	case posembed.Bilinear, posembed.BilinearAlignCorners:
		return 2
	default:
		return 4
	}
}

// variant is the compilation for a plan and a shape.
func (t *Table) variant(p *posembed.Plan, s shape) variant {
	taps := uniformTaps(p)
	return variant{t.element, t.vec(), taps, max(1, min(s.ahead, taps)), s.stream}
}

// Apply prepares a plan: one launch.
func (t *Table) Apply(p *posembed.Plan) (*Work, error) { return t.applyShaped(p, shape{}) }

// applyShaped is Apply with blocks of a given shape; the zero shape is chosen.
func (t *Table) applyShaped(p *posembed.Plan, s shape) (*Work, error) {
	if p.From() != t.grid {
		return nil, fmt.Errorf("apply a plan from %v to a table of %v", p.From(), t.grid)
	}
	w, err := t.newWork(p.To().Len())
	if err != nil {
		return w.closed(err)
	}
	if p.Identity() {
		if err := w.addCopy(t.memory, w.result); err != nil {
			return w.closed(err)
		}
		return w, nil
	}
	rows, err := w.uploadTaps(p.RowTaps())
	if err != nil {
		return w.closed(err)
	}
	cols, err := w.uploadTaps(p.ColTaps())
	if err != nil {
		return w.closed(err)
	}
	if s == (shape{}) {
		s = t.choose(p.To().Len(), p.To().Rows)
	}
	v := t.variant(p, s)
	to := p.To()
	err = w.add(v, "resample", s.launch(to, t.dim, v.vec), t.memory, w.result, rows.first, rows.weight, rows.start, cols.first, cols.weight, cols.start,
		int32(t.grid.Rows), int32(t.grid.Cols), int32(to.Rows), int32(to.Cols), int32(t.dim), int32(s.strip))
	if err != nil {
		return w.closed(err)
	}
	return w, nil
}

// Copy prepares a plain copy of so many bytes, a multiple of 16, to the work's
// result: what the same traffic costs without any computing.
func (t *Table) Copy(bytes int) (*Work, error) {
	w := &Work{table: t}
	from, err := w.alloc(bytes)
	if err == nil {
		w.result, err = w.alloc(bytes)
	}
	if err == nil {
		err = w.addCopy(from, w.result)
	}
	if err != nil {
		return w.closed(err)
	}
	return w, nil
}

// addCopy adds a copy from one memory to another of its length: by 16 bytes where
// both are whole numbers of them, otherwise by single values.
func (w *Work) addCopy(from, to *cudart.Memory) error {
	t := w.table
	kernel, count := "copy_values", from.Len()/t.size
	if from.Len()%16 == 0 && to.Pointer()%16 == 0 {
		kernel, count = "copy", from.Len()/16
	}
	blocks := min(divideUp(count, 256), 8*t.gpu.Device().Multiprocessors)
	return w.add(t.scalar(), kernel, cudart.Launch{Grid: [3]int{blocks, 1, 1}, Block: [3]int{256, 1, 1}}, from, to, int64(count))
}
