package imageprep

import (
	"fmt"
	"math"
)

// patched cuts the resized image into patches, as Siglip2ImageProcessor does.
func (p *Processor) patched(rgb *RGB) (Input, error) {
	limit := p.MaxPatches
	if p.Resize {
		height, width := p.Size.of(rgb)
		switch {
		case p.native > 0:
			height, width = wholePatches(rgb.Height, p.native), wholePatches(rgb.Width, p.native)
			limit = height / p.Patch * (width / p.Patch)
		case p.Size == Size{}:
			height, width = naFlexSize(rgb.Height, rgb.Width, p.Patch, p.MaxPatches)
		}
		if err := checkSize(height, width); err != nil {
			return Input{}, err
		}
		rgb = rgb.Resize(height, width, p.Filter)
	}
	rows, cols := rgb.Height/p.Patch, rgb.Width/p.Patch
	if rgb.Height%p.Patch != 0 || rgb.Width%p.Patch != 0 || rows*cols > limit {
		return Input{}, fmt.Errorf("it is not whole patches of %d pixels, at most %d, and the configuration forbids resizing", p.Patch, limit)
	}
	in := Input{Tiles: 1, Height: rgb.Height, Width: rgb.Width, Rows: rows, Cols: cols}
	values := 3 * p.Patch * p.Patch
	in.Data = make([]float32, limit*values)
	in.Mask = make([]int32, limit)
	l := p.levels()
	for i := range rows * cols {
		in.Mask[i] = 1
		patch := in.Data[i*values:][:values]
		for y := range p.Patch {
			row := rgb.row(i/cols*p.Patch + y)[3*p.Patch*(i%cols):]
			l.interleaved(patch[3*p.Patch*y:], row[:3*p.Patch])
		}
	}
	return in, nil
}

// naFlexSize is the largest size of whole patches, at most so many, that is near the
// image's shape: the bisection of get_image_size_for_max_num_patches, whose result
// depends on its steps.
func naFlexSize(height, width, patch, limit int) (int, int) {
	const eps = 1e-5
	scaled := func(scale float64, side int) int {
		return max(patch, int(math.Ceil(float64(side)*scale/float64(patch)))*patch)
	}
	low, high := eps/10, 100.0
	for high-low >= eps {
		scale := (low + high) / 2
		rows, cols := scaled(scale, height)/patch, scaled(scale, width)/patch
		if rows*cols <= limit {
			low = scale
		} else {
			high = scale
		}
	}
	return scaled(low, height), scaled(low, width)
}
