package chatclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"

	"siglab/chatapi"
)

// Health is nil if the server answers that it is healthy.
func (c *Client) Health(ctx context.Context) error {
	_, err := c.control(ctx, http.MethodGet, "/health", nil)
	return err
}

// Version is what the server says that it is.
func (c *Client) Version(ctx context.Context) (string, error) {
	body, err := c.control(ctx, http.MethodGet, "/version", nil)
	if err != nil {
		return "", err
	}
	var v struct{ Version string }
	if err := json.Unmarshal(body, &v); err != nil || v.Version == "" {
		return "", fmt.Errorf("/version answered %.80q, not a version", body)
	}
	return v.Version, nil
}

// Metrics is the text of the server's /metrics.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	return c.control(ctx, http.MethodGet, "/metrics", nil)
}

// ResetCaches empties the caches that vLLM has, those that the server knows, and
// returns how many it knew.
func (c *Client) ResetCaches(ctx context.Context) (known int, err error) {
	for _, route := range []string{"/reset_prefix_cache", "/reset_mm_cache", "/reset_encoder_cache"} {
		_, err := c.control(ctx, http.MethodPost, route, nil)
		if StatusOf(err) == http.StatusNotFound {
			continue // not a cache of this server
		}
		if err != nil {
			return known, err
		}
		known++
	}
	return known, nil
}

// Models lists the names of the models that the server serves.
func (c *Client) Models(ctx context.Context) ([]string, error) {
	body, err := c.control(ctx, http.MethodGet, "/v1/models", nil)
	if err != nil {
		return nil, err
	}
	var list chatapi.ModelList
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("/v1/models answered %.80q, not a list of models: %w", body, err)
	}
	var names []string
	for _, m := range list.Data {
		names = append(names, m.ID)
	}
	return names, nil
}

// StatusOf is the HTTP status of an answer that was an error to the methods that
// are not measured; 0 if err is something else.
func StatusOf(err error) int {
	var status *statusError
	if errors.As(err, &status) {
		return status.code
	}
	return 0
}

// TopLogprobs asks a chat request again, not streamed, for its first tokens and the
// best two candidates of each, best first.
func (c *Client) TopLogprobs(ctx context.Context, body []byte, tokens int) ([]chatapi.TokenLogprob, error) {
	var request chatapi.ChatRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("the request cannot be asked again: %w", err)
	}
	two := 2
	request.Stream, request.StreamOptions = false, nil
	request.MaxTokens, request.MaxCompletionTokens = nil, &tokens
	request.Logprobs, request.TopLogprobs = true, &two
	again, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	answer, err := c.control(ctx, http.MethodPost, "/v1/chat/completions", again)
	if err != nil {
		return nil, err
	}
	var response chatapi.ChatResponse
	if err := json.Unmarshal(answer, &response); err != nil {
		return nil, fmt.Errorf("the answer with log probabilities: %w", err)
	}
	if len(response.Choices) == 0 || response.Choices[0].Logprobs == nil {
		return nil, fmt.Errorf("the server gave no log probabilities")
	}
	return response.Choices[0].Logprobs.Content, nil
}

// statusError is an answer with another status than 200.
type statusError struct {
	what string
	code int
	body string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answered %d %s: %s", e.what, e.code, http.StatusText(e.code), e.body)
}

// control sends a request outside the measurement and reads its whole answer.
func (c *Client) control(ctx context.Context, method, route string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.base+route, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	setHeader(request, c.options.Header)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // read only
	answer, err := io.ReadAll(io.LimitReader(response.Body, mostControl))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", route, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, &statusError{route, response.StatusCode, errorText(answer)}
	}
	return answer, nil
}

// setHeader gives a request the headers of the options.
func setHeader(request *http.Request, given http.Header) {
	for name, values := range given {
		name = textproto.CanonicalMIMEHeaderKey(name)
		request.Header[name] = values
		if name == "Host" && len(values) > 0 {
			request.Host = values[0]
		}
	}
}

// errorText is the message in an error body, or as much of the body as is of use.
func errorText(body []byte) string {
	var e chatapi.ErrorResponse
	if json.Unmarshal(body, &e) == nil && e.Error.Message != "" {
		return e.Error.Message
	}
	const most = 200 // in a message; the whole is in Observation.ErrorBody
	text := strings.TrimSpace(string(body))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
