package peerfiles

import (
	"math"

	"siglab/bench/vllmbench"
	"siglab/internal/pyjson"
)

// readLLMPerf reads the flat NAME_summary.json of llmperf's token benchmark; its
// times are seconds.
func readLLMPerf(o pyjson.Object) (Result, error) {
	r := Result{Tool: LLMPerf, Version: o.Text("version"), Format: "JSON", Log: vllmbench.Log{Source: "json", About: vllmbench.About{Program: LLMPerf, Model: o.Text("model"), Endless: true}}}
	completed := o.Number("results_num_completed_requests")
	perSecond := o.Number("results_num_completed_requests_per_min") / 60
	if n := o.Number("results_num_requests_started"); n > 0 {
		r.About.Prompts = int(min(n, 1e15))
	}
	r.put("completed", completed)
	r.put("failed", o.Number("results_number_errors"))
	r.put("max_concurrency", o.Number("num_concurrent_requests"))
	r.put("duration", completed/perSecond)
	r.put("total_input_tokens", math.Round(completed*o.Number("results_number_input_tokens_mean")))
	r.put("total_output_tokens", math.Round(completed*o.Number("results_number_output_tokens_mean")))
	r.put("request_throughput", perSecond)
	r.put("output_throughput", o.Number("results_mean_output_throughput_token_per_s"))
	for _, section := range [...]struct{ key, name string }{{"ttft", "results_ttft_s_"}, {"e2el", "results_end_to_end_latency_s_"}} {
		r.putSection(section.key, func(name string) float64 {
			switch name {
			case "mean":
				return 1000 * o.Number(section.name+"mean")
			case "median":
				return 1000 * o.Number(section.name+"quantiles_p50")
			case "std": // llmperf divides by n − 1
				n := completed
				return 1000 * o.Number(section.name+"stddev") * math.Sqrt((n-1)/n)
			}
			return 1000 * o.Number(section.name+"quantiles_"+name)
		})
	}
	r.About.Date = unixTime(o.Number("timestamp"))
	r.note("tpot-includes-ttft", "tpot", "llmperf's inter_token_latency_s is the whole latency divided by the tokens, the time to the first token included; it is neither vLLM's TPOT nor its ITL and is left out.")
	r.note("output-tokens-client", "", "llmperf counts tokens with a tokenizer of its own, not with the server's count.")
	return r, o.Err()
}
