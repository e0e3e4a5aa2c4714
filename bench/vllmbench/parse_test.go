package vllmbench

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func TestParseCaptures(t *testing.T) {
	for _, name := range []string{"hf_visionarena", "inf_rate", "dead_port", "conc2_goodput", "sustain"} {
		t.Run(name, func(t *testing.T) {
			text := parse(t, string(readFile(t, name+".txt")))
			saved := parse(t, string(readFile(t, name+".json")))
			if text.Source != "text" || saved.Source != "json" {
				t.Errorf("sources %q and %q", text.Source, saved.Source)
			}
			sameToTwoDecimals(t, text, saved)
		})
	}
}

func TestParseReadsEveryLine(t *testing.T) {
	log := parse(t, string(readFile(t, "conc2_goodput.txt")))
	want := []Value{
		{"completed", 24}, {"failed", 0}, {"max_concurrency", 2}, {"request_rate", 5}, {"duration", 4.85},
		{"total_input_tokens", 6852}, {"total_output_tokens", 768}, {"request_throughput", 4.95},
		{"request_goodput", 4.95}, {"output_throughput", 158.39}, {"max_output_tokens_per_s", 259},
		{"max_concurrent_requests", 8}, {"total_token_throughput", 1571.55},
		{"mean_ttft_ms", 14.57}, {"median_ttft_ms", 13.86}, {"p50_ttft_ms", 13.86}, {"p90_ttft_ms", 15.49}, {"p99_ttft_ms", 40.44},
		{"mean_tpot_ms", 1.07}, {"median_tpot_ms", 1.08}, {"p50_tpot_ms", 1.08}, {"p90_tpot_ms", 1.26}, {"p99_tpot_ms", 1.34},
		{"mean_itl_ms", 1.04}, {"median_itl_ms", 1.05}, {"p50_itl_ms", 1.05}, {"p90_itl_ms", 1.18}, {"p99_itl_ms", 1.61},
		{"mean_e2el_ms", 47.78}, {"median_e2el_ms", 47.21}, {"p50_e2el_ms", 47.21}, {"p90_e2el_ms", 51.95}, {"p99_e2el_ms", 56.95},
	}
	if diff := cmp.Diff(want, log.Metrics); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	opt := Options{Percentiles: []float64{50, 90, 99, 99.9}, Goodput: Goodput{TTFT: 1}}
	obs, opt := load(t, "conc2_goodput", opt)
	r := Compute(obs, opt)
	var text, saved bytes.Buffer
	if err := WriteText(&text, r); err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(&saved, r); err != nil {
		t.Fatal(err)
	}
	log := parse(t, text.String())
	sameToTwoDecimals(t, log, parse(t, saved.String()))
	if v, ok := log.Get("p99.9_ttft_ms"); !ok || math.Abs(v-r.TTFT.Percentiles[3].Value) > 0.005 {
		t.Errorf("p99.9_ttft_ms = %v, %v; want %v", v, ok, r.TTFT.Percentiles[3].Value)
	}
}

// sameToTwoDecimals compares every number of a text with the saved one.
func sameToTwoDecimals(t *testing.T, text, saved Log) {
	t.Helper()
	for _, v := range text.Metrics {
		if got, ok := saved.Get(v.Key); !ok || math.Abs(got-v.Value) > 0.005+1e-9 {
			t.Errorf("%s: %v in the text, %v (%v) in the JSON", v.Key, v.Value, got, ok)
		}
	}
	if len(text.Metrics) < 19 {
		t.Errorf("only %d numbers in the text", len(text.Metrics))
	}
}

