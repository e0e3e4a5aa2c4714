package peerfiles

import (
	"siglab/bench/vllmbench"
	"siglab/internal/pyjson"
)

// readInferencePerf reads summary_lifecycle_metrics.json or the file of one stage;
// its times are seconds.
func readInferencePerf(o pyjson.Object) (Result, error) {
	r := Result{Tool: InferencePerf, Format: "JSON", Log: vllmbench.Log{Source: "json", About: vllmbench.About{Program: InferencePerf}}}
	good, load := o.Object("successes"), o.Object("load_summary")
	latency, throughput := good.Object("latency"), good.Object("throughput")
	if n := load.Number("count"); n > 0 {
		r.About.Prompts = int(min(n, 1e15))
	}
	r.put("completed", good.Number("count"))
	r.put("failed", o.Object("failures").Number("count"))
	r.put("request_rate", load.Number("requested_rate"))
	r.put("max_concurrency", load.Number("concurrency"))
	r.put("duration", o.Number("benchmark_time_seconds"))
	r.put("total_input_tokens", firstNumber(good.Object("prompt_tokens").Number("total"), good.Number("count")*good.Object("prompt_len").Number("mean")))
	r.put("total_output_tokens", firstNumber(good.Object("output_tokens").Number("total"), good.Number("count")*good.Object("output_len").Number("mean")))
	r.put("request_throughput", throughput.Number("requests_per_sec"))
	r.put("output_throughput", throughput.Number("output_tokens_per_sec"))
	r.put("total_token_throughput", throughput.Number("total_tokens_per_sec"))
	for _, section := range [...]struct{ key, name string }{
		{"ttft", "time_to_first_token"}, {"tpot", "time_per_output_token"}, {"itl", "inter_token_latency"}, {"e2el", "request_latency"},
	} {
		stats := latency.Object(section.name)
		r.putSection(section.key, func(name string) float64 { return 1000 * stats.Number(name) })
	}
	r.note("tpot-includes-ttft", "tpot", "inference-perf's normalized_time_per_output_token includes the time to the first token and is left out; TPOT is its time_per_output_token.")
	return r, o.Err()
}
