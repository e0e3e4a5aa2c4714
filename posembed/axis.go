package posembed

// axis is the weight matrix [to, from] of one axis, which is zero but for a band:
// for every output index the source indices that it reads and their weights.
// Indices ascend; where a convention clamps them to the table, one occurs more
// than once.
type axis struct {
	end    []int32   // [to], where the taps of an output index end in index and weight
	index  []int32   // source indices, all outputs after one another
	weight []float64 // same length as index
}

// newAxis computes the weights along one axis from size from to size to, both
// between 1 and maxSide.
func newAxis(from, to int, c Convention) axis {
	switch c {
	case BicubicAntialias:
		return antialiasAxis(from, to, cubicKernel, 2)
	case BilinearAntialias:
		return antialiasAxis(from, to, triangleKernel, 1)
	case Bilinear, BilinearAlignCorners:
		return linearAxis(from, to, c)
	default:
		return cubicAxis(from, to, c)
	}
}

// makeAxis is an empty axis with room for size outputs and taps taps in all.
func makeAxis(size, taps int) axis {
	return axis{
		end:    make([]int32, 0, size),
		index:  make([]int32, 0, taps),
		weight: make([]float64, 0, taps),
	}
}

// add appends a tap to the output index that is being built.
func (a *axis) add(index int, weight float64) {
	a.index = append(a.index, int32(index))
	a.weight = append(a.weight, weight)
}

// next ends the taps of one output index and begins the next.
func (a *axis) next() { a.end = append(a.end, int32(len(a.index))) }

// taps are the source indices and weights of output index i.
func (a *axis) taps(i int) ([]int32, []float64) {
	begin := int32(0)
	if i > 0 {
		begin = a.end[i-1]
	}
	return a.index[begin:a.end[i]], a.weight[begin:a.end[i]]
}
