package imageprep

import (
	"bytes"
	"errors"
	"image"
	"image/gif"
)

func gifSize(data []byte) (height, width int, err error) {
	config, err := gif.DecodeConfig(bytes.NewReader(data))
	return config.Height, config.Width, err
}

// decodeGIF decodes the first frame, placed on its canvas. The standard library
// forgets the colour of the transparent index, which Pillow keeps, so the palette is
// read here.
func decodeGIF(data []byte) (*RGB, error) {
	height, width, err := gifSize(data)
	if err != nil {
		return nil, err
	}
	img, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame, ok := img.(*image.Paletted)
	if !ok {
		return nil, errors.New("the first frame has no palette")
	}
	palette, background, err := gifPalette(data)
	if err != nil {
		return nil, err
	}
	out := NewRGB(height, width)
	colors := make([]uint8, 3*256) // black where the palette has none
	copy(colors, palette)
	color := func(index uint8) []uint8 { return colors[3*int(index):][:3] }
	if !frame.Rect.Eq(out.Bounds()) {
		for i := 0; i < len(out.Pix); i += 3 {
			copy(out.Pix[i:], color(background))
		}
	}
	within := frame.Rect.Intersect(out.Bounds())
	for y := within.Min.Y; y < within.Max.Y; y++ {
		row := out.row(y)[3*within.Min.X:]
		for i, index := range frame.Pix[frame.PixOffset(within.Min.X, y):][:within.Dx()] {
			copy(row[3*i:3*i+3], color(index))
		}
	}
	return out, nil
}

// gifPalette is the palette of the first frame, and the index that the canvas has
// around it: the transparent one, or 0.
func gifPalette(data []byte) (palette []byte, background uint8, err error) {
	r := gifReader{data: data}
	header := r.next(13)
	if table := header[10]; table&0x80 != 0 {
		palette = r.next(3 << (table&7 + 1))
	}
	for !r.over {
		switch r.next(1)[0] {
		case 0x21: // an extension
			label := r.next(1)[0]
			for {
				size := r.next(1)[0]
				if size == 0 {
					break
				}
				block := r.next(int(size))
				if label == 0xf9 && size == 4 && block[0]&1 != 0 { // graphic control: a transparent index
					background = block[3]
				}
			}
		case 0x2c: // an image
			if table := r.next(9)[8]; table&0x80 != 0 {
				palette = r.next(3 << (table&7 + 1))
			}
			return palette, background, nil
		default:
			return nil, 0, errors.New("an unknown block comes before the first frame")
		}
	}
	return nil, 0, errors.New("it ends before the first frame")
}

// gifReader reads data; behind its end there are zeros.
type gifReader struct {
	data []byte
	over bool
}

func (r *gifReader) next(n int) []byte {
	if len(r.data) < n {
		r.over = true
		return make([]byte, n)
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}
