package imageprep

import "math"

// levels are the values of the 256 levels of each channel.
type levels [3][256]float32

// levels rescales in float64, rounds to float32, and normalises in float32, as
// numpy does in transformers' image_transforms.py.
func (p *Processor) levels() *levels {
	var l levels
	for c := range l {
		for level := range l[c] {
			v := float32(level)
			if p.Rescale {
				v = float32(float64(level) * p.Factor)
			}
			if p.Normalize {
				v = (v - float32(p.Mean[c])) / float32(p.Std[c])
			}
			l[c][level] = v
		}
	}
	return &l
}

// planes writes the image channel by channel: dst is [3, height, width].
func (l *levels) planes(dst []float32, p *RGB) {
	n := p.Height * p.Width
	r, g, b := dst[:n], dst[n:][:n], dst[2*n:][:n]
	pix := p.Pix[:3*n]
	for i := range r {
		r[i], g[i], b[i] = l[0][pix[0]], l[1][pix[1]], l[2][pix[2]]
		pix = pix[3:]
	}
}

// interleaved writes pixels as they lie: dst and pix are [n, 3].
func (l *levels) interleaved(dst []float32, pix []uint8) {
	for i, v := range pix {
		dst[i] = l[i%3][v]
	}
}

// meanColor is the mean as levels, truncated, as the processors pad with it.
func (p *Processor) meanColor() (fill [3]uint8) {
	for c := range fill {
		fill[c] = uint8(min(max(p.Mean[c]*255, 0), 255))
	}
	return fill
}

func roundHalfEven(x float64) float64 { return math.RoundToEven(x) }

// square pads the shorter side on both ends, the odd pixel at its end.
func (p *RGB) square(fill [3]uint8) *RGB {
	side := max(p.Height, p.Width)
	return p.window(-((side - p.Height) / 2), -((side - p.Width) / 2), side, side, fill)
}

// centerCrop takes the middle; what lies outside the image is black.
func (p *RGB) centerCrop(height, width int) *RGB {
	return p.window((p.Height-height)>>1, (p.Width-width)>>1, height, width, [3]uint8{})
}
