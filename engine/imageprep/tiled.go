package imageprep

import (
	"fmt"
	"math"
)

// tiled shrinks the whole image to the base tile, fits it into the best of the
// pinpoints, pads and cuts that into tiles, and treats each as an image of its own, as
// LlavaNextImageProcessor and LlavaOnevisionImageProcessor do.
func (p *Processor) tiled(rgb *RGB) (Input, error) {
	base, side := p.Size, p.Tile
	if base.Height == 0 || base.Width == 0 {
		base = Size{Height: base.ShortestEdge, Width: base.ShortestEdge}
	}
	if err := checkSize(base.Height, base.Width); err != nil {
		return Input{}, err
	}
	best := bestResolution(rgb.Height, rgb.Width, p.Pinpoints)
	rows, cols := (best.Height+side-1)/side, (best.Width+side-1)/side
	fitted := rgb.Resize(fit(rgb.Height, rgb.Width, best, p.Filter))
	padded := fitted.window(-((best.Height - fitted.Height) / 2), -((best.Width - fitted.Width) / 2),
		best.Height, best.Width, [3]uint8{})

	in := Input{Tiles: 1 + rows*cols, Rows: rows, Cols: cols}
	l := p.levels()
	for i := range in.Tiles {
		tile := rgb
		if i == 0 {
			tile = rgb.Resize(base.Height, base.Width, p.Filter)
		} else {
			top, left := (i-1)/cols*side, (i-1)%cols*side
			tile = padded.window(top, left, min(side, best.Height-top), min(side, best.Width-left), [3]uint8{})
		}
		tile, err := p.resizeAndCrop(tile)
		if err != nil {
			return Input{}, err
		}
		if i == 0 {
			if tile.Height*tile.Width > largestArea/in.Tiles {
				return Input{}, fmt.Errorf("%d tiles of %dx%d pixels are more than %d in all", in.Tiles, tile.Height, tile.Width, largestArea)
			}
			in.Height, in.Width = tile.Height, tile.Width
			in.Data = make([]float32, in.Tiles*3*tile.Height*tile.Width)
		}
		if tile.Height != in.Height || tile.Width != in.Width {
			return Input{}, fmt.Errorf("tile %d is %dx%d pixels, the first %dx%d: check size and crop_size", i, tile.Height, tile.Width, in.Height, in.Width)
		}
		l.planes(in.Data[i*3*in.Height*in.Width:], tile)
	}
	return in, nil
}

// bestResolution is the one that keeps most of the image's pixels, then the one that
// wastes least, then the first: select_best_resolution.
func bestResolution(height, width int, of []Size) Size {
	var best Size
	mostUsed, leastWasted := 0, math.MaxInt
	for _, s := range of {
		scale := min(float64(s.Width)/float64(width), float64(s.Height)/float64(height))
		used := min(int(float64(width)*scale)*int(float64(height)*scale), width*height)
		wasted := s.Height*s.Width - used
		if used > mostUsed || used == mostUsed && wasted < leastWasted {
			best, mostUsed, leastWasted = s, used, wasted
		}
	}
	return best
}

// fit is the largest size of the image's shape within a resolution, rounded up:
// get_patch_output_size. The filter is passed on.
func fit(height, width int, within Size, f Filter) (int, int, Filter) {
	scaleW := float64(within.Width) / float64(width)
	scaleH := float64(within.Height) / float64(height)
	if scaleW < scaleH {
		return min(int(math.Ceil(float64(height)*scaleW)), within.Height), within.Width, f
	}
	return within.Height, min(int(math.Ceil(float64(width)*scaleH)), within.Width), f
}
