package vlm

import (
	"fmt"

	"siglab/engine/decoder"
)

// Sequence is one conversation's keys and values. It belongs to the model that made
// it.
type Sequence struct{ cache *decoder.Cache }

// Len is the number of tokens in the sequence.
func (s *Sequence) Len() int { return s.cache.Len() }

// NewSequence makes an empty sequence with room for capacity tokens, or for
// MaxModelLen if that is less. Its memory is allocated at once.
func (m *Model) NewSequence(capacity int) *Sequence {
	return &Sequence{m.decoder.NewCache(min(capacity, m.MaxModelLen()))}
}

// Prefill appends a prompt to the sequence and writes the logits [VocabSize] that
// follow it. The prompt's image tokens stand for the rows of the images' features,
// in their order. After an error the sequence is as before: a token is out of the
// vocabulary, the images' rows and the image tokens do not match in number, or the
// prompt is empty or longer than the room left.
func (m *Model) Prefill(s *Sequence, prompt []int, images []Features, logits []float32) error {
	if err := m.checkLogits(logits); err != nil {
		return fmt.Errorf("prefill: %w", err)
	}
	x, err := m.embedPrompt(prompt, images)
	if err == nil {
		err = m.decoder.Prefill(s.cache, x, logits)
	}
	if err != nil {
		return fmt.Errorf("prefill of %d tokens: %w", len(prompt), err)
	}
	return nil
}

// embedPrompt is the decoder's input [len(prompt), hidden].
func (m *Model) embedPrompt(prompt []int, images []Features) ([]float32, error) {
	hidden := m.preset.decoder.Hidden
	rows, err := m.imageRows(images)
	if err != nil {
		return nil, err
	}
	x, used := make([]float32, len(prompt)*hidden), 0
	for i, token := range prompt {
		to := x[i*hidden:][:hidden]
		if token != m.tokenizer.ImageToken() {
			if err := m.decoder.Embed(to, token); err != nil {
				return nil, err
			}
			continue
		}
		if used < len(rows) {
			copy(to, rows[used])
		}
		used++
	}
	if used != len(rows) {
		return nil, fmt.Errorf("the prompt has %d image tokens and %d images with %d features in all: want %d tokens for each image",
			used, len(images), len(rows), m.ImageTokens())
	}
	return x, nil
}

// imageRows are the rows [hidden] of all images' features.
func (m *Model) imageRows(images []Features) ([][]float32, error) {
	hidden := m.preset.decoder.Hidden
	rows := make([][]float32, 0, len(images)*m.ImageTokens())
	for i, features := range images {
		if want := m.ImageTokens() * hidden; len(features) != want {
			return nil, fmt.Errorf("features of image %d have %d values: want %d, as EncodeImage returns", i+1, len(features), want)
		}
		for r := range m.ImageTokens() {
			rows = append(rows, features[r*hidden:][:hidden])
		}
	}
	return rows, nil
}

// Step appends one token to each sequence, tokens[i] to seqs[i], in a single pass
// through the model, and writes the logits [VocabSize] that follow each. The bits
// of a sequence's logits do not depend on the others. The sequences must be
// different ones. After an error they are as before: a token is out of the
// vocabulary or a sequence is full.
func (m *Model) Step(seqs []*Sequence, tokens []int, logits [][]float32) error {
	if len(tokens) != len(seqs) || len(logits) != len(seqs) {
		return fmt.Errorf("step of %d sequences: got %d tokens and %d rows of logits, want one of each for a sequence", len(seqs), len(tokens), len(logits))
	}
	hidden := m.preset.decoder.Hidden
	x, caches := make([]float32, len(seqs)*hidden), make([]*decoder.Cache, len(seqs))
	for i, s := range seqs {
		err := m.checkLogits(logits[i])
		if err == nil {
			err = m.decoder.Embed(x[i*hidden:][:hidden], tokens[i])
		}
		if err != nil {
			return fmt.Errorf("step of sequence %d: %w", i, err)
		}
		caches[i] = s.cache
	}
	if err := m.decoder.Step(caches, x, logits); err != nil {
		return fmt.Errorf("step of %d sequences: %w", len(seqs), err)
	}
	return nil
}

// checkLogits reports whether there is room for one logit of each token.
func (m *Model) checkLogits(logits []float32) error {
	if len(logits) != m.VocabSize() {
		return fmt.Errorf("room for %d logits: want %d, the size of the vocabulary", len(logits), m.VocabSize())
	}
	return nil
}
