package imageprep

import (
	"errors"
	"fmt"
	"image"
)

// Layout says how a model takes an image in.
type Layout int

// The layouts of a processor's output.
const (
	Fixed   Layout = iota // one image of one size
	Tiled                 // the image, shrunk, and tiles of it (any-resolution)
	Patched               // patches in a row, their number following the shape (NaFlex)
)

// Size is what an image is resized to. Either Height and Width are given, or
// ShortestEdge, alone or with LongestEdge, or MaxHeight and MaxWidth.
type Size struct {
	Height, Width             int
	ShortestEdge, LongestEdge int
	MaxHeight, MaxWidth       int
}

// Processor turns images into a model's input as its image processor of transformers
// does on the PIL backend. It is what [ReadConfig] and [ParseConfig] make of a
// configuration; a zero Processor only converts to RGB. It may be used concurrently.
type Processor struct {
	Layout  Layout
	Resize  bool
	Size    Size
	Filter  Filter
	Crop    Size // what the center is cropped to after resizing, Height and Width; zero: not cropped
	Square  bool // pad to a square with the mean colour before resizing
	Rescale bool
	Factor  float64 // of Rescale

	Normalize bool
	Mean, Std [3]float64 // per channel, of rescaled values

	Pinpoints  []Size // Tiled: the resolutions to choose from, Height and Width
	Tile       int    // Tiled: side of the tiles, in pixels, before they are resized and cropped
	MultiImage bool   // Tiled: several images in a prompt are each padded to a square and not tiled

	Patch      int // Patched: pixels a side
	MaxPatches int // Patched: the length that patches are padded to

	native int // whole patches of this many pixels of the image's own size; see WithNativeSize
}

// Input is an image as a model takes it in.
type Input struct {
	Layout Layout
	// Data is [Tiles, 3, Height, Width], channel by channel, the first tile being the
	// whole image; or, Patched, [len(Mask), Patch·Patch·3] with pixels row by row, their
	// channels together, and zeros where Mask is 0.
	Data                    []float32
	Tiles                   int
	Height, Width           int     // of each tile, or, Patched, of the resized image, in pixels
	Rows, Cols              int     // Tiled: of the tiles after the first; Patched: of the patches (spatial_shapes)
	Mask                    []int32 // Patched: 1 for a patch, 0 for padding
	ImageHeight, ImageWidth int     // of the image as it came, in pixels (image_sizes)
}

// Bounds of what a configuration may ask for.
const (
	largestSide  = 1 << 14 // of a size, in pixels
	largestArea  = 1 << 24 // of everything made of one image, in pixels of 12 bytes
	largestPatch = 1 << 10
)

// Process prepares one image, the only one of its prompt.
func (p *Processor) Process(img image.Image) (Input, error) {
	if err := p.check(); err != nil {
		return Input{}, fmt.Errorf("prepare an image: %w", err)
	}
	rgb, err := converted(img)
	if err != nil {
		return Input{}, err
	}
	var in Input
	switch p.Layout {
	case Tiled:
		in, err = p.tiled(rgb)
	case Patched:
		in, err = p.patched(rgb)
	default:
		in, err = p.fixed(rgb)
	}
	if err != nil {
		return Input{}, fmt.Errorf("prepare an image of %dx%d pixels (height x width): %w", rgb.Height, rgb.Width, err)
	}
	in.Layout, in.ImageHeight, in.ImageWidth = p.Layout, rgb.Height, rgb.Width
	return in, nil
}

// ProcessPrompt prepares the images of one prompt. Only LLaVA-OneVision's processor
// treats several otherwise than one: it does not tile them.
func (p *Processor) ProcessPrompt(imgs []image.Image) ([]Input, error) {
	if p.MultiImage && len(imgs) > 1 {
		single := *p
		single.Layout, single.Square = Fixed, true
		p = &single
	}
	inputs := make([]Input, len(imgs))
	for i, img := range imgs {
		var err error
		if inputs[i], err = p.Process(img); err != nil {
			return nil, fmt.Errorf("image %d of %d: %w", i+1, len(imgs), err)
		}
	}
	return inputs, nil
}

// converted is the image in RGB, if its size allows any work on it.
func converted(img image.Image) (*RGB, error) {
	b := img.Bounds()
	if b.Empty() {
		return nil, errors.New("the image has no area")
	}
	if b.Dx() > LargestImageSide || b.Dy() > LargestImageSide {
		return nil, fmt.Errorf("the image is %dx%d pixels, more than %d a side", b.Dx(), b.Dy(), LargestImageSide)
	}
	return ToRGB(img), nil
}

// fixed prepares the whole image.
func (p *Processor) fixed(rgb *RGB) (Input, error) {
	if p.Square {
		rgb = rgb.square(p.meanColor())
	}
	tile, err := p.resizeAndCrop(rgb)
	if err != nil {
		return Input{}, err
	}
	in := Input{Tiles: 1, Height: tile.Height, Width: tile.Width, Data: make([]float32, 3*tile.Height*tile.Width)}
	p.levels().planes(in.Data, tile)
	return in, nil
}

