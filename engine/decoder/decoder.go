// Package decoder computes the language models of Qwen2, Llama, Gemma and Gemma 3:
// embeddings, pre-norm blocks of grouped attention with rotary positions and a gated
// MLP, a norm, a head. A Config says in what a family differs.
//
// Every row of a call goes through the same operations, whether it comes from a
// prefill or from one sequence of a shared step. With operations that keep rows
// apart, as cpu.Device's do, a sequence therefore has the same bits in all of them.
package decoder

import (
	"fmt"
	"math"

	"siglab/engine/tensor"
)

// Ops are the operations that a decoder is made of; cpu.Device states their shapes.
type Ops interface {
	Row(dst []float32, weight tensor.Matrix, out int)
	Linear(y, x []float32, weight tensor.Matrix, bias []float32)
	LinearAdd(y, x []float32, weight tensor.Matrix, bias []float32)
	RMSNorm(y, x, weight []float32, eps float64)
	RoPE(x, cos, sin []float32, positions []int, heads, dim int)
	NewKeyValues(kvHeads, dim, capacity int) tensor.KeyValues
	Store(kv tensor.KeyValues, keys, values []float32, first int)
	CopyKeyValues(dst, src tensor.KeyValues, positions int)
	CachedAttention(out, q []float32, kv tensor.KeyValues, visible []tensor.Span, heads int, scale float32)
	SiLUMul(gate, up []float32)
	GELUTanhMul(gate, up []float32)
}

// Decoder is a language model. It is not safe for concurrent use: it keeps its
// intermediate values from call to call, so that a step leaves no garbage behind.
type Decoder struct {
	config  Config
	weights *Weights
	ops     Ops
	angles  [2][]float32 // [HeadDim/2] frequencies of blocks that see everything, and of those with a window

	stretches []stretch
	rows      []row
	rotary    [2]rotation

	normed           []float32     // [rows, Hidden]
	query, attention []float32     // [rows, Heads·HeadDim]
	key, value       []float32     // [rows, KVHeads·HeadDim]
	gate, up         []float32     // [rows, MLP]
	added, last      []float32     // [rows, Hidden]
	logits           []float32     // [rows, Vocab]
	visible          []tensor.Span // [rows]
	identity         []int         // [rows] 0, 1, …
}

// rotation are the cosines and sines [rows, HeadDim/2] of a call's rows.
type rotation struct{ cos, sin []float32 }

// row is where a row of a call is in its sequence.
type row struct {
	position int // from 0
	end      int // of the positions that it sees
}

// stretch is a number of consecutive rows that continue one sequence.
type stretch struct {
	cache *Cache
	rows  int
}

// New binds loaded weights, which must not change afterwards, to the operations that
// compute with them.
func New(c Config, w *Weights, ops Ops) *Decoder {
	d := &Decoder{config: c, weights: w, ops: ops}
	d.angles[0] = c.Rotary.frequencies(c.HeadDim)
	if c.Windows != nil {
		d.angles[1] = c.Local.frequencies(c.HeadDim)
	}
	return d
}

// CacheBytes is the memory of one position in a cache: keys and values in float32.
func (c Config) CacheBytes() int { return 2 * 4 * c.Layers * c.KVHeads * c.HeadDim }

// Embed writes a token's embedding to x [Hidden].
func (d *Decoder) Embed(x []float32, token int) error {
	if token < 0 || token >= d.config.Vocab {
		return fmt.Errorf("token %d: the vocabulary has 0 to %d", token, d.config.Vocab-1)
	}
	x = x[:d.config.Hidden]
	d.ops.Row(x, d.weights.Embeddings, token)
	if scale := d.config.EmbeddingScale; scale != 1 {
		for i := range x {
			x[i] *= scale
		}
	}
	return nil
}

// rotate computes the angles of all rows, in the float32 steps of transformers, and
// their cosines and sines.
func (d *Decoder) rotate() {
	half := d.config.HeadDim / 2
	d.identity = d.identity[:0]
	for r := range d.rows {
		d.identity = append(d.identity, r)
	}
	for kind, frequencies := range d.angles {
		if frequencies == nil {
			continue
		}
		rotation := &d.rotary[kind]
		rotation.cos, rotation.sin = resize(rotation.cos, len(d.rows)*half), resize(rotation.sin, len(d.rows)*half)
		for r, row := range d.rows {
			position := float32(row.position + d.config.FirstPosition)
			for i, f := range frequencies {
				sin, cos := math.Sincos(float64(position * f))
				rotation.cos[r*half+i], rotation.sin[r*half+i] = float32(cos), float32(sin)
			}
		}
	}
}

// resize is a slice of length n with unspecified values, s if it is large enough.
func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
