// Package vlm puts a vision-language model together: a SigLIP tower, a projector
// and a Qwen2 decoder, computed by the processor.
//
// A Model and its sequences are not safe for concurrent use: one goroutine owns
// them. Models with random weights do the work of trained ones of their shape, and
// answer with noise.
package vlm

import (
	"fmt"
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
	preset    preset
	mode      posembed.Mode
	tokenizer *tokenizer.Tokenizer
	device    *cpu.Device
	tower     *siglip.Tower
	projector *projector.Projector
	decoder   *decoder.Decoder
}

// Name is the name that the model was opened by.
func (m *Model) Name() string { return m.name }

// MaxModelLen is the largest number of tokens in a sequence.
func (m *Model) MaxModelLen() int { return m.preset.decoder.MaxPositions }

// MaxImages is the largest number of images in a prompt.
func (m *Model) MaxImages() int { return m.preset.maxImages }

// ImageTokens is the number of image tokens that stand for an image in a prompt.
func (m *Model) ImageTokens() int { return m.preset.served.Len() }

// ImageSpec is how images must be prepared for EncodeImage.
func (m *Model) ImageSpec() imageprep.Spec {
	const half = 0.5
	return imageprep.Spec{
		Height: m.preset.served.Rows * m.preset.tower.Patch,
		Width:  m.preset.served.Cols * m.preset.tower.Patch,
		Mean:   [3]float32{half, half, half},
		Std:    [3]float32{half, half, half},
	}
}

// Tokenizer turns text into the model's tokens.
func (m *Model) Tokenizer() *tokenizer.Tokenizer { return m.tokenizer }

// VocabSize is the number of tokens, and of logits.
func (m *Model) VocabSize() int { return m.preset.decoder.Vocab }

// TrainedGrid is the grid of the position table.
func (m *Model) TrainedGrid() posembed.Grid { return m.preset.tower.Trained }

// ServedGrid is the grid of the images, which the position table is resampled to.
func (m *Model) ServedGrid() posembed.Grid { return m.preset.served }

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

// Resample says how the position table came to an image's grid, and how long that
// took.
type Resample struct {
	Mode     posembed.Mode
	From, To posembed.Grid
	Took     time.Duration
	Skipped  bool // the table was copied: it was trained for this grid, in a mode that keeps it
}

// Features are an image as the decoder reads it: [ImageTokens, hidden] in place of
// token embeddings.
type Features []float32

// EncodeImage computes the features of an image that was prepared by ImageSpec. The
// error names a size that was not.
func (m *Model) EncodeImage(px imageprep.Pixels) (Features, Resample, error) {
	spec := m.ImageSpec()
	if px.Height != spec.Height || px.Width != spec.Width {
		return nil, Resample{}, fmt.Errorf("encode image of %dx%d pixels (height x width): model %s takes %dx%d; prepare images by its ImageSpec",
			px.Height, px.Width, m.name, spec.Height, spec.Width)
	}
	features, resample, err := m.tower.Forward(px.Data, px.Height, px.Width)
	if err != nil {
		return nil, Resample{}, fmt.Errorf("encode image: %w", err)
	}
	return m.projector.Forward(features), Resample(resample), nil
}
