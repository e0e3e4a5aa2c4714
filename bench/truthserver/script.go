package truthserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Script says what one answer is. The zero values of Tokens, PerEvent and Finish
// stand for 32, 1 and "length".
type Script struct {
	TTFT   time.Duration `json:"ttft_ns"`          // from the request's last byte to the first token
	ITL    time.Duration `json:"itl_ns"`           // between tokens
	Jitter float64       `json:"jitter,omitempty"` // every wait is multiplied by 1 ± up to this
	Seed   uint64        `json:"seed,omitempty"`   // of the jitter, with the request's id

	Tokens    int           `json:"tokens,omitempty"`
	PerEvent  int           `json:"per_event,omitempty"` // tokens that come together, in one event
	Reasoning int           `json:"reasoning,omitempty"` // so many tokens at first are reasoning
	Role      Role          `json:"role,omitempty"`
	RoleLead  time.Duration `json:"role_lead_ns,omitempty"` // of an early role event, before the first token
	Usage     Usage         `json:"usage,omitempty"`
	Finish    string        `json:"finish,omitempty"`

	LineEnd string `json:"line_end,omitempty"` // of events: "\n" unless given
	Split   int    `json:"split,omitempty"`    // bytes: every event is written in pieces of this size

	Fault Fault `json:"fault,omitempty"`
	After int   `json:"after,omitempty"`  // events with a token before the fault
	Code  int   `json:"status,omitempty"` // of FaultStatus: 503 unless given
}

// Role is where the event with the role goes.
type Role string

// The places of the role event.
const (
	RoleJoined Role = ""      // in the same write as the first token, as vLLM sends it
	RoleEarly  Role = "early" // RoleLead before the first token
	RoleNone   Role = "none"
)

// Usage is how an answer counts its tokens.
type Usage string

// The ways of counting.
const (
	UsageFinal      Usage = "" // one event after the last token
	UsageContinuous Usage = "continuous"
	UsageNone       Usage = "none"
)

// Fault is what goes wrong with an answer.
type Fault string

// The faults.
const (
	FaultNone       Fault = ""
	FaultStatus     Fault = "status"       // an error status with a body
	FaultSilent     Fault = "silent"       // no answer at all
	FaultHang       Fault = "hang up"      // the connection is closed without an answer
	FaultGarbage    Fault = "garbage"      // not HTTP
	FaultHalfHead   Fault = "half head"    // the connection is closed within the head
	FaultType       Fault = "content type" // a whole answer that is no event stream
	FaultReset      Fault = "reset"        // TCP reset within the stream
	FaultAbort      Fault = "abort"        // the connection is closed within the stream
	FaultStall      Fault = "stall"        // nothing more comes
	FaultEndless    Fault = "endless"      // tokens without end
	FaultLongLine   Fault = "long line"    // a line without end
	FaultBadJSON    Fault = "bad json"     // an event that is cut off
	FaultErrorEvent Fault = "error event"  // an error in OpenAI's shape within the stream
	FaultNoDone     Fault = "no done"      // the stream ends without [DONE]
	FaultEmpty      Fault = "empty"        // [DONE] at once
	FaultLinger     Fault = "linger"       // whole, but the body is never ended
)

// Faults lists all of them.
func Faults() []Fault {
	return []Fault{FaultStatus, FaultSilent, FaultHang, FaultGarbage, FaultHalfHead, FaultType, FaultReset, FaultAbort, FaultStall,
		FaultEndless, FaultLongLine, FaultBadJSON, FaultErrorEvent, FaultNoDone, FaultEmpty, FaultLinger}
}

// bodyKey is the field of a request's body that holds its script. It is the first,
// so that it can be read without decoding the rest.
const bodyKey = "siglab_truth"

// Body is a chat request of at least the given size that asks for the script.
func Body(s Script, size int) ([]byte, error) {
	script, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"%s":%s,"model":"truth","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,`, bodyKey, script)
	const end = `"}}]}]}`
	if pad := size - b.Len() - len(end); pad > 0 {
		b.Write(bytes.Repeat([]byte("A"), pad))
	}
	b.WriteString(end)
	return b.Bytes(), nil
}

// scriptOf is the script that a body asks for; one that asks for none gets the
// default with its own number of tokens.
func scriptOf(body []byte, byDefault Script) (Script, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	brace, err := d.Token()
	if err != nil || brace != json.Delim('{') {
		return Script{}, fmt.Errorf("the body is not a JSON object")
	}
	s := byDefault
	if key, err := d.Token(); err == nil && key == bodyKey {
		s = Script{}
		if err := d.Decode(&s); err != nil {
			return s, fmt.Errorf("%s: %w", bodyKey, err)
		}
	} else {
		var asked struct {
			MaxTokens           int `json:"max_tokens"`
			MaxCompletionTokens int `json:"max_completion_tokens"`
		}
		if err := json.Unmarshal(body, &asked); err != nil {
			return s, fmt.Errorf("the body is not a chat request: %w", err)
		}
		if n := max(asked.MaxTokens, asked.MaxCompletionTokens); n > 0 {
			s.Tokens = n
		}
	}
	return s.complete()
}

// Check refuses what no answer can be.
func (s Script) Check() error {
	_, err := s.complete()
	return err
}

// complete fills in the defaults and checks the bounds.
func (s Script) complete() (Script, error) {
	const (
		longest    = time.Hour
		mostTokens = 1 << 20
	)
	if s.Tokens == 0 {
		s.Tokens = 32
	}
	if s.PerEvent == 0 {
		s.PerEvent = 1
	}
	if s.Finish == "" {
		s.Finish = "length"
	}
	if s.LineEnd == "" {
		s.LineEnd = "\n"
	}
	if s.Code == 0 {
		s.Code = 503
	}
	switch {
	case s.TTFT < 0 || s.ITL < 0 || s.RoleLead < 0 || s.TTFT > longest || s.ITL > longest || s.RoleLead > longest:
		return s, fmt.Errorf("ttft %v, itl %v, role lead %v: each is 0 to %v", s.TTFT, s.ITL, s.RoleLead, longest)
	case s.Tokens < 0 || s.Tokens > mostTokens || s.PerEvent < 0:
		return s, fmt.Errorf("%d tokens, %d in an event: at most %d, and none negative", s.Tokens, s.PerEvent, mostTokens)
	case !(s.Jitter >= 0 && s.Jitter <= 1):
		return s, fmt.Errorf("jitter %v: it is 0 to 1", s.Jitter)
	case s.Split < 0 || s.After < 0 || s.Reasoning < 0:
		return s, fmt.Errorf("split %d, after %d, reasoning %d: none is negative", s.Split, s.After, s.Reasoning)
	case s.Code < 200 || s.Code > 599:
		return s, fmt.Errorf("status %d: it is 200 to 599", s.Code)
	}
	return s, nil
}

// waits yields the waits of the request with this id, jittered: first that for the
// first token, then the gaps.
func (s Script) waits(id string) func(wait time.Duration) time.Duration {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(id)) // a hash takes everything
	rng := rand.New(rand.NewPCG(s.Seed, hash.Sum64()))
	return func(wait time.Duration) time.Duration {
		if s.Jitter == 0 {
			return wait
		}
		return time.Duration(float64(wait) * (1 + s.Jitter*(2*rng.Float64()-1)))
	}
}
