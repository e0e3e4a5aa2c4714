package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"siglab/engine/siglip"
	"siglab/engine/vlm"
	"siglab/internal/safetensors"
	"siglab/posembed"
)

// readPixels reads a tower's inputs from a safetensors file, as image processors write
// them: pixel_values [images, 3, height, width], or of NaFlex [images, rows, values of
// a patch] with spatial_shapes [images, 2] and, if there, pixel_attention_mask
// [images, rows].
func readPixels(path string, e *vlm.Encoder) (_ []siglip.Patches, err error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	t, err := f.Tensor("pixel_values")
	if err != nil {
		return nil, err
	}
	pixels, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	if e.Config().Order == siglip.ByPixel {
		return readNaFlex(f, t.Shape, pixels, e.Config().Patch)
	}
	if len(t.Shape) == 3 {
		t.Shape = append([]int{1}, t.Shape...)
	}
	if len(t.Shape) != 4 || t.Shape[1] != 3 || len(pixels) == 0 {
		return nil, fmt.Errorf("pixel_values has shape %v: want [images, 3, height, width]", t.Shape)
	}
	var all []siglip.Patches
	size := 3 * t.Shape[2] * t.Shape[3]
	for i := range t.Shape[0] {
		p, err := e.Unfold(pixels[i*size:][:size], t.Shape[2], t.Shape[3])
		if err != nil {
			return nil, err
		}
		p.Values = slices.Clone(p.Values) // the next image overwrites them
		all = append(all, p)
	}
	return all, nil
}

// readNaFlex cuts pixel_values into images by their shapes, and checks that the mask
// says the same.
func readNaFlex(f *safetensors.File, shape []int, pixels []float32, patch int) ([]siglip.Patches, error) {
	if len(shape) != 3 || shape[2] != 3*patch*patch || len(pixels) == 0 {
		return nil, fmt.Errorf("pixel_values has shape %v: want [images, rows, %d], patches of %d pixels row by row", shape, 3*patch*patch, patch)
	}
	images, rows := shape[0], shape[1]
	grids, err := integers(f, "spatial_shapes", images, 2)
	if err != nil {
		return nil, err
	}
	var mask []int
	if slices.Contains(f.Names(), "pixel_attention_mask") {
		if mask, err = integers(f, "pixel_attention_mask", images, rows); err != nil {
			return nil, err
		}
	}
	var all []siglip.Patches
	for i := range images {
		h, w := grids[2*i], grids[2*i+1]
		if h < 1 || w < 1 || h > rows || w > rows || h*w > rows {
			return nil, fmt.Errorf("spatial_shapes of image %d is %dx%d: want at least one patch and at most the %d rows of pixel_values", i, h, w, rows)
		}
		for r := range rows {
			if mask != nil && (mask[i*rows+r] != 0) != (r < h*w) {
				return nil, fmt.Errorf("pixel_attention_mask of image %d contradicts its shape %dx%d in row %d: the first %d rows are the image", i, h, w, r, h*w)
			}
		}
		size := rows * shape[2]
		all = append(all, siglip.Patches{Values: pixels[i*size:][:size], Grid: posembed.Grid{Rows: h, Cols: w}})
	}
	return all, nil
}

// integers are the values of an I64 or I32 tensor of a known shape.
func integers(f *safetensors.File, name string, shape ...int) ([]int, error) {
	t, err := f.Tensor(name)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, fmt.Errorf("%s has shape %v: want %v", name, t.Shape, shape)
	}
	values := make([]int, t.Len())
	for i := range values {
		switch t.DType {
		case safetensors.I64:
			values[i] = int(int64(binary.LittleEndian.Uint64(t.Data[8*i:])))
		case safetensors.I32:
			values[i] = int(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
		case safetensors.Bool, safetensors.U8:
			values[i] = int(t.Data[i])
		default:
			return nil, fmt.Errorf("%s is %v: want I64 or I32", name, t.DType)
		}
	}
	return values, nil
}
