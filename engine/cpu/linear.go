package cpu

import (
	"unsafe"

	"siglab/engine/tensor"
)

// Linear computes y = x·wᵀ + bias for the rows x [rows, in] and y [rows, out], with
// w [out, in] and bias [out], or nil for none. y must not overlap x.
func (d *Device) Linear(y, x []float32, w tensor.Matrix, bias []float32) {
	d.multiply(y, x, w.(*matrix), bias, false)
}

// LinearAdd is Linear for a residual: y += x·wᵀ + bias.
func (d *Device) LinearAdd(y, x []float32, w tensor.Matrix, bias []float32) {
	d.multiply(y, x, w.(*matrix), bias, true)
}

const (
	// tileStride is the distance of rows of inputs in tiles, in values: more than
	// blockSteps, and no multiple of a power of two that would put rows on each
	// other's place in the cache.
	tileStride = 400
	// blockSteps are the inputs, or pairs of them, that a tile takes at a time: a
	// panel's weights for them, 48 KiB, and a tile's inputs are used from the first
	// two levels of the cache.
	blockSteps = 384
	// chunkRows is about how many rows' inputs of a block stay in the second-level
	// cache while the panels pass: 280 KiB.
	chunkRows = 184
	// wholeInputs bounds the inputs that are kept for all blocks at once, in values:
	// 512 KiB. Then every panel is read once, from its beginning to its end.
	wholeInputs = 1 << 17
)

// product is a matrix product in progress. Its units are chunks of rows times
// stretches of panels. Few rows are one chunk, so that weights are read once; many are
// chunks alone, so that inputs are laid out once.
type product struct {
	d         *Device
	y, x      []float32
	m         *matrix
	bias      []float32
	add       bool
	rows      int
	chunks    int    // of rows
	stretches int    // of panels
	count     uint64 // of products, this one included
}

func (d *Device) multiply(y, x []float32, m *matrix, bias []float32, add bool) {
	rows := len(x) / m.in
	if rows == 0 {
		return
	}
	t := &d.product
	*t = product{d: d, y: y[:rows*m.out], x: x[:rows*m.in], m: m, bias: bias, add: add, rows: rows, count: t.count + 1}
	if bias != nil {
		t.bias = bias[:m.out]
	}
	t.chunks, t.stretches = 1, 1
	threads, enough := d.Threads(), 2*d.kernels.tallest() // rows of a chunk that is worth it
	switch {
	case rows*m.in*m.out < minCost:
	case rows >= enough*threads:
		t.chunks = threads * ((rows + threads*chunkRows - 1) / (threads * chunkRows))
	default:
		t.chunks = max(1, rows/enough)
		t.stretches = max(1, d.share(m.panels(), panel*rows*m.in)/t.chunks)
	}
	d.pool.run(t, t.chunks*t.stretches)
}

func (t *product) unit(s *scratch, n int) {
	chunk, stretch, panels := n/t.stretches, n%t.stretches, t.m.panels()
	first, end := chunk*t.rows/t.chunks, (chunk+1)*t.rows/t.chunks
	b := block{
		product: t, s: s, first: first, rows: end - first,
		panels: [2]int{stretch * panels / t.stretches, (stretch + 1) * panels / t.stretches},
	}
	b.addBias()
	b.run()
}

// block is a unit of a product: some rows.
type block struct {
	*product
	s           *scratch
	first, rows int
	panels      [2]int    // begin and end
	inputs      []float32 // tiles of a block of inputs, or the one row itself
}

// addBias adds the bias to the rows that the product will be added to.
func (b *block) addBias() {
	if !b.add || b.bias == nil {
		return
	}
	begin, end := b.panels[0]*panel, min(b.panels[1]*panel, b.m.out)
	for r := b.first; r < b.first+b.rows; r++ {
		k := b.d.kernels
		k.binary(k.add, b.y[r*b.m.out+begin:r*b.m.out+end], b.bias[begin:end], b.s)
	}
}

// run multiplies. The inputs come in blocks; each is laid out in tiles and meets all
// panels before the next one, or, where there is little of them, all of them are laid
// out first, and a panel meets them one after another.
func (b *block) run() {
	b.plan()
	step := blockSteps
	if b.m.kind == tileBF16Dot {
		step *= 2
	}
	blocks := (b.m.padded + step - 1) / step
	size := (b.rows + maxTileRows) * tileStride
	if !b.direct() && blocks > 1 && blocks*size > wholeInputs {
		b.s.inputs, b.s.holds = grow(b.s.inputs, size), held{}
		b.inputs = b.s.inputs
		for begin := 0; begin < b.m.padded; begin += step {
			end := min(begin+step, b.m.padded)
			b.fill(begin, end)
			for p := b.panels[0]; p < b.panels[1]; p++ {
				b.panel(p, begin, end)
			}
		}
		return
	}
	if b.direct() {
		b.inputs, size = b.x[b.first*b.m.in:], step
	} else {
		b.fillAll(step, blocks, size)
		b.inputs = b.s.inputs
	}
	all := b.inputs
	for p := b.panels[0]; p < b.panels[1]; p++ {
		for i := range blocks {
			b.inputs = all[i*size:]
			b.panel(p, i*step, min((i+1)*step, b.m.padded))
		}
	}
}

