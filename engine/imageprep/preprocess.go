package imageprep

import (
	"errors"
	"fmt"
	"image"
)

// Spec says what a vision tower takes in.
type Spec struct {
	Height, Width int        // pixels
	Mean, Std     [3]float32 // per channel, of values from 0 to 1
}

// Pixels is an image as a vision tower takes it in.
type Pixels struct {
	Data          []float32 // [3, Height, Width], channel by channel, normalised
	Height, Width int
}

// largestSide bounds a Spec.
const largestSide = 1 << 14

// Preprocess converts an image to RGB, resizes it to the spec's size whatever its
// shape, and normalises it: level · (1/255) in float64, rounded to float32, then
// (v − mean) / std in float32, as SiglipImageProcessor does with Pillow.
func Preprocess(img image.Image, s Spec) (Pixels, error) {
	if s.Height < 1 || s.Width < 1 || s.Height > largestSide || s.Width > largestSide {
		return Pixels{}, fmt.Errorf("a tower's input of %dx%d pixels is not between 1 and %d a side", s.Height, s.Width, largestSide)
	}
	if img.Bounds().Empty() {
		return Pixels{}, errors.New("the image has no area")
	}
	rgb := toRGB(img).resize(s.Height, s.Width)
	p := Pixels{Data: make([]float32, 3*s.Height*s.Width), Height: s.Height, Width: s.Width}
	plane := s.Height * s.Width
	for c := range 3 {
		var value [256]float32
		for level := range value {
			value[level] = (float32(float64(level)*(1./255)) - s.Mean[c]) / s.Std[c]
		}
		out := p.Data[c*plane:][:plane]
		for i := range out {
			out[i] = value[rgb.pix[3*i+c]]
		}
	}
	return p, nil
}
