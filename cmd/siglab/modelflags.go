package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"runtime/debug"
	"strings"

	"siglab/engine/cpu"
	"siglab/engine/imageprep"
	"siglab/engine/vlm"
	"siglab/posembed"
)

// computeFlags say how a model is computed.
type computeFlags struct {
	DType   string `name:"dtype" default:"f32" help:"Arithmetic of matrix products: f32, or bf16 with sums in float32 (${default})."`
	Threads int    `default:"0" help:"Compute threads (all cores)."`
	Seed    uint64 `default:"0" help:"Seed of random weights, and of sampling where a request has none (${default})."`
}

// arithmetic is what --dtype names.
func (f computeFlags) arithmetic() (cpu.Arithmetic, error) {
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

// languageFlags are the choices that are left when a vision-language model is opened.
type languageFlags struct {
	computeFlags
	ImageSize string `name:"image-size" help:"Size that images are resized to, HEIGHTxWIDTH or native (the model's); off the training grid the position table is resampled."`
	PosEmbed  string `name:"pos-embed" default:"exact" help:"How the position table is resampled: reference, bilinear, bilinear-fused, exact, cached, antialias (${default})."`
}

// open opens the model of a name; it refuses wrong flags before it loads anything.
func (f languageFlags) open(name string, o vlm.Options) (m *vlm.Model, err error) {
	if o.PosEmbed, err = posembed.ParseMode(f.PosEmbed); err != nil {
		return nil, usagef("--pos-embed: %w", err)
	}
	if o.ImageSize, err = vlm.ParseImageSize(f.ImageSize); err != nil {
		return nil, usagef("--image-size: %w", err)
	}
	if o.Arithmetic, err = f.arithmetic(); err != nil {
		return nil, err
	}
	if err := vlm.CheckName(name); err != nil {
		return nil, usagef("--model: %w", err)
	}
	o.Threads, o.Seed = f.Threads, f.Seed
	if m, err = vlm.Open(name, o); err != nil {
		return nil, err
	}
	warn(m.Warnings())
	if isRandom(name) {
		warn([]string{name + " has random weights: the answers are noise, the work is real"})
	}
	tuneGC(m.WeightBytes())
	return m, nil
}

// orInterrupted runs work that does not look at the context, such as loading a model or
// encoding a large image, and returns when either ends. What is still running then
// ends with the process, which is about to exit.
func orInterrupted(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.New("interrupted")
	}
}

// isRandom reports whether a name stands for random weights.
func isRandom(name string) bool { return strings.HasPrefix(name, "random:") }

// tuneGC keeps what is not weights small beside them: Go lets the heap grow to twice
// what is in use, which with gigabytes of weights is gigabytes of garbage.
func tuneGC(weights int64) {
	const headroom = 128 << 20 // bytes of garbage before it is collected
	if percent := 100 * headroom / max(weights, 1); percent < 100 {
		debug.SetGCPercent(int(max(percent, 2)))
	}
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
