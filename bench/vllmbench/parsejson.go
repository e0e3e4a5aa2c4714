package vllmbench

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"siglab/internal/pyjson"
)

// parseJSON reads the objects of saved results. A file of --append-result has one
// object per run.
func parseJSON(text []byte) ([]Log, error) {
	values, err := pyjson.Values(text)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, expected)
	}
	logs := make([]Log, 0, len(values))
	for i, value := range values {
		log, err := ParseObject(value)
		if err != nil && len(values) > 1 {
			err = fmt.Errorf("JSON value %d of %d: %w", i+1, len(values), err)
		}
		if err != nil {
			return nil, err
		}
		logs = append(logs, log)
	}
	return logs, nil
}

// ParseObject reads one saved result: of `vllm bench serve`, of its Rust port, or of
// SGLang's bench_serving, whose keys are the same but for a few. The value must be
// valid JSON.
func ParseObject(value json.RawMessage) (Log, error) {
	o := pyjson.NewObject(value)
	log := Log{Source: "json"}
	for _, name := range o.Keys() {
		key := savedKey(name)
		if _, known := Describe(key); !known {
			continue
		}
		if err := log.add(key, o.Number(name)); err != nil {
			return log, err
		}
	}
	log.About = aboutObject(o)
	if err := o.Err(); err != nil {
		return log, err
	}
	if !log.isResult() {
		return log, errors.New("the JSON object has no metric of a benchmark; " + expected)
	}
	return log, nil
}

// savedKey is today's key for one of SGLang or of an older vLLM.
func savedKey(name string) string {
	switch name {
	case "request_goodput:": // vLLM's until 2025
		return "request_goodput"
	case "total_throughput":
		return "total_token_throughput"
	case "accept_length":
		return "spec_decode_acceptance_length"
	}
	if stat, ok := strings.CutSuffix(name, "_e2e_latency_ms"); ok {
		return stat + "_e2el_ms"
	}
	return name
}

// aboutObject collects what the object says besides numbers, and which version of
// the program can have written it.
func aboutObject(o pyjson.Object) About {
	a := About{
		Program: VLLM, Model: o.Text("model_id"), Backend: o.Text("backend"), Label: o.Text("label"),
		Endless: strings.EqualFold(o.Text("request_rate"), "inf") || o.Has("request_rate") && o.Text("request_rate") == "" && !(o.Number("request_rate") > 0),
	}
	if n := o.Number("num_prompts"); n > 0 {
		a.Prompts = int(min(n, 1e15))
	}
	if date, err := time.Parse(dateLayout, o.Text("date")); err == nil {
		a.Date = date
	}
	switch {
	case o.Has("total_output_tokens_retokenized") || o.Has("mean_e2e_latency_ms"):
		a.Program = SGLang
		return a
	case o.Has("max_model_len") || o.Has("steady_state"):
		a.Program = RustClient
		return a
	}
	a.Built.until(a.Date)
	a.Built.feature(failedLine, o.Has("failed"))
	a.Built.feature(queueTimes, o.Has("queue_times"))
	if o.Has("ttfts") { // detailed
		a.Built.feature(startTimes, o.Has("start_times"))
	}
	return a
}

// isResult reports whether the log holds a rate or a latency, and not only counts
// and settings, which other files have too.
func (l *Log) isResult() bool {
	for _, v := range l.Metrics {
		if m, _ := Describe(v.Key); m.Better != Neither && m.Unit != "" {
			return true
		}
	}
	return false
}
