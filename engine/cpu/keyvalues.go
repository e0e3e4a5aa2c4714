package cpu

import (
	"fmt"

	"siglab/engine/tensor"
)

// keyValues are the keys and values of a sequence's block, packed as a matrix's
// weights are, so that the same tiles compute attention:
//
//   - keys [kvHeads, capacity/panel, dim, panel]: positions are outputs;
//   - values [kvHeads, dim/panel, capacity, panel]: positions are inputs.
type keyValues struct {
	kvHeads, dim, capacity int
	keys, values           []float32
}

func (kv *keyValues) Capacity() int { return kv.capacity }

// NewKeyValues makes room for the keys and values of capacity positions, with kvHeads
// heads of dim values each. Its memory is allocated at once.
func (d *Device) NewKeyValues(kvHeads, dim, capacity int) tensor.KeyValues {
	kv := &keyValues{}
	kv.reserve(kvHeads, dim, capacity)
	return kv
}

// reserve gives the keys and values a shape; what they held is lost.
func (kv *keyValues) reserve(kvHeads, dim, capacity int) {
	kv.kvHeads, kv.dim, kv.capacity = kvHeads, dim, capacity
	kv.keys = grow(kv.keys, kvHeads*ceil(capacity, panel)*dim)
	kv.values = grow(kv.values, kvHeads*ceil(dim, panel)*capacity)
}

// ceil is n rounded up to a multiple of unit.
func ceil(n, unit int) int { return (n + unit - 1) / unit * unit }

// keyAt is where the first value of a head's key of a position is; the next ones follow
// panel apart.
func (kv *keyValues) keyAt(head, position int) int {
	return head*ceil(kv.capacity, panel)*kv.dim + position/panel*kv.dim*panel + position%panel
}

// valueAt is where a head's values of a position begin, those of a panel.
func (kv *keyValues) valueAt(head, p, position int) int {
	return (head*ceil(kv.dim, panel)/panel+p)*kv.capacity*panel + position*panel
}

// storeTask stores positions.
type storeTask struct {
	kernels      *kernels
	kv           *keyValues
	keys, values []float32
	first, rows  int
}

// Store writes the keys and values [rows, kvHeads·dim] of the positions first,
// first+1, …. It panics if they do not fit.
func (d *Device) Store(kv tensor.KeyValues, keys, values []float32, first int) {
	d.keep(kv.(*keyValues), keys, values, first)
}

func (d *Device) keep(kv *keyValues, keys, values []float32, first int) {
	if end := first + len(keys)/(kv.kvHeads*kv.dim); first < 0 || end > kv.capacity {
		panic(fmt.Sprintf("store positions %d to %d: the capacity is %d", first, end, kv.capacity))
	}
	t := &d.store
	*t = storeTask{d.kernels, kv, keys, values, first, len(keys) / (kv.kvHeads * kv.dim)}
	units := (first%panel + t.rows + panel - 1) / panel
	d.do(t, units, storeCost*len(keys))
}

// storeCost is what storing one value costs, in multiplications of a matrix product.
const storeCost = 16

// unit stores what falls into one panel of keys.
func (t *storeTask) unit(_ *scratch, n int) {
	kv, width := t.kv, t.kv.kvHeads*t.kv.dim
	begin := (t.first/panel + n) * panel
	from, to := max(begin, t.first), min(begin+panel, t.first+t.rows)
	for head := range kv.kvHeads {
		t.transpose(kv.keys[kv.keyAt(head, from):], t.keys[(from-t.first)*width+head*kv.dim:], width, to-from)
		for p := from; p < to; p++ {
			values := t.values[(p-t.first)*width+head*kv.dim:][:kv.dim]
			for i := 0; i < kv.dim; i += panel {
				copy(kv.values[kv.valueAt(head, i/panel, p):][:panel], values[i:min(i+panel, kv.dim)])
			}
		}
	}
}

// transpose writes the keys [positions, dim] of a head, stride apart, to columns of a
// panel.
func (t *storeTask) transpose(dst, src []float32, stride, positions int) {
	const block = 8
	whole := 0 // values of the blocks that the kernel takes
	if t.kernels.transpose != nil {
		whole = t.kv.dim / block * block
	}
	for p := 0; p < positions; {
		from := 0
		if whole > 0 && positions-p >= block {
			t.kernels.transpose(&dst[p], &src[p*stride], stride, whole)
			from = whole
		}
		end := min(p+block, positions)
		for ; p < end; p++ {
			for i := from; i < t.kv.dim; i++ {
				dst[i*panel+p] = src[p*stride+i]
			}
		}
	}
}

// CopyKeyValues writes the keys and values of the first positions of src to dst, which
// has the same heads. It panics if there are fewer, in either.
func (d *Device) CopyKeyValues(dst, src tensor.KeyValues, positions int) {
	to, from := dst.(*keyValues), src.(*keyValues)
	if to.kvHeads != from.kvHeads || to.dim != from.dim {
		panic(fmt.Sprintf("copy %d heads of %d values to %d of %d", from.kvHeads, from.dim, to.kvHeads, to.dim))
	}
	if positions < 0 || positions > min(to.capacity, from.capacity) {
		panic(fmt.Sprintf("copy %d positions from %d to %d", positions, from.capacity, to.capacity))
	}
	keys := ceil(positions, panel) * from.dim // with what is behind them in the last panel, which nothing sees
	for head := range from.kvHeads {
		copy(to.keys[to.keyAt(head, 0):][:keys], from.keys[from.keyAt(head, 0):])
		for p := range ceil(from.dim, panel) / panel {
			copy(to.values[to.valueAt(head, p, 0):][:positions*panel], from.values[from.valueAt(head, p, 0):])
		}
	}
}
