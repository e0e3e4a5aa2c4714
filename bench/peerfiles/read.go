package peerfiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"siglab/bench/vllmbench"
	"siglab/internal/pyjson"
)

// blockTitle is the heading of the text block of vLLM and its kin, which may stand in
// any log.
const blockTitle = "Serving Benchmark Result"

// Read returns the results that a file holds, in its order, at least one. A file has
// several if runs were appended to it, if a log has several blocks, and if guidellm
// tried several rates.
func Read(raw []byte) ([]Result, error) {
	text := pyjson.Text(raw)
	trimmed := bytes.TrimSpace(text)
	switch {
	case len(trimmed) == 0:
		return nil, errors.New("the file is empty")
	case trimmed[0] == '{' || trimmed[0] == '[':
		results, err := readJSON(trimmed)
		if err == nil || !bytes.Contains(text, []byte(blockTitle)) {
			return results, err
		}
	case bytes.HasPrefix(trimmed, []byte("Metric,")):
		return one(readCSV(text))
	case isConsole(text) && !bytes.Contains(text, []byte(blockTitle)):
		return one(readConsole(text))
	}
	return readText(text)
}

func one(r Result, err error) ([]Result, error) {
	if err == nil {
		err = r.finish()
	}
	if err != nil {
		return nil, err
	}
	return []Result{r}, nil
}

// readText reads the blocks of a log.
func readText(text []byte) ([]Result, error) {
	logs, err := vllmbench.ParseAll(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%w; `siglab compare --help` lists what else is read", err)
	}
	results := make([]Result, len(logs))
	for i, log := range logs {
		if results[i], err = ofLog(log, "text"); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// readJSON reads a file of one or more JSON values.
func readJSON(text []byte) ([]Result, error) {
	values, err := pyjson.Values(text)
	if err != nil {
		return nil, err
	}
	if isRecord(pyjson.NewObject(values[0])) {
		return one(readRecords(values))
	}
	if elements := pyjson.Elements(values[0]); len(values) == 1 && len(elements) > 0 && isSaved(pyjson.NewObject(elements[0])) {
		values = elements
	}
	var results []Result
	for i, value := range values {
		found, err := readObject(value)
		if err != nil && len(values) > 1 {
			err = fmt.Errorf("JSON value %d of %d: %w", i+1, len(values), err)
		}
		if err != nil {
			return nil, err
		}
		results = append(results, found...)
	}
	if len(values) > 1 {
		for i := range results {
			results[i].Format = "JSON Lines"
		}
	}
	return results, nil
}

// isSaved recognises an object of `vllm bench serve` in the list that
// `vllm bench sweep serve` makes of its runs.
func isSaved(o pyjson.Object) bool { return o.Has("completed") && o.Has("request_throughput") }

// readObject recognises the tool by the keys that only it has.
func readObject(value json.RawMessage) ([]Result, error) {
	o := pyjson.NewObject(value)
	if err := notAResult(value, o); err != nil {
		return nil, err
	}
	switch {
	case len(o.List("benchmarks")) > 0:
		return readGuideLLM(o)
	case isMeasures(o):
		return one(readMeasures(o))
	case o.Has("successes") && o.Has("failures"):
		return one(readInferencePerf(o))
	case o.Has("results_num_requests_started") || o.Has("results_ttft_s_mean") || o.Has("results_end_to_end_latency_s_mean"):
		return one(readLLMPerf(o))
	}
	log, err := vllmbench.ParseObject(value)
	if err != nil {
		return nil, err
	}
	r, err := ofLog(log, "JSON")
	if err != nil {
		return nil, err
	}
	return []Result{r}, nil
}

// notAResult says what to name instead of files that lie beside results.
func notAResult(value json.RawMessage, o pyjson.Object) error {
	switch {
	case len(value) > 0 && value[0] == '[':
		return errors.New("a JSON list is no summary of a run; name the summary that the tool wrote beside it (llmperf: the file that ends in _summary.json; inference-perf: summary_lifecycle_metrics.json)")
	case o.Has("run_dir") && o.Has("gates"):
		return errors.New("this is the comparison of a run directory already; name the directory, or one of its NAME_benchmark.json files")
	case o.Has("workload") && o.Has("variants"):
		return errors.New("this is the manifest of a run directory; name the directory")
	case o.Has("experiments") && o.Has("service_kind"):
		return errors.New("this is GenAI-Perf's raw profile; name the file that ends in _genai_perf.json")
	case o.Has("mm_processor_stats"):
		return errors.New("this is a result of `vllm bench mm-processor`, which measures no server")
	}
	return nil
}

// ofLog takes what vllmbench read.
func ofLog(log vllmbench.Log, format string) (Result, error) {
	r := Result{Log: log, Tool: log.About.Program, Format: format}
	switch {
	case r.Tool == vllmbench.SGLang:
		r.note("failed-not-counted", "", "bench_serving does not count failed requests: compare the number of answered ones.")
	case r.Tool == vllmbench.RustClient:
		r.note("input-tokens-client", "", "vllm-bench counts input tokens with its own tokenizer, without image tokens.")
		fallthrough
	case log.About.Backend == "openai-chat":
		r.note("role-chunk", "ttft", "In chat the first token is the role chunk, which a server may send before the first token is known.")
		r.note("role-chunk", "itl", "In chat the gaps behind the role chunk and before the finish chunk are among the latencies: two near 0 in each request.")
	}
	if log.About.CutOff {
		r.note("cut-off", "", "The block has no closing rule: its last lines may be missing.")
	}
	return r, r.finish()
}
