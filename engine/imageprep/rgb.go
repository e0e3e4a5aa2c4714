package imageprep

import (
	"image"
	"image/color"
)

// rgbPixels is an 8-bit RGB image, interleaved.
type rgbPixels struct {
	pix           []uint8 // [height, width, 3]
	height, width int
}

// newRGB returns a black image.
func newRGB(height, width int) rgbPixels {
	return rgbPixels{pix: make([]uint8, 3*height*width), height: height, width: width}
}

// toRGB converts as Pillow's convert("RGB") does: alpha is dropped and not
// composited, palette entries are looked up, gray is repeated three times.
// Of 16-bit colours it keeps the high byte, but 16-bit gray without alpha
// saturates at 255, because Pillow's mode I;16 is clipped and not scaled.
func toRGB(img image.Image) rgbPixels {
	bounds := img.Bounds()
	at := rgbReader(img)
	out := newRGB(bounds.Dy(), bounds.Dx())
	i := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			out.pix[i], out.pix[i+1], out.pix[i+2] = at(x, y)
			i += 3
		}
	}
	return out
}

// rgbReader returns how to read one pixel of img. The types are those that
// [Decode] yields; going through color.Color.RGBA would premultiply alpha and
// so lose the colours that Pillow keeps.
func rgbReader(img image.Image) func(x, y int) (r, g, b uint8) {
	switch m := img.(type) {
	case *image.Gray:
		return func(x, y int) (r, g, b uint8) {
			v := m.GrayAt(x, y).Y
			return v, v, v
		}
	case *image.Gray16:
		return func(x, y int) (r, g, b uint8) {
			v := uint8(min(m.Gray16At(x, y).Y, 0xff))
			return v, v, v
		}
	case *image.RGBA: // opaque: an RGB PNG
		if m.Opaque() {
			return func(x, y int) (r, g, b uint8) {
				c := m.RGBAAt(x, y)
				return c.R, c.G, c.B
			}
		}
	case *image.NRGBA64:
		return func(x, y int) (r, g, b uint8) {
			c := m.NRGBA64At(x, y)
			return uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8)
		}
	case *image.YCbCr:
		return func(x, y int) (r, g, b uint8) {
			c := m.YCbCrAt(x, y)
			return color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		}
	case *image.NYCbCrA:
		return func(x, y int) (r, g, b uint8) {
			c := m.YCbCrAt(x, y)
			return color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		}
	}
	return func(x, y int) (r, g, b uint8) {
		c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		return c.R, c.G, c.B
	}
}
