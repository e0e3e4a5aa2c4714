package imageprep

// Pillow's 8-bit resampling (src/libImaging/Resample.c): two passes, each with
// fixed-point weights of precisionBits and rounded to 8 bits. A library that rounds
// once, or in floating point, differs in some pixels.
const (
	precisionBits = 32 - 8 - 2
	roundingHalf  = 1 << (precisionBits - 1)
)

// axis holds the source pixels and weights of every output pixel along one side.
type axis struct {
	first  []int   // [out] the first source pixel
	count  []int   // [out] how many follow each other from there
	weight []int32 // [out, size] in units of 2^−precisionBits
	size   int     // largest count
}

// newAxis plans a resize from in to out pixels. Where it shrinks, the kernel is
// widened.
func newAxis(in, out int, f Filter) axis {
	kernel, support := f.kernel()
	scale := float64(in) / float64(out)
	widen := max(scale, 1)
	support = float64(support * widen)
	narrow := 1 / widen // Pillow multiplies by it: dividing rounds differently
	size := min(2*int(support+1)+1, in)
	a := axis{first: make([]int, out), count: make([]int, out), weight: make([]int32, out*size), size: size}
	weights := make([]float64, size)
	for i := range out {
		center := float64((float64(i) + 0.5) * scale)
		first := max(int(center-support+0.5), 0)
		count := min(int(center+support+0.5), in) - first
		sum := 0.0
		for k := range count {
			w := float64(kernel(float64((float64(k+first) - center + 0.5) * narrow)))
			weights[k] = w
			sum += w
		}
		fixed := a.weights(i, count)
		for k, w := range weights[:count] {
			if sum != 0 {
				w /= sum
			}
			fixed[k] = fixedPoint(w)
		}
		a.first[i], a.count[i] = first, count
	}
	return a
}

// weights are those of output pixel i, which has count of them.
func (a axis) weights(i, count int) []int32 { return a.weight[i*a.size:][:count] }

// fixedPoint rounds half away from zero.
func fixedPoint(w float64) int32 {
	if w < 0 {
		return int32(-0.5 + w*(1<<precisionBits))
	}
	return int32(0.5 + w*(1<<precisionBits))
}

// clip rounds a sum of weighted levels, which began at roundingHalf, to a level. The
// branch is seldom taken, so it is faster than min and max.
func clip(sum int32) uint8 {
	sum >>= precisionBits
	if uint32(sum) > 255 {
		return uint8(^(sum >> 31))
	}
	return uint8(sum)
}

// Resize returns the image at another size, of at least one pixel a side, as Pillow
// 13's Image.resize does. At its own size it is returned itself, not a copy.
func (p *RGB) Resize(height, width int, f Filter) *RGB {
	if height == p.Height && width == p.Width {
		return p
	}
	if f == Nearest {
		return p.resizeNearest(height, width)
	}
	if p.rowsFirst(height, width) {
		return p.resizeRows(height, f).resizeColumns(width, f)
	}
	return p.resizeColumns(width, f).resizeRows(height, f)
}

// rowsFirst is Pillow 13's choice of the first pass. As each rounds, the order shows
// in single levels. Pillow 12 and older always began with the columns.
func (p *RGB) rowsFirst(height, width int) bool {
	fewer := p.Height - height
	return fewer > 0 && fewer > 2*(p.Width-width)
}

// resizeNearest takes the pixel below each output pixel's centre. Positions are
// summed up step by step, as in ImagingScaleAffine, and round accordingly.
func (p *RGB) resizeNearest(height, width int) *RGB {
	columns, rows := nearest(p.Width, width), nearest(p.Height, height)
	out := NewRGB(height, width)
	for y, row := range rows {
		if row < 0 {
			continue
		}
		src, dst := p.row(row), out.row(y)
		for x, column := range columns {
			if column >= 0 {
				copy(dst[3*x:3*x+3], src[3*column:])
			}
		}
	}
	return out
}

// nearest are the source pixels of each output pixel; −1 where rounding led outside.
func nearest(in, out int) []int {
	step := float64(in) / float64(out)
	at := float64(step * 0.5)
	positions := make([]int, out)
	for i := range positions {
		positions[i] = int(at)
		if positions[i] >= in {
			positions[i] = -1
		}
		at += step
	}
	return positions
}

func (p *RGB) resizeColumns(width int, f Filter) *RGB {
	if width == p.Width {
		return p
	}
	out := NewRGB(p.Height, width)
	a := newAxis(p.Width, width, f)
	pairs := make([]int64, 3*p.Width)
	for y := 0; y < p.Height; y += 2 {
		next := min(y+1, p.Height-1) // the last of an odd number is computed twice
		first, second := p.row(y), p.row(next)
		for i := range pairs {
			pairs[i] = int64(first[i]) | int64(second[i])<<32
		}
		a.sumColumns(out.row(y), out.row(next), pairs)
	}
	return out
}

// sumColumns fills two rows, each [out, 3], from the pairs [in, 3] of the levels of
// two rows, which lie in the halves of an int64: a product with a weight serves both.
// Each half of a sum fits in an int32, as in Pillow; a borrow from the lower one is
// undone at the end.
func (a axis) sumColumns(first, second []uint8, pairs []int64) {
	const half = roundingHalf | roundingHalf<<32
	for x, from := range a.first {
		weights := a.weights(x, a.count[x])
		taps := pairs[3*from:][:3*len(weights)]
		r, g, b := int64(half), int64(half), int64(half)
		for _, w := range weights {
			if len(taps) < 3 { // never: tells the compiler
				break
			}
			w := int64(w)
			r += w * taps[0]
			g += w * taps[1]
			b += w * taps[2]
			taps = taps[3:]
		}
		pixel, below := first[3*x:3*x+3], second[3*x:3*x+3]
		pixel[0], below[0] = clipPair(r)
		pixel[1], below[1] = clipPair(g)
		pixel[2], below[2] = clipPair(b)
	}
}

// clipPair clips the lower and the upper half of a sum.
func clipPair(sum int64) (lower, upper uint8) {
	low := int32(sum)
	return clip(low), clip(int32((sum - int64(low)) >> 32))
}

func (p *RGB) resizeRows(height int, f Filter) *RGB {
	if height == p.Height {
		return p
	}
	out := NewRGB(height, p.Width)
	a := newAxis(p.Height, height, f)
	sums := make([]int32, 3*p.Width)
	for y, first := range a.first {
		for i := range sums {
			sums[i] = roundingHalf
		}
		for k, w := range a.weights(y, a.count[y]) {
			addRow(sums, p.row(first+k), w)
		}
		dst := out.row(y)
		for i, sum := range sums {
			dst[i] = clip(sum)
		}
	}
	return out
}

func addRow(sums []int32, row []uint8, w int32) {
	row = row[:len(sums)]
	for i := range sums {
		sums[i] += w * int32(row[i])
	}
}