func TestParseAccepts(t *testing.T) {
	const short = "============ Serving Benchmark Result ============\n" +
		"Successful requests:                     3         \n" +
		"Mean TTFT (ms):                          12.50     \n" +
		"==================================================\n"
	three := []Value{{"completed", 3}, {"mean_ttft_ms", 12.5}}
	tests := []struct {
		why, in string
		want    []Value
	}{
		{"a block with most metrics missing", short, three},
		{"headings of 60 columns, as the Rust client prints them",
			strings.ReplaceAll(strings.ReplaceAll(short, "============ S", "================= S"),
				"\n====================", "\n=============================="), three},
		{"line ends of Windows", strings.ReplaceAll(short, "\n", "\r\n"), three},
		{"a byte order mark", "\ufeff" + short, three},
		{"UTF-16, as PowerShell redirects", utf16le(short), three},
		{"a progress bar that ends on the heading's line",
			"100%|██████████| 24/24 [00:04<00:00,  4.95it/s]" + short, three},
		{"a progress bar between two lines",
			strings.Replace(short, "Mean", "\r 45%|████▌     | 11/24 [00:02<00:02,  4.65it/s]\rMean", 1), three},
		{"a log prefix on every line",
			strings.ReplaceAll("\n"+short, "\n", "\nserver-1  | 2026-01-02 03:04:05 "), three},
		{"a block that was cut off", short[:strings.LastIndex(short, "\n=")], three},
		{"a last line without its value", strings.Replace(short, "12.50", "", 1), three[:1]},
		{"no number: None, nan and inf", strings.Replace(short, "12.50     \n",
			"nan\nMaximum request concurrency: None\nBenchmark duration (s): inf\n", 1), three[:1]},
		{"text after the block does not count", short + "Mean TTFT (ms): 99\nFailed requests: 7\n", three},
		{"text before the block does not count", "Maximum request concurrency: 2\n" + short, three},
		{"the older spelling of the token throughputs", strings.Replace(short, "Mean",
			"Total Token throughput (tok/s):          7.00      \nPeak output token throughput (tok/s):   2\nMean", 1),
			[]Value{{"completed", 3}, {"total_token_throughput", 7}, {"max_output_tokens_per_s", 2}, {"mean_ttft_ms", 12.5}}},
		{"percentiles with a fraction", strings.Replace(short, "Mean TTFT", "P99.9 TTFT", 1),
			[]Value{{"completed", 3}, {"p99.9_ttft_ms", 12.5}}},
		{"latencies with the client's queue", strings.Replace(short, "Mean TTFT", "Median E2EL incl. Client Queue", 1),
			[]Value{{"completed", 3}, {"median_e2el_including_client_queue_ms", 12.5}}},
		{"the section of speculative decoding", strings.Replace(short, "Mean TTFT (ms)", "Acceptance rate (%)", 1),
			[]Value{{"completed", 3}, {"spec_decode_acceptance_rate", 12.5}}},
		{"SGLang's names", strings.Replace(short, "Mean TTFT (ms)", "Max request concurrency: 8\nP99 E2E Latency (ms)", 1),
			[]Value{{"completed", 3}, {"max_concurrency", 8}, {"p99_e2el_ms", 12.5}}},
		{"a log of JSON records around the block", `{"level": "info"}` + "\n" + short, three},
		{"JSON with other keys and values", `{"label": null, "request_rate": "inf", "completed": 3, "ttfts": [0.1], "note": {"a": 1}, "mean_ttft_ms": 12.5}`, three},
		{"the key with a colon that older versions wrote", `{"request_goodput:": 2.5, "mean_ttft_ms": 12.5}`, []Value{{"request_goodput", 2.5}, {"mean_ttft_ms", 12.5}}},
		{"SGLang's keys", `{"mean_e2e_latency_ms": 3, "p99_e2e_latency_ms": 4, "accept_length": 2.5, "total_throughput": 7}`,
			[]Value{{"mean_e2el_ms", 3}, {"p99_e2el_ms", 4}, {"spec_decode_acceptance_length", 2.5}, {"total_token_throughput", 7}}},
		{"JSON with one line end", `{"completed": 3, "mean_ttft_ms": 12.5}` + "\n", three},
		{"Python's words for numbers that are none",
			`{"completed": 3, "label": "NaN \" Infinity", "std_ttft_ms": NaN, "burstiness": Infinity, "duration": -Infinity, "mean_ttft_ms": 12.5}`, three},
	}
	for _, tt := range tests {
		log, err := Parse(strings.NewReader(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.why, err)
			continue
		}
		if diff := cmp.Diff(tt.want, log.Metrics); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.why, diff)
		}
	}
}

