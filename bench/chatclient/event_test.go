package chatclient

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

// wireEvent is an event as encoding/json reads and writes it.
type wireEvent struct {
	Choices []wireChoice `json:"choices"`
	Usage   *wireUsage   `json:"usage"`
}

type wireChoice struct {
	Text         string    `json:"text,omitempty"`
	Delta        wireDelta `json:"delta"`
	FinishReason *string   `json:"finish_reason"`
}

type wireDelta struct {
	Content   *string `json:"content"`
	Reasoning *string `json:"reasoning,omitempty"`
}

type wireUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

// FuzzDecodeEvent holds what is read of an event equal to what encoding/json reads.
func FuzzDecodeEvent(f *testing.F) {
	f.Add(" picture", "", "stop", 5, 7, []byte(`{"choices":[{"delta":{"content":"a"`))
	f.Add("\u2028<ü>\"\\\x00", "\xff think", "", 0, -1, []byte(`{"choices":[[{}]],"usage":7}`))
	f.Add("🖼 \ud7ff", "", "length", 1<<40, 1, []byte(`{"error":{"message":"\ud800"}}`))
	f.Fuzz(func(t *testing.T, content, reasoning, finish string, prompt, output int, garbage []byte) {
		var p fastjson.Parser
		_, _ = decodeEvent(&p, garbage) // whatever it says, it does not panic
		choice := wireChoice{Delta: wireDelta{Content: &content, Reasoning: &reasoning}}
		if finish != "" {
			choice.FinishReason = &finish
		}
		data, err := json.Marshal(wireEvent{Choices: []wireChoice{choice}, Usage: &wireUsage{prompt, output}})
		if err != nil {
			t.Fatal(err)
		}
		var want wireEvent
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		got, err := decodeEvent(&p, data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		wantFinish := ""
		if want.Choices[0].FinishReason != nil {
			wantFinish = *want.Choices[0].FinishReason
		}
		if got.content != *want.Choices[0].Delta.Content || got.reasoning != *want.Choices[0].Delta.Reasoning || got.finishReason != wantFinish ||
			!got.hasChoice || !got.hasUsage || got.promptTokens != prompt || got.outputTokens != output {
			t.Errorf("%s: %+v", data, got)
		}
	})
}

func TestDecodeEventOfOddShapes(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{`{"choices":"none"}`, "choices is string, not array"},
		{`{"choices":[7]}`, "choices[0] is number, not an object"},
		{`{"choices":[{"delta":{"content":["a"]}}]}`, "content is array, not string"},
		{`{"choices":[],"usage":{"completion_tokens":1.5}}`, "completion_tokens is 1.5"},
		{`[]`, "it is array, not an object"},
		{`{"choices":[{}`, "unexpected end"},
		{`{"choices":[]} {}`, "tail"},
		{``, "empty"},
	} {
		var p fastjson.Parser
		if _, err := decodeEvent(&p, []byte(test.data)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.data, err, test.want)
		}
	}
	for _, data := range []string{`{}`, `{"choices":null,"usage":null,"error":null}`, `{"choices":[{}]}`, `{"choices":[{"delta":null,"finish_reason":null}]}`} {
		var p fastjson.Parser
		if e, err := decodeEvent(&p, []byte(data)); err != nil || e.failed || e.content != "" {
			t.Errorf("%s: %+v, %v", data, e, err)
		}
	}
}
