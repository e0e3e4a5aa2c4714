package siglip

// block is one pre-norm block on x [patches, Hidden]:
//
//	x += attention(norm(x));  x += mlp(norm(x))
func (t *Tower) block(x []float32, b *Block) {
	hidden, ops := t.config.Hidden, t.ops
	ops.LayerNorm(t.normed, x, b.AttentionNorm, b.AttentionNormBias, eps)
	ops.Linear(t.query, t.normed, b.Query, b.QueryBias)
	ops.Linear(t.key, t.normed, b.Key, b.KeyBias)
	ops.Linear(t.val, t.normed, b.Value, b.ValueBias)
	ops.Attention(t.att, t.query, t.key, t.val, t.config.Heads, hidden/t.config.Heads)
	ops.LinearAdd(x, t.att, b.Out, b.OutBias)

	ops.LayerNorm(t.normed, x, b.MLPNorm, b.MLPNormBias, eps)
	ops.Linear(t.mlp, t.normed, b.Up, b.UpBias)
	ops.GELUTanh(t.mlp)
	ops.LinearAdd(x, t.mlp, b.Down, b.DownBias)
}

// reserve makes the intermediate values fit an image of the given patches.
func (t *Tower) reserve(patches int) {
	c := t.config
	for _, s := range []*[]float32{&t.normed, &t.query, &t.key, &t.val, &t.att} {
		*s = resize(*s, patches*c.Hidden)
	}
	t.mlp = resize(t.mlp, patches*c.MLP)
	t.patches = resize(t.patches, patches*channels*c.Patch*c.Patch)
}

// resize is a slice of length n with unspecified values, s if it is large enough.
func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// unfold writes the patches of an image [3, height, width] to dst
// [patches, 3·patch²], each in the order of a convolution's kernel: channel, row,
// column. The patch embedding is then a matrix product.
func unfold(dst, pixels []float32, height, width, patch int) {
	for top := 0; top+patch <= height; top += patch {
		for left := 0; left+patch <= width; left += patch {
			for channel := range channels {
				for y := range patch {
					from := (channel*height+top+y)*width + left
					dst = dst[copy(dst, pixels[from:][:patch]):]
				}
			}
		}
	}
}
