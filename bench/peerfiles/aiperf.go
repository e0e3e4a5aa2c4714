package peerfiles

import (
	"math"
	"strings"
	"time"

	"siglab/bench/vllmbench"
	"siglab/internal/pyjson"
)

// measure is one metric of AIPerf or GenAI-Perf: a unit, and statistics under their
// names ("avg", "p99"); a single number is "avg". The zero measure has none.
type measure struct {
	unit string
	stat func(name string) float64
}

func (m measure) avg() float64 { return m.get("avg") }

func (m measure) get(name string) float64 {
	if m.stat == nil {
		return nan
	}
	return m.stat(name)
}

// milliseconds names the statistics as vLLM does.
func (m measure) milliseconds(name string) float64 {
	scale, known := map[string]float64{"ms": 1, "sec": 1e3, "s": 1e3, "us": 1e-3, "ns": 1e-6}[m.unit]
	if !known {
		return nan
	}
	switch name {
	case "mean":
		name = "avg"
	case "median":
		name = "p50"
	}
	return scale * m.get(name)
}

// isMeasures recognises the summary in JSON of either tool.
func isMeasures(o pyjson.Object) bool {
	for _, name := range [...]string{"request_latency", "request_throughput", "time_to_first_token", "request_count"} {
		if o.Object(name).Has("unit") {
			return true
		}
	}
	return false
}

// readMeasures reads profile_export_aiperf.json and profile_export_genai_perf.json,
// which AIPerf modelled on the latter.
func readMeasures(o pyjson.Object) (Result, error) {
	tool := GenAIPerf
	if o.Has("aiperf_version") || o.Has("was_cancelled") || o.Has("error_summary") || o.Has("benchmark_duration") {
		tool = AIPerf
	}
	r := ofMeasures(tool, "JSON", func(name string) measure {
		m := o.Object(name)
		return measure{m.Text("unit"), m.Number}
	})
	r.Version = o.Text("aiperf_version")
	config := o.Object("input_config")
	r.load(config)
	for _, item := range config.Object("models").Objects("items") {
		r.About.Model = item.Text("name")
	}
	r.About.Date = parseTime(o.Text("start_time"))
	if o.True("was_cancelled") {
		r.note("cancelled", "", "The run was cancelled before its end.")
	}
	return r, o.Err()
}

// ofMeasures maps the metrics by what they mean.
func ofMeasures(tool, format string, of func(name string) measure) Result {
	r := Result{Tool: tool, Format: format, Log: vllmbench.Log{Source: strings.ToLower(format), About: vllmbench.About{Program: tool}}}
	count := of("request_count").avg()
	failed := of("error_request_count").avg()
	if tool == AIPerf && math.IsNaN(failed) {
		failed = 0 // it is left out where nothing failed
	}
	r.put("completed", count)
	r.put("failed", failed)
	r.put("duration", of("benchmark_duration").milliseconds("mean")/1000)
	r.put("total_input_tokens", firstNumber(of("total_isl").avg(), count*of("input_sequence_length").avg()))
	r.put("total_output_tokens", firstNumber(of("total_osl").avg(), count*of("output_sequence_length").avg()))
	r.put("request_throughput", of("request_throughput").avg())
	r.put("request_goodput", firstNumber(of("goodput").avg(), of("request_goodput").avg()))
	r.put("output_throughput", of("output_token_throughput").avg())
	r.put("total_token_throughput", of("total_token_throughput").avg())
	r.putSection("ttft", of("time_to_first_token").milliseconds)
	r.putSection("tpot", of("inter_token_latency").milliseconds)
	r.putSection("itl", of("inter_chunk_latency").milliseconds)
	r.putSection("e2el", of("request_latency").milliseconds)
	rest := " There is no ITL."
	if _, ok := r.Get("mean_itl_ms"); ok {
		rest = " ITL is its inter-chunk latency."
	}
	r.note("itl-per-request", "itl", tool+"'s inter-token latency is one average per request, which vLLM calls TPOT: it is under TPOT here, and its percentiles cannot show single gaps."+rest)
	if tool == GenAIPerf {
		r.note("failed-not-counted", "", "GenAI-Perf does not count failed requests: compare the number of answered ones.")
	}
	if format != "JSON" {
		r.note("rounded", "", "The file has two decimals; the JSON that "+tool+" also wrote has all.")
	}
	return r
}

// load takes rate and concurrency from the configuration of any version.
func (r *Result) load(config pyjson.Object) {
	places := []pyjson.Object{config.Object("loadgen"), config.Object("perf_analyzer", "stimulus"), config}
	for _, phase := range config.Objects("phases") {
		if phase.Text("kind") != "warmup" && phase.Text("name") != "warmup" {
			places = append(places, phase)
		}
	}
	for _, place := range places {
		r.put("request_rate", firstNumber(place.Number("request_rate"), place.Number("rate")))
		r.put("max_concurrency", place.Number("concurrency"))
	}
	_, rate := r.Get("request_rate")
	_, concurrency := r.Get("max_concurrency")
	r.About.Endless = concurrency && !rate
}

// parseTime reads the time of a Python datetime, the zero time if it is none.
func parseTime(text string) time.Time {
	for _, layout := range [...]string{"2006-01-02T15:04:05", time.RFC3339} { // fractions are read too
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}

// unixTime is the time of seconds since 1970, the zero time if they are none.
func unixTime(seconds float64) time.Time {
	if !(seconds > 0 && seconds < 1e11) {
		return time.Time{}
	}
	return time.UnixMilli(int64(1000 * seconds)).UTC()
}
