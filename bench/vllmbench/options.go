package vllmbench

import (
	"fmt"
	"slices"
	"time"
)

// Options say what a result is about. They are copied into the JSON; the zero value
// of each has a meaning.
type Options struct {
	Date         time.Time // when the run was made
	Model        string    // model_id
	Tokenizer    string    // tokenizer_id; "" means Model
	Label        string    // "" is written as null
	Backend      string    // "" means openai-chat
	EndpointType string    // "" means openai-chat
	Metadata     []Meta    // written in order, between num_prompts and request_rate

	NumPrompts     int     // requests asked for
	RequestRate    float64 // requests per second; 0 or +Inf means all at once
	Burstiness     float64 // shape of the gaps; 0 means 1, a Poisson process
	MaxConcurrency int     // requests in flight; 0 means no limit
	Ramp           *Ramp   // of --ramp-up-strategy; the rate is then +Inf

	Duration time.Duration // measured time, the sum over blocks; every rate divides by it

	// Sections of latencies: nil means "ttft", "tpot", "itl" and "e2el". With
	// MaxConcurrency there are also "client_queue_time" and
	// "e2el_including_client_queue".
	Sections    []string
	Percentiles []float64 // in percent; nil means 99
	Goodput     Goodput

	// CountTokens counts the tokens of an answer for which the server gave no usage;
	// nil counts one, as vLLM does without a tokenizer.
	CountTokens func(text string) int
}

// Ramp is a rate that changes from the first request to the last.
type Ramp struct {
	Strategy         string // "linear" or "exponential"
	StartRPS, EndRPS float64
}

// Meta is one pair of `--metadata`.
type Meta struct{ Key, Value string }

// Goodput holds the largest latencies of a good request; 0 means no limit. Without
// any limit there is no goodput.
type Goodput struct{ TTFT, TPOT, E2EL time.Duration }

// DefaultBackend is the backend and endpoint type of an Options without one.
const DefaultBackend = "openai-chat"

// withDefaults fills in what a zero value stands for.
func (o Options) withDefaults() Options {
	if o.Tokenizer == "" {
		o.Tokenizer = o.Model
	}
	if o.Backend == "" {
		o.Backend = DefaultBackend
	}
	if o.EndpointType == "" {
		o.EndpointType = DefaultBackend
	}
	if o.Burstiness == 0 {
		o.Burstiness = 1
	}
	if o.Percentiles == nil {
		o.Percentiles = []float64{99}
	}
	if o.CountTokens == nil {
		o.CountTokens = func(string) int { return 1 }
	}
	return o
}

// has reports whether a section is wanted, and can be given: there is a queue only
// where a limit holds requests back.
func (o Options) has(section string) bool {
	if queued := section == sectionQueue || section == sectionQueued; queued {
		return o.MaxConcurrency > 0 && slices.Contains(o.Sections, section)
	}
	return o.Sections == nil || slices.Contains(o.Sections, section)
}

// CheckSections refuses names of sections that there are not.
func CheckSections(names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(sections[:], func(s section) bool { return s.key == name }) {
			return fmt.Errorf("there is no metric %q; there are ttft, tpot, itl, e2el, %s and %s", name, sectionQueue, sectionQueued)
		}
	}
	return nil
}

// set reports whether any limit was given.
func (g Goodput) set() bool { return g != Goodput{} }

// good reports whether one request, in seconds, keeps every limit.
func (g Goodput) good(ttft, tpot, e2el float64) bool {
	within := func(limit time.Duration, v float64) bool { return limit == 0 || v <= limit.Seconds() }
	return within(g.TTFT, ttft) && within(g.TPOT, tpot) && within(g.E2EL, e2el)
}
