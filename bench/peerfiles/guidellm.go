package peerfiles

import (
	"fmt"
	"math"
	"strings"

	"siglab/bench/vllmbench"
	"siglab/internal/pyjson"
)

// readGuideLLM reads the benchmarks of a report of guidellm 0.2 to 0.8, one for each
// rate that was tried.
func readGuideLLM(report pyjson.Object) ([]Result, error) {
	version := report.Object("metadata").Text("guidellm_version") // since 0.4
	var results []Result
	for i, benchmark := range report.Objects("benchmarks") {
		r, err := ofBenchmark(benchmark, version)
		if err != nil {
			return nil, fmt.Errorf("benchmark %d of the report: %w", i+1, err)
		}
		results = append(results, r)
	}
	return results, report.Err()
}

// ofBenchmark takes the distributions over successful requests.
func ofBenchmark(b pyjson.Object, version string) (Result, error) {
	r := Result{Tool: GuideLLM, Version: version, Format: "JSON", Log: vllmbench.Log{Source: "json", About: vllmbench.About{Program: GuideLLM}}}
	metrics := b.Object("metrics")
	of := func(name string) pyjson.Object { return metrics.Object(name, "successful") }
	counts := firstWith("successful", metrics.Object("request_totals"), b.Object("request_totals"), b.Object("scheduler_metrics", "requests_made"), b.Object("run_stats", "requests_made"))
	r.put("completed", counts.Number("successful"))
	r.put("failed", counts.Number("errored"))
	if n := counts.Number("incomplete"); n > 0 {
		r.note("incomplete-requests", "", fmt.Sprintf("%.0f requests were cut off when the run ended, and are in no count.", n))
	}
	if n := counts.Number("total"); n > 0 {
		r.About.Prompts = int(min(n, 1e15))
	}
	strategy := firstWith("type_", b.Object("config", "strategy"), b.Object("args", "strategy"))
	r.put("request_rate", strategy.Number("rate"))
	if kind := strategy.Text("type_"); kind == "concurrent" || kind == "synchronous" || kind == "throughput" {
		r.About.Endless = true
		r.put("max_concurrency", firstNumber(strategy.Number("streams"), strategy.Number("max_concurrency")))
	}
	r.put("duration", b.Number("duration"))
	r.put("total_input_tokens", of("prompt_token_count").Number("total_sum"))
	r.put("total_output_tokens", of("output_token_count").Number("total_sum"))
	r.put("request_throughput", of("requests_per_second").Number("mean"))
	r.put("output_throughput", of("output_tokens_per_second").Number("mean"))
	r.put("total_token_throughput", of("tokens_per_second").Number("mean"))
	r.putSection("ttft", distribution(of("time_to_first_token_ms"), 1))
	r.putSection("tpot", distribution(of("inter_token_latency_ms"), 1))
	r.putSection("e2el", distribution(of("request_latency"), 1000))
	r.About.Model = b.Object("config", "backend").Text("model")
	r.About.Date = unixTime(firstNumber(b.Number("start_time"), b.Object("run_stats").Number("start_time")))
	r.note("itl-per-request", "itl", "guidellm's inter_token_latency_ms is one average per request, which vLLM calls TPOT: it is under TPOT here, and its percentiles cannot show single gaps. There is no ITL.")
	r.note("tpot-includes-ttft", "tpot", "guidellm's time_per_output_token_ms includes the time to the first token and is left out.")
	if strings.HasPrefix(version, "0.8") && strategy.Text("type_") == "poisson" && strategy.Number("worker_count") > 1 {
		r.note("repeated-gaps", "", "With more than one worker the Poisson arrivals of guidellm 0.8 repeat every gap in every worker, and part of them go out at once: the rate was not the one asked for.")
	}
	if err := b.Err(); err != nil {
		return r, err
	}
	return r, r.finish()
}

// distribution names guidellm's statistics as vLLM does, in milliseconds.
func distribution(o pyjson.Object, scale float64) func(string) float64 {
	if o.Number("count") == 0 { // zeros for nothing
		o = pyjson.Object{}
	}
	return func(name string) float64 {
		switch name {
		case "mean", "median":
			return scale * o.Number(name)
		case "std":
			return scale * o.Number("std_dev")
		}
		percent := strings.ReplaceAll(strings.TrimPrefix(name, "p"), ".", "") // "p99.9" is "p999", "p0.1" is "p001"
		if len(percent) == 1 {
			percent = "0" + percent
		} else if name == "p0.1" {
			percent = "001"
		}
		return scale * o.Object("percentiles").Number("p"+percent)
	}
}

// firstWith returns the first object that has a key.
func firstWith(key string, objects ...pyjson.Object) pyjson.Object {
	for _, o := range objects {
		if o.Has(key) {
			return o
		}
	}
	return objects[0]
}

// firstNumber returns the first that is one.
func firstNumber(numbers ...float64) float64 {
	for _, v := range numbers {
		if !math.IsNaN(v) {
			return v
		}
	}
	return numbers[len(numbers)-1]
}
