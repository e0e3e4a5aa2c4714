package vllmbench

import (
	"strconv"
	"strings"
)

// Better says which way a metric is better.
type Better int8

// Latencies are better when lower, throughputs when higher; counts and settings
// are neither.
const (
	Lower   Better = -1
	Neither Better = 0
	Higher  Better = +1
)

// Metric describes one number of a result.
type Metric struct {
	Key    string // as in vLLM's JSON: "mean_ttft_ms"
	Label  string // as printed, without its unit: "Mean TTFT"
	Unit   string // "ms", "s", "req/s", "tok/s", "%" or "" for counts
	Better Better
}

// general are the metrics that do not belong to a latency section, in the order in
// which vLLM prints them.
var general = [...]Metric{
	{"completed", "Successful requests", "", Higher},
	{"failed", "Failed requests", "", Lower},
	{"max_concurrency", "Maximum request concurrency", "", Neither},
	{"request_rate", "Request rate configured", "req/s", Neither},
	{"duration", "Benchmark duration", "s", Neither},
	{"total_input_tokens", "Total input tokens", "", Neither},
	{"total_output_tokens", "Total generated tokens", "", Neither},
	{"request_throughput", "Request throughput", "req/s", Higher},
	{"request_goodput", "Request goodput", "req/s", Higher},
	{"output_throughput", "Output token throughput", "tok/s", Higher},
	{"max_output_tokens_per_s", "Peak output token throughput", "tok/s", Higher},
	{"max_concurrent_requests", "Peak concurrent requests", "", Neither},
	{"total_token_throughput", "Total token throughput", "tok/s", Higher},
}

// speculative are the metrics of the section "Speculative Decoding".
var speculative = [...]Metric{
	{"spec_decode_acceptance_rate", "Acceptance rate", "%", Higher},
	{"spec_decode_acceptance_length", "Acceptance length", "", Higher},
	{"spec_decode_num_drafts", "Drafts", "", Neither},
	{"spec_decode_draft_tokens", "Draft tokens", "", Neither},
	{"spec_decode_accepted_tokens", "Accepted tokens", "", Neither},
}

// section is one latency section: the part of its keys and labels that follows the
// statistic's, and its heading.
type section struct{ key, label, heading string }

// Sections about the wait for a free place.
const (
	sectionQueue  = "client_queue_time"
	sectionQueued = "e2el_including_client_queue"
)

// sections are in the order in which vLLM prints them.
var sections = [...]section{
	{"ttft", "TTFT", "Time to First Token"},
	{"tpot", "TPOT", "Time per Output Token (excl. 1st token)"},
	{"itl", "ITL", "Inter-token Latency"},
	{"e2el", "E2EL", "End-to-end Latency"},
	{sectionQueue, "Client Queue Time", "Client-side Queueing"},
	{sectionQueued, "E2EL incl. Client Queue", "Queue-inclusive End-to-end Latency"},
}

// statistics are the statistics of a latency section but for its percentiles; the
// standard deviation is saved and never printed.
var statistics = [...]struct{ key, label string }{
	{"mean", "Mean"}, {"median", "Median"}, {"std", "Std"},
}

// Metrics returns the metrics of a result in display order. A result may have other
// percentiles than the 99th, which Describe knows too.
func Metrics() []Metric {
	var all []Metric
	all = append(all, general[:]...)
	for _, s := range sections {
		for _, st := range statistics {
			all = append(all, s.metric(st.key, st.label))
		}
		all = append(all, s.metric("p99", "P99"))
	}
	return append(all, speculative[:]...)
}

// Describe returns the metric with a key, any percentile included, and whether
// there is one.
func Describe(key string) (Metric, bool) {
	for _, m := range general {
		if m.Key == key {
			return m, true
		}
	}
	for _, m := range speculative {
		if m.Key == key {
			return m, true
		}
	}
	for _, s := range sections {
		stat, ok := strings.CutSuffix(key, "_"+s.key+"_ms")
		if !ok {
			continue
		}
		if label, ok := statisticLabel(stat); ok {
			return s.metric(stat, label), true
		}
	}
	return Metric{}, false
}

// metric returns the metric of a section for one statistic.
func (s section) metric(stat, label string) Metric {
	return Metric{stat + "_" + s.key + "_ms", label + " " + s.label, "ms", Lower}
}

// statisticLabel returns how a statistic is printed: "mean" as "Mean", "p99.9" as
// "P99.9".
func statisticLabel(stat string) (string, bool) {
	for _, st := range statistics {
		if st.key == stat {
			return st.label, true
		}
	}
	percent, ok := strings.CutPrefix(stat, "p")
	if !ok || !isPercent(percent) {
		return "", false
	}
	return "P" + percent, true
}

// isPercent reports whether s is a number of 0 to 100 in digits with at most one
// point, as in "50" or "99.9".
func isPercent(s string) bool {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return false
	}
	v, err := strconv.ParseFloat(s, 64)
	return err == nil && v <= 100
}

// percentWord prints a percentile without a needless fraction: 99 and 99.9.
func percentWord(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }
