package serve

import (
	"context"
	"encoding/json"
	"math"

	"siglab/chatapi"
	"siglab/engine/generate"
)

// prepareChat makes a job of the body of POST /v1/chat/completions.
func (s *Server) prepareChat(ctx context.Context, chat *chatapi.ChatRequest) (*job, error) {
	j := &job{stops: chat.Stop, includeStop: chat.IncludeStopStrInOutput, logprobs: chat.Logprobs, stream: chat.Stream, protocol: chatProtocol{}}
	if chat.StreamOptions != nil {
		j.options = *chat.StreamOptions
	}
	if err := s.checkModel(chat.Model); err != nil {
		return nil, err
	}
	if err := refuse(chat.Unsupported); err != nil {
		return nil, err
	}
	if err := setSampling(&j.request, chat.Sampling); err != nil {
		return nil, err
	}
	switch top := chat.TopLogprobs; {
	case top != nil && !chat.Logprobs && *top != 0:
		return nil, badRequest("top_logprobs", "when using `top_logprobs`, `logprobs` must be set to true.")
	case top != nil && chat.Logprobs:
		if err := topLogprobs("top_logprobs", *top); err != nil {
			return nil, err
		}
		j.request.Sampling.Top = *top
	case chat.Logprobs:
		j.request.Sampling.Top = 0
	}
	p, err := s.chatPrompt(ctx, chat.Messages, chat.AddGenerationPrompt)
	if err != nil {
		return nil, err
	}
	j.request.Prompt, j.request.Images = p.tokens, p.images
	name, asked := "max_completion_tokens", chat.MaxCompletionTokens
	if asked == nil {
		name, asked = "max_tokens", chat.MaxTokens
	}
	j.request.MaxTokens, err = maxTokens(name, asked, math.MaxInt, len(p.tokens), s.config.Model.MaxModelLen())
	return j, err
}

// chatProtocol writes answers in the chat protocol.
type chatProtocol struct{}

func (chatProtocol) prefix() string { return "chatcmpl-" }

func (chatProtocol) whole(a *answer, text string, tokens []generate.Token, stopped any) any {
	finish := string(a.finish)
	return chatapi.ChatResponse{
		ID: a.id, Object: "chat.completion", Created: a.created, Model: a.model, SystemFingerprint: fingerprint, Usage: a.wholeUsage(),
		Choices: []chatapi.Choice{{
			Message:  chatapi.AnswerMessage{Role: "assistant", Content: text},
			Logprobs: chatLogprobs(a, tokens), FinishReason: &finish, StopReason: stopped,
		}},
	}
}

// opening is the event with the role.
func (chatProtocol) opening(a *answer) any {
	empty := ""
	c := chatChunk(a, chatapi.ChunkChoice{Delta: chatapi.Delta{Role: "assistant", Content: &empty}})
	c.PromptTokenIDs, c.PromptText = &chatapi.Null{}, &chatapi.Null{}
	if a.options.ContinuousUsageStats { // no token yet
		c.Usage.CompletionTokens, c.Usage.TotalTokens = 0, c.Usage.PromptTokens
	}
	return c
}

func (chatProtocol) event(a *answer, p piece) any {
	choice := chatapi.ChunkChoice{
		Delta: chatapi.Delta{Content: &p.text}, Logprobs: chatLogprobs(a, []generate.Token{p.token}), TokenIDs: &chatapi.Null{},
	}
	if p.finish != "" {
		finish := string(p.finish)
		choice.FinishReason = &finish
		choice.StopReason, _ = json.Marshal(p.stopped) // a string, a number or nil
	}
	return chatChunk(a, choice)
}

func (chatProtocol) closing(a *answer) any {
	usage := a.usage()
	return chatapi.ChatChunk{
		ID: a.id, Object: "chat.completion.chunk", Created: a.created, Model: a.model, Choices: []chatapi.ChunkChoice{},
		Usage: &usage, SystemFingerprint: fingerprint,
	}
}

func chatChunk(a *answer, choice chatapi.ChunkChoice) chatapi.ChatChunk {
	c := chatapi.ChatChunk{ID: a.id, Object: "chat.completion.chunk", Created: a.created, Model: a.model, Choices: []chatapi.ChunkChoice{choice}}
	if a.options.ContinuousUsageStats {
		usage := a.usage()
		usage.CompletionTokensDetails = &chatapi.Null{}
		c.Usage = &usage
	}
	return c
}

// chatLogprobs are tokens' log probabilities in the protocol's form, nil if they were
// not asked for.
func chatLogprobs(a *answer, tokens []generate.Token) *chatapi.Logprobs {
	if !a.logprobs {
		return nil
	}
	l := &chatapi.Logprobs{Content: make([]chatapi.TokenLogprob, 0, len(tokens))}
	for _, t := range tokens {
		entry := chatapi.TokenLogprob{
			Token: a.tokenizer.Text(t.ID), Bytes: byteValues(a.tokenizer.Bytes(t.ID)), Logprob: shownLogprob(t.Logprob), TopLogprobs: []chatapi.TopLogprob{},
		}
		for _, c := range t.Top {
			entry.TopLogprobs = append(entry.TopLogprobs, chatapi.TopLogprob{
				Token: a.tokenizer.Text(c.ID), Bytes: byteValues(a.tokenizer.Bytes(c.ID)), Logprob: shownLogprob(c.Logprob),
			})
		}
		l.Content = append(l.Content, entry)
	}
	return l
}

// shownLogprob is never −Inf, which JSON does not have.
func shownLogprob(v float64) float64 { return max(v, -9999) }

// byteValues are bytes as the numbers that the protocol wants.
func byteValues(b []byte) []int {
	values := make([]int, len(b))
	for i, v := range b {
		values[i] = int(v)
	}
	return values
}
