package vlm

import (
	"fmt"
	"math"
	"slices"

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

// Prefill is a prompt that is being taken into a sequence, some tokens at a time.
type Prefill struct {
	sequence *Sequence
	x        []float32 // [len(ends), hidden] of the tokens that are left
	ends     []int     // of the positions that each of them sees
}

// Left is the number of tokens that are still to be taken in.
func (p *Prefill) Left() int { return len(p.ends) }

// Begin embeds a prompt that continues the sequence; nothing is computed yet. The
// prompt's image tokens stand for the rows of the images' features, in their order.
// The error is that a token is out of the vocabulary, that the images' rows and the
// image tokens do not match in number, or that the prompt is empty or longer than the
// room left.
func (m *Model) Begin(s *Sequence, prompt []int, images []Features) (*Prefill, error) {
	if err := m.checkPrompt(s, prompt); err != nil {
		return nil, fmt.Errorf("prefill of %d tokens: %w", len(prompt), err)
	}
	x, err := m.embedPrompt(prompt, images)
	if err != nil {
		return nil, fmt.Errorf("prefill of %d tokens: %w", len(prompt), err)
	}
	return &Prefill{sequence: s, x: x, ends: m.sights(prompt, s.Len())}, nil
}

func (m *Model) checkPrompt(s *Sequence, prompt []int) error {
	if len(prompt) == 0 {
		return fmt.Errorf("no positions: want at least one")
	}
	if s.Len()+len(prompt) > s.cache.Capacity() {
		return fmt.Errorf("sequence of %d positions cannot take %d more: its capacity is %d", s.Len(), len(prompt), s.cache.Capacity())
	}
	return nil
}

// embedPrompt is the decoder's input [len(prompt), hidden].
func (m *Model) embedPrompt(prompt []int, images []Features) ([]float32, error) {
	hidden, features := m.arch.decoder.Hidden, slices.Concat(images...)
	placeholders := 0
	for _, token := range prompt {
		if token == m.arch.imageToken {
			placeholders++
		}
	}
	if placeholders*hidden != len(features) {
		return nil, fmt.Errorf("the prompt has %d image tokens and %d images with %d features in all: want as many tokens as features",
			placeholders, len(images), len(features)/hidden)
	}
	x := make([]float32, len(prompt)*hidden)
	for i, token := range prompt {
		to := x[i*hidden:][:hidden]
		if token == m.arch.imageToken {
			features = features[copy(to, features):]
		} else if err := m.decoder.Embed(to, token); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// sights are, for each token of a prompt that begins at a position, the end of the
// positions that it sees.
func (m *Model) sights(prompt []int, first int) []int {
	ends := make([]int, len(prompt))
	end := first + len(prompt)
	for i := len(prompt) - 1; i >= 0; i-- {
		switch {
		case m.arch.prompt == wholePrompt:
		case m.arch.prompt == wholeImages && i+1 < len(prompt) && prompt[i] == m.arch.imageToken && prompt[i+1] == m.arch.imageToken:
		default:
			end = first + i + 1
		}
		ends[i] = end
	}
	return ends
}

// Advance takes in at most so many tokens of a prompt, but at least one, and as many
// as see each other both ways. When none is left, it writes the logits [VocabSize]
// that follow the prompt. After an error the sequence is as before the call.
func (m *Model) Advance(p *Prefill, most int, logits []float32) error {
	if err := m.checkLogits(logits); err != nil {
		return fmt.Errorf("prefill: %w", err)
	}
	if p.Left() == 0 {
		return fmt.Errorf("prefill: the whole prompt is in the sequence")
	}
	n := p.stretch(most)
	if n < p.Left() {
		logits = nil
	}
	hidden := m.arch.decoder.Hidden
	if err := m.decoder.Prefill(p.sequence.cache, p.x[:n*hidden], p.ends[:n], logits); err != nil {
		return fmt.Errorf("prefill: %w", err)
	}
	p.x, p.ends = p.x[n*hidden:], p.ends[n:]
	m.silence(logits)
	return nil
}

// Reuse takes in the first tokens of a prompt by copying another sequence's keys and
// values of them. Nothing of the prompt may be taken in yet, and at least one token must
// be left to compute. The caller must know that the sequences begin with the same tokens
// and features, and, by [Model.PrefixEnd] of both, that none of the keys and values
// depends on what is behind them.
func (m *Model) Reuse(p *Prefill, from *Sequence, tokens int) error {
	if tokens >= p.Left() {
		return fmt.Errorf("reuse of %d tokens: the prompt has %d, one of which must be computed", tokens, p.Left())
	}
	if err := m.decoder.CopyPrefix(p.sequence.cache, from.cache, tokens); err != nil {
		return fmt.Errorf("reuse: %w", err)
	}
	p.x, p.ends = p.x[tokens*m.arch.decoder.Hidden:], p.ends[tokens:]
	return nil
}

// PrefixEnd is the largest number of tokens, up to most, of which none sees one behind
// them in a sequence that begins with these: their keys and values are the same
// whatever follows them. It may be called concurrently.
func (m *Model) PrefixEnd(tokens []int, most int) int {
	if m.arch.prompt == wholePrompt {
		return 0
	}
	most = min(most, len(tokens))
	image := func(i int) bool { return tokens[i] == m.arch.imageToken }
	for m.arch.prompt == wholeImages && most > 0 && most < len(tokens) && image(most-1) && image(most) {
		most--
	}
	return most
}

// stretch is the largest number of tokens up to most, or else the smallest, of which
// none sees one behind them.
func (p *Prefill) stretch(most int) int {
	first := p.sequence.Len()
	best, seen := 0, 0
	for i, end := range p.ends {
		if i >= most && best > 0 {
			break
		}
		seen = max(seen, end)
		if seen == first+i+1 {
			best = i + 1
		}
	}
	return best
}

// Prefill appends a prompt to the sequence at once, as Begin and Advance do, and
// writes the logits [VocabSize] that follow it. After an error the sequence is as
// before.
func (m *Model) Prefill(s *Sequence, prompt []int, images []Features, logits []float32) error {
	if err := m.checkLogits(logits); err != nil {
		return fmt.Errorf("prefill: %w", err)
	}
	p, err := m.Begin(s, prompt, images)
	if err != nil {
		return err
	}
	return m.Advance(p, len(prompt), logits)
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
	if len(seqs) == 0 {
		return nil
	}
	hidden := m.arch.decoder.Hidden
	m.x, m.caches = slices.Grow(m.x[:0], len(seqs)*hidden)[:len(seqs)*hidden], m.caches[:0]
	for i, s := range seqs {
		err := m.checkLogits(logits[i])
		if err == nil {
			err = m.decoder.Embed(m.x[i*hidden:][:hidden], tokens[i])
		}
		if err != nil {
			return fmt.Errorf("step of sequence %d: %w", i, err)
		}
		m.caches = append(m.caches, s.cache)
	}
	err := m.decoder.Step(m.caches, m.x, logits)
	clear(m.caches) // or they would keep the memory of ended sequences
	if err != nil {
		return fmt.Errorf("step of %d sequences: %w", len(seqs), err)
	}
	for _, l := range logits {
		m.silence(l)
	}
	return nil
}

// silence makes the tokens that a preset's tokenizer has not, but its decoder's head
// computes, impossible: an answer of them would have no text.
func (m *Model) silence(logits []float32) {
	if m.spoken > 0 && len(logits) > m.spoken {
		rest := logits[m.spoken:]
		for i := range rest {
			rest[i] = float32(math.Inf(-1))
		}
	}
}

// checkLogits reports whether there is room for one logit of each token.
func (m *Model) checkLogits(logits []float32) error {
	if len(logits) != m.VocabSize() {
		return fmt.Errorf("room for %d logits: want %d, the size of the vocabulary", len(logits), m.VocabSize())
	}
	return nil
}
