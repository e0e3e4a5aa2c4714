package generate

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"siglab/engine/generate/sample"
	"siglab/engine/vlm"
)

// Stream is the answer to one request as it grows. It is for one goroutine.
type Stream struct {
	request   Request
	ctx       context.Context // of Submit: its end frees the slot
	submitted time.Time
	unwatch   func() bool // ends the watch over ctx

	mu     sync.Mutex
	tokens []Token // generated and not yet received
	ended  bool
	err    error         // why it ended early
	ready  chan struct{} // holds a token when something of the above has changed

	// The rest belongs to the engine's goroutine, from admission on.
	admitted time.Time
	kvBytes  int64 // reserved
	features []vlm.Features
	asked    int      // images that the encoder cache was asked for
	taken    []int    // with a prefix cache: the tokens whose keys and values the sequence has or gets
	images   []Image  // with a prefix cache: the prompt's, without inputs
	sequence Sequence // nil until all images are encoded
	decoding bool     // the prompt is taken in
	finished bool     // it has given back what it had
	sampler  *sample.Sampler
	logits   []float32 // [vocabulary]
	last     int       // the token that the next step takes in
	count    int       // of tokens generated
}

func newStream(ctx context.Context, r Request, kvBytes int64) *Stream {
	return &Stream{request: r, ctx: ctx, submitted: time.Now(), ready: make(chan struct{}, 1), kvBytes: kvBytes}
}

// Next waits for the next token. After the last it returns io.EOF; if the answer
// ended early, why.
func (s *Stream) Next(ctx context.Context) (Token, error) {
	for {
		s.mu.Lock()
		if len(s.tokens) > 0 {
			t := s.tokens[0]
			s.tokens = s.tokens[1:]
			s.mu.Unlock()
			return t, nil
		}
		ended, err := s.ended, s.err
		s.mu.Unlock()
		switch {
		case err != nil:
			return Token{}, err
		case ended:
			return Token{}, io.EOF
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return Token{}, ctx.Err()
		}
	}
}

// Admitted is when the request left the queue; it may be asked for once Next has
// returned a token.
func (s *Stream) Admitted() time.Time { return s.admitted }

// signal wakes Next.
func (s *Stream) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// end closes the stream; err is nil after a whole answer.
func (s *Stream) end(err error) {
	s.unwatch()
	s.mu.Lock()
	s.ended, s.err = true, err
	s.mu.Unlock()
	s.signal()
}

// push hands out a token.
func (s *Stream) push(t Token) {
	s.mu.Lock()
	s.tokens = append(s.tokens, t)
	s.mu.Unlock()
	s.signal()
}

// accept samples from the stream's logits and hands the token out. It reports
// whether the answer is complete.
func (s *Stream) accept(v Vocabulary) (complete bool, err error) {
	for _, id := range v.Suppressed {
		if id < len(s.logits) { // a tokenizer may know tokens that the model has not
			s.logits[id] = negInf
		}
	}
	pick, err := s.sampler.Next(s.logits)
	if err != nil {
		return true, err
	}
	t := Token{Pick: pick, At: time.Now()}
	s.last = t.ID
	s.count++
	switch {
	case slices.Contains(v.Ends, t.ID) && !s.request.IgnoreEOS:
		t.Finish = FinishStop
	case slices.Contains(s.request.StopIDs, t.ID):
		t.Finish, t.Stopped = FinishStop, true
	case s.count == s.request.MaxTokens:
		t.Finish = FinishLength
	}
	s.push(t)
	return t.Finish != "", nil
}
