package cpu

import (
	"math"

	"siglab/engine/tensor"
)

// Attention lets every row attend to every row: q, k, v and out are
// [rows, heads·dim], and for each head
//
//	out = softmax(q·kᵀ / √dim)·v
//
// out must not overlap the others.
func (d *Device) Attention(out, q, k, v []float32, heads, dim int) {
	width := heads * dim
	rows := len(q) / width
	scale := float32(1 / math.Sqrt(float64(dim)))
	d.split(rows*heads, 2*rows*dim, func(thread, begin, end int) {
		scores := d.buffer(thread, rows)
		for item := begin; item < end; item++ {
			row, head := item/heads, item%heads
			at := row*width + head*dim
			attend(out[at:][:dim], q[at:][:dim], k[head*dim:], v[head*dim:], width, scale, scores)
		}
	})
}

// CachedAttention lets the rows q [rows, heads·dim] of one sequence attend to its keys
// and values: row r sees the positions visible[r], which must have been stored, and
// for each head
//
//	out = softmax(scale·q·kᵀ)·v
//
// Consecutive groups of heads/kvHeads query heads share a head of kv. A row that sees
// nothing gets zeros. out is shaped as q and must not overlap it.
func (d *Device) CachedAttention(out, q []float32, kv tensor.KeyValues, visible []tensor.Span, heads int, scale float32) {
	s := kv.(*keyValues)
	rows, dim, group := len(visible), s.dim, heads/s.kvHeads
	longest := 0
	for _, span := range visible {
		longest = max(longest, span.End-span.Begin)
	}
	d.split(rows*heads, 2*longest*dim, func(thread, begin, end int) {
		scores := d.buffer(thread, longest)
		for item := begin; item < end; item++ {
			row, head := item/heads, item%heads
			span, first := visible[row], head/group*s.capacity
			at, from := row*heads*dim+head*dim, (first+span.Begin)*dim
			attend(out[at:][:dim], q[at:][:dim], s.keys[from:], s.values[from:], dim, scale, scores[:max(0, span.End-span.Begin)])
		}
	})
}

// attend is the attention of one query [dim] over as many positions as scores has
// room for, whose keys and values [positions, dim] are stride apart.
func attend(out, q, keys, values []float32, stride int, scale float32, scores []float32) {
	clear(out)
	if len(scores) == 0 {
		return
	}
	for p := range scores {
		sum := float32(0)
		for i, k := range keys[p*stride:][:len(q)] {
			sum += q[i] * k
		}
		scores[p] = sum * scale
	}
	norm := softmax(scores)
	for p, weight := range scores {
		for i, v := range values[p*stride:][:len(out)] {
			out[i] += weight * v
		}
	}
	for i := range out {
		out[i] *= norm
	}
}
