package vllmbench

import (
	"fmt"
	"io"
	"math"
)

// dateLayout is vLLM's, local to the machine that ran the benchmark.
const dateLayout = "20060102-150405"

// Detail is how much of the single requests is saved.
type Detail int8

// The details of --save-detailed and of its absence, which leaves two of the arrays.
const (
	Detailed Detail = iota
	Brief
)

// WriteJSON writes the object that `vllm bench serve --save-result --save-detailed`
// saves: its keys in its order, on one line without a line end, the detailed arrays
// in seconds and in the order of the requests.
func WriteJSON(w io.Writer, r Result) error { return WriteJSONWith(w, r, Detailed) }

// WriteJSONWith is WriteJSON with a choice of detail.
func WriteJSONWith(w io.Writer, r Result, detail Detail) error {
	var o object
	o.settings(r.Options)
	o.totals(r)
	o.details(r.Requests, detail)
	o.add("max_output_tokens_per_s", float64(r.PeakOutputTokens))
	o.add("max_concurrent_requests", r.PeakConcurrent)
	o.add("rtfx", 0.0) // of audio only
	if len(r.RateChanges) > 0 {
		o.add("rps_change_events", r.RateChanges)
	}
	for _, l := range r.latencies() {
		o.latency(l)
	}
	if err := o.writeTo(w); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// settings adds what was asked for.
func (o *object) settings(opt Options) {
	o.add("date", opt.Date.Format(dateLayout))
	o.add("endpoint_type", opt.EndpointType)
	o.add("backend", opt.Backend)
	o.add("label", orNull(opt.Label, opt.Label != ""))
	o.add("model_id", opt.Model)
	o.add("tokenizer_id", opt.Tokenizer)
	o.add("num_prompts", opt.NumPrompts)
	for _, m := range opt.Metadata {
		o.add(m.Key, m.Value)
	}
	if opt.RequestRate == 0 || math.IsInf(opt.RequestRate, 0) {
		o.add("request_rate", "inf")
	} else {
		o.add("request_rate", opt.RequestRate)
	}
	o.add("burstiness", opt.Burstiness)
	o.add("max_concurrency", orNull(opt.MaxConcurrency, opt.MaxConcurrency > 0))
	if opt.Ramp != nil {
		o.add("ramp_up_strategy", opt.Ramp.Strategy)
		o.add("ramp_up_start_rps", whole(opt.Ramp.StartRPS))
		o.add("ramp_up_end_rps", whole(opt.Ramp.EndRPS))
	}
}

// totals adds the counts and rates of the whole run.
func (o *object) totals(r Result) {
	o.add("duration", r.Options.Duration.Seconds())
	o.add("completed", r.Completed)
	o.add("failed", r.Failed)
	o.add("total_input_tokens", r.InputTokens)
	o.add("total_output_tokens", r.OutputTokens)
	o.add("request_throughput", r.RequestThroughput)
	o.add("request_goodput", orNull(r.RequestGoodput, r.Options.Goodput.set()))
	o.add("output_throughput", r.OutputThroughput)
	o.add("total_token_throughput", r.TotalTokenThroughput)
}

// details adds one array per property of a request.
func (o *object) details(rows []Request, detail Detail) {
	latencies := column(rows, func(r Request) float64 { return r.Latency })
	queue := column(rows, func(r Request) float64 { return r.Queue })
	if detail == Brief {
		o.add("latencies", latencies)
		o.add("queue_times", queue)
		return
	}
	o.add("input_lens", column(rows, func(r Request) int { return r.InputTokens }))
	o.add("output_lens", column(rows, func(r Request) int { return r.OutputTokens }))
	o.add("ttfts", column(rows, func(r Request) float64 { return r.TTFT }))
	o.add("itls", column(rows, func(r Request) []float64 { return r.ITL }))
	o.add("latencies", latencies)
	o.add("start_times", column(rows, func(r Request) float64 { return r.Start }))
	o.add("queue_times", queue)
	o.add("generated_texts", column(rows, func(r Request) string { return r.Text }))
	o.add("errors", column(rows, func(r Request) string { return r.Error }))
}

// whole is a number without a fraction as an integer, as vLLM's options are.
func whole(v float64) any {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return int(v)
	}
	return v
}

// object is a change as vLLM writes it, its time local and without a zone.
func (c RateChange) object() *object {
	var o object
	o.add("rps", c.RPS)
	o.add("timestamp", c.At.Format("2006-01-02T15:04:05.000000"))
	return &o
}

// latency adds the statistics of one section, in milliseconds.
func (o *object) latency(l namedLatency) {
	o.add("mean_"+l.key+"_ms", l.Mean)
	o.add("median_"+l.key+"_ms", l.Median)
	o.add("std_"+l.key+"_ms", l.Std)
	for _, p := range l.Percentiles {
		o.add("p"+percentWord(p.Percent)+"_"+l.key+"_ms", p.Value)
	}
}

// column takes one property of every request.
func column[T any](rows []Request, of func(Request) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = of(r)
	}
	return out
}

// orNull returns v, or nil for null if it was not given.
func orNull(v any, given bool) any {
	if !given {
		return nil
	}
	return v
}
