package workload

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"siglab/bench/record"
	"siglab/chatapi"
)

// Changes are what is different about the requests of a run from those of Freeze. A
// nil function changes nothing.
type Changes struct {
	Offsets func(slice, n int) ([]time.Duration, error) // of the n requests of a slice
	Body    func([]byte) ([]byte, error)                // of every request, warm-ups too
}

// Rewrite changes the frozen requests, once, before they are used: the hashes are
// those of what is then sent.
func (w *Workload) Rewrite(c Changes) error {
	known := bodies{}
	for k, slice := range w.Slices {
		if c.Offsets != nil {
			offsets, err := c.Offsets(k, len(slice))
			if err != nil {
				return fmt.Errorf("schedule: %w", err)
			}
			if len(offsets) != len(slice) {
				return fmt.Errorf("schedule: %d offsets for the %d requests of a block", len(offsets), len(slice))
			}
			for i := range slice {
				slice[i].Offset = offsets[i]
			}
		}
		if err := known.rewrite(slice, c.Body); err != nil {
			return err
		}
	}
	if err := known.rewrite(w.Warmup, c.Body); err != nil {
		return err
	}
	w.finish()
	return nil
}

func (b bodies) rewrite(items []record.Item, change func([]byte) ([]byte, error)) error {
	if change == nil {
		return nil
	}
	for i := range items {
		item := &items[i]
		body, err := change(item.Body)
		if err != nil {
			return fmt.Errorf("body of request %s: %w", item.ID, err)
		}
		b.put(item, body)
	}
	return nil
}

// WithFields gives a body further fields, or others in place of those that it has, as
// vLLM's --extra-body does.
func WithFields(body []byte, fields map[string]json.RawMessage) ([]byte, error) {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, err
	}
	for name, value := range fields {
		all[name] = value
	}
	return json.Marshal(all) // by ascending names
}

// AsCompletion turns the body of a chat request into that of /v1/completions: the text
// of its messages is the prompt, and images are left out, which that route cannot take.
func AsCompletion(body []byte) ([]byte, error) {
	var chat chatapi.ChatRequest
	if err := json.Unmarshal(body, &chat); err != nil {
		return nil, err
	}
	var text []string
	for _, m := range chat.Messages {
		for _, part := range m.Content {
			if part.Text != "" {
				text = append(text, part.Text)
			}
		}
	}
	return json.Marshal(completion{
		Model: chat.Model, Prompt: strings.Join(text, "\n"), MaxTokens: chat.MaxCompletionTokens, Temperature: chat.Temperature,
		IgnoreEOS: chat.IgnoreEOS, Stream: chat.Stream, StreamOptions: chat.StreamOptions,
	})
}

// completion is the body of a request to /v1/completions.
type completion struct {
	Model         string                 `json:"model"`
	Prompt        string                 `json:"prompt"`
	MaxTokens     *int                   `json:"max_tokens,omitempty"`
	Temperature   *float64               `json:"temperature,omitempty"`
	IgnoreEOS     bool                   `json:"ignore_eos,omitempty"`
	Stream        bool                   `json:"stream"`
	StreamOptions *chatapi.StreamOptions `json:"stream_options,omitempty"`
}
