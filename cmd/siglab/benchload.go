package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"siglab/bench/arrival"
	"siglab/bench/record"
)

// loadFlags say what is sent, and when. Where `vllm bench serve` has the option, name
// and meaning are its own.
type loadFlags struct {
	RequestRate    *float64 `name:"request-rate" aliases:"qps" env:"QPS" placeholder:"QPS" help:"Queries per second (10); 'inf': all at once or, with --max-concurrency, a closed loop."`
	Burstiness     float64  `default:"1" help:"Shape of the gamma distributed gaps: 1 is Poisson, below 1 burstier, 'inf' constant (${default})."`
	NumPrompts     int      `env:"NUM_PROMPTS" default:"100" help:"Requests per block; with one variant, in all (${default})."`
	MaxConcurrency int      `name:"max-concurrency" default:"0" help:"Requests in flight at most; those that are due wait, and the wait is recorded (no limit)."`
	ClosedLoop     bool     `name:"closed-loop" help:"Keep --max-concurrency requests in flight, whatever the schedule."`
	RampStrategy   string   `name:"ramp-up-strategy" placeholder:"SHAPE" help:"Change the rate over a block: linear or exponential. Not with --request-rate."`
	RampStart      float64  `name:"ramp-up-start-rps" default:"0" help:"Rate of the first request."`
	RampEnd        float64  `name:"ramp-up-end-rps" default:"0" help:"Rate of the last."`
	Schedule       string   `default:"poisson" placeholder:"poisson|vllm|FILE" help:"Where arrivals come from: our draw, that of vllm bench serve for the seed, or a file (${default})."`
	MaxTokens      int      `aliases:"output-len,hf-output-len" default:"32" help:"Output tokens per request (${default})."`
	Warmups        int      `aliases:"num-warmups" default:"8" help:"Requests before each block that are not measured (${default})."`

	Timeout     time.Duration `default:"60s" help:"Longest time for one answer (${default})."`
	IdleTimeout time.Duration `default:"60s" help:"Longest time without a byte of an answer; a stream that stalls so long has failed (${default})."`
	ReadyCheck  int           `name:"ready-check-timeout-sec" default:"30" help:"Longest wait for a server to be ready, in seconds; 0 asks once (${default}). A command has a time-out of its own."`
}

// requestFlags say what a request holds.
type requestFlags struct {
	Backend     string   `default:"openai-chat" placeholder:"NAME" help:"Protocol: openai-chat, or openai for completions of text alone (${default})."`
	Endpoint    string   `placeholder:"PATH" help:"Path of the requests (/v1/chat/completions or /v1/completions)."`
	ServedModel string   `name:"served-model-name" placeholder:"NAME" help:"Model that requests ask for (the model's name)."`
	IgnoreEOS   bool     `name:"ignore-eos" negatable:"" default:"true" help:"Answers go on to --max-tokens, so that all variants do the same work (yes)."`
	Temperature float64  `default:"0" help:"Sampling temperature (${default})."`
	TopP        *float64 `name:"top-p" placeholder:"P" help:"Sampling option, as are the next five; others by --extra-body."`
	TopK        *int     `name:"top-k" placeholder:"K"`
	MinP        *float64 `name:"min-p" placeholder:"P"`
	Frequency   *float64 `name:"frequency-penalty" placeholder:"X"`
	Presence    *float64 `name:"presence-penalty" placeholder:"X"`
	Repetition  *float64 `name:"repetition-penalty" placeholder:"X"`
	ExtraBody   string   `name:"extra-body" placeholder:"JSON" help:"JSON object whose fields every request has besides."`
	Header      words    `name:"header" placeholder:"K=V" help:"Headers of every request, in place of OPENAI_API_KEY's too. Their values are not recorded."`
}

// words is a flag with one value or several: --goodput ttft:200 tpot:50.
type words []string

// Decode takes all values up to the next flag.
func (w *words) Decode(ctx *kong.DecodeContext) error {
	first := ctx.Scan.Pop()
	switch v := first.Value.(type) {
	case []any: // from an experiment file
		for _, item := range v {
			*w = append(*w, fmt.Sprint(item))
		}
		return nil
	case string:
		*w = append(*w, v)
	default:
		return fmt.Errorf("missing value")
	}
	for ctx.Scan.Peek().IsValue() {
		*w = append(*w, ctx.Scan.Pop().String())
	}
	return nil
}

// defaultRate is the seed's.
const defaultRate = 10

// check validates the numbers.
func (f *loadFlags) check() error {
	rate := f.rate()
	switch {
	case !(rate > 0) || rate > 10_000 && !math.IsInf(rate, 1):
		return usagef("--request-rate %v: it is queries per second, above 0 and at most 10000, or inf", rate)
	case !(f.Burstiness > 0):
		return usagef("--burstiness %v: it is above 0 (1 is Poisson)", f.Burstiness)
	case f.NumPrompts < 1 || f.NumPrompts > mostPrompts:
		return usagef("--num-prompts %d: it is 1 to %d per block", f.NumPrompts, mostPrompts)
	case f.MaxConcurrency < 0 || f.MaxConcurrency > mostInFlight:
		return usagef("--max-concurrency %d: it is 1 to %d, or 0 for no limit", f.MaxConcurrency, mostInFlight)
	case f.ClosedLoop && f.MaxConcurrency == 0:
		return usagef("--closed-loop keeps requests in flight: say how many by --max-concurrency")
	case f.MaxTokens < 1 || f.MaxTokens > mostTokens:
		return usagef("--max-tokens %d: it is 1 to %d", f.MaxTokens, mostTokens)
	case f.Warmups < 0 || f.Warmups > 1000:
		return usagef("--warmups %d: it is 0 to 1000", f.Warmups)
	case f.Timeout <= 0:
		return usagef("--timeout %v: it is above 0", f.Timeout)
	case f.IdleTimeout <= 0:
		return usagef("--idle-timeout %v: it is above 0", f.IdleTimeout)
	case f.ReadyCheck < 0 || f.ReadyCheck > 24*3600:
		return usagef("--ready-check-timeout-sec %d: it is 0 to a day", f.ReadyCheck)
	case f.RampStrategy == "" && (f.RampStart != 0 || f.RampEnd != 0):
		return usagef("--ramp-up-start-rps and --ramp-up-end-rps need --ramp-up-strategy linear or exponential")
	case f.RampStrategy != "" && f.RequestRate != nil:
		return usagef("--ramp-up-strategy has its own rates: leave --request-rate (QPS) out")
	case f.RampStrategy != "" && f.ClosedLoop:
		return usagef("--closed-loop has no rate to ramp up")
	}
	if f.RampStrategy != "" {
		if _, err := arrival.ParseRampShape(f.RampStrategy); err != nil {
			return usagef("--ramp-up-strategy: %w", err)
		}
	}
	return nil
}

