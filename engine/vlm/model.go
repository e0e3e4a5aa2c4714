// Package vlm puts vision-language models together: a SigLIP tower, a projector and a
// decoder, as PaliGemma, LLaVA, LLaVA-OneVision and Gemma 3 do, computed by the
// processor. It also opens SigLIP towers alone, as an Encoder.
//
// A Model and its sequences are not safe for concurrent use: one goroutine owns
// them; Prepare, PreparePrompt and ImageTokens alone may be called by others. Models with random
// weights do the work of trained ones of their shape, and answer with noise.
package vlm

import (
	"fmt"
	"image"
	"time"

	"siglab/engine/cpu"
	"siglab/engine/decoder"
	"siglab/engine/imageprep"
	"siglab/engine/projector"
	"siglab/engine/siglip"
	"siglab/engine/tokenizer"
	"siglab/posembed"
)

// Model is a vision-language model, ready to run. Close ends its goroutines.
type Model struct {
	name      string
	arch      architecture
	mode      posembed.Mode
	maxLen    int
	maxImages int
	warnings  []string
	bytes     int64

	tokenizer *tokenizer.Tokenizer
	processor *imageprep.Processor
	device    *cpu.Device
	tower     *siglip.Tower
	projector *projector.Projector
	decoder   *decoder.Decoder
	newline   []float32 // [hidden], the end of a row of tiles; nil without tiling
	spoken    int       // tokens that the tokenizer has, if it is a preset's and has fewer than the decoder

	x      []float32 // [sequences, hidden] of a step
	caches []*decoder.Cache
}

// Name is the name that the model was opened by.
func (m *Model) Name() string { return m.name }

// Warnings is what was odd about the checkpoint, in sentences for people.
func (m *Model) Warnings() []string { return m.warnings }

// MaxModelLen is the largest number of tokens in a sequence.
func (m *Model) MaxModelLen() int { return m.maxLen }

// MaxImages is the largest number of images in a prompt.
func (m *Model) MaxImages() int { return m.maxImages }

// WeightBytes is the memory of all weights.
func (m *Model) WeightBytes() int64 { return m.bytes }

// KVBytes is the memory of the keys and values of a sequence of that capacity.
func (m *Model) KVBytes(capacity int) int64 {
	return int64(min(capacity, m.MaxModelLen())) * int64(m.arch.decoder.CacheBytes())
}

// Tokenizer turns text into the model's tokens.
func (m *Model) Tokenizer() *tokenizer.Tokenizer { return m.tokenizer }

// ImageToken is the id that stands for one row of an image's features.
func (m *Model) ImageToken() int { return m.arch.imageToken }

// VocabSize is the number of tokens, and of logits.
func (m *Model) VocabSize() int { return m.arch.decoder.Vocab }

// TrainedGrid is the grid of the position table.
func (m *Model) TrainedGrid() posembed.Grid { return m.arch.tower.Trained }

// PosEmbed is how the position table is resampled.
func (m *Model) PosEmbed() posembed.Mode { return m.mode }

// PositionCaches counts what was asked of the caches of the position table, as
// siglip.Tower does. It may be called at any time.
func (m *Model) PositionCaches() (plans, results posembed.CacheStats) {
	return m.tower.PositionCaches()
}

// Close ends the model's goroutines and waits for them. The model must not be used
// afterwards; closing it again does nothing.
func (m *Model) Close() { m.device.Close() }

// Prepare makes the only image of a prompt the model's input. It may be called
// concurrently.
func (m *Model) Prepare(img image.Image) (imageprep.Input, error) { return m.processor.Process(img) }

// PreparePrompt is Prepare for all images of a prompt: LLaVA-OneVision cuts an image
// into tiles only if it is the only one. It may be called concurrently.
func (m *Model) PreparePrompt(images []image.Image) ([]imageprep.Input, error) {
	return m.processor.ProcessPrompt(images)
}

// ImageTokens is the number of image tokens that stand for an image in a prompt, 0 for
// an input that no image of the model has. It may be called concurrently.
func (m *Model) ImageTokens(in imageprep.Input) int {
	n, err := m.arch.imageTokens(in)
	if err != nil {
		return 0
	}
	return n
}

