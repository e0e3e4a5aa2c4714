package chatclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"siglab/bench/record"
	"siglab/chatapi"
)

// event is what is read of one event of either backend. Fields that servers write in
// different types are raw, so that they cannot fail the whole.
type event struct {
	Choices []choice        `json:"choices"`
	Usage   *chatapi.Usage  `json:"usage"`
	Error   json.RawMessage `json:"error"`
	Object  string          `json:"object"`
	Message string          `json:"message"` // of {"object":"error",…}, as older servers write it
}

type choice struct {
	Delta        delta   `json:"delta"`
	Text         string  `json:"text"` // of a completion
	FinishReason *string `json:"finish_reason"`
}

type delta struct {
	Content          string     `json:"content"`
	ReasoningContent string     `json:"reasoning_content"` // vLLM until 0.11, SGLang, llama.cpp
	Reasoning        string     `json:"reasoning"`         // vLLM since
	Refusal          string     `json:"refusal"`
	ToolCalls        []toolCall `json:"tool_calls"`
}

type toolCall struct {
	Function struct {
		Name      string `json:"name"` // in the first event of a call only
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// reader collects the events of one answer.
type reader struct {
	observation     *record.Observation
	text, reasoning strings.Builder
	pieces          int // events with text, should the server not count its tokens
	counted         int // tokens that the usage of the last event named
	byChunk         bool
	mixed           bool // some events with a choice named their usage, some did not
	done            bool
	err             error // the first thing that was wrong
}

// event takes in the data of one event, which the read at the given time brought.
func (r *reader) event(data []byte, at time.Duration) {
	if r.err != nil || r.done {
		return
	}
	if string(data) == chatapi.DoneData {
		r.done = true
		return
	}
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		r.err = failf(record.FailedEvent, "event %.80q: %w", data, err)
		return
	}
	if message, failed := e.failure(); failed {
		r.err = failf(record.FailedServer, "the server ended the stream: %s", message)
		return
	}
	if e.Usage != nil {
		r.observation.PromptTokens, r.observation.OutputTokens = e.Usage.PromptTokens, e.Usage.CompletionTokens
	}
	if len(e.Choices) > 0 {
		r.tokens(e.Usage)
		r.choice(&e.Choices[0], at)
	}
}

// failure is the message of an error event.
func (e *event) failure() (string, bool) {
	if len(e.Error) > 0 && string(e.Error) != "null" {
		var said struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(e.Error, &said) == nil && said.Message != "" {
			return said.Message, true
		}
		return fmt.Sprintf("%.200s", e.Error), true
	}
	return e.Message, e.Object == "error"
}

// tokens keeps how many tokens an event with a choice brought.
func (r *reader) tokens(usage *chatapi.Usage) {
	o := r.observation
	if first := len(o.ChunkAt) == 0; first {
		r.byChunk = usage != nil
	}
	if r.mixed = r.mixed || r.byChunk != (usage != nil); r.mixed || !r.byChunk {
		return
	}
	o.ChunkTokens = append(o.ChunkTokens, usage.CompletionTokens-r.counted)
	r.counted = usage.CompletionTokens
}

func (r *reader) choice(c *choice, at time.Duration) {
	o := r.observation
	content := c.Delta.Content + c.Text + c.Delta.Refusal
	reasoning := c.Delta.Reasoning
	if reasoning == "" { // some servers write both
		reasoning = c.Delta.ReasoningContent
	}
	for _, call := range c.Delta.ToolCalls {
		if call.Function.Name != "" {
			o.ToolCalls++
		}
		reasoning += call.Function.Name + call.Function.Arguments
	}
	if o.RoleChunk == 0 {
		o.RoleChunk = at
	}
	if content != "" || reasoning != "" {
		r.pieces++
		if o.FirstToken == 0 {
			o.FirstToken = at
		}
	}
	if content != "" && r.text.Len() == 0 && r.reasoning.Len() > 0 {
		o.FirstContent = at
	}
	r.text.WriteString(content)
	r.reasoning.WriteString(reasoning)
	o.LastToken = at
	o.ChunkAt = append(o.ChunkAt, at)
	o.ChunkLens = append(o.ChunkLens, len(content))
	if reasoning != "" || len(o.ReasoningLens) > 0 {
		for len(o.ReasoningLens) < len(o.ChunkAt)-1 {
			o.ReasoningLens = append(o.ReasoningLens, 0)
		}
		o.ReasoningLens = append(o.ReasoningLens, len(reasoning))
	}
	if c.FinishReason != nil {
		o.FinishReason = *c.FinishReason
	}
}

// finish settles what was seen and judges it: the error that an event gave, or that
// ended the reading, or what is missing.
func (r *reader) finish(readErr error) error {
	o := r.observation
	o.Text, o.Reasoning = r.text.String(), r.reasoning.String()
	switch {
	case r.byChunk && !r.mixed:
		o.TokenSource = record.TokensByChunk
	case o.OutputTokens > 0:
		o.TokenSource, o.ChunkTokens = record.TokensByUsage, nil
	case r.pieces > 0:
		o.TokenSource, o.ChunkTokens, o.OutputTokens = record.TokensCounted, nil, r.pieces
	}
	switch {
	case r.err != nil:
		return r.err
	case readErr != nil:
		return readErr
	case !r.done:
		return failf(record.FailedCut, "the stream ended before %s", chatapi.DoneData)
	case o.FirstToken == 0:
		return &failure{record.FailedEmpty, errors.New("the answer has no content")}
	}
	return nil
}
