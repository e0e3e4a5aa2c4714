package serve

import (
	"context"
	"unicode/utf8"

	"siglab/chatapi"
	"siglab/engine/generate"
)

// prepareCompletion makes a job of the body of POST /v1/completions.
func (s *Server) prepareCompletion(ctx context.Context, c *chatapi.CompletionRequest) (*job, error) {
	j := &job{stops: c.Stop, includeStop: c.IncludeStopStrInOutput, logprobs: c.Logprobs != nil, stream: c.Stream, protocol: &completionProtocol{}}
	if c.StreamOptions != nil {
		j.options = *c.StreamOptions
	}
	if err := s.checkModel(c.Model); err != nil {
		return nil, err
	}
	if err := refuse(c.Unsupported); err != nil {
		return nil, err
	}
	if err := setSampling(&j.request, c.Sampling); err != nil {
		return nil, err
	}
	if c.Logprobs != nil {
		if err := topLogprobs("logprobs", *c.Logprobs); err != nil {
			return nil, err
		}
		j.request.Sampling.Top = *c.Logprobs
	}
	switch {
	case c.Prompt.Many == 0:
		return nil, invalidBody("body.prompt", "1 validation error: body.prompt: Field required.")
	case c.Prompt.Many > 1:
		return nil, badRequest("prompt", "prompt must be one text or one list of token ids on this server, got a list of %d; send a request for each. (parameter=prompt)", c.Prompt.Many)
	}
	j.request.Prompt = c.Prompt.Tokens
	var err error
	if c.Prompt.Tokens == nil {
		if j.request.Prompt, err = s.encode(ctx, c.Prompt.Text, c.AddSpecialTokens); err != nil {
			return nil, err
		}
	}
	const standard = 16 // tokens, as OpenAI's
	j.request.MaxTokens, err = maxTokens("max_tokens", c.MaxTokens, standard, len(j.request.Prompt), s.config.Model.MaxModelLen())
	return j, err
}

// completionProtocol writes an answer in the completions protocol.
type completionProtocol struct {
	offset int // runes of the tokens so far
}

func (*completionProtocol) prefix() string { return "cmpl-" }

func (p *completionProtocol) whole(a *answer, text string, tokens []generate.Token, stopped any) any {
	finish, usage, null := string(a.finish), a.wholeUsage(), &chatapi.Null{}
	return chatapi.CompletionResponse{
		ID: a.id, Object: "text_completion", Created: a.created, Model: a.model, SystemFingerprint: fingerprint, Usage: &usage,
		ServiceTier: null, KVTransferParams: null, ECTransferParams: null, Metrics: null,
		Choices: []chatapi.CompletionChoice{{
			Text: text, Logprobs: p.logprobs(a, tokens), FinishReason: &finish, StopReason: stopped, PromptLogprobs: null, RoutedExperts: null,
		}},
	}
}

func (*completionProtocol) opening(*answer) any { return nil }

func (p *completionProtocol) event(a *answer, from piece) any {
	choice := chatapi.CompletionChoice{Text: from.text, Logprobs: p.logprobs(a, []generate.Token{from.token}), StopReason: from.stopped}
	if from.finish != "" {
		finish := string(from.finish)
		choice.FinishReason = &finish
	}
	c := chatapi.CompletionResponse{ID: a.id, Object: "text_completion", Created: a.created, Model: a.model, Choices: []chatapi.CompletionChoice{choice}}
	if a.options.ContinuousUsageStats {
		usage := a.usage()
		c.Usage = &usage
	}
	return c
}

func (*completionProtocol) closing(a *answer) any {
	usage := a.usage()
	return chatapi.CompletionResponse{
		ID: a.id, Object: "text_completion", Created: a.created, Model: a.model, Choices: []chatapi.CompletionChoice{},
		Usage: &usage, SystemFingerprint: fingerprint,
	}
}

// logprobs are tokens' log probabilities in the protocol's form, nil if they were not
// asked for. Candidates whose texts are equal are one entry, as in vLLM.
func (p *completionProtocol) logprobs(a *answer, tokens []generate.Token) *chatapi.CompletionLogprobs {
	if !a.logprobs {
		return nil
	}
	l := &chatapi.CompletionLogprobs{TextOffset: []int{}, TokenLogprobs: []float64{}, Tokens: []string{}, TopLogprobs: []map[string]float64{}}
	for _, t := range tokens {
		text := a.tokenizer.Text(t.ID)
		top := map[string]float64{}
		for _, c := range t.Top {
			if _, better := top[a.tokenizer.Text(c.ID)]; !better {
				top[a.tokenizer.Text(c.ID)] = shownLogprob(c.Logprob)
			}
		}
		top[text] = shownLogprob(t.Logprob)
		l.TextOffset = append(l.TextOffset, p.offset)
		l.TokenLogprobs = append(l.TokenLogprobs, shownLogprob(t.Logprob))
		l.Tokens = append(l.Tokens, text)
		l.TopLogprobs = append(l.TopLogprobs, top)
		p.offset += utf8.RuneCountInString(text)
	}
	return l
}
