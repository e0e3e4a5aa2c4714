package serve

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"siglab/chatapi"
	"siglab/engine/generate"
	"siglab/engine/imageprep"
	"siglab/engine/tokenizer"
)

// readRequest reads and decodes the body of a chat request.
func readRequest(w http.ResponseWriter, r *http.Request) (chatapi.ChatRequest, error) {
	var request chatapi.ChatRequest
	// A deadline for the body only: one that lasted would end long streams.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // not supported by a test's recorder
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	_ = control.SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return request, &apiError{http.StatusRequestEntityTooLarge, "The request has more than 64 MiB.", ""}
	case err != nil:
		return request, badRequest("", "The request could not be read: %v.", err)
	}
	if err := json.Unmarshal(body, &request); err != nil {
		var field *json.UnmarshalTypeError
		if errors.As(err, &field) {
			return request, badRequest("body."+field.Field, "%s must be %s, got %s.", field.Field, field.Type, field.Value)
		}
		return request, badRequest("body", "The request is not valid JSON: %v.", err)
	}
	return request, nil
}

// prepare checks a chat request and turns it into one for the engine.
func (s *Server) prepare(chat chatapi.ChatRequest, id string) (generate.Request, error) {
	r := generate.Request{ID: id, IgnoreEOS: chat.IgnoreEOS, TopLogprobs: -1}
	if chat.Model != "" && chat.Model != s.config.ServedName {
		return r, &apiError{http.StatusNotFound, "The model `" + chat.Model + "` does not exist. Valid aliases: " + s.config.ServedName + ".", "model"}
	}
	if err := setSampling(&r, chat); err != nil {
		return r, err
	}
	turns, images, err := s.conversation(chat.Messages)
	if err != nil {
		return r, err
	}
	r.Images = images
	var lengths []int
	for _, image := range images {
		lengths = append(lengths, s.config.Model.ImageTokens(image))
	}
	if r.Prompt, err = s.config.Model.Tokenizer().ChatPrompt(turns, lengths); err != nil {
		return r, badRequest("messages", "%v", err)
	}
	r.MaxTokens, err = maxTokens(chat, len(r.Prompt), s.config.Model.MaxModelLen())
	return r, err
}

// setSampling takes over how to pick tokens.
func setSampling(r *generate.Request, chat chatapi.ChatRequest) error {
	r.Temperature = 1 // OpenAI's default
	if chat.Temperature != nil {
		r.Temperature = *chat.Temperature
	}
	if !(r.Temperature >= 0) || math.IsInf(r.Temperature, 1) {
		return badRequest("temperature", "temperature must be non-negative, got %v. (parameter=temperature, value=%v)", r.Temperature, r.Temperature)
	}
	if chat.TopP != nil && *chat.TopP != 1 {
		return badRequest("top_p", "top_p must be 1 or left out on this server, got %v.", *chat.TopP)
	}
	if chat.N != nil && *chat.N != 1 {
		return badRequest("n", "n must be 1 or left out on this server, got %d.", *chat.N)
	}
	for _, stop := range chat.Stop {
		if stop == "" {
			return badRequest("stop", "stop cannot contain an empty string.")
		}
	}
	r.Seed = rand.Uint64()
	if chat.Seed != nil {
		r.Seed = uint64(*chat.Seed)
	}
	const mostTop = 20
	switch {
	case chat.TopLogprobs != nil && !chat.Logprobs:
		return badRequest("top_logprobs", "when using `top_logprobs`, `logprobs` must be set to true.")
	case chat.TopLogprobs != nil && (*chat.TopLogprobs < 0 || *chat.TopLogprobs > mostTop):
		return badRequest("top_logprobs", "top_logprobs must be 0 to %d, got %d.", mostTop, *chat.TopLogprobs)
	case chat.TopLogprobs != nil:
		r.TopLogprobs = *chat.TopLogprobs
	case chat.Logprobs:
		r.TopLogprobs = 0
	}
	return nil
}

// maxTokens is the most tokens to generate: what was asked for, or what is left.
func maxTokens(chat chatapi.ChatRequest, prompt, context int) (int, error) {
	name, asked := "max_completion_tokens", chat.MaxCompletionTokens
	if asked == nil {
		name, asked = "max_tokens", chat.MaxTokens
	}
	if prompt >= context {
		return 0, badRequest("input_tokens", "This model's maximum context length is %d tokens. However, your prompt contains at least %d input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=%d)", context, prompt, prompt)
	}
	switch {
	case asked == nil:
		return context - prompt, nil
	case *asked < 1:
		return 0, badRequest(name, "%s must be at least 1, got %d. (parameter=%s, value=%d)", name, *asked, name, *asked)
	case *asked > context:
		return 0, badRequest(name, "%s=%d cannot be greater than max_model_len=%d. Please request fewer output tokens. (parameter=%s, value=%d)", name, *asked, context, name, *asked)
	}
	return *asked, nil
}

// conversation takes the messages apart into turns of text and images.
func (s *Server) conversation(messages []chatapi.Message) ([]tokenizer.Turn, []imageprep.Input, error) {
	if len(messages) == 0 {
		return nil, nil, badRequest("messages", "messages: at least one message is required.")
	}
	var turns []tokenizer.Turn
	var images []imageprep.Input
	for i, m := range messages {
		switch m.Role {
		case "system", "user", "assistant", "developer":
		default:
			return nil, nil, badRequest("messages", "messages[%d].role must be system, developer, user or assistant, got %q.", i, m.Role)
		}
		turn := tokenizer.Turn{Role: m.Role}
		for _, part := range m.Content {
			switch {
			case part.Type == "text":
				turn.Parts = append(turn.Parts, tokenizer.Part{Text: part.Text})
			case part.Type == "image_url" && part.ImageURL != nil:
				if len(images) == s.config.Model.MaxImages() {
					return nil, nil, badRequest("image", "At most %d image(s) may be provided in one prompt. (parameter=image)", len(images))
				}
				pixels, err := s.image(part.ImageURL.URL)
				if err != nil {
					return nil, nil, err
				}
				images = append(images, pixels)
				turn.Parts = append(turn.Parts, tokenizer.Part{Image: true})
			default:
				return nil, nil, badRequest("messages", "messages[%d].content: a part must be text or image_url, got %q.", i, part.Type)
			}
		}
		turns = append(turns, turn)
	}
	return turns, images, nil
}

// image decodes a data URL and prepares the image for the model.
func (s *Server) image(url string) (imageprep.Input, error) {
	var none imageprep.Input
	scheme, rest, _ := strings.Cut(url, ":")
	if !strings.EqualFold(scheme, "data") {
		return none, badRequest("image_url", "The image URL %.60q is not a data URL; this server fetches nothing, so send data:image/jpeg;base64,….", url)
	}
	head, payload, ok := strings.Cut(rest, ",")
	if !ok || !strings.HasSuffix(head, ";base64") {
		return none, badRequest("image_url", "The data URL %.60q is not of the form data:image/jpeg;base64,….", url)
	}
	data, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		return none, badRequest("image_url", "The image is not valid base64: %v.", err)
	}
	img, _, err := imageprep.Decode(data, s.limits)
	if err != nil {
		return none, badRequest("image_url", "Failed to load image: %v", err)
	}
	input, err := s.config.Model.Prepare(img)
	if err != nil {
		return none, badRequest("image_url", "Failed to prepare image: %v", err)
	}
	return input, nil
}
