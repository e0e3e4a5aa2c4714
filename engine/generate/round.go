package generate

import (
	"cmp"
	"context"
	"slices"
	"time"

	"siglab/engine/generate/sample"
	"siglab/engine/vlm"
)

// loop is the engine's goroutine.
func (e *Engine) loop() {
	defer close(e.done)
	defer e.cancel()
	var running []*Stream // in the order of their admission
	for {
		if e.stop.Err() != nil {
			e.endWaiting()
		}
		running = e.dropGone(running)
		var more bool
		running, more = e.admit(running)
		if len(running) == 0 {
			if !more {
				return
			}
			<-e.wake
			continue
		}
		running = e.round(running)
	}
}

// round does what the package says of one. It returns the streams that go on.
func (e *Engine) round(running []*Stream) []*Stream {
	running = e.encode(running)
	running = e.dropGone(running)
	running, tokens := e.prefill(running)
	running = e.dropGone(running)
	running, stepped := e.step(running)
	if tokens += stepped; tokens > 0 {
		e.config.Observer.Round(tokens)
	}
	return running
}

// dropGone ends the running streams whose caller has gone, or all when the engine is
// told to.
func (e *Engine) dropGone(running []*Stream) []*Stream {
	return slices.DeleteFunc(running, func(s *Stream) bool {
		err := context.Cause(s.ctx)
		if err == nil && e.stop.Err() != nil {
			err = ErrClosed
		}
		if err == nil {
			return false
		}
		e.finish(s, err)
		return true
	})
}

// endWaiting ends all streams in the queue.
func (e *Engine) endWaiting() {
	e.mu.Lock()
	streams := e.waiting
	e.waiting, e.waitingTokens = nil, 0
	e.mu.Unlock()
	for _, s := range streams {
		s.end(ErrClosed)
	}
}

// admit moves streams from the queue to the running ones, while they fit. more is
// false when none waits and none will come.
func (e *Engine) admit(running []*Stream) (_ []*Stream, more bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.waiting) > 0 && len(running) < e.config.MaxSeqs {
		s := e.waiting[0]
		if e.kvBytes+s.kvBytes > e.config.KVBytes {
			break // those behind it wait as well: or they would overtake it for ever
		}
		e.unqueue(0)
		e.kvBytes += s.kvBytes
		e.prefixes.shrink(e.config.KVBytes - e.kvBytes)
		e.running++
		s.admitted = time.Now()
		e.config.Observer.Admitted(s.admitted.Sub(s.submitted))
		running = append(running, s)
	}
	return running, len(e.waiting) > 0 || !e.closed
}

// finish ends a running stream and gives back what it had, to the prefix cache if there is
// one and its prompt is taken in.
func (e *Engine) finish(s *Stream, err error) {
	e.mu.Lock()
	e.kvBytes -= s.kvBytes
	e.running--
	e.mu.Unlock()
	if s.decoding {
		e.prefixes.put(&prefix{s.taken, s.images, s.sequence, s.kvBytes}, e.vocabulary.Image)
	}
	s.sequence, s.logits, s.features, s.sampler, s.request.Images = nil, nil, nil, nil, nil
	s.finished = true
	s.end(err)
}

// encode gets the features of images: those that are cached, and one by the tower.
// Streams whose images are complete begin their prompts.
func (e *Engine) encode(running []*Stream) []*Stream {
	mayEncode := true
	return slices.DeleteFunc(running, func(s *Stream) bool {
		if s.sequence != nil {
			return false
		}
		complete, err := e.collect(s, &mayEncode)
		if err == nil && complete {
			err = e.begin(s)
		}
		if err != nil {
			e.finish(s, err)
		}
		return err != nil
	})
}

// collect gets the features of a stream's images in their order, as far as the cache
// goes; where it has none, the tower encodes one image if it may still in this round.
func (e *Engine) collect(s *Stream, mayEncode *bool) (complete bool, err error) {
	for len(s.features) < len(s.request.Images) {
		image, n := s.request.Images[len(s.features)], len(s.features)
		features := e.images.get(image.Key, s.asked == n)
		s.asked = n + 1
		if features == nil {
			if !*mayEncode {
				return false, nil
			}
			*mayEncode = false
			if features, err = e.encodeImage(image); err != nil {
				return false, err
			}
		}
		s.features = append(s.features, features)
	}
	return true, nil
}

func (e *Engine) encodeImage(image Image) (vlm.Features, error) {
	begun := time.Now()
	features, resample, err := e.model.EncodeImage(image.Input)
	if err != nil {
		return nil, err
	}
	e.config.Observer.Encoded(time.Since(begun), resample)
	e.images.put(image.Key, features)
	return features, nil
}

