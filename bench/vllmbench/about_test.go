package vllmbench

import (
	"strings"
	"testing"
	"time"
)

func TestAbout(t *testing.T) {
	const block = "============ Serving Benchmark Result ============\nSuccessful requests: 3\n"
	const rule = "==================================================\n"
	tests := []struct {
		why, in string
		want    About
	}{
		{"the current JSON", string(readFile(t, "hf_visionarena.json")), About{
			Program: VLLM, Date: time.Date(2026, 11, 24, 1, 9, 21, 0, time.UTC), Model: "tiny-llava-siglip", Backend: "openai-chat", Prompts: 30,
			Built: Span{queueTimes, time.Date(2026, 11, 24, 1, 9, 21, 0, time.UTC)},
		}},
		{"the current text", string(readFile(t, "hf_visionarena.txt")), About{Program: VLLM, Built: Span{From: lowerCaseToken}}},
		{"no rate", string(readFile(t, "inf_rate.txt")), About{Program: VLLM, Endless: true, Built: Span{From: lowerCaseToken}}},
		{"JSON before failed requests were counted, run in September 2025", `{"date": "20250921-101112", "backend": "openai-chat", "request_rate": "inf", "completed": 3, "mean_ttft_ms": 1}`,
			About{Program: VLLM, Backend: "openai-chat", Endless: true, Date: time.Date(2025, 9, 21, 10, 11, 12, 0, time.UTC), Built: Span{Until: time.Date(2025, 9, 21, 10, 11, 12, 0, time.UTC)}}},
		{"JSON of early 2026, detailed", `{"failed": 0, "ttfts": [], "start_times": [], "request_rate": 4, "mean_ttft_ms": 1}`, About{Program: VLLM, Built: Span{startTimes, queueTimes}}},
		{"text before failed requests were counted", block + "Request rate configured (RPS): 4\nTotal Token throughput (tok/s): 4\n" + rule, About{Program: VLLM, Built: Span{Until: failedLine}}},
		{"text of November 2025", block + "Failed requests: 0\nRequest rate configured (RPS): 4\nTotal Token throughput (tok/s): 4\n" + rule, About{Program: VLLM, Built: Span{failedLine, lowerCaseToken}}},
		{"text that was cut off says nothing of lines that are missing", block, About{Program: VLLM, CutOff: true}},
		{"SGLang's text", block + "Backend: sglang\nTraffic request rate: trace\nTotal generated tokens (retokenized): 4\n" + rule, About{Program: SGLang, Backend: "sglang", Endless: true}},
		{"SGLang's JSON", `{"backend": "sglang", "request_rate": Infinity, "mean_e2e_latency_ms": 3}`, About{Program: SGLang, Backend: "sglang", Endless: true}},
		{"the Rust client's JSON", `{"max_model_len": null, "request_rate": 3, "mean_ttft_ms": 3}`, About{Program: RustClient}},
		{"the Rust client's text", "================= Serving Benchmark Result =================\nRequest rate configured (RPS): 4\nFailed requests: 3\n" + rule, About{Program: RustClient}},
	}
	for _, tt := range tests {
		logs, err := ParseAll(strings.NewReader(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.why, err)
			continue
		}
		if got := logs[0].About; got != tt.want {
			t.Errorf("%s:\n%+v, want\n%+v", tt.why, got, tt.want)
		}
	}
}

// TestParseAllReadsAppendedResults: blocks of one log and lines of one file, in order.
func TestParseAllReadsAppendedResults(t *testing.T) {
	block := func(v string) string {
		return "============ Serving Benchmark Result ============\nMean TTFT (ms): " + v + "\n==================================================\n"
	}
	for _, in := range []string{block("1") + "starting\n" + block("2") + block("3"), `{"mean_ttft_ms": 1}` + "\n" + `{"mean_ttft_ms": 2} {"mean_ttft_ms": 3}`} {
		logs, err := ParseAll(strings.NewReader(in))
		if err != nil || len(logs) != 3 {
			t.Fatalf("%d results, %v", len(logs), err)
		}
		for i, log := range logs {
			if v, _ := log.Get("mean_ttft_ms"); v != float64(i+1) {
				t.Errorf("result %d has %v", i+1, v)
			}
		}
	}
	if _, err := ParseAll(strings.NewReader(`{"mean_ttft_ms": 1}` + "\n" + `{"note": 1}`)); err == nil || !strings.Contains(err.Error(), "JSON value 2 of 2") {
		t.Errorf("a line that is no result: %v", err)
	}
}

func TestChangesBetween(t *testing.T) {
	before := func(d time.Time) Span { return Span{Until: d} }
	after := func(d time.Time) Span { return Span{From: d} }
	tests := []struct {
		why  string
		a, b Span
		want int
	}{
		{"nothing known", Span{}, Span{}, 0},
		{"both recent", after(queueTimes), after(queueTimes), 0},
		{"the first layout and today's", before(failedLine), after(queueTimes), len(changes)},
		{"the same in the other order", after(queueTimes), before(failedLine), len(changes)},
		{"only one is known", before(failedLine), Span{}, 0},
		{"start times came on the day on which the temperature was set free", before(startTimes), after(startTimes), 1},
	}
	for _, tt := range tests {
		if got := ChangesBetween(tt.a, tt.b); len(got) != tt.want {
			t.Errorf("%s: %v", tt.why, got)
		}
	}
}
