package cpu

// kernels are the inner loops of an instruction set. Kernels of elements take n
// elements, a multiple of lanes and not 0; kernels.each and its like do the rest.
type kernels struct {
	lanes   int
	columns int   // outputs of a tile: a panel or half of one
	heights []int // rows of the tiles, ascending
	tiles   [weightTypes][]tileKernel
	narrow  []tileKernel // tiles of float32 with as many outputs as lanes; nil if that is no fewer

	geluTanh, gelu                       unaryKernel
	siluMul, geluTanhMul, add, roundBF16 binaryKernel
	rotate                               func(a, b, cos, sin *float32, n int)
	scale                                func(x *float32, by float32, n int)
	packBF16                             func(y *uint16, x *float32, n int) // nil without products of pairs

	// transpose writes n values, a multiple of 8, of 8 rows that are stride apart to
	// columns of a panel: dst[i·panel + row] = src[row·stride + i]. It may be nil.
	transpose func(dst, src *float32, stride, n int)

	// normalise writes (x − mean)·scale·weight + bias to y.
	normalise  func(y, x, weight, bias *float32, mean, scale float64, n int)
	sum        func(x *float32, n int) float64
	deviations func(x *float32, mean float64, n int) float64 // Σ (x − mean)²
	largest    func(x *float32, n int) float32               // NaNs aside
	expSum     func(x *float32, largest float32, n int) float32

	peak func(n int) // of ISA.Peak; it may be nil
}

// tileKernel multiplies the inputs of a few rows with k weights of neighbouring
// outputs, b, which lie as in a panel of a matrix:
//
//	c[row, output] = start[row, output] + Σ a[row, k]·b[k, output]
//
// Rows of a are tileStride apart, those of start and c as told, in values. Inputs of
// tileBF16Dot are pairs of bfloat16, two to a value. A sum is one chain of fused
// multiplications and additions in the order of k (of pairs for tileBF16Dot), so that
// it has the same bits in every tile of an instruction set. c may be start.
//
// Tiles fetch their own weights ahead of using them. The tallest ones instead, if
// aheadStep is not 0, ask for memory that is needed next: for every readPace inputs a
// line, from ahead on, aheadStep bytes apart.
type tileKernel func(k int, a *float32, b *byte, start *float32, startStride int, c *float32, cStride int, ahead *byte, aheadStep int)

type (
	unaryKernel  func(x *float32, n int)
	binaryKernel func(y, x *float32, n int)
)

// tallest is the height of the highest tile.
func (k *kernels) tallest() int { return k.heights[len(k.heights)-1] }

// nextTile says how many of the rows that are left go into the next tile, and which
// of the heights it has. Short tiles wait for their sums, so that a few rows more than
// a tile make two halves.
func (k *kernels) nextTile(left int) (rows, height int) {
	last := len(k.heights) - 1
	tallest, below := k.heights[last], k.heights[last-1]
	switch {
	case left > tallest && left <= tallest+2:
		rows = (left + 1) / 2
	case left >= tallest-1:
		rows = min(left, tallest)
	default:
		rows = min(left, below)
	}
	for k.heights[height] < rows {
		height++
	}
	return rows, height
}

// unary runs a kernel over a slice of any length.
func (k *kernels) unary(f unaryKernel, x []float32, s *scratch) {
	whole := len(x) / k.lanes * k.lanes
	if whole > 0 {
		f(&x[0], whole)
	}
	if rest := x[whole:]; len(rest) > 0 {
		copy(s.spare[0], rest)
		f(&s.spare[0][0], k.lanes)
		copy(rest, s.spare[0])
	}
}

// binary runs a kernel over slices of any equal length.
func (k *kernels) binary(f binaryKernel, y, x []float32, s *scratch) {
	x = x[:len(y)]
	whole := len(y) / k.lanes * k.lanes
	if whole > 0 {
		f(&y[0], &x[0], whole)
	}
	if rest := y[whole:]; len(rest) > 0 {
		copy(s.spare[0], rest)
		copy(s.spare[1], x[whole:])
		f(&s.spare[0][0], &s.spare[1][0], k.lanes)
		copy(rest, s.spare[0])
	}
}

// pack rounds x to bfloat16.
func (k *kernels) pack(y []uint16, x []float32, s *scratch) {
	whole := len(x) / k.lanes * k.lanes
	if whole > 0 {
		k.packBF16(&y[0], &x[0], whole)
	}
	if rest := x[whole:]; len(rest) > 0 {
		copy(s.spare[0], rest)
		k.packBF16(&s.pairs[0], &s.spare[0][0], k.lanes)
		copy(y[whole:len(x)], s.pairs)
	}
}

// turn runs the rotation over slices of any equal length.
func (k *kernels) turn(a, b, cos, sin []float32, s *scratch) {
	whole := len(a) / k.lanes * k.lanes
	if whole > 0 {
		k.rotate(&a[0], &b[0], &cos[0], &sin[0], whole)
	}
	if whole == len(a) {
		return
	}
	for i, x := range [][]float32{a, b, cos, sin} {
		copy(s.spare[i], x[whole:])
	}
	k.rotate(&s.spare[0][0], &s.spare[1][0], &s.spare[2][0], &s.spare[3][0], k.lanes)
	copy(a[whole:], s.spare[0])
	copy(b[whole:], s.spare[1])
}
