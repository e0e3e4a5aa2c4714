package posembedcuda

import (
	"math"

	"siglab/internal/cudart"
	"siglab/posembed"
)

// shape is how a result is cut into blocks of threads.
type shape struct {
	groups int // threads along the channels: a multiple of 8, so that a position is read in whole cache lines
	cols   int // output columns: neighbours share taps in the first-level cache
	strips int // strips of output rows
	strip  int // output rows of a strip, which one thread walks down
	ahead  int // table rows that it loads before it needs them
	stream int // 1 to write past the cache
}

// launch covers a result.
func (s shape) launch(to posembed.Grid, dim, vec int) cudart.Launch {
	threads := (dim + vec - 1) / vec
	return cudart.Launch{
		Grid:  [3]int{divideUp(to.Cols, s.cols), divideUp(to.Rows, s.strips*s.strip), divideUp(threads, s.groups)},
		Block: [3]int{s.groups, s.cols, s.strips},
	}
}

// choose is the shape for results of so many positions, the tallest of so many rows,
// from what was measured on an H200 (BenchmarkShapes): small results need all the
// threads that they can have, large ones long strips that read each table row once,
// equally long so that none is waited for, and those that would displace everything
// from the second-level cache go past it.
func (t *Table) choose(positions, rows int) shape {
	const long = 11.5 // output rows of a long strip
	even := divideUp(rows, max(1, int(math.Round(float64(rows)/long))))
	var s shape
	switch {
	case positions <= 48*48:
		s = shape{groups: 16, cols: 4, strips: 2, strip: 3, ahead: 2}
	case positions <= 96*96:
		s = shape{groups: 16, cols: 2, strips: 2, strip: even, ahead: 1}
	default:
		s = shape{groups: 16, cols: 4, strips: 1, strip: even, ahead: 1, stream: 1}
	}
	if t.vec() == 1 { // a thread has one channel: more of them along the channels
		s.groups = 64
	}
	return s
}

func divideUp(a, b int) int { return (a + b - 1) / b }
