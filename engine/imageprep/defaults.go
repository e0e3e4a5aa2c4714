package imageprep

// classDefaults are the attributes of one class of image processor in transformers
// 5.19.
type classDefaults struct {
	name       string
	processor  Processor
	crop       bool // do_center_crop
	squareSize bool // a size that is a bare number is a square, not a shortest edge
}

// defaults are those of a class, named without "ImageProcessor".
func defaults(name string) (d classDefaults, ok bool) {
	d.name = name
	p := Processor{
		Resize: true, Filter: Bicubic, Size: Size{Height: 224, Width: 224},
		Rescale: true, Factor: 1. / 255,
		Normalize: true, Mean: [3]float64{0.5, 0.5, 0.5}, Std: [3]float64{0.5, 0.5, 0.5},
	}
	clip := func() {
		p.Mean = [3]float64{0.48145466, 0.4578275, 0.40821073}
		p.Std = [3]float64{0.26862954, 0.26130258, 0.27577711}
	}
	switch name {
	case "Siglip":
	case "Gemma3":
		p.Filter, d.squareSize = Bilinear, true
	case "Siglip2":
		p.Layout, p.Filter, p.Size, p.Patch, p.MaxPatches = Patched, Bilinear, Size{}, 16, 256
	case "CLIP", "Llava":
		clip()
		d.crop, p.Size, p.Crop = true, Size{ShortestEdge: 224}, Size{Height: 224, Width: 224}
	case "LlavaNext":
		clip()
		d.crop, p.Size, p.Crop = true, Size{ShortestEdge: 224}, Size{Height: 224, Width: 224}
		p.Layout = Tiled
		p.Pinpoints = []Size{tileGrid(1, 2, 336), tileGrid(2, 1, 336), tileGrid(2, 2, 336), tileGrid(3, 1, 336), tileGrid(1, 3, 336)}
	case "LlavaOnevision":
		clip()
		p.Layout, p.MultiImage, p.Size = Tiled, true, Size{Height: 384, Width: 384}
		for rows := 1; rows <= 6; rows++ {
			for cols := 1; cols <= 6; cols++ {
				p.Pinpoints = append(p.Pinpoints, tileGrid(rows, cols, 384))
			}
		}
	default:
		return d, false
	}
	d.processor = p
	return d, true
}

func tileGrid(rows, cols, side int) Size { return Size{Height: rows * side, Width: cols * side} }