func TestParseRejects(t *testing.T) {
	heading := "============ Serving Benchmark Result ============\n"
	tests := []struct{ why, in, want string }{
		{"nothing", " \n", "empty"},
		{"a log without a result", "Starting main benchmark run...\nSuccessful requests: 3\n", "no result found; expected the block"},
		{"two blocks", heading + "Failed requests: 0\n" + heading + "Failed requests: 0\n", "holds 2 results; split"},
		{"two blocks, one of them empty", heading + "Failed requests: 0\n" + heading, "result 2 of 2: the result block is empty"},
		{"a block that is only a heading", heading, "empty, perhaps cut off"},
		{"a value that is no number", heading + "Mean TTFT (ms): 12,5\n", `"12,5" is not a number`},
		{"a number given twice", heading + "Mean TTFT (ms): 1\nMean TTFT (ms): 2\n", "given twice"},
		{"several JSON objects", `{"mean_ttft_ms": 1}` + "\n" + `{"mean_ttft_ms": 1}` + "\n" + `{"mean_ttft_ms": 1}`, "holds 3 results"},
		{"JSON of something else", `{"completed": 3, "duration": 2}`, "no metric of a benchmark"},
		{"JSON that was cut off", `{"mean_ttft_ms": 1, "ttfts": [0.1,`, "is the file complete?"},
		{"JSON without its end", `{"mean_ttft_ms": 1`, "is the file complete?"},
		{"a JSON list", `[{"mean_ttft_ms": 1}]`, "no result found"},
		{"rubbish after the JSON", `{"mean_ttft_ms": 1} }`, "JSON value 2"},
	}
	for _, tt := range tests {
		log, err := Parse(strings.NewReader(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, %v; want an error with %q", tt.why, log, err, tt.want)
		}
	}
}

func TestMetricsAreDescribed(t *testing.T) {
	seen := make(map[string]bool)
	for _, m := range Metrics() {
		if got, ok := Describe(m.Key); !ok || got != m {
			t.Errorf("Describe(%q) = %v, %v; want %v", m.Key, got, ok, m)
		}
		if key, ok := keyOf(printedLabel(m.Key)); !ok || key != m.Key {
			t.Errorf("label %q is read as %q, %v; want %q", printedLabel(m.Key), key, ok, m.Key)
		}
		if seen[m.Key] {
			t.Errorf("%s is there twice", m.Key)
		}
		seen[m.Key] = true
	}
	for _, key := range []string{"", "p_ttft_ms", "p101_ttft_ms", "p9.9.9_ttft_ms", "max_ttft_ms", "ttft_ms", "p+1_itl_ms", "label"} {
		if m, ok := Describe(key); ok {
			t.Errorf("Describe(%q) = %v, want none", key, m)
		}
	}
	if m, _ := Describe("p99.9_itl_ms"); m != (Metric{"p99.9_itl_ms", "P99.9 ITL", "ms", Lower}) {
		t.Errorf("Describe(p99.9_itl_ms) = %v", m)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("============ Serving Benchmark Result ============\r\nP99.9 E2EL (ms): 1e3\nRequest goodput (req/s): nan\n===================="))
	f.Add([]byte(`{"completed": 1, "p99_ttft_ms": 1e3, "itls": [[0.1]], "x": NaN}`))
	f.Add([]byte("\xff\xfe{\x00}\x00"))
	f.Add([]byte("{\"a\":\"\\"))
	f.Fuzz(func(t *testing.T, in []byte) {
		log, err := Parse(bytes.NewReader(in))
		if err != nil {
			return
		}
		if len(log.Metrics) == 0 {
			t.Error("neither numbers nor an error")
		}
		for i, v := range log.Metrics {
			if _, ok := Describe(v.Key); !ok || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
				t.Errorf("unknown or not finite: %v", v)
			}
			for _, other := range log.Metrics[:i] {
				if other.Key == v.Key {
					t.Errorf("%s is there twice", v.Key)
				}
			}
		}
	})
}

func parse(t *testing.T, in string) Log {
	t.Helper()
	log, err := Parse(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// utf16le encodes s with a byte order mark.
func utf16le(s string) string {
	out := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}
