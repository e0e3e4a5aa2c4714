package imageprep

import "image"

// Spec says what a SigLIP tower without a configuration file takes in: images of one
// size, resized with [Bicubic].
type Spec struct {
	Height, Width int        // pixels
	Mean, Std     [3]float32 // per channel, of values from 0 to 1
}

// Pixels is an image as a vision tower takes it in.
type Pixels struct {
	Data          []float32 // [3, Height, Width], channel by channel, normalised
	Height, Width int
}

// Preprocess converts an image to RGB, resizes it to the spec's size whatever its
// shape, and normalises it, as SiglipImageProcessor does with Pillow.
func Preprocess(img image.Image, s Spec) (Pixels, error) {
	if err := checkSize(s.Height, s.Width); err != nil {
		return Pixels{}, err
	}
	p := Processor{
		Resize: true, Size: Size{Height: s.Height, Width: s.Width}, Filter: Bicubic,
		Rescale: true, Factor: 1. / 255, Normalize: true,
	}
	for c := range 3 {
		p.Mean[c], p.Std[c] = float64(s.Mean[c]), float64(s.Std[c])
	}
	in, err := p.Process(img)
	return Pixels{Data: in.Data, Height: in.Height, Width: in.Width}, err
}
