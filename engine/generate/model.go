package generate

import (
	"siglab/engine/imageprep"
	"siglab/engine/vlm"
)

// Model is what an engine runs. Its first five methods may be called at any time; the
// rest, and all of its sequences, are used by one goroutine.
type Model interface {
	Vocabulary() Vocabulary
	MaxModelLen() int           // tokens of the longest sequence
	MaxImages() int             // in a prompt
	KVBytes(capacity int) int64 // memory of the keys and values of a sequence
	// PrefixEnd is how many of the tokens that a sequence begins with, up to most, have
	// keys and values that do not depend on what is behind them.
	PrefixEnd(tokens []int, most int) int
	NewSequence(capacity int) Sequence
	EncodeImage(imageprep.Input) (vlm.Features, vlm.Resample, error)
	// Step appends one token to each sequence and writes the logits that follow.
	// The bits of each must not depend on the others.
	Step(sequences []Sequence, tokens []int, logits [][]float32) error
}

// Sequence is one conversation's keys and values.
type Sequence interface {
	// Begin prepares a prompt to be taken in; it computes nothing yet.
	Begin(prompt []int, images []vlm.Features) error
	// Reuse takes in the first tokens of the prompt, as another sequence has them.
	Reuse(from Sequence, tokens int) error
	// Left is the number of positions of the prompt that are still to be taken in.
	Left() int
	// Advance takes in about so many of them, and writes the logits that follow the
	// prompt when none is left. The bits must not depend on where the parts end.
	Advance(most int, logits []float32) error
}

// Vocabulary is what an engine must know about tokens.
type Vocabulary struct {
	Size       int
	Image      int   // the placeholder of an image's features
	Ends       []int // each ends an answer
	Suppressed []int // never generated
}

// OnVLM is a vision-language model as an engine runs it.
func OnVLM(m *vlm.Model) Model { return &onVLM{Model: m} }

type onVLM struct {
	*vlm.Model
	step []*vlm.Sequence // scratch
}

func (m *onVLM) Vocabulary() Vocabulary {
	t := m.Tokenizer()
	return Vocabulary{Size: m.VocabSize(), Image: m.ImageToken(), Ends: t.EOS(), Suppressed: t.Suppressed()}
}

func (m *onVLM) NewSequence(capacity int) Sequence {
	return &vlmSequence{model: m.Model, sequence: m.Model.NewSequence(capacity)}
}

func (m *onVLM) Step(sequences []Sequence, tokens []int, logits [][]float32) error {
	m.step = m.step[:0]
	for _, s := range sequences {
		m.step = append(m.step, s.(*vlmSequence).sequence)
	}
	err := m.Model.Step(m.step, tokens, logits)
	clear(m.step) // or the scratch would keep the memory of ended sequences
	return err
}

type vlmSequence struct {
	model    *vlm.Model
	sequence *vlm.Sequence
	prefill  *vlm.Prefill
}

func (s *vlmSequence) Begin(prompt []int, images []vlm.Features) (err error) {
	s.prefill, err = s.model.Begin(s.sequence, prompt, images)
	return err
}

func (s *vlmSequence) Reuse(from Sequence, tokens int) error {
	return s.model.Reuse(s.prefill, from.(*vlmSequence).sequence, tokens)
}

func (s *vlmSequence) Left() int { return s.prefill.Left() }

func (s *vlmSequence) Advance(most int, logits []float32) error {
	return s.model.Advance(s.prefill, most, logits)
}
