package peerfiles

import (
	"encoding/json"
	"fmt"
	"math"

	"siglab/bench/vllmbench"
	"siglab/internal/pyjson"
)

// isRecord recognises a line of AIPerf's profile_export.jsonl.
func isRecord(o pyjson.Object) bool {
	return o.Object("metadata").Has("request_start_ns") && (o.Has("metrics") || o.Has("error"))
}

// records are the latencies of the measured requests, in seconds.
type records struct {
	completed, failed, warmups int
	input, output              float64
	start, end                 float64 // nanoseconds, NaN before the first
	ttft, tpot, itl, e2el      []float64
}

// readRecords computes the summary that AIPerf would have written of its records.
func readRecords(lines []json.RawMessage) (Result, error) {
	r := Result{Tool: AIPerf, Format: "JSON Lines", Log: vllmbench.Log{Source: "json lines", About: vllmbench.About{Program: AIPerf}}}
	seen := records{start: math.NaN(), end: math.NaN()}
	for i, line := range lines {
		o := pyjson.NewObject(line)
		if !isRecord(o) {
			return r, fmt.Errorf("line %d is not a record of AIPerf as the first is", i+1)
		}
		seen.add(o)
		if err := o.Err(); err != nil {
			return r, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	duration := (seen.end - seen.start) / 1e9
	r.put("completed", float64(seen.completed))
	r.put("failed", float64(seen.failed))
	r.put("duration", duration)
	r.put("total_input_tokens", seen.input)
	r.put("total_output_tokens", seen.output)
	if duration > 0 {
		r.put("request_throughput", float64(seen.completed)/duration)
		r.put("output_throughput", seen.output/duration)
		r.put("total_token_throughput", (seen.input+seen.output)/duration)
	}
	for section, sample := range map[string][]float64{"ttft": seen.ttft, "tpot": seen.tpot, "itl": seen.itl, "e2el": seen.e2el} {
		if len(sample) > 0 {
			r.putSection(section, summary(vllmbench.Summarize(sample, []float64{1, 5, 10, 25, 75, 90, 95, 99})))
		}
	}
	r.note("computed", "", "The statistics were computed here from AIPerf's records.")
	r.note("itl-per-request", "itl", "AIPerf's inter-token latency is one average per request, which vLLM calls TPOT: it is under TPOT here. ITL is its inter-chunk latency.")
	return r, nil
}

// add takes one record. Records of a warm-up are not measured; cancelled ones failed.
func (s *records) add(o pyjson.Object) {
	about, metrics := o.Object("metadata"), o.Object("metrics")
	if phase := about.Text("benchmark_phase"); phase == "warmup" {
		s.warmups++
		return
	}
	s.start = least(s.start, about.Number("request_start_ns"))
	s.end = -least(-s.end, -about.Number("request_end_ns"))
	latency := seconds(metrics.Object("request_latency"))
	if o.Object("error").Keys() != nil || o.Text("error") != "" || math.IsNaN(latency) {
		s.failed++
		return
	}
	s.completed++
	s.e2el = append(s.e2el, latency)
	s.input += orZero(metrics.Object("input_sequence_length").Number("value"))
	s.output += orZero(metrics.Object("output_sequence_length").Number("value"))
	if v := seconds(metrics.Object("time_to_first_token")); !math.IsNaN(v) {
		s.ttft = append(s.ttft, v)
	}
	if v := seconds(metrics.Object("inter_token_latency")); !math.IsNaN(v) {
		s.tpot = append(s.tpot, v)
	}
	chunks := metrics.Object("inter_chunk_latency")
	for _, gap := range chunks.List("value") {
		if v := (measure{chunks.Text("unit"), func(string) float64 { return number(gap) }}).milliseconds("mean"); !math.IsNaN(v) {
			s.itl = append(s.itl, v/1000)
		}
	}
}

// seconds reads {"value": 51.4, "unit": "ms"}.
func seconds(o pyjson.Object) float64 {
	return measure{o.Text("unit"), func(string) float64 { return o.Number("value") }}.milliseconds("mean") / 1000
}

func number(value json.RawMessage) float64 {
	var v float64
	if json.Unmarshal(value, &v) != nil {
		return nan
	}
	return v
}

// summary gives statistics by their names.
func summary(l vllmbench.Latency) func(string) float64 {
	return func(name string) float64 {
		switch name {
		case "mean":
			return l.Mean
		case "median":
			return l.Median
		case "std":
			return l.Std
		}
		for _, p := range l.Percentiles {
			if fmt.Sprintf("p%g", p.Percent) == name {
				return p.Value
			}
		}
		return nan
	}
}

// least ignores NaN.
func least(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
