package posembed

const (
	// blockChannels is how many channels are resampled at a time, a multiple of
	// the kernels' unrolled loops: one row of them must stay in the first-level
	// cache between the passes.
	blockChannels = 128
	// tileValues bounds that row: 24 KiB.
	tileValues = 6 << 10
	// streamedBytes is the size from which a result goes past the cache. Below, its
	// reader finds it there; above, fetching every line before writing it would
	// double the traffic. The built-in copy changes over at the same size.
	streamedBytes = 1 << 20
)

// blockWidth is how many channels to resample at a time: a multiple of lanes, at
// most dim. The last block of a row begins early enough to be as wide as the
// others, and computes some channels once more.
func blockWidth(dim, lanes, cols int) int {
	most := min(blockChannels, max(lanes, tileValues/cols/lanes*lanes))
	blocks := (dim + most - 1) / most
	even := (dim + blocks - 1) / blocks // channels of a block if all were equal
	return min((even+lanes-1)/lanes*lanes, dim/lanes*lanes)
}

// vectorRows writes rows begin to end of a plan's result dst [to.Rows, to.Cols, dim]:
// for each row and each block of channels, the source rows that it needs are
// blended into one, which stays in the cache, and that is resampled along its
// columns. With stream, the result goes past the cache.
func vectorRows[T any](k *passes[T], lanes int, stream bool, p *Plan, w *workspace, dst, src []T, dim, begin, end int) {
	fromCols, toCols := p.from.Cols, p.to.Cols
	width := blockWidth(dim, lanes, fromCols)
	w.tile = resize(w.tile, fromCols*width)
	for y := begin; y < end; y++ {
		index, weight := p.rows.singleTaps(y)
		row := dst[y*toCols*dim:][:toCols*dim]
		for done := 0; done < dim; done += width {
			c := min(done, dim-width)
			k.rows(&w.tile[0], &src[c], fromCols, dim, &index[0], &weight[0], len(index), fromCols*dim, width)
			k.cols(&row[c], &w.tile[0], toCols, dim, &p.cols.singleIndex[0], &p.cols.single[0], &p.cols.end[0], width, stream)
		}
	}
}
