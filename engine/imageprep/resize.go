package imageprep

import "math"

// Pillow's 8-bit resampling (src/libImaging/Resample.c): two passes, each with
// fixed-point weights of precisionBits and rounded to 8 bits. A library that rounds
// once, or in floating point, differs in some pixels.
const (
	precisionBits = 32 - 8 - 2
	cubicA        = -0.5
	cubicSupport  = 2
)

// taps are the source pixels of one output pixel along one axis.
type taps struct {
	first  int
	weight []int32 // in units of 2^−precisionBits
}

// axisTaps are the taps of a bicubic resize from in to out pixels. Where it shrinks,
// the kernel is widened.
func axisTaps(in, out int) []taps {
	scale := float64(in) / float64(out)
	widen := max(scale, 1)
	support := cubicSupport * widen
	narrow := 1 / widen // Pillow multiplies by it: dividing rounds differently
	axis := make([]taps, out)
	for i := range axis {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		last := min(int(center+support+0.5), in)
		weights := make([]float64, last-first)
		sum := 0.0
		for k := range weights {
			weights[k] = cubic((float64(k+first) - center + 0.5) * narrow)
			sum += weights[k]
		}
		axis[i] = taps{first: first, weight: make([]int32, len(weights))}
		for k, w := range weights {
			axis[i].weight[k] = fixed(w / sum)
		}
	}
	return axis
}

// cubic is Keys' kernel.
func cubic(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((cubicA+2)*x-(cubicA+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * cubicA
	}
	return 0
}

// fixed rounds half away from zero.
func fixed(w float64) int32 {
	if w < 0 {
		return int32(-0.5 + w*(1<<precisionBits))
	}
	return int32(0.5 + w*(1<<precisionBits))
}

// resize returns the image at another size. The columns come first, but where only
// the rows shrink these do, as in Pillow 13: the first pass rounds, so the order
// shows in single levels.
func (p rgbPixels) resize(height, width int) rgbPixels {
	if height < p.height && width >= p.width {
		return p.resizeRows(height).resizeColumns(width)
	}
	return p.resizeColumns(width).resizeRows(height)
}

func (p rgbPixels) resizeColumns(width int) rgbPixels {
	if width == p.width {
		return p
	}
	out := newRGB(p.height, width)
	axis := axisTaps(p.width, width)
	for y := range p.height {
		row := p.pix[3*p.width*y:][:3*p.width]
		for x, t := range axis {
			out.set(y, x, t.sum(row[3*t.first:], 3))
		}
	}
	return out
}

func (p rgbPixels) resizeRows(height int) rgbPixels {
	if height == p.height {
		return p
	}
	out := newRGB(height, p.width)
	for y, t := range axisTaps(p.height, height) {
		for x := range p.width {
			out.set(y, x, t.sum(p.pix[3*(t.first*p.width+x):], 3*p.width))
		}
	}
	return out
}

func (p rgbPixels) set(y, x int, rgb [3]uint8) { copy(p.pix[3*(y*p.width+x):], rgb[:]) }

// sum is the weighted sum of pixels that lie stride bytes apart.
func (t taps) sum(pix []uint8, stride int) [3]uint8 {
	const half = 1 << (precisionBits - 1)
	r, g, b := int32(half), int32(half), int32(half)
	at := 0
	for _, w := range t.weight {
		r += w * int32(pix[at])
		g += w * int32(pix[at+1])
		b += w * int32(pix[at+2])
		at += stride
	}
	return [3]uint8{clip(r), clip(g), clip(b)}
}

func clip(v int32) uint8 { return uint8(min(max(v>>precisionBits, 0), 255)) }