// begin makes a stream's sequence.
func (e *Engine) begin(s *Stream) error {
	s.sequence = e.model.NewSequence(s.request.capacity())
	s.logits = make([]float32, e.vocabulary.Size)
	ends := s.request.StopIDs
	if !s.request.IgnoreEOS {
		ends = slices.Concat(ends, e.vocabulary.Ends)
	}
	s.sampler = sample.New(s.request.Sampling, s.request.Prompt, ends)
	if err := s.sequence.Begin(s.request.Prompt, s.features); err != nil {
		return err
	}
	err := e.reuse(s)
	s.features, s.request.Images = nil, nil // the sequence has what it needs of them
	return err
}

// reuse takes in what the prefix cache has of a stream's prompt, and notes what the cache
// will want to know of the stream.
func (e *Engine) reuse(s *Stream) error {
	if !e.config.PrefixCache {
		return nil
	}
	s.taken = append(make([]int, 0, s.request.capacity()), s.request.Prompt...)
	for _, image := range s.request.Images {
		s.images = append(s.images, Image{Key: image.Key, Tokens: image.Tokens})
	}
	from, tokens := e.prefixes.find(s.request.Prompt, s.images, e.vocabulary.Image)
	if tokens == 0 {
		return nil
	}
	return s.sequence.Reuse(from, tokens)
}

// prefill takes in parts of prompts, and generates the first tokens of those that
// this completes. It returns the streams that go on and the number of positions.
//
// The oldest prompt gets half of what is left of the budget if there are others, so
// that it goes on in every round; the others share the rest, those with the least left
// first. A short prompt waits for no long one but the oldest, however many there are.
func (e *Engine) prefill(running []*Stream) (_ []*Stream, tokens int) {
	budget := e.config.MaxBatchedTokens
	turns := e.turns[:0]
	for _, s := range running {
		switch {
		case s.decoding:
			budget--
		case s.sequence != nil:
			turns = append(turns, s)
		}
	}
	if len(turns) > 2 {
		slices.SortStableFunc(turns[1:], func(a, b *Stream) int { return cmp.Compare(a.sequence.Left(), b.sequence.Left()) })
	}
	ended := false
	for i, s := range turns {
		if budget < 1 {
			break
		}
		most := budget
		if i == 0 && len(turns) > 1 {
			most = max(budget/2, 1)
		}
		took, complete := e.advance(s, most)
		budget -= took
		tokens += took
		ended = ended || complete
	}
	clear(turns) // or the scratch would keep ended streams
	e.turns = turns[:0]
	if ended {
		running = slices.DeleteFunc(running, func(s *Stream) bool { return s.finished })
	}
	return running, tokens
}

// advance takes in a part of a stream's prompt, and generates the first token if none is
// left. It returns the number of positions, and whether the stream has ended.
func (e *Engine) advance(s *Stream, most int) (took int, ended bool) {
	left := s.sequence.Left()
	if err := s.sequence.Advance(most, s.logits); err != nil {
		e.finish(s, err)
		return 0, true
	}
	now := s.sequence.Left()
	if now > 0 {
		return left - now, false
	}
	s.decoding = true
	e.config.Observer.Prefilled(time.Since(s.admitted), len(s.request.Prompt))
	return left, e.accept(s)
}

// batch is the scratch of step.
type batch struct {
	streams   []*Stream
	sequences []Sequence
	tokens    []int
	logits    [][]float32
}

// reset empties the batch and lets go of what it held.
func (b *batch) reset() {
	clear(b.streams)
	clear(b.sequences)
	clear(b.logits)
	b.streams, b.sequences, b.tokens, b.logits = b.streams[:0], b.sequences[:0], b.tokens[:0], b.logits[:0]
}

// step takes one decode step for all whose prompt is taken in. It returns the
// streams that go on and the number of those that took part.
func (e *Engine) step(running []*Stream) (_ []*Stream, tokens int) {
	b := &e.scratch
	defer b.reset()
	for _, s := range running {
		if s.decoding {
			b.streams, b.sequences = append(b.streams, s), append(b.sequences, s.sequence)
			b.tokens, b.logits = append(b.tokens, s.last), append(b.logits, s.logits)
		}
	}
	if len(b.streams) == 0 {
		return running, 0
	}
	err := e.model.Step(b.sequences, b.tokens, b.logits)
	if err == nil && e.config.PrefixCache {
		for i, s := range b.streams {
			s.taken = append(s.taken, b.tokens[i])
		}
	}
	running = slices.DeleteFunc(running, func(s *Stream) bool {
		if !s.decoding {
			return false
		}
		if err != nil {
			e.finish(s, err)
			return true
		}
		return e.accept(s)
	})
	return running, len(b.tokens)
}

// accept hands out a stream's next token and reports whether it has ended with it.
func (e *Engine) accept(s *Stream) bool {
	complete, err := s.accept(e.vocabulary)
	if complete {
		e.finish(s, err)
	}
	return complete
}
