package peerfiles

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"siglab/bench/vllmbench"
)

func TestReadRejects(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)
	tests := []struct{ why, in, want string }{
		{"an empty file", " \n", "empty"},
		{"a file that was cut off", `{"request_latency": {"unit": "ms", "avg": 3`, "is the file complete?"},
		{"a log without a result", "INFO: started\n", "no result found"},
		{"JSON of something else", `{"hello": 1}`, "no metric of a benchmark"},
		{"a list", `[{"ttft_s": 1}]`, "_summary.json"},
		{"nesting without end", deep, "depth"},
		{"a number beyond float64", `{"successes": {"count": 1e999}, "failures": {}}`, `"successes.count": the number 1e999 is too large`},
		{"a key given twice", `{"successes": {"count": 1, "count": 2}, "failures": {}}`, "given twice"},
		{"a summary of nothing", `{"successes": {"count": 3}, "failures": {}}`, "neither a latency nor a rate"},
		{"the manifest of a run directory", `{"workload": {}, "variants": []}`, "name the directory"},
		{"a comparison", `{"run_dir": "d", "gates": [], "metrics": []}`, "name the directory"},
		{"GenAI-Perf's raw profile", `{"experiments": [], "service_kind": "openai"}`, "_genai_perf.json"},
		{"a guidellm report whose benchmark has no metrics", `{"benchmarks": [{}]}`, "benchmark 1"},
		{"a CSV with a word for a number", "Metric,avg\nRequest Latency (ms),fast\n", `"fast" is not a number`},
		{"a CSV of something else", "Metric,avg\nspeed,3\n", "neither a latency nor a rate"},
		{"a CSV with a broken quote", "Metric,avg\n\"Request Latency (ms),3\n", "not the CSV"},
		{"records and something else", `{"metadata": {"request_start_ns": 1}, "metrics": {}}` + "\n{}\n", "line 2"},
		{"results of which one is none", `{"mean_ttft_ms": 1}` + "\n" + `{"hello": 1}`, "JSON value 2 of 2"},
	}
	for _, tt := range tests {
		results, err := Read([]byte(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, %v; want an error with %q", tt.why, results, err, tt.want)
		}
	}
}

func TestReadAccepts(t *testing.T) {
	tests := []struct {
		why, in   string
		tool, key string
		want      float64
	}{
		{"NaN where Python had nothing", `{"successes": {"count": 3, "latency": {"request_latency": {"mean": 2, "p99": NaN}}}, "failures": {"count": 0}}`, InferencePerf, "mean_e2el_ms", 2000},
		{"guidellm 0.3, which had other places for counts and rate",
			`{"benchmarks": [{"args": {"strategy": {"type_": "constant", "rate": 7}}, "run_stats": {"requests_made": {"successful": 5, "errored": 1, "incomplete": 2, "total": 8}}, "duration": 2, "metrics": {"request_latency": {"successful": {"mean": 0.5, "count": 5}}}}]}`,
			GuideLLM, "request_rate", 7},
		{"AIPerf before it said its version", `{"request_latency": {"unit": "ms", "avg": 3}, "request_count": {"unit": "requests", "avg": 2}, "was_cancelled": false, "input_config": {"loadgen": {"request_rate": 4}}}`, AIPerf, "request_rate", 4},
		{"GenAI-Perf, whose tokens are averages", `{"request_latency": {"unit": "ms", "avg": 3}, "request_count": {"unit": "count", "avg": 2}, "output_sequence_length": {"unit": "tokens", "avg": 30}, "input_config": {"perf_analyzer": {"stimulus": {"concurrency": 8}}}}`, GenAIPerf, "total_output_tokens", 60},
		{"GenAI-Perf's CSV with thousands", "Metric,avg,min,max,p99,p95,p90,p75,p50,p25,p10,p5,p1\nRequest Latency (ms),\"1,234.50\",1.00,9.00,2.00,1.00,1.00,1.00,N/A,1.00,1.00,1.00,1.00\n\nMetric,Value\nRequest Count (count),40.00\n", GenAIPerf, "mean_e2el_ms", 1234.5},
		{"the list of vllm bench sweep", `[{"completed": 3, "request_throughput": 1, "mean_ttft_ms": 2}, {"completed": 3, "request_throughput": 1, "mean_ttft_ms": 3}]`, vllmbench.VLLM, "mean_ttft_ms", 2},
		{"a log of JSON records around a block", `{"level": "info"}` + "\n============ Serving Benchmark Result ============\nMean TTFT (ms): 3\n====================\n", vllmbench.VLLM, "mean_ttft_ms", 3},
	}
	for _, tt := range tests {
		results, err := Read([]byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.why, err)
			continue
		}
		if got := results[0].number(tt.key); results[0].Tool != tt.tool || got != tt.want {
			t.Errorf("%s: %s has %s = %v, want %v of %s", tt.why, results[0].Tool, tt.key, got, tt.want, tt.tool)
		}
	}
}

// TestNoSuccesses: zeros that stand for nothing are no latencies.
func TestNoSuccesses(t *testing.T) {
	results, err := Read([]byte(`{"completed": 0, "failed": 4, "request_throughput": 0, "mean_ttft_ms": 0, "p99_e2el_ms": 0}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := results[0].Get("mean_ttft_ms"); ok || results[0].Notes[0].Code != "no-successes" {
		t.Errorf("%v", results[0])
	}
}

// TestCutOffTable: half a number at the end of a file is no number.
func TestCutOffTable(t *testing.T) {
	whole := "Metric,avg,std\nTime to First Token (ms),50.25,1\nRequest Latency (ms),750.75,2\n"
	for cut, want := range map[string][2]bool{whole: {true, false}, whole[:len(whole)-5]: {false, true}, whole + " ": {true, false}} {
		results, err := Read([]byte(cut))
		if err != nil {
			t.Fatal(err)
		}
		_, has := results[0].Get("mean_e2el_ms")
		if got := [2]bool{has, results[0].About.CutOff}; got != want || results[0].number("mean_ttft_ms") != 50.25 {
			t.Errorf("%q: %v, want %v: %v", cut, got, want, results[0])
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[:min(len(raw), 3000)])
		if len(raw) < 10000 {
			f.Add(raw)
		}
	}
	f.Add([]byte(`{"benchmarks": [{"metrics": {"request_latency": {"successful": {"mean": 1, "count": 1}}}}]}`))
	f.Add([]byte(`{"successes": {"count": 1, "latency": {"time_to_first_token": {"mean": 1e308}}}, "failures": {}}`))
	f.Add([]byte("Metric,avg\nRequest Latency (ms),3\n\nMetric,Value\nRequest Count,1\n"))
	f.Add([]byte("AIPerf\n┃ Metric ┃ avg ┃\n│ Request Latency │ 3 │\n│ (ms) │ │\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		results, err := Read(in)
		if err == nil && len(results) == 0 {
			t.Fatal("neither a result nor an error")
		}
		for _, r := range results {
			if err == nil && (len(r.Metrics) == 0 || r.Tool == "") {
				t.Fatalf("an empty result: %v", r)
			}
			seen := map[string]bool{}
			for _, v := range r.Metrics {
				if _, known := vllmbench.Describe(v.Key); !known || seen[v.Key] || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
					t.Fatalf("unknown, twice or not finite: %v", v)
				}
				seen[v.Key] = true
			}
		}
	})
}
