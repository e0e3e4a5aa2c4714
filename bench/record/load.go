package record

import "fmt"

// Loop is what decides when a request of the load is sent.
type Loop string

// The loops. Saturating ones ask for all that a server can give, so that it decides
// how fast it is driven.
const (
	LoopOpen   Loop = ""            // its time in the schedule
	LoopCapped Loop = "capped"      // its time, then a free place among MaxConcurrency
	LoopClosed Loop = "closed"      // a free place among MaxConcurrency; saturates
	LoopBurst  Loop = "all at once" // all are due when the block begins; saturates
)

// Ramp is a request rate that changes from the first request of a block to the last.
type Ramp struct {
	Strategy string  `json:"strategy"` // "linear" or "exponential"
	StartRPS float64 `json:"start_rps"`
	EndRPS   float64 `json:"end_rps"`
}

// Schedules by name; any other is a file's.
const (
	SchedulePoisson = ""     // our own draw: gamma gaps of shape Burstiness
	ScheduleVLLM    = "vllm" // that of `vllm bench serve` for the seed
)

// Saturates reports whether the load asks for all that a server can give.
func (e Experiment) Saturates() bool { return e.Loop == LoopClosed || e.Loop == LoopBurst }

// Load says in words how requests are sent: "at 10/s, at most 8 in flight".
func (e Experiment) Load() string {
	switch e.Loop {
	case LoopClosed:
		return fmt.Sprintf("%d in flight at all times", e.MaxConcurrency)
	case LoopBurst:
		return "all at once"
	}
	text := fmt.Sprintf("at %g/s", e.RequestRate)
	if e.Ramp != nil {
		text = fmt.Sprintf("at %g to %g/s (%s ramp)", e.Ramp.StartRPS, e.Ramp.EndRPS, e.Ramp.Strategy)
	}
	if e.Schedule != SchedulePoisson && e.Schedule != ScheduleVLLM {
		text = "as scheduled in " + e.Schedule
	}
	if e.Loop == LoopCapped {
		text += fmt.Sprintf(", at most %d in flight", e.MaxConcurrency)
	}
	return text
}

// Kinds of variants.
const (
	KindBuiltin = "builtin" // this program's own server
	KindCommand = "command" // a server that a command starts
	KindURL     = "url"     // a server that runs already
)

// Restart policies.
const (
	RestartEachBlock = "each-block"
	RestartEachPair  = "each-pair" // all servers of a pair live through it
	RestartNever     = "never"     // servers at a URL are not ours to restart
)

// What happens to the caches of servers.
const (
	CachesOff   = "off"
	CachesReset = "reset before each block, where the server can"
	CachesKeep  = "kept"
)

// Note is something that the run found out about a variant and that a reader of its
// result should know.
type Note struct {
	Variant string `json:"variant"`
	Code    string `json:"code"`
	Text    string `json:"text"`
}

// Codes of notes.
const (
	NoteCaches    = "caches-not-reset"
	NoteVersion   = "no-version"
	NoteHealth    = "no-health-route"
	NoteModel     = "model-not-listed"
	NoteTelemetry = "no-process-telemetry"
	NoteTextOnly  = "text-only"

	NoteUncommitted = "uncommitted-changes"
	NoteSameCode    = "same-code"
	NoteForecast    = "forecast"
	NoteStop        = "server-not-stopped"
	NoteMachine     = "machine-changed"
)
