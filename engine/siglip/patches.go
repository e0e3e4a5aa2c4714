package siglip

import (
	"fmt"

	"siglab/posembed"
)

// channels of an image: red, green, blue.
const channels = 3

// Patches are an image as a tower takes it in: the normalised pixels of its patches,
// row by row.
type Patches struct {
	Values []float32     // [rows, 3·Patch²], a row in the tower's PatchOrder
	Grid   posembed.Grid // of the image; rows behind its last patch are padding
}

// Unfold cuts an image [3, height, width] into patches. Pixels at the right and lower
// edge that fill no patch are ignored. The result is valid until the next call.
func (t *Tower) Unfold(pixels []float32, height, width int) (Patches, error) {
	patch := t.config.Patch
	if height < patch || width < patch {
		return Patches{}, fmt.Errorf("image of %dx%d pixels (height x width): want at least one patch of %dx%d", height, width, patch, patch)
	}
	if want := channels * height * width; len(pixels) != want {
		return Patches{}, fmt.Errorf("image of %dx%d pixels (height x width) has %d values: want %d, three for each", height, width, len(pixels), want)
	}
	grid := posembed.Grid{Rows: height / patch, Cols: width / patch}
	t.unfolded = resize(t.unfolded, grid.Len()*channels*patch*patch)
	if t.config.Order == ByPixel {
		unfoldByPixel(t.unfolded, pixels, height, width, patch)
	} else {
		unfoldByChannel(t.unfolded, pixels, height, width, patch)
	}
	return Patches{t.unfolded, grid}, nil
}

// unfoldByChannel writes the patches of an image [3, height, width] to dst
// [patches, 3·patch²], each in the order of a convolution's kernel: channel, row,
// column. The patch embedding is then a matrix product.
func unfoldByChannel(dst, pixels []float32, height, width, patch int) {
	for top := 0; top+patch <= height; top += patch {
		for left := 0; left+patch <= width; left += patch {
			for channel := range channels {
				for y := range patch {
					from := (channel*height+top+y)*width + left
					dst = dst[copy(dst, pixels[from:][:patch]):]
				}
			}
		}
	}
}

// unfoldByPixel is unfoldByChannel with the three values of a pixel side by side.
func unfoldByPixel(dst, pixels []float32, height, width, patch int) {
	for top := 0; top+patch <= height; top += patch {
		for left := 0; left+patch <= width; left += patch {
			for y := range patch {
				for x := range patch {
					for channel := range channels {
						dst[channel] = pixels[(channel*height+top+y)*width+left+x]
					}
					dst = dst[channels:]
				}
			}
		}
	}
}
