package generate

import (
	"slices"
	"time"

	"siglab/engine/vlm"
)

// admit takes a request in and generates its first token. It reports whether the
// request goes on.
func (e *Engine) admit(s *Stream) bool {
	begun := time.Now()
	e.config.Observer.Admitted(begun.Sub(s.submitted))
	var features []vlm.Features
	for _, image := range s.request.Images {
		at := time.Now()
		f, resample, err := e.model.EncodeImage(image)
		if err != nil {
			s.end(err)
			return false
		}
		e.config.Observer.Encoded(time.Since(at), resample)
		features = append(features, f)
	}
	s.sequence = e.model.NewSequence(len(s.request.Prompt) + s.request.MaxTokens)
	s.logits = make([]float32, e.model.VocabSize())
	if err := e.model.Prefill(s.sequence, s.request.Prompt, features, s.logits); err != nil {
		s.end(err)
		return false
	}
	e.config.Observer.Prefilled(time.Since(begun), len(s.request.Prompt))
	return e.accept(s)
}

// step takes one decode step for all running requests, the one just admitted among
// them. It returns those
// that go on.
func (e *Engine) step(running []*Stream) []*Stream {
	if len(running) == 0 {
		return running
	}
	sequences := make([]*vlm.Sequence, len(running))
	tokens := make([]int, len(running))
	logits := make([][]float32, len(running))
	for i, s := range running {
		sequences[i], tokens[i], logits[i] = s.sequence, s.last, s.logits
	}
	begun := time.Now()
	if err := e.model.Step(sequences, tokens, logits); err != nil {
		for _, s := range running {
			s.end(err)
		}
		return nil
	}
	e.config.Observer.Stepped(time.Since(begun), len(running))
	return slices.DeleteFunc(running, func(s *Stream) bool { return !e.accept(s) })
}

// accept hands out the next token and reports whether the request goes on.
func (e *Engine) accept(s *Stream) bool {
	tokenizer := e.model.Tokenizer()
	if s.accept(tokenizer.Suppressed(), tokenizer.EOS()) {
		s.end(nil)
		return false
	}
	return true
}
