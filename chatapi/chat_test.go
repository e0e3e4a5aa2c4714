package chatapi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// answer is a recorded answer of a real vLLM 0.32: its status line and its body, the
// chunks of the transfer joined.
func answer(t *testing.T, name string) (status, body string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	head, body, ok := strings.Cut(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n\n")
	if !ok {
		t.Fatalf("%s has no body", name)
	}
	status, _, _ = strings.Cut(head, "\n")
	return status, body
}

// TestRecordedStream reads a stream as a client does.
func TestRecordedStream(t *testing.T) {
	_, body := answer(t, "chat_stream_image")
	var text strings.Builder
	var usage *Usage
	finish, done := "", false
	for _, event := range parse(t, body, 7) {
		if event == DoneData {
			done = true
			continue
		}
		var chunk ChatChunk
		if err := json.Unmarshal([]byte(event), &chunk); err != nil {
			t.Fatal(err)
		}
		for _, c := range chunk.Choices {
			if c.Delta.Content != nil {
				text.WriteString(*c.Delta.Content)
			}
			if c.FinishReason != nil {
				finish = *c.FinishReason
			}
		}
		if chunk.Usage != nil {
			usage = chunk.Usage
		}
	}
	if diff := cmp.Diff(&Usage{PromptTokens: 277, TotalTokens: 289, CompletionTokens: 12}, usage); diff != "" {
		t.Error(diff)
	}
	if !done || finish != "length" || !strings.HasPrefix(text.String(), "About signct") {
		t.Errorf("done %v, finish %q, text %q", done, finish, text.String())
	}
}

// TestRecordedError has the shape that errors come in.
func TestRecordedError(t *testing.T) {
	status, body := answer(t, "err_unknown_model")
	var got ErrorResponse
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(status, "HTTP/1.1 404 ") || got.Error.Code != 404 || got.Error.Type != "NotFoundError" || got.Error.Message == "" {
		t.Errorf("%s, error %+v", status, got.Error)
	}
}

func TestChatRequest(t *testing.T) {
	tests := []struct {
		name string
		body string
		want ChatRequest
	}{
		{"plain content is one text part", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
			ChatRequest{Model: "m", Messages: []Message{{Role: "user", Content: Content{{Type: "text", Text: "hi"}}}}}},
		{"stop may be one string", `{"stop":"x"}`, ChatRequest{Sampling: Sampling{Stop: StringList{"x"}}}},
		{"or several", `{"stop":["x","y"]}`, ChatRequest{Sampling: Sampling{Stop: StringList{"x", "y"}}}},
		{"or null", `{"stop":null}`, ChatRequest{Sampling: Sampling{Stop: StringList(nil)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got ChatRequest
			if err := json.Unmarshal([]byte(tt.body), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzChatRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}],"stop":["a"]}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		var r ChatRequest
		_ = json.Unmarshal(body, &r) // any outcome but a panic
	})
}
