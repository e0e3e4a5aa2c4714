package generate

import (
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"siglab/engine/vlm"
)

// Stream is the answer to one request as it grows. It is for one goroutine.
type Stream struct {
	request   Request
	ctx       context.Context // of Submit: its end frees the slot
	submitted time.Time
	tokens    chan Token // room for MaxTokens, so that the engine never waits
	err       error      // why it ended early; read after tokens is closed

	// The rest belongs to the engine's goroutine.
	sequence *vlm.Sequence
	sampler  sampler
	logits   []float32
	last     int // the token that the next step takes in
	count    int // of tokens generated
}

func newStream(ctx context.Context, r Request) *Stream {
	return &Stream{
		request: r, ctx: ctx, submitted: time.Now(), tokens: make(chan Token, r.MaxTokens),
		sampler: sampler{temperature: r.Temperature, rng: rand.New(rand.NewPCG(r.Seed, 0)), top: r.TopLogprobs},
	}
}

// Next waits for the next token. After the last it returns io.EOF; if the answer
// ended early, why.
func (s *Stream) Next(ctx context.Context) (Token, error) {
	select {
	case t, ok := <-s.tokens:
		return s.received(t, ok)
	default:
	}
	select {
	case t, ok := <-s.tokens:
		return s.received(t, ok)
	case <-ctx.Done():
		return Token{}, ctx.Err()
	}
}

func (s *Stream) received(t Token, ok bool) (Token, error) {
	switch {
	case ok:
		return t, nil
	case s.err != nil:
		return Token{}, s.err
	}
	return Token{}, io.EOF
}

// end closes the stream; err is nil after a whole answer.
func (s *Stream) end(err error) {
	s.err = err
	close(s.tokens)
}

// accept samples from the stream's logits and hands the token out. It reports
// whether the answer is complete.
func (s *Stream) accept(suppressed, eos []int) bool {
	for _, id := range suppressed {
		if id >= 0 && id < len(s.logits) { // a model's file may name any number
			s.logits[id] = negInf
		}
	}
	t := s.sampler.next(s.logits)
	t.At = time.Now()
	s.last = t.ID
	s.count++
	switch {
	case slices.Contains(eos, t.ID) && !s.request.IgnoreEOS:
		t.Finish = FinishStop
	case s.count == s.request.MaxTokens:
		t.Finish = FinishLength
	}
	s.tokens <- t
	return t.Finish != ""
}
