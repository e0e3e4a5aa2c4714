package peerfiles

import (
	"errors"
	"math"
	"strings"

	"siglab/bench/vllmbench"
)

// Result is one run as its tool reports it. Source is the name that it was read
// under.
type Result struct {
	vllmbench.Log
	Tool    string // "AIPerf"; a key of Meaning
	Version string // "" where the file does not say
	Format  string // "text", "JSON", "CSV" or "JSON Lines"
	Notes   []Note

	Workload, Host string // name the requests and the machine; "" where unknown
}

// Note is a caveat about a result as data.
type Note struct {
	Code    string // "itl-per-request"
	Section string // "ttft", "tpot", "itl" or "e2el"; "" for all
	Text    string // one sentence
}

// Tools that are read besides vllmbench's.
const (
	GuideLLM      = "guidellm"
	AIPerf        = "AIPerf"
	GenAIPerf     = "GenAI-Perf"
	InferencePerf = "inference-perf"
	LLMPerf       = "llmperf"
	Siglab        = "siglab" // the blocks of a run directory
)

// put adds a number unless there is none.
func (r *Result) put(key string, v float64) {
	if _, known := vllmbench.Describe(key); !known || math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if _, ok := r.Get(key); !ok {
		r.Metrics = append(r.Metrics, vllmbench.Value{Key: key, Value: v})
	}
}

// putSection adds the statistics of a latency section. stat returns one in
// milliseconds under vLLM's name: "mean", "median", "std", "p99".
func (r *Result) putSection(section string, stat func(name string) float64) {
	for _, name := range statistics {
		r.put(name+"_"+section+"_ms", stat(name))
	}
}

// statistics are what any of the tools reports of a latency.
var statistics = [...]string{"mean", "median", "std", "p0.1", "p1", "p5", "p10", "p25", "p75", "p90", "p95", "p99", "p99.9"}

func (r *Result) note(code, section, text string) {
	r.Notes = append(r.Notes, Note{code, section, text})
}

// number returns a metric, NaN if there is none.
func (r *Result) number(key string) float64 {
	if v, ok := r.Get(key); ok {
		return v
	}
	return math.NaN()
}

// finish checks what was read, and notes what holds for every tool.
func (r *Result) finish() error {
	if r.number("completed") == 0 {
		r.note("no-successes", "", "No request was answered: what the file gives as latencies are zeros for nothing, and left out.")
		kept := r.Metrics[:0:0]
		for _, v := range r.Metrics {
			if !strings.HasSuffix(v.Key, "_ms") {
				kept = append(kept, v)
			}
		}
		r.Metrics = kept
	} else if r.number("failed") > 0 {
		r.note("failures-dropped", "", "Failed requests are in no latency: the slowest may be missing.")
	}
	for _, v := range r.Metrics {
		if m, _ := vllmbench.Describe(v.Key); m.Better != vllmbench.Neither && m.Unit != "" {
			return nil
		}
	}
	return errors.New("the file has neither a latency nor a rate: is it the summary of a run?")
}

// Meaning says what a latency section of a tool measures, "" where the tool does not
// have it. Sections with the same words are comparable as far as clients can be.
func Meaning(tool, section string) string { return meanings[tool][section] }

const (
	roleTTFT    = "from the call of the HTTP client to the first event with a choice, in chat the empty role chunk"
	roleITL     = "gaps between events with a choice, in chat the role and the finish chunk among them, pooled over requests"
	contentTTFT = "from sending to the first event with content"
	contentITL  = "gaps between events with content, pooled over requests"
	tpot        = "(E2EL − TTFT) / (output tokens − 1), one value per request"
	toLastToken = "from sending to the last event with a choice"
	toEnd       = "from sending to the end of the response"
)

var meanings = map[string]map[string]string{
	vllmbench.VLLM:       {"ttft": roleTTFT, "tpot": tpot, "itl": roleITL, "e2el": toLastToken},
	vllmbench.RustClient: {"ttft": roleTTFT, "tpot": tpot, "itl": roleITL, "e2el": toEnd},
	vllmbench.SGLang:     {"ttft": contentTTFT, "tpot": tpot, "itl": contentITL, "e2el": toEnd},
	GuideLLM:             {"ttft": contentTTFT, "tpot": tpot, "e2el": toEnd},
	AIPerf:               {"ttft": contentTTFT, "tpot": tpot, "itl": contentITL, "e2el": toEnd},
	GenAIPerf:            {"ttft": contentTTFT, "tpot": tpot, "e2el": toEnd},
	InferencePerf: {
		"ttft": contentTTFT, "tpot": tpot, "e2el": toEnd,
		"itl": "gaps between tokens, 0 between those of one event, pooled over requests",
	},
	LLMPerf: {"ttft": contentTTFT, "e2el": toEnd},
	Siglab: {
		"ttft": "from the scheduled time to the first event with content, failures as +∞", "tpot": "(last token − first token) / (output tokens − 1), one value per request",
		"itl": contentITL, "e2el": "from the scheduled time to the last token, failures as +∞",
	},
}

// IsPeer reports whether a tool is another than vLLM's, whose block siglab writes too.
func IsPeer(tool string) bool { return tool != vllmbench.VLLM }