// fillAll lays all inputs out, blocks of size values, unless the thread did so for
// another unit of the product.
func (b *block) fillAll(step, blocks, size int) {
	b.s.inputs = grow(b.s.inputs, blocks*size)
	holds := held{b.count, b.first}
	if b.s.holds == holds {
		return
	}
	for i := range blocks {
		b.inputs = b.s.inputs[i*size:]
		b.fill(i*step, min((i+1)*step, b.m.padded))
	}
	b.s.holds = holds
}

// direct reports whether tiles can take the inputs as they are: those of one row.
func (b *block) direct() bool {
	return b.rows == 1 && b.m.padded == b.m.in && b.m.kind != tileBF16Dot && b.d.arithmetic == Float32
}

// fill lays the inputs begin to end of all rows out in tiles. Pairs that are not full,
// and the rows behind, which a tile may take in, are zero.
func (b *block) fill(begin, end int) {
	k, last := b.d.kernels, b.s.plan[len(b.s.plan)-1]
	for r := range last.first + last.height {
		to := b.inputs[r*tileStride:]
		if r >= b.rows {
			clear(to[:blockSteps])
			continue
		}
		from := b.x[(b.first+r)*b.m.in:][begin:min(end, b.m.in)]
		switch {
		case b.m.kind == tileBF16Dot:
			pairs := unsafe.Slice((*uint16)(unsafe.Pointer(&to[0])), 2*tileStride)
			k.pack(pairs, from, b.s)
			if len(from) < end-begin {
				pairs[len(from)] = 0
			}
		case b.d.arithmetic == BFloat16:
			k.binary(k.roundBF16, to[:len(from)], from, b.s)
			clear(to[len(from) : end-begin])
		default:
			copy(to, from)
			clear(to[len(from) : end-begin])
		}
	}
}

// tilePlan is a tile of a block.
type tilePlan struct {
	kernel      tileKernel
	first, rows int // of the block
	height      int // of the tile: rows or more
}

// plan cuts the rows into tiles.
func (b *block) plan() {
	k, plan := b.d.kernels, b.s.plan[:0]
	for done := 0; done < b.rows; {
		rows, height := k.nextTile(b.rows - done)
		plan = append(plan, tilePlan{k.tiles[b.m.kind][height], done, rows, k.heights[height]})
		done += rows
	}
	b.s.plan = plan
}

// panel adds the inputs begin to end, times a panel's weights for them, to all rows:
// to their results of the block before, or to what the product begins with.
func (b *block) panel(p, begin, end int) {
	out, columns := b.m.out, b.d.kernels.columns
	ahead := newReader(b.ahead(p, begin, end), len(b.s.plan)*panel/columns, end-begin)
	for column := 0; column < min(panel, out-p*panel); column += columns {
		first := p*panel + column
		width := min(columns, out-first)
		at := b.m.offset(p, begin) + column*b.m.size
		if b.m.kind == tileBF16 || b.m.kind == tileBF16Dot {
			at += column * b.m.size // the other half of the pairs
		}
		weights, continued := &b.m.data[at], begin > 0 || b.add
		fresh := &b.s.zeros[0]
		if b.bias != nil {
			fresh = &b.bias[first]
		}
		for i := range b.s.plan {
			t := &b.s.plan[i]
			y, inputs := b.y[(b.first+t.first)*out+first:], &b.inputs[t.first*tileStride]
			next, step := ahead.next(end - begin)
			b.touchOutputs(i+1, first, columns)
			switch {
			case t.rows < t.height || width < columns:
				b.part(t, y, inputs, weights, end-begin, width, first, continued)
			case continued:
				t.kernel(end-begin, inputs, weights, &y[0], out, &y[0], out, next, step)
			default:
				t.kernel(end-begin, inputs, weights, fresh, 0, &y[0], out, next, step)
			}
		}
	}
}

// nearOutputs is how many outputs of a block stay in the second-level cache: 512 KiB.
const nearOutputs = 1 << 17

// touchOutputs asks for the outputs, from the first one on, of a tile of the plan or,
// after the last, of the first tile for the next columns, if they are in no near cache.
func (b *block) touchOutputs(tile, first, columns int) {
	if b.rows*b.m.out < nearOutputs {
		return
	}
	if tile == len(b.s.plan) {
		tile, first = 0, first+columns
	}
	if first < min(b.panels[1]*panel, b.m.out) {
		t := &b.s.plan[tile]
		touchRows(&b.y[(b.first+t.first)*b.m.out+first], b.m.out, t.rows)
	}
}

// ahead are the weights that come after a panel's for the inputs begin to end: those of
// the next panel, or of the first one for the next inputs. Few rows have none, since
// their tiles read ahead by themselves.
func (b *block) ahead(p, begin, end int) []byte {
	if len(b.s.plan) < 3 {
		return nil
	}
	p++
	if p == b.panels[1] {
		p, begin, end = b.panels[0], end, min(end+end-begin, b.m.padded)
	}
	return b.m.data[b.m.offset(p, begin):b.m.offset(p, end)]
}

// part runs a tile of which only some rows and columns are wanted, by way of memory
// that has room for all.
func (b *block) part(t *tilePlan, y []float32, inputs *float32, weights *byte, steps, width, first int, continued bool) {
	c, out := b.s.outputs, b.m.out
	for r := range t.rows {
		row := c[r*panel:][:width]
		switch {
		case continued:
			copy(row, y[r*out:])
		case b.bias != nil:
			copy(row, b.bias[first:])
		default:
			clear(row)
		}
	}
	t.kernel(steps, inputs, weights, &c[0], panel, &c[0], panel, nil, 0)
	for r := range t.rows {
		copy(y[r*out:][:width], c[r*panel:])
	}
}
