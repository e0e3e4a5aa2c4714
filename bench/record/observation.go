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
	Queued     time.Duration `json:"queued_ns,omitempty"`      // when it began to wait for a free slot: only where the load has a cap
	Dequeued   time.Duration `json:"dequeued_ns"`              // when the pacing goroutine, or the queue, released it
	Sent       time.Duration `json:"sent_ns"`                  // just before the first byte was written: vLLM's clock starts here
	Written    time.Duration `json:"written_ns,omitempty"`     // the whole request had been written
	FirstByte  time.Duration `json:"first_byte_ns,omitempty"`  // first byte of the response
	RoleChunk  time.Duration `json:"role_chunk_ns,omitempty"`  // first event with a choice: vLLM's TTFT ends here
	FirstToken time.Duration `json:"first_token_ns,omitempty"` // first event with text of any kind, reasoning and tool calls included: our TTFT ends here
	LastToken  time.Duration `json:"last_token_ns,omitempty"`  // last event with a choice: E2EL ends here
	End        time.Duration `json:"end_ns,omitempty"`         // the response body was read to its end, or the request failed

	Connection Connection `json:"connection,omitzero"`
	// FirstContent is the first event with content proper, where reasoning or a tool
	// call came before it.
	FirstContent time.Duration `json:"first_content_ns,omitempty"`

	// ChunkAt are the times of all events with a choice, the role chunk first.
	ChunkAt []time.Duration `json:"chunk_ns,omitempty"`
	// ChunkTokens are the tokens of each of those events where the server says
	// (continuous usage statistics); empty means that it did not.
	ChunkTokens []int       `json:"chunk_tokens,omitempty"`
	TokenSource TokenSource `json:"token_source,omitempty"`

	Status       int    `json:"status,omitempty"` // HTTP status, 0 if no response came
	FinishReason string `json:"finish_reason,omitempty"`
	PromptTokens int    `json:"prompt_tokens,omitempty"` // usage.prompt_tokens, image tokens included
	OutputTokens int    `json:"output_tokens,omitempty"` // usage.completion_tokens
	Text         string `json:"text,omitempty"`
	// ChunkLens are the bytes of content of each event in ChunkAt; with Text they
	// give back every piece, so that the first divergence of two greedy answers can
	// be named by its token.
	ChunkLens []int `json:"chunk_lens,omitempty"`
	// ReasoningLens are the same of reasoning and of tool calls' arguments; empty if
	// there were none.
	ReasoningLens []int  `json:"reasoning_lens,omitempty"`
	Reasoning     string `json:"reasoning,omitempty"`
	ToolCalls     int    `json:"tool_calls,omitempty"`

	Error     string  `json:"error,omitempty"`      // why the request failed, "" if it did not
	Failure   Failure `json:"failure,omitempty"`    // the kind of Error
	ErrorBody string  `json:"error_body,omitempty"` // the beginning of an answer that was no stream
}

// Connection is how a request came by its connection. The stamps are of a new one
// only.
type Connection struct {
	Got      time.Duration `json:"got_ns,omitempty"`      // it could be written to
	New      bool          `json:"new,omitempty"`         // it was opened for this request
	Resolved time.Duration `json:"resolved_ns,omitempty"` // the name had its address
	Opened   time.Duration `json:"opened_ns,omitempty"`   // TCP was connected
	Secured  time.Duration `json:"secured_ns,omitempty"`  // TLS was agreed on
	// Retries counts kept connections that the server had closed by the time the
	// request was written; their time counts into the request's.
	Retries int `json:"retries,omitempty"`
}

// TokenSource says what is known of the tokens of an answer.
type TokenSource string

// The sources, the best first.
const (
	TokensByChunk TokenSource = "chunk usage" // the server told them with every event: ChunkTokens
	TokensByUsage TokenSource = "usage"       // it told the sum; an event counts as one token
	TokensCounted TokenSource = "events"      // it told nothing: OutputTokens counts events with text
)

// Failure is why a request failed, as a word to count by.
type Failure string

// The kinds of failure.
const (
	FailedNotSent   Failure = "not sent"     // the run ended first
	FailedConnect   Failure = "connect"      // no connection
	FailedStatus    Failure = "status"       // an HTTP status other than 200
	FailedType      Failure = "content type" // 200, but not an event stream
	FailedProtocol  Failure = "protocol"     // not HTTP
	FailedEvent     Failure = "event"        // an event that is not JSON, or a line without end
	FailedServer    Failure = "server error" // the server ended the stream by an error event
	FailedCut       Failure = "cut"          // the stream ended before [DONE]
	FailedReset     Failure = "reset"        // the connection broke
	FailedStalled   Failure = "stalled"      // nothing came for the idle time-out
	FailedTimeout   Failure = "timeout"      // the answer took longer than it may as a whole
	FailedTooLong   Failure = "too long"     // more bytes than an answer may have
	FailedEmpty     Failure = "empty"        // a complete answer without any text
	FailedCancelled Failure = "cancelled"    // the run ended while it was answered
)

// OK reports whether the request was answered in full.
func (o *Observation) OK() bool { return o.Error == "" && o.LastToken > 0 }

// Over is when the server was done with the request, as far as the client can tell:
// the end of an answer; of a request that failed the last event that came, or else its
// sending. What we waited after that is the length of our own time-out, and must not
// stretch the block that a rate is over.
func (o *Observation) Over() time.Duration {
	if o.OK() {
		return max(o.End, o.LastToken)
	}
	return max(o.LastToken, o.Sent)
}
