package posembed

import (
	"cmp"
	"math"
	"slices"
)

// axis is the weight matrix [to, from] of one axis, which is zero but for a band:
// for every output index the source indices that it reads and their weights.
// Indices ascend; where a convention clamps them to the table, one occurs more
// than once.
type axis struct {
	end    []int32   // [to], where the taps of an output index end in index and weight
	index  []int32   // source indices, all outputs after one another
	weight []float64 // same length as index
	first  []int32   // [to], the source index of the first tap before it was clamped
	most   int       // taps of the output index that has most

	// The same taps for kernels that sum in float32, those of each output index in
	// the order in which they are summed.
	singleIndex []int32
	single      []float32
	ascending   []float32 // single in the order of index
	slot        []int32   // singleIndex modulo slots
	slots       int       // a power of two: the taps of every output index lie in as many neighbours
}

// newAxis computes the weights along one axis from size from to size to, both
// between 1 and maxSide.
func newAxis(from, to int, c Convention) axis {
	switch c {
	case BicubicAntialias:
		return antialiasAxis(from, to, cubicKernel, 2).rounded()
	case BilinearAntialias:
		return antialiasAxis(from, to, triangleKernel, 1).rounded()
	case Bilinear, BilinearAlignCorners:
		return linearAxis(from, to, c).rounded()
	default:
		return cubicAxis(from, to, c).rounded()
	}
}

// makeAxis is an empty axis with room for size outputs and taps taps in all.
func makeAxis(size, taps int) axis {
	return axis{
		end:    make([]int32, 0, size),
		first:  make([]int32, 0, size),
		index:  make([]int32, 0, taps),
		weight: make([]float64, 0, taps),
	}
}

// begin starts an output index whose first tap is at a source index, which may lie
// outside the table.
func (a *axis) begin(first int) { a.first = append(a.first, int32(first)) }

// add appends a tap to the output index that is being built.
func (a *axis) add(index int, weight float64) {
	a.index = append(a.index, int32(index))
	a.weight = append(a.weight, weight)
}

// next ends the taps of one output index and begins the next.
func (a *axis) next() { a.end = append(a.end, int32(len(a.index))) }

// rounded is the axis, complete, with its weights also in float32. So that a constant table
// comes back with the least error, those of an output index are made to add up to
// what they did before they were rounded, and the smallest are summed first: every
// partial sum but the last two is then small, and with it its rounding.
func (a axis) rounded() axis {
	a.singleIndex = slices.Clone(a.index)
	a.single, a.ascending = make([]float32, len(a.weight)), make([]float32, len(a.weight))
	for i := range a.end {
		begin, end := a.span(i)
		a.most = max(a.most, int(end-begin))
		index, single := a.singleIndex[begin:end], a.single[begin:end]
		order := make([]int, end-begin)
		for k := range order {
			order[k] = k
		}
		weight := a.weight[begin:end]
		slices.SortStableFunc(order, func(j, k int) int { return cmp.Compare(math.Abs(weight[j]), math.Abs(weight[k])) })
		lost := 0.0 // of the weights' sum, to rounding
		for at, k := range order {
			index[at] = a.index[int(begin)+k]
			if weight[k] != 0 { // a tap without weight stays without
				single[at] = float32(weight[k] + lost)
				lost += weight[k] - float64(single[at])
			}
			a.ascending[int(begin)+k] = single[at]
		}
	}
	return a.windowed()
}

// windowed is the axis with the taps that address a window of its last positions, in
// which position j is in slot j modulo slots.
func (a axis) windowed() axis {
	a.slots = 1
	for i := range a.end {
		for first, last := a.reach(i); last-first >= a.slots; {
			a.slots *= 2
		}
	}
	a.slot = make([]int32, len(a.singleIndex))
	for i, index := range a.singleIndex {
		a.slot[i] = index & int32(a.slots-1)
	}
	return a
}

// taps are the source indices and weights of output index i.
func (a *axis) taps(i int) ([]int32, []float64) {
	begin, end := a.span(i)
	return a.index[begin:end], a.weight[begin:end]
}

// singleTaps is taps for kernels that sum in float32.
func (a *axis) singleTaps(i int) ([]int32, []float32) {
	begin, end := a.span(i)
	return a.singleIndex[begin:end], a.single[begin:end]
}

// slotTaps is singleTaps with the indices modulo slots.
func (a *axis) slotTaps(i int) ([]int32, []float32) {
	begin, end := a.span(i)
	return a.slot[begin:end], a.single[begin:end]
}

// reach is the first and the last source index of output index i.
func (a *axis) reach(i int) (first, last int) {
	begin, end := a.span(i)
	return int(a.index[begin]), int(a.index[end-1])
}

// span is where the taps of output index i begin and end.
func (a *axis) span(i int) (begin, end int32) {
	if i > 0 {
		begin = a.end[i-1]
	}
	return begin, a.end[i]
}
