package record

import "time"

// ObservationVersion is the version of the line format of observations.jsonl.
const ObservationVersion = 1

// Observation is what was seen of one request.
//
// All times are offsets on the run's one monotonic clock, whose origin is
// Manifest.Started; 0 means that the event never happened (no request can be
// sent at the origin). Two clocks are never mixed: nothing here comes from the
// server.
type Observation struct {
	Version int    `json:"v"`
	Block   int    `json:"block"`   // Block.ID
	Variant string `json:"variant"` // Variant.Name
	Index   int    `json:"index"`   // position in the block's slice, from 0
	Item    string `json:"item"`    // Item.ID: the same request in both arms of a pair

	Scheduled  time.Duration `json:"scheduled_ns"`             // when the schedule said to send
	Dequeued   time.Duration `json:"dequeued_ns"`              // when the pacing goroutine released it
	Sent       time.Duration `json:"sent_ns"`                  // just before the first byte was written: vLLM's clock starts here
	Written    time.Duration `json:"written_ns,omitempty"`     // the whole request had been written
	FirstByte  time.Duration `json:"first_byte_ns,omitempty"`  // first byte of the response
	RoleChunk  time.Duration `json:"role_chunk_ns,omitempty"`  // first event with a choice: vLLM's TTFT ends here
	FirstToken time.Duration `json:"first_token_ns,omitempty"` // first event with non-empty content: our TTFT ends here
	LastToken  time.Duration `json:"last_token_ns,omitempty"`  // last event with a choice: E2EL ends here
	End        time.Duration `json:"end_ns,omitempty"`         // the response body was read to its end, or the request failed

	// ChunkAt are the times of all events with a choice, the role chunk first.
	ChunkAt []time.Duration `json:"chunk_ns,omitempty"`
	// ChunkTokens are the tokens of each of those events where the server says
	// (continuous usage statistics); empty means that it did not.
	ChunkTokens []int `json:"chunk_tokens,omitempty"`

	Status       int    `json:"status,omitempty"` // HTTP status, 0 if no response came
	FinishReason string `json:"finish_reason,omitempty"`
	PromptTokens int    `json:"prompt_tokens,omitempty"` // usage.prompt_tokens, image tokens included
	OutputTokens int    `json:"output_tokens,omitempty"` // usage.completion_tokens
	Text         string `json:"text,omitempty"`
	// ChunkLens are the bytes of content of each event in ChunkAt; with Text they
	// give back every piece, so that the first divergence of two greedy answers can
	// be named by its token.
	ChunkLens []int  `json:"chunk_lens,omitempty"`
	Error     string `json:"error,omitempty"` // why the request failed, "" if it did not
}

// OK reports whether the request was answered in full.
func (o *Observation) OK() bool { return o.Error == "" && o.LastToken > 0 }
