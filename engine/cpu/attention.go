package cpu

import "math"

// Attention lets every row attend to every row: q, k, v and out are
// [rows, heads·dim], and for each head
//
//	out = softmax(q·kᵀ / √dim)·v
//
// out must not overlap the others.
func (d *Device) Attention(out, q, k, v []float32, heads, dim int) {
	width := heads * dim
	rows := len(q) / width
	d.transposed = transposeHeads(d.transposed, k, rows, width)
	d.split(rows*heads, 2*rows*dim, func(thread, begin, end int) {
		scores := d.buffer(thread, rows)
		for item := begin; item < end; item++ {
			row, head := item/heads, item%heads
			at := row*width + head*dim
			attend(out[at:][:dim], q[at:][:dim], d.transposed[head*dim*rows:], rows, v[head*dim:], width, scores)
		}
	})
}

// CausalAttention lets the rows q [rows, heads·dim] of one sequence, at the
// positions first, first+1, …, attend to themselves and all before, whose keys and
// values are in the sequence's cache:
//
//   - keys [kvHeads, dim, capacity]: transposed, so that one pass over memory gives
//     the scores of all positions;
//   - values [capacity, kvHeads·dim].
//
// Consecutive groups of heads/kvHeads query heads share a head of the cache. out is
// shaped as q and must not overlap it.
func (d *Device) CausalAttention(out, q, keys, values []float32, first, heads, kvHeads, dim int) {
	width, kvWidth := heads*dim, kvHeads*dim
	rows, capacity, group := len(q)/width, len(values)/kvWidth, heads/kvHeads
	d.split(rows*heads, 2*(first+rows)*dim, func(thread, begin, end int) {
		scores := d.buffer(thread, first+rows)
		for item := begin; item < end; item++ {
			row, head := item/heads, item%heads
			at, kv := row*width+head*dim, head/group
			attend(out[at:][:dim], q[at:][:dim], keys[kv*dim*capacity:], capacity,
				values[kv*dim:], kvWidth, scores[:first+row+1])
		}
	})
}

// attend is the attention of one query [dim] over as many positions as scores has
// room for. keys [dim, positions] and values [positions, dim] have rows that are
// keyStride and valueStride apart.
func attend(out, q, keys []float32, keyStride int, values []float32, valueStride int, scores []float32) {
	dim, n := len(out), len(scores)
	clear(scores)
	gemm(scores, q, keys, 1, n, dim, n, dim, keyStride)
	scale := float32(1 / math.Sqrt(float64(dim)))
	for i := range scores {
		scores[i] *= scale
	}
	norm := softmax(scores)
	clear(out)
	gemm(out, scores, values, 1, dim, n, dim, n, valueStride)
	for i := range out {
		out[i] *= norm
	}
}

// transposeHeads is x [rows, width] as [width, rows], in dst if it is large enough.
func transposeHeads(dst, x []float32, rows, width int) []float32 {
	if cap(dst) < rows*width {
		dst = make([]float32, rows*width)
	}
	dst = dst[:rows*width]
	for r := range rows {
		for c, v := range x[r*width:][:width] {
			dst[c*rows+r] = v
		}
	}
	return dst
}
