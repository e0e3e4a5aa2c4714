package chatapi

import (
	"encoding/json"
	"errors"
)

// CompletionRequest is the body of POST /v1/completions.
type CompletionRequest struct {
	Model     string `json:"model"`
	Prompt    Prompt `json:"prompt"`
	MaxTokens *int   `json:"max_tokens,omitempty"` // absent: 16
	Sampling
	Stream           bool           `json:"stream,omitempty"`
	StreamOptions    *StreamOptions `json:"stream_options,omitempty"`
	Logprobs         *int           `json:"logprobs,omitempty"` // rivals to report with each token
	AddSpecialTokens *bool          `json:"add_special_tokens,omitempty"`
	Unsupported
}

// Prompt is a text or a list of token ids on the wire, or a list with one of these.
type Prompt struct {
	Text   string
	Tokens []int // nil if Text holds the prompt
	Many   int   // prompts in the list, of which the first is here; 0 for none
}

// UnmarshalJSON tells the four forms apart.
func (p *Prompt) UnmarshalJSON(data []byte) error {
	*p = Prompt{}
	if string(data) == "null" {
		return nil
	}
	if json.Unmarshal(data, &p.Text) == nil {
		p.Many = 1
		return nil
	}
	if json.Unmarshal(data, &p.Tokens) == nil {
		p.Many = 1
		return nil
	}
	p.Tokens = nil
	var texts []string
	if json.Unmarshal(data, &texts) == nil {
		p.Text, p.Many = texts[0], len(texts)
		return nil
	}
	var tokens [][]int
	if json.Unmarshal(data, &tokens) == nil {
		p.Tokens, p.Many = tokens[0], len(tokens)
		return nil
	}
	return errors.New("prompt must be a string, a list of token ids, or a list of one of these")
}

// MarshalJSON writes the text or the token ids.
func (p Prompt) MarshalJSON() ([]byte, error) {
	if p.Tokens != nil {
		return json.Marshal(p.Tokens)
	}
	return json.Marshal(p.Text)
}

// CompletionResponse is the answer to a completion request, or one event of its
// stream: vLLM calls both "text_completion".
type CompletionResponse struct {
	ID                string             `json:"id"`
	Object            string             `json:"object"`
	Created           int64              `json:"created"`
	Model             string             `json:"model"`
	Choices           []CompletionChoice `json:"choices"`
	ServiceTier       *Null              `json:"service_tier,omitempty"`       // not in a stream
	SystemFingerprint string             `json:"system_fingerprint,omitempty"` // in a stream: in the last event
	Usage             *Usage             `json:"usage,omitempty"`
	KVTransferParams  *Null              `json:"kv_transfer_params,omitempty"` // not in a stream
	ECTransferParams  *Null              `json:"ec_transfer_params,omitempty"` // not in a stream
	Metrics           *Null              `json:"metrics,omitempty"`            // not in a stream
	Error             *APIError          `json:"error,omitempty"`              // an error after the stream began
}

// CompletionChoice is an answer, or what one event adds to it.
type CompletionChoice struct {
	Index          int                 `json:"index"`
	Text           string              `json:"text"`
	Logprobs       *CompletionLogprobs `json:"logprobs"`
	FinishReason   *string             `json:"finish_reason"`
	StopReason     any                 `json:"stop_reason"`
	TokenIDs       Null                `json:"token_ids"`
	PromptLogprobs *Null               `json:"prompt_logprobs,omitempty"` // not in a stream
	PromptTokenIDs Null                `json:"prompt_token_ids"`
	RoutedExperts  *Null               `json:"routed_experts,omitempty"` // not in a stream
}

// CompletionLogprobs are lists with one entry per token.
type CompletionLogprobs struct {
	TextOffset    []int                `json:"text_offset"` // runes before the token
	TokenLogprobs []float64            `json:"token_logprobs"`
	Tokens        []string             `json:"tokens"`
	TopLogprobs   []map[string]float64 `json:"top_logprobs"` // the token and its best rivals
}

// TokenizeRequest is the body of POST /tokenize: a text, or a conversation.
type TokenizeRequest struct {
	Model               string    `json:"model,omitempty"`
	Prompt              *string   `json:"prompt,omitempty"`
	Messages            []Message `json:"messages,omitempty"`
	AddGenerationPrompt *bool     `json:"add_generation_prompt,omitempty"` // absent: true
	AddSpecialTokens    *bool     `json:"add_special_tokens,omitempty"`    // to a prompt; absent: true
	ReturnTokenStrs     bool      `json:"return_token_strs,omitempty"`
}

// TokenizeResponse is its answer.
type TokenizeResponse struct {
	Count       int      `json:"count"`
	MaxModelLen int      `json:"max_model_len"`
	Tokens      []int    `json:"tokens"`
	TokenStrs   []string `json:"token_strs"` // null unless asked for
}

// DetokenizeRequest is the body of POST /detokenize.
type DetokenizeRequest struct {
	Model  string `json:"model,omitempty"`
	Tokens []int  `json:"tokens"`
}

// DetokenizeResponse is its answer.
type DetokenizeResponse struct {
	Prompt string `json:"prompt"`
}
