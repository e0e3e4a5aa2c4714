package decoder

import (
	"fmt"

	"siglab/engine/tensor"
)

// Prefill appends the embedded positions x [n, Hidden] to the cache's sequence. Row r
// sees the positions before ends[r], all of which are in the cache after the call:
// its own position plus 1 if it sees none behind itself. logits [Vocab] gets those of
// the last row, unless it is nil. x is overwritten. After an error the cache is as
// before.
func (d *Decoder) Prefill(c *Cache, x []float32, ends []int, logits []float32) error {
	n := len(ends)
	if n == 0 {
		return fmt.Errorf("prefill of no positions: want at least one")
	}
	if err := d.room(c, n); err != nil {
		return err
	}
	d.stretches, d.rows = append(d.stretches[:0], stretch{c, n}), d.rows[:0]
	for r, end := range ends {
		position := c.length + r
		if end <= position || end > c.length+n {
			return fmt.Errorf("position %d sees the positions before %d: want %d to %d, those that are there", position, end, position+1, c.length+n)
		}
		d.rows = append(d.rows, row{position, end})
	}
	d.blocks(x)
	if logits != nil {
		d.head(x[(n-1)*d.config.Hidden:])
		copy(logits, d.logits)
	}
	return nil
}

// Step appends one embedded position to each cache's sequence, row i of
// x [len(caches), Hidden] to caches[i], and writes the logits, [Vocab] each. x is
// overwritten. The caches must be different ones. After an error they are as before.
func (d *Decoder) Step(caches []*Cache, x []float32, logits [][]float32) error {
	d.stretches, d.rows = d.stretches[:0], d.rows[:0]
	for _, c := range caches {
		if err := d.room(c, 1); err != nil {
			return err
		}
		d.stretches = append(d.stretches, stretch{c, 1})
		d.rows = append(d.rows, row{c.length, c.length + 1})
	}
	d.blocks(x)
	d.head(x)
	for i := range logits {
		copy(logits[i], d.logits[i*d.config.Vocab:])
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

// blocks runs x [rows, Hidden], the stretches after one another, through all blocks
// and appends it to the caches.
func (d *Decoder) blocks(x []float32) {
	d.reserve(len(d.rows))
	d.rotate()
	for i := range d.weights.Blocks {
		d.attend(x, i)
		d.feed(x, &d.weights.Blocks[i])
	}
	for _, s := range d.stretches {
		s.cache.length += s.rows
	}
	clear(d.stretches) // or they would keep the memory of ended sequences
}

// attend is the first half of block i: x += attention(norm(x)).
func (d *Decoder) attend(x []float32, i int) {
	c, b, ops := d.config, &d.weights.Blocks[i], d.ops
	ops.RMSNorm(d.normed, x, b.AttentionNorm, c.Eps)
	ops.Linear(d.query, d.normed, b.Query, b.QueryBias)
	ops.Linear(d.key, d.normed, b.Key, b.KeyBias)
	ops.Linear(d.value, d.normed, b.Value, b.ValueBias)
	if c.Norms == SandwichNorm {
		ops.RMSNorm(d.query, d.query, b.QueryNorm, c.Eps)
		ops.RMSNorm(d.key, d.key, b.KeyNorm, c.Eps)
	}
	window, rotation := 0, d.rotary[0]
	if c.Windows != nil && c.Windows[i] > 0 {
		window, rotation = c.Windows[i], d.rotary[1]
	}
	ops.RoPE(d.query, rotation.cos, rotation.sin, d.identity, c.Heads, c.HeadDim)
	ops.RoPE(d.key, rotation.cos, rotation.sin, d.identity, c.KVHeads, c.HeadDim)
	d.look(window)
	q, kv, row := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim, 0
	for _, s := range d.stretches {
		end, cache := row+s.rows, s.cache.blocks[i]
		ops.Store(cache, d.key[row*kv:end*kv], d.value[row*kv:end*kv], s.cache.length)
		ops.CachedAttention(d.attention[row*q:end*q], d.query[row*q:end*q], cache, d.visible[row:end], c.Heads, c.Scale)
		row = end
	}
	d.add(x, d.attention, b.Out, b.OutBias, b.AttentionPostNorm)
}

// look says what every row sees in a block with the given window, 0 for none.
func (d *Decoder) look(window int) {
	d.visible = d.visible[:0]
	for _, r := range d.rows {
		begin := 0
		if window > 0 {
			begin = max(0, r.position-window+1)
		}
		d.visible = append(d.visible, tensor.Span{Begin: begin, End: r.end})
	}
}

// feed is the second half of a block: x += down(activation(gate(norm(x)))·up(norm(x))).
func (d *Decoder) feed(x []float32, b *Block) {
	ops := d.ops
	ops.RMSNorm(d.normed, x, b.MLPNorm, d.config.Eps)
	ops.Linear(d.gate, d.normed, b.Gate, b.GateBias)
	ops.Linear(d.up, d.normed, b.Up, b.UpBias)
	if d.config.Activation == GELUTanh {
		ops.GELUTanhMul(d.gate, d.up)
	} else {
		ops.SiLUMul(d.gate, d.up)
	}
	d.add(x, d.gate, b.Down, b.DownBias, b.MLPPostNorm)
}

// add adds a layer's output for y to x, behind a norm if there is one.
func (d *Decoder) add(x, y []float32, w tensor.Matrix, bias, norm []float32) {
	if norm == nil {
		d.ops.LinearAdd(x, y, w, bias)
		return
	}
	d.ops.Linear(d.added, y, w, bias)
	d.ops.RMSNorm(d.added, d.added, norm, d.config.Eps)
	for i, v := range d.added {
		x[i] += v
	}
}

// head computes the logits [rows, Vocab] of the rows x [rows, Hidden].
func (d *Decoder) head(x []float32) {
	rows := len(x) / d.config.Hidden
	d.last = resize(d.last, len(x))
	d.logits = resize(d.logits, rows*d.config.Vocab)
	d.ops.RMSNorm(d.last, x, d.weights.Norm, d.config.Eps)
	d.ops.Linear(d.logits, d.last, d.weights.Head, nil)
}

// reserve makes the intermediate values fit the given number of rows.
func (d *Decoder) reserve(rows int) {
	c := d.config
	d.normed, d.added = resize(d.normed, rows*c.Hidden), resize(d.added, rows*c.Hidden)
	for _, s := range []*[]float32{&d.query, &d.attention} {
		*s = resize(*s, rows*c.Heads*c.HeadDim)
	}
	for _, s := range []*[]float32{&d.key, &d.value} {
		*s = resize(*s, rows*c.KVHeads*c.HeadDim)
	}
	for _, s := range []*[]float32{&d.gate, &d.up} {
		*s = resize(*s, rows*c.MLP)
	}
}
