package posembed

// gatherTemporaries are the intermediate tensors of gatherBilinear. They are kept
// from call to call, as torch's caching allocator keeps them.
type gatherTemporaries struct {
	gathered []float32 // [to.Rows·to.Cols, dim]
	weighted []float32 // same shape
}

// gatherBilinear is bilinear-align-corners in the form of vLLM's and Qwen3-VL's
// fast_pos_embed_interpolate: an expression over whole tensors,
//
//	table[i00]·w00 + table[i01]·w01 + table[i10]·w10 + table[i11]·w11
//
// evaluated as eager torch does, every gather, product and sum a pass of its own:
// four gathers, four products (the first into dst) and three sums.
func gatherBilinear(dst, table []float32, from, to Grid, dim int, temp *gatherTemporaries) {
	indices, weights := gatherTensors(from, to)
	temp.gathered = resize(temp.gathered, len(dst))
	temp.weighted = resize(temp.weighted, len(dst))
	for k := range indices {
		gatherRows(temp.gathered, table, indices[k], dim)
		if k == 0 {
			scaleRows(dst, temp.gathered, weights[k], dim)
			continue
		}
		scaleRows(temp.weighted, temp.gathered, weights[k], dim)
		for i, v := range temp.weighted {
			dst[i] += v
		}
	}
}

// gatherTensors are the indices of the four neighbours of every output position
// and their weights, each [to.Rows·to.Cols], in the order upper left, upper right,
// lower left, lower right.
func gatherTensors(from, to Grid) (indices [4][]int, weights [4][]float32) {
	ys, xs := linspace(from.Rows, to.Rows), linspace(from.Cols, to.Cols)
	for k := range indices {
		indices[k] = make([]int, 0, to.Len())
		weights[k] = make([]float32, 0, to.Len())
	}
	for _, y := range ys {
		top := int(y)
		bottom := min(top+1, from.Rows-1)
		dy := y - float32(top)
		for _, x := range xs {
			left := int(x)
			right := min(left+1, from.Cols-1)
			dx := x - float32(left)
			for k, tap := range [4]struct {
				row, col int
				weight   float32
			}{
				{top, left, (1 - dy) * (1 - dx)},
				{top, right, (1 - dy) * dx},
				{bottom, left, dy * (1 - dx)},
				{bottom, right, dy * dx},
			} {
				indices[k] = append(indices[k], tap.row*from.Cols+tap.col)
				weights[k] = append(weights[k], tap.weight)
			}
		}
	}
	return indices, weights
}

// linspace is torch.linspace(0, size−1, n) in float32, which counts up from the
// start in the first half and down from the end in the second.
func linspace(size, n int) []float32 {
	s := make([]float32, n)
	if n == 1 {
		return s
	}
	last := float32(size - 1)
	step := last / float32(n-1)
	for i := range s {
		if i < n/2 {
			s[i] = step * float32(i)
		} else {
			s[i] = last - step*float32(n-1-i)
		}
	}
	return s
}

// gatherRows copies the table's rows [dim] at the given positions.
func gatherRows(dst, table []float32, positions []int, dim int) {
	for i, p := range positions {
		copy(dst[i*dim:][:dim], table[p*dim:][:dim])
	}
}

// scaleRows multiplies every row [dim] by its weight.
func scaleRows(dst, src []float32, weights []float32, dim int) {
	for i, w := range weights {
		out := dst[i*dim:][:dim]
		for d, v := range src[i*dim:][:dim] {
			out[d] = w * v
		}
	}
}
