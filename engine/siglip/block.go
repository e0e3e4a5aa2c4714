package siglip

import (
	"math"

	"siglab/engine/tensor"
)

// Ops are the operations that a tower is made of; cpu.Device states their shapes.
type Ops interface {
	Linear(y, x []float32, weight tensor.Matrix, bias []float32)
	LinearAdd(y, x []float32, weight tensor.Matrix, bias []float32)
	LayerNorm(y, x, weight, bias []float32, eps float64)
	Attention(out, q, k, v []float32, heads, dim int)
	NewKeyValues(kvHeads, dim, capacity int) tensor.KeyValues
	Store(kv tensor.KeyValues, keys, values []float32, first int)
	CachedAttention(out, q []float32, kv tensor.KeyValues, visible []tensor.Span, heads int, scale float32)
	GELUTanh(x []float32)
	GELU(x []float32)
	Row(dst []float32, weight tensor.Matrix, out int)
}

// encoder runs the blocks that vision and text towers have in common, and keeps their
// intermediate values from call to call.
type encoder struct {
	shape
	ops Ops

	normed, query, key, val, att []float32 // [rows, hidden]
	middle                       []float32 // [rows, mlp]
	kv                           tensor.KeyValues
	visible                      []tensor.Span // [rows]
}

// block is one pre-norm block on x [rows, hidden], where every row sees the first
// seen rows:
//
//	x += attention(norm(x));  x += mlp(norm(x))
func (e *encoder) block(x []float32, b *Block, seen int) {
	ops := e.ops
	e.reserve(len(x) / e.hidden)
	ops.LayerNorm(e.normed, x, b.AttentionNorm, b.AttentionNormBias, e.eps)
	ops.Linear(e.query, e.normed, b.Query, b.QueryBias)
	ops.Linear(e.key, e.normed, b.Key, b.KeyBias)
	ops.Linear(e.val, e.normed, b.Value, b.ValueBias)
	e.attend(e.att, e.query, e.key, e.val, seen)
	ops.LinearAdd(x, e.att, b.Out, b.OutBias)

	ops.LayerNorm(e.normed, x, b.MLPNorm, b.MLPNormBias, e.eps)
	e.mlpAdd(x, e.normed, &b.MLP)
}

// mlpAdd adds down(activation(up(normed))) to x, [rows, hidden] both.
func (e *encoder) mlpAdd(x, normed []float32, m *MLP) {
	e.middle = resize(e.middle, len(x)/e.hidden*e.mlp)
	e.ops.Linear(e.middle, normed, m.Up, m.UpBias)
	if e.activation == GELU {
		e.ops.GELU(e.middle)
	} else {
		e.ops.GELUTanh(e.middle)
	}
	e.ops.LinearAdd(x, e.middle, m.Down, m.DownBias)
}

// attend writes, for every row of q, the attention to the first seen rows of k and v.
func (e *encoder) attend(out, q, k, v []float32, seen int) {
	dim := e.hidden / e.heads
	if len(q) == len(k) && seen*e.hidden == len(k) {
		e.ops.Attention(out, q, k, v, e.heads, dim)
		return
	}
	if e.kv == nil || e.kv.Capacity() < seen {
		e.kv = e.ops.NewKeyValues(e.heads, dim, seen)
	}
	e.ops.Store(e.kv, k[:seen*e.hidden], v[:seen*e.hidden], 0)
	e.visible = e.visible[:0]
	for range len(q) / e.hidden {
		e.visible = append(e.visible, tensor.Span{Begin: 0, End: seen})
	}
	e.ops.CachedAttention(out, q, e.kv, e.visible, e.heads, float32(1/math.Sqrt(float64(dim))))
}

// reserve makes the intermediate values fit a number of rows.
func (e *encoder) reserve(rows int) {
	for _, s := range []*[]float32{&e.normed, &e.query, &e.key, &e.val, &e.att} {
		*s = resize(*s, rows*e.hidden)
	}
}

// resize is a slice of length n with unspecified values, s if it is large enough.
func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
