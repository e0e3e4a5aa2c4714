package decoder

import (
	"fmt"
	"math"

	"siglab/engine/tensor"
)

// Prefill appends the embedded positions x [n, Hidden] to the cache's sequence and
// writes the logits [Vocab] of the last one. x is overwritten. After an error the
// cache is as before.
func (d *Decoder) Prefill(c *Cache, x, logits []float32) error {
	if len(x) == 0 {
		return fmt.Errorf("prefill of no positions: want at least one")
	}
	n := len(x) / d.config.Hidden
	if err := d.room(c, n); err != nil {
		return err
	}
	d.blocks(x, []stretch{{c, n}})
	d.head(logits, x[(n-1)*d.config.Hidden:])
	return nil
}

// Step appends one embedded position to each cache's sequence, row i of
// x [len(caches), Hidden] to caches[i], and writes the logits, [Vocab] each. x is
// overwritten. The caches must be different ones. After an error they are as before.
func (d *Decoder) Step(caches []*Cache, x []float32, logits [][]float32) error {
	stretches := make([]stretch, len(caches))
	for i, c := range caches {
		if err := d.room(c, 1); err != nil {
			return err
		}
		stretches[i] = stretch{c, 1}
	}
	d.blocks(x, stretches)
	hidden := d.config.Hidden
	for i := range caches {
		d.head(logits[i], x[i*hidden:][:hidden])
	}
	return nil
}

// room reports whether n positions can be appended.
func (d *Decoder) room(c *Cache, n int) error {
	if limit := min(c.capacity, d.config.MaxPositions); c.length+n > limit {
		return fmt.Errorf("sequence of %d positions cannot take %d more: its capacity is %d", c.length, n, limit)
	}
	return nil
}

// stretch is a number of consecutive rows that continue one sequence.
type stretch struct {
	cache *Cache
	rows  int
}

// blocks runs x [rows, Hidden], the stretches after one another, through all blocks
// and appends it to the caches.
func (d *Decoder) blocks(x []float32, stretches []stretch) {
	d.positions, d.visible = d.positions[:0], d.visible[:0]
	for _, s := range stretches {
		for r := range s.rows {
			position := s.cache.length + r
			d.positions = append(d.positions, position)
			d.visible = append(d.visible, tensor.Span{End: position + 1})
		}
	}
	d.reserve(len(d.positions))
	for i := range d.weights.Blocks {
		d.attend(x, i, stretches)
		d.feed(x, &d.weights.Blocks[i])
	}
	for _, s := range stretches {
		s.cache.length += s.rows
	}
}

// attend is the first half of block i: x += attention(norm(x)).
func (d *Decoder) attend(x []float32, i int, stretches []stretch) {
	c, b, ops := d.config, &d.weights.Blocks[i], d.ops
	hidden, dim, kv := c.Hidden, c.headDim(), c.KVHeads*c.headDim()
	ops.RMSNorm(d.normed, x, b.AttentionNorm, eps)
	ops.Linear(d.query, d.normed, b.Query, b.QueryBias)
	ops.Linear(d.key, d.normed, b.Key, b.KeyBias)
	ops.Linear(d.value, d.normed, b.Value, b.ValueBias)
	ops.RoPE(d.query, d.cos, d.sin, d.positions, c.Heads, dim)
	ops.RoPE(d.key, d.cos, d.sin, d.positions, c.KVHeads, dim)
	scale := float32(1 / math.Sqrt(float64(dim)))
	row := 0
	for _, s := range stretches {
		end, cache := row+s.rows, s.cache.blocks[i]
		ops.Store(cache, d.key[row*kv:end*kv], d.value[row*kv:end*kv], s.cache.length)
		ops.CachedAttention(d.attention[row*hidden:end*hidden], d.query[row*hidden:end*hidden], cache, d.visible[row:end], c.Heads, scale)
		row = end
	}
	ops.LinearAdd(x, d.attention, b.Out, nil)
}

// feed is the second half of a block: x += down(silu(gate(norm(x)))·up(norm(x))).
func (d *Decoder) feed(x []float32, b *Block) {
	ops := d.ops
	ops.RMSNorm(d.normed, x, b.MLPNorm, eps)
	ops.Linear(d.gate, d.normed, b.Gate, nil)
	ops.Linear(d.up, d.normed, b.Up, nil)
	ops.SiLUMul(d.gate, d.up)
	ops.LinearAdd(x, d.gate, b.Down, nil)
}

// head writes the logits [Vocab] of one row x [Hidden], which is normed in place.
func (d *Decoder) head(logits, x []float32) {
	d.ops.RMSNorm(x, x, d.weights.Norm, eps)
	d.ops.Linear(logits[:d.config.Vocab], x, d.weights.Head, nil)
}

// reserve makes the intermediate values fit the given number of rows.
func (d *Decoder) reserve(rows int) {
	c := d.config
	for _, s := range []*[]float32{&d.normed, &d.query, &d.attention} {
		*s = resize(*s, rows*c.Hidden)
	}
	for _, s := range []*[]float32{&d.key, &d.value} {
		*s = resize(*s, rows*c.KVHeads*c.headDim())
	}
	for _, s := range []*[]float32{&d.gate, &d.up} {
		*s = resize(*s, rows*c.MLP)
	}
}

// resize is a slice of length n with unspecified values, s if it is large enough.
func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
