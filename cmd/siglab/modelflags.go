package main

import (
	"fmt"
	"image"
	"os"

	"siglab/engine/cpu"
	"siglab/engine/imageprep"
)

// modelFlags are what every command that computes a model understands.
type modelFlags struct {
	Model   string `required:"" help:"Directory of a published model, or a preset with seeded random weights."`
	DType   string `name:"dtype" default:"f32" help:"Arithmetic of matrix products: f32, or bf16 with sums in float32 (${default})."`
	Threads int    `default:"0" help:"Compute threads (all cores)."`
	Seed    uint64 `default:"0" help:"Seed of random weights and of sampling (${default})."`
}

// arithmetic is what --dtype names.
func (f modelFlags) arithmetic() (cpu.Arithmetic, error) {
	if f.Threads < 0 || f.Threads > 1024 {
		return 0, usagef("--threads %d: it is 1 to 1024, or 0 for all cores", f.Threads)
	}
	switch f.DType {
	case "f32":
		return cpu.Float32, nil
	case "bf16":
		return cpu.BFloat16, nil
	}
	return 0, usagef("--dtype %q: want f32 or bf16", f.DType)
}

// readImage decodes an image file of any format that models are given.
func readImage(path string) (image.Image, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	img, _, err := imageprep.DecodeUpright(data, imageprep.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", path, err)
	}
	return img, nil
}

// warn writes sentences to stderr.
func warn(sentences []string) {
	for _, s := range sentences {
		fmt.Fprintln(os.Stderr, "siglab: warning:", s)
	}
}