// resizeAndCrop is the part of the pipeline that changes the size.
func (p *Processor) resizeAndCrop(rgb *RGB) (*RGB, error) {
	if p.Resize {
		height, width := p.Size.of(rgb)
		if p.native > 0 {
			height, width = wholePatches(rgb.Height, p.native), wholePatches(rgb.Width, p.native)
		}
		if err := checkSize(height, width); err != nil {
			return nil, err
		}
		rgb = rgb.Resize(height, width, p.Filter)
	}
	if p.Crop != (Size{}) {
		if err := checkSize(p.Crop.Height, p.Crop.Width); err != nil {
			return nil, err
		}
		rgb = rgb.centerCrop(p.Crop.Height, p.Crop.Width)
	}
	return rgb, checkSize(rgb.Height, rgb.Width) // for one that keeps its size
}

func wholePatches(side, patch int) int { return max(side/patch, 1) * patch }

// checkSize bounds what is made of an image. What Resize holds in between is never
// larger than both the image and the result.
func checkSize(height, width int) error {
	if height < 1 || width < 1 || height > LargestImageSide || width > LargestImageSide {
		return fmt.Errorf("its input would be %dx%d pixels, which is not between 1 and %d a side", height, width, LargestImageSide)
	}
	if height*width > largestArea {
		return fmt.Errorf("its input would be %dx%d pixels, more than %d in all", height, width, largestArea)
	}
	return nil
}

// of is the size that an image is resized to, its own if none is set. The float64
// expressions are transformers' (image_transforms.py, image_utils.py), truncations
// included.
func (s Size) of(p *RGB) (height, width int) {
	h, w := float64(p.Height), float64(p.Width)
	switch {
	case s.ShortestEdge > 0 && s.LongestEdge > 0:
		return s.betweenEdges(h, w)
	case s.ShortestEdge > 0:
		short := float64(s.ShortestEdge)
		if w <= h {
			return int(short * h / w), s.ShortestEdge
		}
		return s.ShortestEdge, int(short * w / h)
	case s.MaxHeight > 0 && s.MaxWidth > 0:
		scale := min(float64(s.MaxHeight)/h, float64(s.MaxWidth)/w)
		return int(h * scale), int(w * scale)
	case s.Height > 0 && s.Width > 0:
		return s.Height, s.Width
	}
	return p.Height, p.Width
}

// betweenEdges is get_size_with_aspect_ratio: the shorter edge as wanted, unless the
// longer one would grow too long.
func (s Size) betweenEdges(h, w float64) (height, width int) {
	short, limit := float64(s.ShortestEdge), float64(s.LongestEdge)
	raw := short
	if max(h, w)/min(h, w)*short > limit {
		raw = limit * min(h, w) / max(h, w)
		short = roundHalfEven(raw)
	}
	switch {
	case h <= w && h == short || w <= h && w == short:
		return int(h), int(w)
	case w < h:
		return int(raw * h / w), int(short)
	}
	return int(short), int(raw * w / h)
}

// WithSize returns a processor that resizes every image to height x width pixels
// instead, whatever its shape, and crops nothing. Of a Patched one both must be whole
// patches. A Tiled one has none: its tiles are fitted to its pinpoints.
func (p *Processor) WithSize(height, width int) (*Processor, error) {
	if err := checkSize(height, width); err != nil {
		return nil, fmt.Errorf("override the image size: %w", err)
	}
	out, err := p.resizing()
	if err != nil {
		return nil, err
	}
	if p.Layout == Patched {
		if height%p.Patch != 0 || width%p.Patch != 0 {
			return nil, fmt.Errorf("override the image size: %dx%d pixels are not whole patches of %d", height, width, p.Patch)
		}
		out.MaxPatches = height / p.Patch * (width / p.Patch)
	}
	out.Size = Size{Height: height, Width: width}
	return out, nil
}

// WithNativeSize returns a processor that keeps every image at its own size, each
// side rounded down to whole patches of so many pixels, at least one, and crops
// nothing. The image is resized to that size.
func (p *Processor) WithNativeSize(patch int) (*Processor, error) {
	if patch < 1 || patch > largestPatch {
		return nil, fmt.Errorf("keep the image size: patches of %d pixels are not between 1 and %d", patch, largestPatch)
	}
	out, err := p.resizing()
	if err != nil {
		return nil, err
	}
	if p.Layout == Patched && patch != p.Patch {
		return nil, fmt.Errorf("keep the image size: the model's patches are %d pixels, not %d", p.Patch, patch)
	}
	out.native = patch
	return out, nil
}

// resizing is a copy that resizes and does not crop.
func (p *Processor) resizing() (*Processor, error) {
	if p.Layout == Tiled {
		return nil, errors.New("override the image size: this model fits tiles of one size to the image; it takes no other size")
	}
	out := *p
	out.Resize, out.Crop, out.Square, out.native = true, Size{}, false, 0
	return &out, nil
}
