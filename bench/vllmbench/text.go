package vllmbench

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
)

// width is the number of columns of the text block.
const width = 50

// title is the heading by which a text block is known.
const title = "Serving Benchmark Result"

// WriteText writes the block that `vllm bench serve` prints, byte for byte, blanks
// at the ends of lines included.
func WriteText(w io.Writer, r Result) error {
	var t textBlock
	t.heading(" "+title+" ", "=")
	t.count("completed", r.Completed)
	t.count("failed", r.Failed)
	if r.Options.MaxConcurrency > 0 {
		t.count("max_concurrency", r.Options.MaxConcurrency)
	}
	if rate := r.Options.RequestRate; rate > 0 && !math.IsInf(rate, 0) {
		t.value("request_rate", rate)
	}
	t.value("duration", r.Options.Duration.Seconds())
	t.count("total_input_tokens", r.InputTokens)
	t.count("total_output_tokens", r.OutputTokens)
	t.value("request_throughput", r.RequestThroughput)
	if r.Options.Goodput.set() {
		t.value("request_goodput", r.RequestGoodput)
	}
	t.value("output_throughput", r.OutputThroughput)
	t.value("max_output_tokens_per_s", float64(r.PeakOutputTokens))
	t.value("max_concurrent_requests", float64(r.PeakConcurrent))
	t.value("total_token_throughput", r.TotalTokenThroughput)
	for _, named := range r.latencies() {
		t.latency(named)
	}
	t.heading("", "=")
	if _, err := w.Write(t.Bytes()); err != nil {
		return fmt.Errorf("write the result block: %w", err)
	}
	return nil
}

// namedLatency is one latency section of a result.
type namedLatency struct {
	section
	Latency
}

// latencies returns the sections that were asked for, in order.
func (r Result) latencies() []namedLatency {
	computed := [...]Latency{r.TTFT, r.TPOT, r.ITL, r.E2EL, r.Queue, r.QueuedE2EL} // as in sections
	var out []namedLatency
	for i, l := range computed {
		if r.Options.has(sections[i].key) {
			out = append(out, namedLatency{sections[i], l})
		}
	}
	return out
}

// textBlock collects the lines of a block.
type textBlock struct{ bytes.Buffer }

// heading writes a line with s in its middle; an odd column goes to the right.
func (t *textBlock) heading(s, fill string) {
	free := width - len(s)
	fmt.Fprintf(&t.Buffer, "%s%s%s\n", strings.Repeat(fill, free/2), s, strings.Repeat(fill, free-free/2))
}

// count writes the line of an integer.
func (t *textBlock) count(key string, n int) { t.line(printedLabel(key), fmt.Sprint(n)) }

// value writes the line of a number with two decimals.
func (t *textBlock) value(key string, v float64) {
	t.line(printedLabel(key), fmt.Sprintf("%.2f", v))
}

// latency writes one section.
func (t *textBlock) latency(l namedLatency) {
	t.heading(l.heading, "-")
	t.value("mean_"+l.key+"_ms", l.Mean)
	t.value("median_"+l.key+"_ms", l.Median)
	for _, p := range l.Percentiles {
		t.line("P"+percentWord(p.Percent)+" "+l.label+" (ms)", fmt.Sprintf("%.2f", p.Value))
	}
}

// line writes a label and its value.
func (t *textBlock) line(label, value string) {
	fmt.Fprintf(&t.Buffer, "%-40s %-10s\n", label+":", value)
}

// printedLabel is the label of a metric with its unit, as vLLM prints it.
func printedLabel(key string) string {
	m, ok := Describe(key)
	switch {
	case !ok:
		return key
	case key == "request_rate":
		return m.Label + " (RPS)"
	case m.Unit == "":
		return m.Label
	default:
		return m.Label + " (" + m.Unit + ")"
	}
}
