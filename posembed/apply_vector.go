package posembed

const (
	// windowValues bounds the window of blended columns that vectorRows keeps: 24 KiB,
	// so that it stays in the first-level cache while the table and the result pass
	// through.
	windowValues = 6 << 10
	// streamedBytes is the size from which a result goes past the cache. Below, its
	// reader finds much of it in the second-level cache; above, fetching every line
	// before writing it, if it comes from memory, costs more than this saves.
	streamedBytes = 4 << 20
)

// blockWidth is how many channels to resample at a time if a window holds slots
// columns: a multiple of unit, at most dim. All channels at once are best, since the
// processor then foresees what is read next. If they are not a multiple, the last
// block begins early enough to be as wide as the others, and computes some channels
// once more.
func blockWidth(dim, unit, slots int) int {
	most := max(unit, windowValues/slots/unit*unit)
	blocks := (dim + most - 1) / most
	if blocks == 1 && dim%unit != 0 {
		blocks = 2
	}
	even := (dim + blocks - 1) / blocks // channels of a block if all were equal
	return min((even+unit-1)/unit*unit, dim/unit*unit)
}

// vectorRows writes rows begin to end of a plan's result dst [to.Rows, to.Cols, dim].
// For each row it walks along the columns: the source rows that the row needs are
// blended, column by column, into a window of the last columns [slots, width], and
// as soon as those that an output column needs are there, they are blended into it.
// Reading, calculating and writing so overlap, each source row and the result are
// passed through in order, and what lies between the passes stays in the cache.
func vectorRows[T any](k *passes[T], unit int, stream bool, p *Plan, w *workspace, dst, src []T, dim, begin, end int) {
	slots, pitch := p.cols.slots, p.from.Cols*dim
	width := blockWidth(dim, unit, slots)
	w.window = resize(w.window, slots*width)
	for y := begin; y < end; y++ {
		rowIndex, rowWeight := p.rows.singleTaps(y)
		for done := 0; done < dim; done += width {
			c := min(done, dim-width)
			blended := 0 // columns below are in the window, or will not be read again
			for x := range p.to.Cols {
				first, last := p.cols.reach(x)
				for blended = max(blended, first); blended <= last; blended++ {
					k.rows(&w.window[blended&(slots-1)*width], &src[blended*dim+c], &rowIndex[0], &rowWeight[0], len(rowIndex), pitch, width, false)
				}
				slot, weight := p.cols.slotTaps(x)
				k.cols(&dst[(y*p.to.Cols+x)*dim+c], &w.window[0], &slot[0], &weight[0], len(slot), width, width, stream)
			}
		}
	}
}
