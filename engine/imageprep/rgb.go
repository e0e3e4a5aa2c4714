package imageprep

import (
	"image"
	"image/color"
)

// RGB is an 8-bit image without alpha, Pillow's mode "RGB". It is an image.Image.
type RGB struct {
	Pix           []uint8 // [Height, Width, 3]
	Height, Width int
}

// NewRGB returns a black image.
func NewRGB(height, width int) *RGB {
	return &RGB{Pix: make([]uint8, 3*height*width), Height: height, Width: width}
}

// ColorModel is that of opaque colours.
func (p *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds begin at the origin.
func (p *RGB) Bounds() image.Rectangle { return image.Rect(0, 0, p.Width, p.Height) }

// At is the colour at column x of row y, transparent black outside.
func (p *RGB) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(p.Bounds()) {
		return color.RGBA{}
	}
	c := p.row(y)[3*x:]
	return color.RGBA{R: c[0], G: c[1], B: c[2], A: 255}
}

func (p *RGB) row(y int) []uint8 { return p.Pix[3*p.Width*y:][:3*p.Width] }

// window is the part from (top, left), of another size; outside the image it is
// filled with a colour.
func (p *RGB) window(top, left, height, width int, fill [3]uint8) *RGB {
	if top == 0 && left == 0 && height == p.Height && width == p.Width {
		return p
	}
	out := NewRGB(height, width)
	if fill != [3]uint8{} {
		for i := range out.Pix {
			out.Pix[i] = fill[i%3]
		}
	}
	from, to := max(left, 0), min(left+width, p.Width)
	for y := max(top, 0); y < min(top+height, p.Height) && from < to; y++ {
		copy(out.row(y - top)[3*(from-left):], p.row(y)[3*from:3*to])
	}
	return out
}

// ToRGB converts as Pillow's convert("RGB") does: alpha is dropped and not
// composited, palette entries are looked up, gray is repeated three times. Of
// 16-bit colours it keeps the high byte, but 16-bit gray without alpha saturates at
// 255, because Pillow's mode I;16 is clipped and not scaled. An *RGB is returned
// itself.
func ToRGB(img image.Image) *RGB {
	switch m := img.(type) {
	case *RGB:
		return m
	case *image.RGBA:
		if !m.Opaque() { // premultiplied: hide the type, so that its colours are converted
			img = struct{ image.Image }{m}
		}
	}
	bounds := img.Bounds()
	out := NewRGB(bounds.Dy(), bounds.Dx())
	for y := range out.Height {
		readRow(out.row(y), img, bounds.Min.X, bounds.Min.Y+y)
	}
	return out
}

// readRow converts one row of img, from column x on. The types are those of Go's
// decoders; going through color.Color.RGBA would premultiply alpha and so lose the
// colours that Pillow keeps.
func readRow(dst []uint8, img image.Image, x, y int) {
	n := len(dst) / 3
	switch m := img.(type) {
	case *image.Gray:
		for i, v := range m.Pix[m.PixOffset(x, y):][:n] {
			dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
		}
	case *image.Gray16:
		src := m.Pix[m.PixOffset(x, y):][:2*n]
		for i := range n {
			v := src[2*i+1]
			if src[2*i] != 0 {
				v = 255
			}
			dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
		}
	case *image.RGBA:
		everyFourth(dst, m.Pix[m.PixOffset(x, y):])
	case *image.NRGBA:
		everyFourth(dst, m.Pix[m.PixOffset(x, y):])
	case *image.NRGBA64:
		src := m.Pix[m.PixOffset(x, y):][:8*n]
		for i := range n {
			dst[3*i], dst[3*i+1], dst[3*i+2] = src[8*i], src[8*i+2], src[8*i+4]
		}
	case *image.CMYK:
		src := m.Pix[m.PixOffset(x, y):][:4*n]
		for i := range n {
			c := src[4*i:]
			dst[3*i], dst[3*i+1], dst[3*i+2] = inkToRGB(c[0], c[1], c[2], c[3])
		}
	default:
		readColors(dst, img, x, y)
	}
}

// everyFourth drops the fourth byte of each pixel.
func everyFourth(dst, src []uint8) {
	for i := 0; 3*i < len(dst); i++ {
		pixel, from := dst[3*i:3*i+3], src[4*i:4*i+3]
		pixel[0], pixel[1], pixel[2] = from[0], from[1], from[2]
	}
}

// readColors is readRow for any image, without knowledge of its type.
func readColors(dst []uint8, img image.Image, x, y int) {
	for i := 0; 3*i < len(dst); i++ {
		c := color.NRGBAModel.Convert(img.At(x+i, y)).(color.NRGBA)
		dst[3*i], dst[3*i+1], dst[3*i+2] = c.R, c.G, c.B
	}
}

// inkToRGB is Pillow's cmyk2rgb; 255 is full ink.
func inkToRGB(c, m, y, k uint8) (r, g, b uint8) {
	paper := 255 - int(k)
	shade := func(ink uint8) uint8 {
		t := int(ink)*paper + 128 // divided by 255 with rounding, as Pillow's MULDIV255
		return uint8(max(paper-(t+t>>8)>>8, 0))
	}
	return shade(c), shade(m), shade(y)
}