func (f *loadFlags) rate() float64 {
	if f.RequestRate == nil {
		return defaultRate
	}
	return *f.RequestRate
}

// fill tells an experiment what is sent when.
func (f *loadFlags) fill(e *record.Experiment) {
	e.NumPrompts, e.MaxTokens, e.Warmups = f.NumPrompts, f.MaxTokens, f.Warmups
	e.Timeout, e.IdleTimeout = f.Timeout, f.IdleTimeout
	e.ReadyCheck = max(1, time.Duration(f.ReadyCheck)*time.Second) // 0 s: it is asked once
	e.MaxConcurrency, e.Burstiness, e.RequestRate = f.MaxConcurrency, f.Burstiness, f.rate()
	if math.IsInf(e.Burstiness, 1) {
		e.Burstiness = 0
	}
	if f.Schedule != "poisson" {
		e.Schedule = f.Schedule
	}
	if f.RampStrategy != "" {
		e.Ramp, e.RequestRate = &record.Ramp{Strategy: f.RampStrategy, StartRPS: f.RampStart, EndRPS: f.RampEnd}, 0
	}
	unlimited := math.IsInf(e.RequestRate, 1)
	switch {
	case f.ClosedLoop || unlimited && f.MaxConcurrency > 0:
		e.Loop, e.RequestRate, e.Schedule = record.LoopClosed, 0, record.SchedulePoisson
	case unlimited:
		e.Loop, e.RequestRate, e.Schedule = record.LoopBurst, 0, record.SchedulePoisson
	case f.MaxConcurrency > 0:
		e.Loop = record.LoopCapped
	}
}

// mostInFlight bounds the connections.
const mostInFlight = 8192

// fill tells an experiment what a request holds.
func (f *requestFlags) fill(e *record.Experiment) error {
	if !(f.Temperature >= 0) || math.IsInf(f.Temperature, 1) {
		return usagef("--temperature %v: it is a number from 0 on", f.Temperature)
	}
	switch f.Backend {
	case record.BackendChat:
	case record.BackendCompletions, "vllm": // two names of one protocol
		e.Backend = record.BackendCompletions
	default:
		return usagef("--backend %s: it is openai-chat, or openai for completions", f.Backend)
	}
	if f.Endpoint != "" && !strings.HasPrefix(f.Endpoint, "/") {
		return usagef("--endpoint %s: it is a path such as /v1/chat/completions", f.Endpoint)
	}
	e.Endpoint, e.ServedModel, e.IgnoreEOS, e.Temperature = f.Endpoint, f.ServedModel, f.IgnoreEOS, f.Temperature
	fields, err := f.fields()
	if err != nil || len(fields) == 0 {
		return err
	}
	e.ExtraBody, err = json.Marshal(fields)
	return err
}

// fields are the sampling options and --extra-body, which wins, as in vLLM.
func (f *requestFlags) fields() (map[string]json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	for name, value := range map[string]*float64{
		"top_p": f.TopP, "min_p": f.MinP, "frequency_penalty": f.Frequency, "presence_penalty": f.Presence, "repetition_penalty": f.Repetition,
	} {
		if value == nil {
			continue
		}
		encoded, err := json.Marshal(*value)
		if err != nil {
			return nil, usagef("--%s: %w", strings.ReplaceAll(name, "_", "-"), err)
		}
		fields[name] = encoded
	}
	if f.TopK != nil {
		fields["top_k"] = json.RawMessage(fmt.Sprint(*f.TopK))
	}
	if f.ExtraBody == "" {
		return fields, nil
	}
	var extra map[string]json.RawMessage
	if err := json.Unmarshal([]byte(f.ExtraBody), &extra); err != nil {
		return nil, usagef("--extra-body %.80s: it is a JSON object: %w", f.ExtraBody, err)
	}
	for name, value := range extra {
		fields[name] = value
	}
	if raw, ok := fields["stream"]; ok && string(raw) != "true" {
		return nil, usagef("--extra-body: latencies of tokens need a stream: leave \"stream\" out")
	}
	return fields, nil
}

// headers are those of every request, that of OPENAI_API_KEY among them, and their
// names in order.
func (f *requestFlags) headers() (http.Header, []string, error) {
	header := http.Header{}
	if key := os.Getenv("OPENAI_API_KEY"); key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
	given := map[string]bool{}
	for _, text := range f.Header {
		name, value, ok := strings.Cut(text, "=")
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		if !ok || name == "" || strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(value, "\r\n") {
			return nil, nil, usagef("--header: write NAME=VALUE, on one line")
		}
		if !given[name] {
			header.Del(name)
		}
		given[name] = true
		header.Add(name, value)
	}
	var names []string
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	return header, names, nil
}
