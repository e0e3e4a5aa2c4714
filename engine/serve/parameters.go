package serve

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"

	"siglab/chatapi"
	"siglab/engine/generate"
	"siglab/engine/generate/sample"
)

// checkModel refuses the names of other models.
func (s *Server) checkModel(name string) error {
	if name == "" || name == s.config.ServedName {
		return nil
	}
	return &apiError{status: http.StatusNotFound, param: "model",
		message: fmt.Sprintf("The model `%.200s` does not exist. Valid aliases: %s.", name, s.config.ServedName)}
}

// refuse reports a field that would change the answer and is not supported, unless
// it has a value that changes nothing.
func refuse(u chatapi.Unsupported) error {
	const off, empty, none = "false", "[]", "{}"
	for _, field := range []struct {
		name  string
		value json.RawMessage
		fine  []string // beside null
	}{
		{"tools", u.Tools, []string{empty}},
		{"structured_outputs", u.StructuredOutputs, []string{none}},
		{"mm_processor_kwargs", u.MMProcessorKwargs, []string{none}},
		{"chat_template", u.ChatTemplate, nil},
		{"continue_final_message", u.ContinueFinal, []string{off}},
		{"echo", u.Echo, []string{off}},
		{"suffix", u.Suffix, []string{`""`}},
		{"best_of", u.BestOf, []string{"1"}},
		{"use_beam_search", u.UseBeamSearch, []string{off}},
		{"prompt_logprobs", u.PromptLogprobs, nil},
		{"prompt_embeds", u.PromptEmbeds, nil},
		{"allowed_token_ids", u.AllowedTokenIDs, nil},
		{"bad_words", u.BadWords, []string{empty}},
		{"truncate_prompt_tokens", u.TruncatePrompt, nil},
		{"return_token_ids", u.ReturnTokenIDs, []string{off}},
		{"return_tokens_as_token_ids", u.ReturnTokensAsIDs, []string{off}},
	} {
		value := string(field.value)
		if value != "" && value != "null" && !slices.Contains(field.fine, value) {
			return badRequest(field.name, "%s is not supported by this server; leave it out. (parameter=%s)", field.name, field.name)
		}
	}
	var format struct{ Type string }
	if len(u.ResponseFormat) > 0 && (json.Unmarshal(u.ResponseFormat, &format) != nil || format.Type != "" && format.Type != "text") {
		return badRequest("response_format", "response_format must be of type text on this server, got %.40q. (parameter=response_format)", format.Type)
	}
	return nil
}

// mostStops bounds the stop strings, whose search costs time with every token; their
// length in all is bounded likewise.
const (
	mostStops     = 64
	mostStopBytes = 4096
)

// setSampling takes over how to pick tokens.
func setSampling(r *generate.Request, from chatapi.Sampling) error {
	or := func(v *float64, value float64) float64 {
		if v == nil {
			return value
		}
		return *v
	}
	p := sample.Params{
		Temperature: or(from.Temperature, 1), TopP: or(from.TopP, 1), MinP: or(from.MinP, 0), Repetition: or(from.RepetitionPenalty, 1),
		Presence: or(from.PresencePenalty, 0), Frequency: or(from.FrequencyPenalty, 0), MinTokens: from.MinTokens, Top: -1, Seed: rand.Uint64(),
	}
	if from.TopK != nil {
		p.TopK = *from.TopK
	}
	if from.Seed != nil {
		p.Seed = uint64(*from.Seed)
	}
	switch stopBytes := 0; {
	case p.TopP == 0: // to the sampler: the default
		return badRequest("top_p", "top_p must be in (0, 1], got 0.0. (parameter=top_p, value=0.0)")
	case p.Repetition == 0:
		return badRequest("repetition_penalty", "repetition_penalty must be greater than zero, got 0.0. (parameter=repetition_penalty, value=0.0)")
	case from.N != nil && *from.N != 1:
		return badRequest("n", "n must be 1 or left out on this server, got %d. (parameter=n, value=%d)", *from.N, *from.N)
	case len(from.Stop) > mostStops || len(from.StopTokenIDs) > mostStops:
		return badRequest("stop", "stop and stop_token_ids may hold %d entries each.", mostStops)
	default:
		for _, stop := range from.Stop {
			if stopBytes += len(stop); stop == "" {
				return badRequest("stop", "stop cannot contain an empty string.")
			}
		}
		if stopBytes > mostStopBytes {
			return badRequest("stop", "The stop strings have more than %d bytes.", mostStopBytes)
		}
	}
	for key, bias := range from.LogitBias {
		id, err := strconv.Atoi(key)
		if err != nil {
			return badRequest("logit_bias", "Invalid key in logit_bias: %.20q. Expected an integer.", key)
		}
		if p.Bias == nil {
			p.Bias = make(map[int]float64, len(from.LogitBias))
		}
		p.Bias[id] = min(max(bias, -100), 100) // as OpenAI and vLLM bound it
	}
	r.Sampling, r.IgnoreEOS, r.StopIDs = p, from.IgnoreEOS, from.StopTokenIDs
	return nil
}

// topLogprobs checks how many rivals are to be reported with each token.
func topLogprobs(name string, n int) error {
	switch {
	case n < 0:
		return badRequest(name, "%s must be non-negative, got %d. (parameter=%s, value=%d)", name, n, name, n)
	case n > sample.MostTop:
		return badRequest(name, "Requested sample logprobs of %d, which is greater than max allowed: %d. (parameter=%s, value=%d)", n, sample.MostTop, name, n)
	}
	return nil
}

// maxTokens is the most tokens to generate: what was asked for in the named field, or
// the default, or what is left.
func maxTokens(name string, asked *int, standard, prompt, context int) (int, error) {
	if prompt >= context {
		return 0, badRequest("input_tokens", "This model's maximum context length is %d tokens. However, your prompt contains at least %d input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=%d)", context, prompt, prompt)
	}
	switch {
	case asked == nil:
		return min(standard, context-prompt), nil
	case *asked < 1:
		return 0, badRequest(name, "%s must be at least 1, got %d. (parameter=%s, value=%d)", name, *asked, name, *asked)
	case *asked > context:
		return 0, badRequest(name, "%s=%d cannot be greater than max_model_len=%d. Please request fewer output tokens. (parameter=%s, value=%d)", name, *asked, context, name, *asked)
	}
	return *asked, nil
}
