package generate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"siglab/engine/generate/sample"
	"siglab/engine/imageprep"
)

// Request is one prompt to answer.
type Request struct {
	Prompt    []int         // token ids, image placeholders expanded
	Images    []Image       // in the order of their placeholders
	MaxTokens int           // at least 1
	Sampling  sample.Params // how tokens are picked
	IgnoreEOS bool          // the model's own ends do not end the answer
	StopIDs   []int         // further tokens that do
}

// Image is an image that was prepared for the model.
type Image struct {
	Key    string // equal for equal images of one grid alone; "": not to be cached
	Tokens int    // placeholders in the prompt
	Input  imageprep.Input
}

// Finish says why an answer ended; "" while it goes on.
type Finish string

// The reasons, in OpenAI's words.
const (
	FinishStop   Finish = "stop"   // a token that ends answers
	FinishLength Finish = "length" // MaxTokens
)

// Token is one generated token.
type Token struct {
	sample.Pick
	At      time.Time // when it was known
	Finish  Finish    // on the last token
	Stopped bool      // Finish is because of one of the request's StopIDs
}

// ErrClosed is returned when the engine is at its end.
var ErrClosed = errors.New("the server is shutting down")

// QueueFullError is returned when no more requests may wait. Limit is the one that
// is reached, by its option in vLLM: "max_num_queued_reqs" or "max_num_queued_tokens".
type QueueFullError struct{ Limit string }

func (e *QueueFullError) Error() string {
	return "Too many requests are waiting (" + e.Limit + "); try again later."
}

// InvalidRequestError is a request that this model cannot answer.
type InvalidRequestError struct {
	Param  string // the field that is at fault, "" if none
	Reason string
}

func (e *InvalidRequestError) Error() string { return e.Reason }

func invalidf(param, format string, args ...any) error {
	return &InvalidRequestError{param, fmt.Sprintf(format, args...)}
}

// check reports what is wrong with a request before it takes a place in the queue.
func (r *Request) check(model Model, vocabulary Vocabulary, kvLimit int64) error {
	length := model.MaxModelLen()
	switch {
	case r.MaxTokens < 1:
		return invalidf("max_tokens", "max_tokens must be at least 1, got %d.", r.MaxTokens)
	case len(r.Prompt) == 0:
		return invalidf("prompt", "The prompt is empty.")
	case len(r.Prompt)+r.MaxTokens > length:
		return invalidf("input_tokens", "This model's maximum context length is %d tokens. However, you requested %d output tokens and your prompt contains %d input tokens, for a total of %d tokens. Please reduce the length of the input prompt or the number of requested output tokens. (parameter=input_tokens, value=%d)",
			length, r.MaxTokens, len(r.Prompt), len(r.Prompt)+r.MaxTokens, len(r.Prompt))
	case model.KVBytes(r.capacity()) > kvLimit:
		return invalidf("max_tokens", "Prompt and answer of %d tokens need %d bytes of keys and values, this server has %d. Please ask for fewer output tokens, or start it with a larger --kv-cache-gb.",
			r.capacity(), model.KVBytes(r.capacity()), kvLimit)
	case len(r.Images) > model.MaxImages():
		return invalidf("image", "At most %d image(s) may be provided in one prompt. (parameter=image)", model.MaxImages())
	case r.Sampling.MinTokens > r.MaxTokens:
		return invalidf("min_tokens", "min_tokens must be less than or equal to max_tokens=%d, got %d.", r.MaxTokens, r.Sampling.MinTokens)
	}
	if err := r.Sampling.Check(vocabulary.Size); err != nil {
		var wrong *sample.ParamError
		errors.As(err, &wrong)
		return invalidf(wrong.Name, "%s", wrong.Reason)
	}
	return r.checkTokens(vocabulary)
}

// capacity is the number of positions that the answer can take in all.
func (r *Request) capacity() int { return len(r.Prompt) + r.MaxTokens }

// checkTokens reports tokens out of the vocabulary, and placeholders that do not
// match the images.
func (r *Request) checkTokens(v Vocabulary) error {
	outside := func(id int) bool { return id < 0 || id >= v.Size }
	if i := slices.IndexFunc(r.StopIDs, outside); i >= 0 {
		return invalidf("stop_token_ids", "Token id %d is out of vocabulary. (parameter=stop_token_ids)", r.StopIDs[i])
	}
	placeholders, want := 0, 0
	for _, id := range r.Prompt {
		if outside(id) {
			return invalidf("prompt", "Token id %d is out of vocabulary.", id)
		}
		if id == v.Image {
			placeholders++
		}
	}
	for _, image := range r.Images {
		want += image.Tokens
	}
	if placeholders != want {
		return invalidf("prompt", "The prompt has %d image placeholders, its %d image(s) need %d.", placeholders, len(r.Images), want)
	}
	return nil
}
