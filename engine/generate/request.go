package generate

import (
	"errors"
	"fmt"
	"math"
	"time"

	"siglab/engine/imageprep"
	"siglab/engine/vlm"
)

// Request is one prompt to answer.
type Request struct {
	ID          string
	Prompt      []int             // token ids, image placeholders expanded
	Images      []imageprep.Input // in the order of their placeholders
	MaxTokens   int               // at least 1
	Temperature float64           // 0: the most likely token, always
	Seed        uint64            // of the sampling; used at a temperature above 0
	IgnoreEOS   bool              // go on to MaxTokens
	TopLogprobs int               // rivals to report with each token; below 0: no log probabilities
}

// Finish says why an answer ended; "" while it goes on.
type Finish string

// The reasons, in OpenAI's words.
const (
	FinishStop   Finish = "stop"   // the end-of-turn token
	FinishLength Finish = "length" // MaxTokens
)

// Token is one generated token.
type Token struct {
	ID      int
	At      time.Time   // when it was known
	Logprob float64     // natural logarithm of its probability at temperature 1
	Top     []Candidate // the TopLogprobs likeliest tokens, best first
	Finish  Finish      // on the last token
}

// Candidate is a token that could have been.
type Candidate struct {
	ID      int
	Logprob float64
}

// Errors of Submit.
var (
	ErrQueueFull = errors.New("too many requests are waiting")
	ErrClosed    = errors.New("the server is shutting down")
)

// InvalidRequestError is a request that this model cannot answer.
type InvalidRequestError struct{ Reason string }

func (e *InvalidRequestError) Error() string { return e.Reason }

func invalidf(format string, args ...any) error {
	return &InvalidRequestError{fmt.Sprintf(format, args...)}
}

// check reports what is wrong with a request before it takes a place in the queue.
func (r *Request) check(model *vlm.Model) error {
	switch {
	case r.MaxTokens < 1:
		return invalidf("max_tokens must be at least 1, got %d.", r.MaxTokens)
	case len(r.Prompt) == 0:
		return invalidf("The prompt is empty.")
	case len(r.Prompt)+r.MaxTokens > model.MaxModelLen():
		return invalidf("This model's maximum context length is %d tokens. However, you requested %d output tokens and your prompt contains %d input tokens, for a total of %d tokens. Please reduce the length of the input prompt or the number of requested output tokens.",
			model.MaxModelLen(), r.MaxTokens, len(r.Prompt), len(r.Prompt)+r.MaxTokens)
	case len(r.Images) > model.MaxImages():
		return invalidf("At most %d image(s) may be provided in one prompt.", model.MaxImages())
	case !(r.Temperature >= 0) || math.IsInf(r.Temperature, 1):
		return invalidf("temperature must be non-negative, got %v.", r.Temperature)
	}
	placeholders := 0
	for _, id := range r.Prompt {
		if id < 0 || id >= model.VocabSize() {
			return invalidf("Token id %d is out of the vocabulary of %d.", id, model.VocabSize())
		}
		if id == model.Tokenizer().ImageToken() {
			placeholders++
		}
	}
	want := 0
	for _, image := range r.Images {
		want += model.ImageTokens(image)
	}
	if placeholders != want {
		return invalidf("The prompt has %d image placeholders, its %d image(s) need %d.", placeholders, len(r.Images), want)
	}
	return nil
}
