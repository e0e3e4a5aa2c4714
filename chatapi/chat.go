// Package chatapi holds the wire types of the OpenAI chat and completions protocols
// as vLLM speaks them, and a reader and writer of their event streams.
//
// Both sides of siglab use it: the load client to encode requests and to read
// answers, the embedded server to do the reverse. Its truth is transcripts of a
// real vLLM 0.32 (testdata), not a specification.
package chatapi

import "encoding/json"

// ChatRequest is the body of POST /v1/chat/completions. Fields that siglab does not
// know are ignored, as vLLM does.
type ChatRequest struct {
	Model               string    `json:"model"`
	Messages            []Message `json:"messages"`
	MaxTokens           *int      `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int      `json:"max_completion_tokens,omitempty"` // wins over MaxTokens
	Sampling
	Stream              bool           `json:"stream,omitempty"`
	StreamOptions       *StreamOptions `json:"stream_options,omitempty"`
	Logprobs            bool           `json:"logprobs,omitempty"`
	TopLogprobs         *int           `json:"top_logprobs,omitempty"`
	AddGenerationPrompt *bool          `json:"add_generation_prompt,omitempty"` // absent: true
	Unsupported
}

// Sampling is how tokens are picked and where answers end, in chat and completions
// alike. Pointers tell "absent" from zero.
type Sampling struct {
	Temperature            *float64           `json:"temperature,omitempty"`
	TopP                   *float64           `json:"top_p,omitempty"`
	TopK                   *int               `json:"top_k,omitempty"`
	MinP                   *float64           `json:"min_p,omitempty"`
	RepetitionPenalty      *float64           `json:"repetition_penalty,omitempty"`
	PresencePenalty        *float64           `json:"presence_penalty,omitempty"`
	FrequencyPenalty       *float64           `json:"frequency_penalty,omitempty"`
	LogitBias              map[string]float64 `json:"logit_bias,omitempty"` // by token id
	N                      *int               `json:"n,omitempty"`
	Stop                   StringList         `json:"stop,omitempty"`
	StopTokenIDs           []int              `json:"stop_token_ids,omitempty"`
	IncludeStopStrInOutput bool               `json:"include_stop_str_in_output,omitempty"`
	MinTokens              int                `json:"min_tokens,omitempty"`
	Seed                   *int64             `json:"seed,omitempty"`
	IgnoreEOS              bool               `json:"ignore_eos,omitempty"`
}

// Unsupported are fields of vLLM's that would change an answer and that siglab's
// server refuses rather than ignores, as they came.
type Unsupported struct {
	Tools             json.RawMessage `json:"tools,omitempty"`
	ResponseFormat    json.RawMessage `json:"response_format,omitempty"`
	StructuredOutputs json.RawMessage `json:"structured_outputs,omitempty"`
	MMProcessorKwargs json.RawMessage `json:"mm_processor_kwargs,omitempty"`
	ChatTemplate      json.RawMessage `json:"chat_template,omitempty"`
	ContinueFinal     json.RawMessage `json:"continue_final_message,omitempty"`
	Echo              json.RawMessage `json:"echo,omitempty"`
	Suffix            json.RawMessage `json:"suffix,omitempty"`
	BestOf            json.RawMessage `json:"best_of,omitempty"`
	UseBeamSearch     json.RawMessage `json:"use_beam_search,omitempty"`
	PromptLogprobs    json.RawMessage `json:"prompt_logprobs,omitempty"`
	PromptEmbeds      json.RawMessage `json:"prompt_embeds,omitempty"`
	AllowedTokenIDs   json.RawMessage `json:"allowed_token_ids,omitempty"`
	BadWords          json.RawMessage `json:"bad_words,omitempty"`
	TruncatePrompt    json.RawMessage `json:"truncate_prompt_tokens,omitempty"`
	ReturnTokenIDs    json.RawMessage `json:"return_token_ids,omitempty"`
	ReturnTokensAsIDs json.RawMessage `json:"return_tokens_as_token_ids,omitempty"`
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
	Type     string    `json:"type"` // "text" or "image_url"; others are refused by name
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

// Null is a field that siglab's server never fills: null when written, and anything
// when read.
type Null struct{}

// MarshalJSON writes null.
func (Null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// UnmarshalJSON takes anything.
func (*Null) UnmarshalJSON([]byte) error { return nil }

// Usage counts tokens; prompt tokens include those of images. The details are there
// where vLLM writes them.
type Usage struct {
	PromptTokens            int   `json:"prompt_tokens"`
	TotalTokens             int   `json:"total_tokens"`
	CompletionTokens        int   `json:"completion_tokens"`
	PromptTokensDetails     *Null `json:"prompt_tokens_details,omitempty"`
	CompletionTokensDetails *Null `json:"completion_tokens_details,omitempty"`
}

// ChatResponse is the answer to a request that did not ask for a stream.
type ChatResponse struct {
	ID                string   `json:"id"`
	Object            string   `json:"object"` // "chat.completion"
	Created           int64    `json:"created"`
	Model             string   `json:"model"`
	Choices           []Choice `json:"choices"`
	ServiceTier       Null     `json:"service_tier"`
	SystemFingerprint string   `json:"system_fingerprint"`
	Usage             Usage    `json:"usage"`
	PromptLogprobs    Null     `json:"prompt_logprobs"`
	PromptTokenIDs    Null     `json:"prompt_token_ids"`
	PromptText        Null     `json:"prompt_text"`
	KVTransferParams  Null     `json:"kv_transfer_params"`
	ECTransferParams  Null     `json:"ec_transfer_params"`
	Metrics           Null     `json:"metrics"`
}

// Choice is one answer.
type Choice struct {
	Index         int           `json:"index"`
	Message       AnswerMessage `json:"message"`
	Logprobs      *Logprobs     `json:"logprobs"`
	FinishReason  *string       `json:"finish_reason"`
	StopReason    any           `json:"stop_reason"` // the stop string or token that ended it, or null
	TokenIDs      Null          `json:"token_ids"`
	RoutedExperts Null          `json:"routed_experts"`
}

// AnswerMessage is the assistant's turn.
type AnswerMessage struct {
	Role         string `json:"role"`
	Content      string `json:"content"`
	Refusal      Null   `json:"refusal"`
	Annotations  Null   `json:"annotations"`
	Audio        Null   `json:"audio"`
	FunctionCall Null   `json:"function_call"`
	Reasoning    Null   `json:"reasoning"`
}

// ChatChunk is one event of a stream.
type ChatChunk struct {
	ID                string        `json:"id"`
	Object            string        `json:"object"` // "chat.completion.chunk"
	Created           int64         `json:"created"`
	Model             string        `json:"model"`
	Choices           []ChunkChoice `json:"choices"`
	Usage             *Usage        `json:"usage,omitempty"`
	PromptTokenIDs    *Null         `json:"prompt_token_ids,omitempty"`   // in the first event
	PromptText        *Null         `json:"prompt_text,omitempty"`        // in the first event
	SystemFingerprint string        `json:"system_fingerprint,omitempty"` // in the last event
	Error             *APIError     `json:"error,omitempty"`              // an error after the stream began
}

// ChunkChoice is the change that one event brings.
type ChunkChoice struct {
	Index        int             `json:"index"`
	Delta        Delta           `json:"delta"`
	Logprobs     *Logprobs       `json:"logprobs"`
	FinishReason *string         `json:"finish_reason"`
	StopReason   json.RawMessage `json:"stop_reason,omitempty"` // with the finish reason
	TokenIDs     *Null           `json:"token_ids,omitempty"`   // not in the first event
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
	ID          string            `json:"id"`
	Object      string            `json:"object"` // "model"
	Created     int64             `json:"created"`
	OwnedBy     string            `json:"owned_by"`
	Root        string            `json:"root"`
	Parent      *string           `json:"parent"`
	MaxModelLen int               `json:"max_model_len"`
	Permission  []ModelPermission `json:"permission"`
}

// ModelPermission is what clients of old may do with a model.
type ModelPermission struct {
	ID                 string `json:"id"`
	Object             string `json:"object"` // "model_permission"
	Created            int64  `json:"created"`
	AllowCreateEngine  bool   `json:"allow_create_engine"`
	AllowSampling      bool   `json:"allow_sampling"`
	AllowLogprobs      bool   `json:"allow_logprobs"`
	AllowSearchIndices bool   `json:"allow_search_indices"`
	AllowView          bool   `json:"allow_view"`
	AllowFineTuning    bool   `json:"allow_fine_tuning"`
	Organization       string `json:"organization"`
	Group              Null   `json:"group"`
	IsBlocking         bool   `json:"is_blocking"`
}
