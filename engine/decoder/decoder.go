// Package decoder computes a Qwen2 language model: embeddings, pre-norm blocks of
// grouped attention with rotary positions and a gated MLP, a norm, a head that is
// not tied to the embeddings.
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
	Linear(y, x []float32, w tensor.Matrix, bias []float32)
	LinearAdd(y, x []float32, w tensor.Matrix, bias []float32)
	Row(dst []float32, w tensor.Matrix, out int)
	RMSNorm(y, x, weight []float32, eps float64)
	RoPE(x, cos, sin []float32, positions []int, heads, dim int)
	NewKeyValues(kvHeads, dim, capacity int) tensor.KeyValues
	Store(kv tensor.KeyValues, keys, values []float32, first int)
	CachedAttention(out, q []float32, kv tensor.KeyValues, visible []tensor.Span, heads int, scale float32)
	SiLUMul(gate, up []float32)
}

// Config is a decoder's shape.
type Config struct {
	Hidden       int // values of a position; a multiple of 2·Heads
	Layers       int // blocks
	Heads        int // query heads of a block; a multiple of KVHeads
	KVHeads      int // key and value heads of a block
	MLP          int // hidden values of a block's MLP
	Vocab        int // tokens
	MaxPositions int // the longest sequence
}

// headDim is the number of values of a head.
func (c Config) headDim() int { return c.Hidden / c.Heads }

// check reports whether the numbers fit each other.
func (c Config) check() error {
	if c.Heads < 1 || c.Hidden%(2*c.Heads) != 0 {
		return fmt.Errorf("%d values do not split into %d heads of an even size", c.Hidden, c.Heads)
	}
	if c.KVHeads < 1 || c.Heads%c.KVHeads != 0 {
		return fmt.Errorf("%d query heads cannot share %d key and value heads", c.Heads, c.KVHeads)
	}
	return nil
}

// Qwen2's rms_norm_eps and rope_theta.
const (
	eps       = 1e-6
	ropeTheta = 1e6
)

// Decoder is a language model. It is not safe for concurrent use: it keeps its
// intermediate values from call to call.
type Decoder struct {
	config   Config
	weights  *Weights
	ops      Ops
	cos, sin []float32 // [MaxPositions, headDim/2], of the rotary angles

	positions                []int         // [rows]
	visible                  []tensor.Span // [rows], the positions that each attends to
	normed, query, attention []float32     // [rows, Hidden]
	key, value               []float32     // [rows, KVHeads·headDim]
	gate, up                 []float32     // [rows, MLP]
}

// New binds weights, which must not change afterwards, to the operations that
// compute with them. The error names the first tensor whose size is not the
// configuration's.
func New(c Config, w *Weights, ops Ops) (*Decoder, error) {
	err := c.check()
	if err == nil {
		err = w.check(c)
	}
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	d := &Decoder{config: c, weights: w, ops: ops}
	d.cos, d.sin = rotaryAngles(c.MaxPositions, c.headDim())
	return d, nil
}

// rotaryAngles are the cosines and sines [positions, dim/2] of the angles
// position·theta^(−2i/dim), computed in float64.
func rotaryAngles(positions, dim int) (cos, sin []float32) {
	half := dim / 2
	cos, sin = make([]float32, positions*half), make([]float32, positions*half)
	for i := range half {
		frequency := math.Pow(ropeTheta, -2*float64(i)/float64(dim))
		for p := range positions {
			s, c := math.Sincos(float64(p) * frequency)
			cos[p*half+i], sin[p*half+i] = float32(c), float32(s)
		}
	}
	return cos, sin
}

// Embed writes a token's embedding to x [Hidden].
func (d *Decoder) Embed(x []float32, token int) error {
	if token < 0 || token >= d.config.Vocab {
		return fmt.Errorf("token %d: the vocabulary has 0 to %d", token, d.config.Vocab-1)
	}
	d.ops.Row(x[:d.config.Hidden], d.weights.Embeddings, token)
	return nil
}
