package posembedcuda

import (
	"encoding/binary"
	"errors"
	"fmt"

	"siglab/internal/cudart"
	"siglab/posembed"
)

// Batch prepares several plans of one convention for the table: one launch for all
// that compute, and a copy for each that does not, being an Identity. The results
// lie one after another.
func (t *Table) Batch(plans ...*posembed.Plan) (*Work, error) {
	if len(plans) == 0 {
		return nil, errors.New("batch of no plans: want at least one")
	}
	positions := 0
	for i, p := range plans {
		if p.From() != t.grid || p.Convention() != plans[0].Convention() {
			return nil, fmt.Errorf("batch: plan %d is %v from %v: want %v from the table's %v", i, p.Convention(), p.From(), plans[0].Convention(), t.grid)
		}
		if p.To().Len() > maxValues-positions {
			return nil, fmt.Errorf("batch: the results of %d plans have more than %d positions", i+1, maxValues)
		}
		positions += p.To().Len()
	}
	w, err := t.newWork(positions)
	if err == nil {
		err = w.addBatch(plans)
	}
	if err != nil {
		return w.closed(err)
	}
	return w, nil
}

// addBatch adds the launches of a batch.
func (w *Work) addBatch(plans []*posembed.Plan) error {
	t := w.table
	tallest := 0
	for _, p := range plans {
		tallest = max(tallest, p.To().Rows)
	}
	s := t.choose(w.result.Len()/t.size/t.dim, tallest)
	v := t.variant(plans[0], s)
	var b batchArrays
	offset := 0 // values
	for _, p := range plans {
		values := p.To().Len() * t.dim
		if p.Identity() {
			part, err := w.result.Slice(offset*t.size, values*t.size)
			if err == nil {
				err = w.addCopy(t.memory, part)
			}
			if err != nil {
				return err
			}
		} else {
			b.add(p, s, offset)
		}
		offset += values
	}
	if b.images == nil {
		return nil
	}
	var uploaded [5]*cudart.Memory
	for i, data := range [][]byte{cudart.Bytes(b.first), cudart.Bytes(b.weight), cudart.Bytes(b.start), b.images, cudart.Bytes(b.tiles)} {
		var err error
		if uploaded[i], err = w.upload(data); err != nil {
			return err
		}
	}
	threads := divideUp(t.dim, v.vec)
	l := cudart.Launch{Grid: [3]int{len(b.tiles) / 4, 1, divideUp(threads, s.groups)}, Block: [3]int{s.groups, s.cols, s.strips}}
	return w.add(v, "resample_batch", l, t.memory, w.result, uploaded[0], uploaded[1], uploaded[2], uploaded[3], uploaded[4],
		int32(t.grid.Rows), int32(t.grid.Cols), int32(t.dim), int32(s.strip))
}

// batchArrays are the arguments of resample_batch: the axes of all images one after
// another, the images, and which tile of which image every block computes.
type batchArrays struct {
	first, start []int32
	weight       []float32
	images       []byte  // of struct image
	tiles        []int32 // of struct tile: image, x, y, 0
	count        int32   // images
}

// add appends one image whose result begins at a value.
func (b *batchArrays) add(p *posembed.Plan, s shape, out int) {
	// Weights are loaded by 16 bytes: an image's begin at a multiple of 4 floats.
	for len(b.weight)%4 != 0 {
		b.weight = append(b.weight, 0)
	}
	axis := func(t posembed.Taps) (first, weight, start int32) {
		first, weight, start = int32(len(b.first)), int32(len(b.weight)), int32(len(b.start))
		b.first, b.weight, b.start = append(b.first, t.First...), append(b.weight, t.Weight...), append(b.start, t.Start...)
		for len(b.weight)%4 != 0 {
			b.weight = append(b.weight, 0)
		}
		return first, weight, start
	}
	rows, rowWeights, rowStarts := axis(p.RowTaps())
	cols, colWeights, colStarts := axis(p.ColTaps())
	to := p.To()
	for _, v := range []int32{int32(to.Rows), int32(to.Cols), rows, cols, rowWeights, colWeights, rowStarts, colStarts} {
		b.images = binary.LittleEndian.AppendUint32(b.images, uint32(v))
	}
	b.images = binary.LittleEndian.AppendUint64(b.images, uint64(out))
	for y := 0; y < to.Rows; y += s.strips * s.strip {
		for x := 0; x < to.Cols; x += s.cols {
			b.tiles = append(b.tiles, b.count, int32(x), int32(y), 0)
		}
	}
	b.count++
}
