package serve

import (
	"context"
)

// Bounds of the text that a request has in all: to tokenize it takes up to some
// microseconds and some tens of bytes of memory for each of its bytes.
const (
	mostText  = 4 << 20  // bytes
	shortText = 64 << 10 // bytes that are tokenized without waiting
)

// checkText refuses more text than is tokenized.
func checkText(bytes int) error {
	if bytes > mostText {
		return badRequest("input_tokens", "This server takes prompts of at most %d bytes of text. However, your prompt has %d. Please reduce the length of the input prompt. (parameter=input_tokens, value=%[2]d)", mostText, bytes)
	}
	return nil
}

// takeText waits until a text of so many bytes may be tokenized: as many long ones at a
// time as there are processors, the short ones always. The caller must call release
// when it is done.
func (s *Server) takeText(ctx context.Context, bytes int) (release func(), err error) {
	if err := checkText(bytes); err != nil {
		return nil, err
	}
	if bytes <= shortText {
		return func() {}, nil
	}
	select {
	case s.texts <- struct{}{}:
		return func() { <-s.texts }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// encode is the tokens of a text, with those that the model expects around it unless
// asked not to.
func (s *Server) encode(ctx context.Context, text string, addSpecial *bool) ([]int, error) {
	release, err := s.takeText(ctx, len(text))
	if err != nil {
		return nil, err
	}
	defer release()
	tokens, err := s.config.Model.Tokenizer().Encode(text, addSpecial == nil || *addSpecial)
	if err != nil {
		return nil, badRequest("prompt", "The prompt cannot be tokenized: %v", err)
	}
	return tokens, nil
}
