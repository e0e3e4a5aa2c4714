package chatclient

import (
	"errors"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"siglab/bench/record"
	"siglab/chatapi"
)

// reader collects the events of one answer.
type reader struct {
	observation     *record.Observation
	parser          fastjson.Parser
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
	e, err := decodeEvent(&r.parser, data)
	if err != nil {
		r.err = failf(record.FailedEvent, "event %.80q: %w", data, err)
		return
	}
	if e.failed {
		r.err = failf(record.FailedServer, "the server ended the stream: %s", e.message)
		return
	}
	if e.hasUsage {
		r.observation.PromptTokens, r.observation.OutputTokens = e.promptTokens, e.outputTokens
	}
	if e.hasChoice {
		r.tokens(&e)
		r.choice(&e, at)
	}
}

// tokens keeps how many tokens an event with a choice brought.
func (r *reader) tokens(e *event) {
	o := r.observation
	if first := len(o.ChunkAt) == 0; first {
		r.byChunk = e.hasUsage
	}
	if r.mixed = r.mixed || r.byChunk != e.hasUsage; r.mixed || !r.byChunk {
		return
	}
	o.ChunkTokens = append(o.ChunkTokens, e.outputTokens-r.counted)
	r.counted = e.outputTokens
}

func (r *reader) choice(e *event, at time.Duration) {
	o := r.observation
	content, reasoning := e.content, e.reasoning
	o.ToolCalls += e.toolCalls
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
	if e.finishReason != "" {
		o.FinishReason = e.finishReason
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
