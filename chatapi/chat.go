// Package chatapi holds the wire types of the OpenAI chat protocol as vLLM
// speaks it, and a reader and writer of its event streams.
//
// Both sides of siglab use it: the load client to encode requests and to read
// answers, the embedded server to do the reverse. Its truth is transcripts of a
// real vLLM 0.32 (testdata), not a specification.
package chatapi

import "encoding/json"

// ChatRequest is the body of POST /v1/chat/completions. Pointers tell "absent"
// from zero; fields that siglab does not know are ignored, as vLLM does.
type ChatRequest struct {
	Model               string         `json:"model"`
	Messages            []Message      `json:"messages"`
	MaxTokens           *int           `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int           `json:"max_completion_tokens,omitempty"` // wins over MaxTokens
	Temperature         *float64       `json:"temperature,omitempty"`
	TopP                *float64       `json:"top_p,omitempty"`
	N                   *int           `json:"n,omitempty"`
	Stop                StringList     `json:"stop,omitempty"`
	Seed                *int64         `json:"seed,omitempty"`
	IgnoreEOS           bool           `json:"ignore_eos,omitempty"`
	Stream              bool           `json:"stream,omitempty"`
	StreamOptions       *StreamOptions `json:"stream_options,omitempty"`
	Logprobs            bool           `json:"logprobs,omitempty"`
	TopLogprobs         *int           `json:"top_logprobs,omitempty"`
}

// StreamOptions asks for usage in a stream: once at the end, or with every event.
type StreamOptions struct {
	IncludeUsage         bool `json:"include_usage,omitempty"`
	ContinuousUsageStats bool `json:"continuous_usage_stats,omitempty"`
}

// Message is one turn. Its content is a string or a list of parts on the wire
// and always a list here.
type Message struct {
	Role    string  `json:"role"`
	Content Content `json:"content"`
}

// Content is a message's parts in order.
type Content []Part

// Part is a piece of text or an image.
type Part struct {
	Type     string    `json:"type"` // "text" or "image_url"
	Text     string    `json:"text,omitempty"`
	ImageURL *ImageURL `json:"image_url,omitempty"`
}

// ImageURL is a data URL (or, where the server allows it, another URL).
type ImageURL struct {
	URL string `json:"url"`
}

// UnmarshalJSON accepts a plain string as one text part.
func (c *Content) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*c = nil
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		*c = Content{{Type: "text", Text: text}}
		return nil
	}
	var parts []Part
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	*c = parts
	return nil
}

// StringList is a string or a list of strings on the wire.
type StringList []string

// UnmarshalJSON accepts a single string as a list of one.
func (l *StringList) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*l = nil
		return nil
	}
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = StringList{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(data, &many); err != nil {
		return err
	}
	*l = many
	return nil
}

// Usage counts tokens; prompt tokens include those of images.
type Usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	TotalTokens      int `json:"total_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

// ChatResponse is the answer to a request that did not ask for a stream.
type ChatResponse struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"` // "chat.completion"
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []Choice `json:"choices"`
	Usage   Usage    `json:"usage"`
}

// Choice is one answer.
type Choice struct {
	Index        int           `json:"index"`
	Message      AnswerMessage `json:"message"`
	Logprobs     *Logprobs     `json:"logprobs"`
	FinishReason *string       `json:"finish_reason"`
	StopReason   any           `json:"stop_reason"` // the stop string that ended it, or null
}

// AnswerMessage is the assistant's turn.
type AnswerMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// ChatChunk is one event of a stream.
type ChatChunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"` // "chat.completion.chunk"
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []ChunkChoice `json:"choices"`
	Usage   *Usage        `json:"usage,omitempty"`
	Error   *APIError     `json:"error,omitempty"` // an error after the stream began
}

// ChunkChoice is the change that one event brings.
type ChunkChoice struct {
	Index        int       `json:"index"`
	Delta        Delta     `json:"delta"`
	Logprobs     *Logprobs `json:"logprobs"`
	FinishReason *string   `json:"finish_reason"`
	StopReason   any       `json:"stop_reason,omitempty"`
}

// Delta is new content; the first event of a stream carries the role and "".
type Delta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

// Logprobs holds one entry per token.
type Logprobs struct {
	Content []TokenLogprob `json:"content"`
}

// TokenLogprob is a token's natural-log probability and its best rivals'.
type TokenLogprob struct {
	Token       string       `json:"token"`
	Logprob     float64      `json:"logprob"`
	Bytes       []int        `json:"bytes"`
	TopLogprobs []TopLogprob `json:"top_logprobs"`
}

// TopLogprob is one of the likeliest tokens at a position, best first.
type TopLogprob struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

// ErrorResponse is the body of every error answer.
type ErrorResponse struct {
	Error APIError `json:"error"`
}

// APIError is an error in OpenAI's shape, with vLLM's type names.
type APIError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"` // "BadRequestError", "NotFoundError", …
	Param   *string `json:"param"`
	Code    int     `json:"code"` // the HTTP status
}

// ModelList is the answer of GET /v1/models.
type ModelList struct {
	Object string  `json:"object"` // "list"
	Data   []Model `json:"data"`
}

// Model is one served model.
type Model struct {
	ID          string  `json:"id"`
	Object      string  `json:"object"` // "model"
	Created     int64   `json:"created"`
	OwnedBy     string  `json:"owned_by"`
	Root        string  `json:"root"`
	Parent      *string `json:"parent"`
	MaxModelLen int     `json:"max_model_len"`
}