// grid is the grid of patches of an input's tiles.
func (a *architecture) grid(in imageprep.Input) posembed.Grid {
	return posembed.Grid{Rows: in.Height / a.tower.Patch, Cols: in.Width / a.tower.Patch}
}

// imageTokens is the number of rows of an image's features.
func (a *architecture) imageTokens(in imageprep.Input) (int, error) {
	grid := a.grid(in)
	switch {
	case in.Layout == imageprep.Patched:
		return 0, fmt.Errorf("input of patches: this model takes images of %d-pixel patches on a grid", a.tower.Patch)
	case grid.Rows < 1 || grid.Cols < 1:
		return 0, fmt.Errorf("input of %dx%d pixels (height x width): want at least one patch of %d", in.Height, in.Width, a.tower.Patch)
	case in.Tiles < 1 || len(in.Data) != 3*in.Tiles*in.Height*in.Width:
		return 0, fmt.Errorf("input of %d tiles of %dx%d pixels (height x width) has %d values: want three for each pixel", in.Tiles, in.Height, in.Width, len(in.Data))
	}
	n := grid.Len()
	if side := a.projector.Side; side > 0 {
		n = (grid.Rows / side) * (grid.Cols / side)
	}
	if a.dropFirst {
		n--
	}
	if n < 1 {
		return 0, fmt.Errorf("input of %dx%d pixels (height x width) leaves no features: this model wants a larger image", in.Height, in.Width)
	}
	if a.tiling == nil {
		return n, nil
	}
	if in.Tiles == 1 {
		return n + 1, nil
	}
	if in.Tiles != 1+in.Rows*in.Cols {
		return 0, fmt.Errorf("input of %d tiles on a grid of %dx%d: want one more than the grid has", in.Tiles, in.Rows, in.Cols)
	}
	p, err := a.tiling.arrange(in, grid)
	return n + p.tokens(), err
}

// Resample says how the position table came to an image's grid, and how long that
// took, over all of its tiles.
type Resample struct {
	Mode     posembed.Mode
	From, To posembed.Grid
	Took     time.Duration
	Skipped  bool // the table was copied: it was trained for this grid, in a mode that keeps it
}

// Features are an image as the decoder reads it: [ImageTokens, hidden] in place of
// token embeddings.
type Features []float32

// EncodeImage computes the features of an image that Prepare made. The error names
// what was not made so.
func (m *Model) EncodeImage(in imageprep.Input) (Features, Resample, error) {
	tokens, err := m.arch.imageTokens(in)
	if err != nil {
		return nil, Resample{}, fmt.Errorf("encode image: %w", err)
	}
	var resample Resample
	features := make([]float32, 0, tokens*m.arch.decoder.Hidden)
	for tile := range in.Tiles {
		size := 3 * in.Height * in.Width
		patches, err := m.tower.Unfold(in.Data[tile*size:][:size], in.Height, in.Width)
		if err != nil {
			return nil, Resample{}, fmt.Errorf("encode image: %w", err)
		}
		f, r, err := m.tower.Features(patches)
		if err != nil {
			return nil, Resample{}, fmt.Errorf("encode image: %w", err)
		}
		r.Took += resample.Took
		resample = Resample(r)
		if m.arch.dropFirst {
			f = f[m.arch.tower.FeatureSize():]
		}
		features = append(features, m.projector.Forward(f, patches.Grid.Cols)...)
	}
	return m.arrange(features, in), resample, nil
}

// arrange is an image's features in the order of its tokens.
func (m *Model) arrange(features []float32, in imageprep.Input) Features {
	if m.arch.tiling == nil {
		return features
	}
	if in.Tiles == 1 {
		return append(features, m.newline...)
	}
	grid := m.arch.grid(in)
	whole := grid.Len() * m.arch.decoder.Hidden
	p, _ := m.arch.tiling.arrange(in, grid) // checked by imageTokens
	return append(features[:whole:whole], p.pack(features[whole:], grid, m.newline)...)
}
